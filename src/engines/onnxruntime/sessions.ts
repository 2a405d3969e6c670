import type { Exported } from "./export.ts";
import { refused } from "./export.ts";
import type { OrtSession, Runtime } from "./ort.ts";

/** A session and who uses it. */
export interface Lease {
  readonly session: Promise<OrtSession>;
  /** Gives it back; the last one that does so ends it, unless it is kept for graphs to come. */
  release(): void;
}

interface Entry {
  readonly bytes: Uint8Array;
  readonly hash: number;
  readonly session: Promise<OrtSession>;
  users: number;
  kept: boolean;
}

/** What is kept for graphs that are made alike: so many sessions, and so many bytes of their models. */
const mostKept = 32;
const mostBytes: number = 2 ** 26;

function hashOf(bytes: Uint8Array): number {
  let hash = bytes.length;
  const words = new Int32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + (bytes.length & ~3)));
  for (let i = 0; i < words.length; i++) {
    hash = Math.imul(hash ^ words[i]!, 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  for (let i = bytes.length & ~3; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i]!, 0x9e3779b1);
  return hash;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/**
 * The sessions of an engine, by the bytes of their models: a graph that is made alike, constants included, takes the session of the first. One thing is asked of
 * ONNX Runtime at a time, because its builds for pages refuse two.
 */
export class Sessions {
  private readonly runtime: Runtime;
  readonly options: object;
  private readonly kept: Entry[] = [];
  private tail: Promise<unknown> = Promise.resolve();
  /** How many sessions were made. */
  made = 0;

  constructor(runtime: Runtime, options: object) {
    this.runtime = runtime;
    this.options = options;
  }

  /** Calls `task` when everything asked before is done. */
  async turn<T>(task: () => Promise<T>): Promise<T> {
    const before = this.tail;
    let done = (): void => undefined;
    this.tail = new Promise<void>((resolve) => {
      done = resolve;
    });
    await before;
    try {
      return await task();
    } finally {
      done();
    }
  }

  lease(made: Exported): Lease {
    const { bytes } = made;
    const hash = hashOf(bytes);
    const at = this.kept.findIndex((e) => e.hash === hash && sameBytes(e.bytes, bytes));
    const entry = at < 0 ? this.open(made, hash) : this.kept.splice(at, 1)[0]!;
    entry.users++;
    if (at >= 0 || bytes.length <= mostBytes) {
      entry.kept = true;
      this.kept.push(entry);
      this.trim();
    }
    let leased = true;
    return {
      session: entry.session,
      release: () => {
        if (!leased) return;
        leased = false;
        entry.users--;
        this.end(entry);
      },
    };
  }

  private open(made: Exported, hash: number): Entry {
    this.made++;
    const session = this.turn(() => this.runtime.open(made.bytes, this.options)).catch((error: unknown) => {
      // What failed is tried again when it is asked for again.
      const at = this.kept.indexOf(entry);
      if (at >= 0) this.kept.splice(at, 1);
      throw refused(error, made, "was refused");
    });
    session.catch(() => undefined);
    const entry: Entry = { bytes: made.bytes, hash, session, users: 0, kept: false };
    return entry;
  }

  private trim(): void {
    let bytes = this.kept.reduce((n, e) => n + e.bytes.length, 0);
    while (this.kept.length > mostKept || bytes > mostBytes) {
      const oldest = this.kept.shift()!;
      bytes -= oldest.bytes.length;
      oldest.kept = false;
      this.end(oldest);
    }
  }

  private end(entry: Entry): void {
    if (entry.users > 0 || entry.kept) return;
    void this.turn(async () => (await entry.session).release()).catch(() => undefined);
  }

  /** Ends what is kept and not used: for engines that nobody holds any more. */
  close(): void {
    for (const entry of this.kept.splice(0)) {
      entry.kept = false;
      this.end(entry);
    }
  }
}
