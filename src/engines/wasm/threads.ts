import { EngineError } from "../../ir/errors.ts";

/** A step that several threads share: its parts are computed by whoever takes them. */
export interface Job {
  /** A number that no other program of the engine has. */
  readonly program: number;
  /** The module's bytes in the shared memory, for threads that have no instance of it yet. */
  readonly bytes: number;
  readonly length: number;
  readonly base: number;
  /** The module exports it as `part` and this number. */
  readonly step: number;
  readonly parts: number;
  /** It is long enough to wake threads for; otherwise those that are awake take part. */
  readonly wakes: boolean;
}

/** Words of the control block, in the shared memory. */
const at = { generation: 0, claim: 1, finished: 2, failed: 3, program: 4, step: 5, bytes: 6, length: 7, base: 8, awake: 9 } as const;
/**
 * How often a helper looks for work before it sleeps: a third of a millisecond, as V8 takes 18 ns to look once. Between the shared steps of a program less
 * goes by as a rule. The caller looks ten times as often for the end of a part.
 */
const looks = 20_000;
/** Bytes of the control block. */
export const controlBytes = 64;

/**
 * What a worker runs, as text: it needs no file, which bundlers would have to find, and nothing of the library. It waits for the generation to change, then
 * takes parts until none are left. The claim holds the generation and how many parts are left in one word, so that whoever is late takes nothing.
 */
const source = (): string => `
const start = ({ memory, control, thread }) => {
  const words = new Int32Array(memory.buffer, control, 16);
  const programs = new Map();
  let seen = 0;
  Atomics.add(words, ${at.awake}, 1);
  for (;;) {
    let generation = Atomics.load(words, ${at.generation});
    for (let i = 0; generation === seen && i < ${looks}; i++) generation = Atomics.load(words, ${at.generation});
    if (generation === seen) {
      Atomics.sub(words, ${at.awake}, 1);
      Atomics.wait(words, ${at.generation}, seen);
      Atomics.add(words, ${at.awake}, 1);
      continue;
    }
    seen = generation;
    const program = words[${at.program}], step = words[${at.step}], base = words[${at.base}];
    let parts = programs.get(program);
    if (parts === undefined) {
      const bytes = new Uint8Array(memory.buffer, words[${at.bytes}] >>> 0, words[${at.length}]).slice();
      if (Atomics.load(words, ${at.generation}) !== generation) continue;
      try {
        const module = new WebAssembly.Module(bytes);
        const host = { memory };
        for (const { module: from, name, kind } of WebAssembly.Module.imports(module))
          if (from === "host" && kind === "function") host[name] = Math[name] ?? (() => { throw new Error("no part of a step calls " + name); });
        const global = { base: new WebAssembly.Global({ value: "i32" }, base) };
        parts = new WebAssembly.Instance(module, { host, global }).exports;
      } catch {
        parts = null;
      }
      programs.set(program, parts);
      if (programs.size > 64) programs.delete(programs.keys().next().value);
    }
    if (parts === null) continue;
    for (;;) {
      const claim = Atomics.load(words, ${at.claim});
      const left = claim & 255;
      if (claim >> 8 !== generation || left === 0) break;
      if (Atomics.compareExchange(words, ${at.claim}, claim, claim - 1) !== claim) continue;
      try {
        parts["part" + step](left - 1, thread);
      } catch {
        Atomics.store(words, ${at.failed}, 1);
      }
      Atomics.add(words, ${at.finished}, 1);
      Atomics.notify(words, ${at.finished});
    }
  }
};
const node = globalThis.process?.getBuiltinModule?.("node:worker_threads");
if (node) start(node.workerData);
else onmessage = ({ data }) => start(data);
`;

interface NodeWorker {
  unref(): void;
  terminate(): unknown;
}
interface Threading {
  readonly Worker: new (source: string | URL, options: object) => NodeWorker;
  readonly parentPort: unknown;
  readonly workerData: unknown;
}
type Host = { readonly process?: { getBuiltinModule?(name: string): unknown } };

/** Node's own workers, null elsewhere. */
export function nodeWorkers(): Threading | null {
  const found = (globalThis as Host).process?.getBuiltinModule?.("node:worker_threads");
  return found === undefined ? null : (found as Threading);
}

/** Whether workers can share memory here: always in Node; in pages that are isolated from other origins. */
export function canShare(): boolean {
  const { crossOriginIsolated } = globalThis as { readonly crossOriginIsolated?: boolean };
  return typeof SharedArrayBuffer === "function" && crossOriginIsolated !== false;
}

