import { EngineError } from "../ir/errors.ts";

/** Something that the MPI library works at while the program goes on. The memory that it reads or writes may not be touched before it is done. */
export interface Pending {
  /** Whether it is done; asking also lets the library work at it for a moment. */
  done(): boolean;
  /** Resolves when it is done. @throws EngineError when that takes longer than the limit given to `mpi` */
  wait(): Promise<void>;
}

/** How something is waited for. */
export interface Patience {
  /** Seconds until it is given up. */
  readonly timeout: number;
  /** Called now and then while waiting; does not come back when a rank is lost. */
  readonly check: () => void;
  /** Bytes that are on their way; 0 when left out. */
  readonly bytes?: number;
}

/** Asked without a pause, and before there is a promise, for so many times, some 200 microseconds: what is small is there by then. */
export const eager = 2048;
export const resolved: Promise<void> = /* @__PURE__ */ Promise.resolve();
/** Asked without a pause for so many times: most of what is waited for is there in microseconds. */
const hasty = 64;
/** Milliseconds of waiting after which the processor is left to others, a moment each time: by then another rank is late. MPI gets on only while it is asked. */
const politeAfter = 2;
const moment = 0.05;
/** Bytes that messages in memory make at least of a millisecond. */
const slowest = 5e5;
/** Milliseconds after which whatever else waits has its turn. */
const turn = 0.25;

const setImmediateOf = (): ((f: () => void) => void) =>
  (globalThis as unknown as { readonly setImmediate: (f: () => void) => void }).setImmediate;

function overdue(what: string, seconds: number): EngineError {
  return new EngineError(
    `mpi: ${what} was not done in ${seconds} s: another rank does not take part in it; all ranks must call the same operations in the same order`,
  );
}

/** Waits while everything else that waits has its turns. */
export async function waited(what: string, done: () => boolean, { timeout, check, bytes = 0 }: Patience): Promise<void> {
  const next = setImmediateOf();
  const patient = politeAfter + bytes / slowest;
  let sleeper: Int32Array | null = null;
  let began = 0;
  let last = 0;
  for (let i = 1; !done(); i++) {
    if (i < hasty) continue;
    const now = performance.now();
    if (began === 0) began = last = now;
    check();
    if (now - began > timeout * 1000) throw overdue(what, timeout);
    if (now - began > patient) Atomics.wait((sleeper ??= new Int32Array(new SharedArrayBuffer(4))), 0, 0, moment);
    if (now - last < turn) continue;
    await new Promise<void>((resolve) => next(resolve));
    last = performance.now();
  }
}

/** Waits without letting anything else have a turn: while it is found out who is there, and in the middle of a program. */
export function waitedHere(what: string, done: () => boolean, { timeout, check }: Patience): void {
  let sleeper: Int32Array | null = null;
  let began = 0;
  for (let i = 1; !done(); i++) {
    if (i < hasty) continue;
    const now = performance.now();
    if (began === 0) began = now;
    check();
    if (now - began > timeout * 1000) throw overdue(what, timeout);
    if (now - began > politeAfter) Atomics.wait((sleeper ??= new Int32Array(new SharedArrayBuffer(4))), 0, 0, moment);
  }
}