/** Whether this thread may sleep until another wakes it; the main thread of a page may not. */
function canWait(): boolean {
  return (globalThis as { readonly document?: unknown }).document === undefined;
}

type Stop = () => void;

function startWorker(data: object): Stop {
  const node = nodeWorkers();
  if (node !== null) {
    const worker = new node.Worker(source(), { eval: true, workerData: data, execArgv: [], env: {}, name: "chainrule" });
    worker.unref();
    return () => void worker.terminate();
  }
  const url = URL.createObjectURL(new Blob([source()], { type: "text/javascript" }));
  const worker = new Worker(url, { name: "chainrule" });
  worker.postMessage(data);
  return () => {
    worker.terminate();
    URL.revokeObjectURL(url);
  };
}

/** Milliseconds after which a part that another thread took is given up for lost. */
const patience = 60_000;

/**
 * Helpers of one engine: workers that share its memory and take parts of a step when there are any. They start with the first step that has parts;
 * until they are there, and wherever they cannot start, the caller takes all parts itself. Which thread takes a part makes no difference to its numbers.
 */
export class Threads {
  readonly count: number;
  readonly #memory: WebAssembly.Memory;
  readonly #control: number;
  private words: Int32Array | null = null;
  #generation = 0;
  #lost = false;
  readonly #stops: Stop[] = [];

  constructor(memory: WebAssembly.Memory, control: number, count: number) {
    this.#memory = memory;
    this.#control = control;
    this.count = count;
  }

  #start(): Int32Array {
    const words = new Int32Array(this.#memory.buffer, this.#control, controlBytes / 4);
    words.fill(0);
    try {
      for (let thread = 1; thread < this.count; thread++)
        this.#stops.push(startWorker({ memory: this.#memory, control: this.#control, thread }));
    } catch {
      // A page's policy may forbid workers from text: the caller then works alone.
    }
    return words;
  }

  /** Computes all parts; `part` computes one here. @throws EngineError when a worker failed or was lost */
  run(job: Job, part: (index: number) => void): void {
    if (this.words === null) this.words = this.#start();
    const { words } = this;
    if (this.#lost || (!job.wakes && Atomics.load(words, at.awake) === 0)) {
      for (let i = job.parts - 1; i >= 0; i--) part(i);
      return;
    }
    for (const name of ["program", "step", "bytes", "length", "base"] as const) words[at[name]] = job[name];
    Atomics.store(words, at.finished, 0);
    Atomics.store(words, at.failed, 0);
    this.#generation = (this.#generation % 0x7ffff0) + 1;
    Atomics.store(words, at.claim, (this.#generation << 8) | job.parts);
    Atomics.store(words, at.generation, this.#generation);
    if (job.wakes && Atomics.load(words, at.awake) < this.count - 1) Atomics.notify(words, at.generation);
    try {
      for (;;) {
        const claim = Atomics.load(words, at.claim);
        if ((claim & 255) === 0) break;
        if (Atomics.compareExchange(words, at.claim, claim, claim - 1) !== claim) continue;
        part((claim & 255) - 1);
        Atomics.add(words, at.finished, 1);
      }
    } catch (error) {
      // Nobody may still be writing when the caller goes on.
      const left = Atomics.exchange(words, at.claim, 0) & 255;
      Atomics.add(words, at.finished, left + 1);
      this.#wait(words, job.parts);
      throw error;
    }
    this.#wait(words, job.parts);
    if (Atomics.load(words, at.failed) !== 0)
      throw new EngineError("wasm: a thread failed at its part of a step; run it again on one thread");
  }

  #wait(words: Int32Array, parts: number): void {
    const sleep = canWait();
    let since = 0;
    for (let i = 0; ; i++) {
      const finished = Atomics.load(words, at.finished);
      if (finished >= parts) return;
      if (i < 10 * looks) continue;
      if (since === 0) since = Date.now();
      if (Date.now() - since > patience) {
        this.#lost = true;
        this.stop();
        throw new EngineError(
          "wasm: a thread did not finish its part of a step in a minute and is given up; the engine goes on with one thread",
        );
      }
      if (sleep) Atomics.wait(words, at.finished, finished, 100);
    }
  }

  /** Ends the workers. */
  stop(): void {
    for (const stop of this.#stops.splice(0)) stop();
  }
}
