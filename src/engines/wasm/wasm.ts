import { runBody } from "../../evaluate/evaluate.ts";
import { allocate, type DType, type NumberArray } from "../../ir/dtype.ts";
import { EngineError } from "../../ir/errors.ts";
import type { Value } from "../../ir/node.ts";
import { sizeOf } from "../../ir/shape.ts";
import { type Held, hold, type Tensor } from "../../ir/tensor.ts";
import { type TensorType, typeText } from "../../ir/type.ts";
import type { Engine, Executable } from "../engine.ts";
import { checkKnown } from "../known-options.ts";
import { profileOf } from "../profile.ts";
import { hasRelaxedSimd, requireSimd } from "./features.ts";
import { type Found, ModuleCache } from "./module-cache.ts";
import { bytesOf, padded } from "./plan.ts";
import { connectTo, remote } from "./remote.ts";
import { costOf, readsOf } from "./step-cost.ts";
import { canShare, controlBytes, Threads } from "./threads.ts";
import { type Buffer, isWhole, type View } from "./view.ts";

const page = 65536;
const mostPages = 65536;
/** Modules of more bytes are compiled while others go on, where the caller can wait. */
const largeModule = 65536;

type Elements = new (buffer: ArrayBuffer, address: number, length: number) => NumberArray;
const constructors = /* @__PURE__ */ new Map<DType, Elements>();

function constructorOf(dtype: DType): Elements {
  let found = constructors.get(dtype);
  if (found === undefined) constructors.set(dtype, (found = allocate(dtype, 0).constructor as Elements));
  return found;
}

/** The memory of an engine and who has which part of it. */
class Heap {
  readonly memory: WebAssembly.Memory;
  /** Null where the memory is not shared. */
  readonly threads: Threads | null;
  programNumber = 0;
  /** Programs that nobody holds any more give their memory back. */
  readonly programs = new FinalizationRegistry<() => void>((release) => release());
  /** Free stretches, by address. Address 0 stays unused. */
  #free: { at: number; size: number }[] = [{ at: 64 + controlBytes, size: page - 64 - controlBytes }];

  constructor(threads: number) {
    const shared = threads > 1 && canShare();
    this.memory = new WebAssembly.Memory({ initial: 1, maximum: mostPages, shared });
    this.threads = shared ? new Threads(this.memory, 64, threads) : null;
  }

  /** How often the memory has moved. Asking the memory for its buffer takes longer, and steps of small nets ask some ten times. */
  moves = 0;
  /** Whether the stretch that was taken last was never used before, and is zeros. */
  clean = true;
  #used = 0;

  /** A stretch of memory. @throws EngineError when there is none left */
  take(size: number, what: string): number {
    const at = this.#find(size, what);
    this.clean = at >= this.#used;
    this.#used = Math.max(this.#used, at + size);
    return at;
  }

  #find(size: number, what: string): number {
    for (let i = 0; i < this.#free.length; i++) {
      const f = this.#free[i]!;
      if (f.size < size) continue;
      const { at } = f;
      if (f.size === size) this.#free.splice(i, 1);
      else {
        f.at += size;
        f.size -= size;
      }
      return at;
    }
    const end = this.memory.buffer.byteLength;
    const last = this.#free[this.#free.length - 1];
    const own = last !== undefined && last.at + last.size === end ? last.size : 0;
    const pages = this.#grow(Math.ceil((size - own) / page));
    if (pages === 0)
      throw new EngineError(
        `wasm: ${what} needs ${size} bytes, and the engine's memory is ${end} bytes of at most ${mostPages * page}; make the batch smaller, or dispose of programs that are no longer used`,
      );
    if (own > 0) last!.size += pages * page;
    else this.#free.push({ at: end, size: pages * page });
    return this.#find(size, what);
  }

  /**
   * Makes the memory larger by so many pages, or by half of what it is: the host takes a millisecond for each time, and a page that nobody touches
   * costs none. Returns how many pages came, 0 where there are not enough.
   */
  #grow(needed: number): number {
    const now = this.memory.buffer.byteLength / page;
    for (const pages of [Math.max(needed, Math.min(now >> 1, mostPages - now)), needed])
      try {
        this.memory.grow(pages);
        this.moves++;
        return pages;
      } catch {
        // Less may do.
      }
    return 0;
  }

  give(at: number, size: number): void {
    let i = 0;
    while (i < this.#free.length && this.#free[i]!.at < at) i++;
    this.#free.splice(i, 0, { at, size });
    for (let k = Math.min(i, this.#free.length - 2); k >= Math.max(0, i - 1); k--) {
      const [a, b] = [this.#free[k]!, this.#free[k + 1]];
      if (b !== undefined && a.at + a.size === b.at) {
        a.size += b.size;
        this.#free.splice(k + 1, 1);
      }
    }
  }

  /** Elements at an address. The view is gone when memory grows. */
  at(dtype: DType, address: number, length: number): NumberArray {
    return new (constructorOf(dtype))(this.memory.buffer, address, length);
  }
}

/** Elements in an engine's memory. Its view is made anew when memory has grown. */
class Resident implements Tensor {
  readonly kind = "tensor";
  readonly type: TensorType;
  readonly address: number;
  readonly #heap: Heap;
  #view: NumberArray;
  #moves: number;
  constructor(heap: Heap, type: TensorType, address: number) {
    this.#heap = heap;
    this.type = type;
    this.address = address;
    this.#view = heap.at(type.dtype, address, sizeOf(type.shape));
    this.#moves = heap.moves;
  }
  get data(): NumberArray {
    if (this.#moves !== this.#heap.moves) {
      this.#view = this.#heap.at(this.type.dtype, this.address, sizeOf(this.type.shape));
      this.#moves = this.#heap.moves;
    }
    return this.#view;
  }
  /** Whether it lies in this heap. */
  isIn(heap: Heap): boolean {
    return heap === this.#heap;
  }
}

/** Options of {@link wasm}. */
export interface WasmOptions {
  /**
   * How many threads share products and convolutions that are large enough, 1 unless given. It takes shared memory, which Node has and pages that are
   * isolated from other origins; elsewhere the engine works on one thread. Results are the same bits for every number of threads.
   */
  readonly threads?: number;
}

/** Options of an engine in a worker. */
export interface WorkerOptions extends WasmOptions {
  /** true, or the address of a copy of `dist/wasm-worker.js`, for bundlers that do not find it by themselves. */
  readonly worker: true | URL | string;
}

const mostThreads = 64;
/** Ends the workers of engines that nobody holds any more. */
const engines = /* @__PURE__ */ new FinalizationRegistry<Threads>((threads) => threads.stop());

/**
 * The compiling engine: a graph becomes one WebAssembly module, whose loops fuse elementwise ops and reductions and work on SIMD vectors.
 * Results agree with the reference engine to the tolerances of `docs/numerics.md`.
 * With `worker: true` it works in a worker and answers later, so that a page's main thread never waits for it.
 * @throws EngineError for options that it does not have, a number of threads that is none, and on a host that does not compile SIMD
 */
export function wasm(options: WorkerOptions): Engine<"async">;
export function wasm(options?: WasmOptions): Engine<"sync">;
export function wasm(options: WasmOptions & Partial<WorkerOptions> = {}): Engine {
  checkKnown("wasm", options, ["threads", "worker"]);
  const { threads = 1, worker } = options;
  if (!Number.isInteger(threads) || threads < 1 || threads > mostThreads)
    throw new EngineError(`wasm: threads is ${threads}; it is a whole number from 1 to ${mostThreads}`);
  requireSimd();
  if (worker !== undefined) return remote(connectTo(worker === true ? null : worker, { threads }));
  const heap = new Heap(threads);
  const released = new FinalizationRegistry<readonly [number, number]>(([at, size]) => heap.give(at, size));
  const modules = new ModuleCache({
    shared: heap.threads === null ? null : mostPages,
    fused: hasRelaxedSimd(),
    threads: heap.threads?.count ?? 1,
  });
  const soon = (inputs: readonly Value[], outputs: readonly Value[]): Executable<"sync"> => {
    const found = modules.find(inputs, outputs);
    const { blueprint } = found;
    blueprint.module ??= new WebAssembly.Module(blueprint.compiled.bytes);
    return program(heap, found, blueprint.module, outputs);
  };
  const later = async (inputs: readonly Value[], outputs: readonly Value[]): Promise<Executable<"sync">> => {
    const found = modules.find(inputs, outputs);
    const { blueprint } = found;
    if (blueprint.compiled.bytes.length > largeModule) blueprint.module ??= await WebAssembly.compile(blueprint.compiled.bytes);
    blueprint.module ??= new WebAssembly.Module(blueprint.compiled.bytes);
    return program(heap, found, blueprint.module, outputs);
  };
  const own = (type: TensorType): Tensor => {
    const size = padded(bytesOf({ dtype: type.dtype, length: sizeOf(type.shape) }));
    const at = heap.take(size, `a tensor of ${typeText(type)}`);
    const { clean } = heap;
    const made = new Resident(heap, type, at);
    if (!clean) made.data.fill(0);
    released.register(made, [at, size]);
    return made;
  };
  const made: Engine<"sync"> = {
    name: "wasm",
    mode: "sync",
    copies: true,
    prepare: soon,
    prepareLater: later,
    profile: (inputs, outputs, given, rounds) => {
      const { found, steps } = modules.apart(inputs, outputs);
      const times = steps.map((): number[] => []);
      const module = new WebAssembly.Module(found.blueprint.compiled.bytes);
      const timed = program(heap, found, module, outputs, (exports) => {
        for (let i = 0; i < steps.length; i++) {
          const from = now();
          exports[i]!();
          times[i]!.push(now() - from);
        }
      });
      try {
        for (let round = -2; round < rounds; round++) {
          timed.run(given);
          // The first rounds warm the code up.
          if (round < 0) for (const list of times) list.length = 0;
        }
      } finally {
        timed.dispose();
      }
      const reads = readsOf(steps);
      return profileOf(steps.map((step, i) => ({ ...costOf(step), reads: reads[i]!, measured: median(times[i]!) })));
    },
    tensor: own,
  };
  if (heap.threads !== null) engines.register(made, heap.threads);
  return made;
}

/** Milliseconds. */
function now(): number {
  return ((globalThis as { readonly performance?: { now(): number } }).performance ?? Date).now();
}

function median(xs: readonly number[]): number {
  const sorted = [...xs].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** An instance of a module with memory of its own: constants and scratch, places for inputs and outputs, and its code where threads read that. */
function program(
  heap: Heap,
  found: Found,
  module: WebAssembly.Module,
  outputs: readonly Value[],
  apart?: (steps: readonly (() => void)[]) => void,
): Executable<"sync"> {
  const { compiled, ...laid } = found.blueprint;
  const size = padded(compiled.size);
  const slots = [...laid.inputs, ...laid.outputs];
  const starts: number[] = [];
  let end = 0;
  for (const b of slots) {
    starts.push(end);
    end += padded(bytesOf(b));
  }
  const ends = Math.max(64, end);
  // Threads compile the module from its bytes in the shared memory: while they wait they can be sent nothing.
  const length = compiled.shares > 0 ? compiled.bytes.length : 0;
  const whole = size + ends + padded(length);
  const base = heap.take(whole, `a program, ${size} bytes for its steps and ${ends} for inputs and outputs,`);
  const [room, text] = [base + size, base + size + ends];
  if (length > 0) heap.at("u8", text, length).set(compiled.bytes);
  laid.fixed.forEach(({ buffer }, i) => {
    heap.at(buffer.dtype, base + buffer.offset, buffer.length).set(found.constants[i]!);
  });
  const table = heap.at("u32", base, slots.length);
  starts.forEach((s, i) => {
    table[i] = room + s;
  });
  const address = (b: Buffer): number => (b.place === "slot" ? heap.at("u32", base + 4 * b.offset, 1)[0]! : base + b.offset);
  const read = (v: View): Tensor =>
    hold({ kind: "type", dtype: v.buffer.dtype, shape: v.shape }, heap.at(v.buffer.dtype, address(v.buffer), v.buffer.length));
  const strided = (v: View): Tensor => {
    const from = heap.at(v.buffer.dtype, address(v.buffer), v.buffer.length);
    const out = allocate(
      v.buffer.dtype,
      v.shape.reduce((a, b) => a * b, 1),
    );
    const count = new Array<number>(v.shape.length).fill(0);
    let at = v.offset;
    for (let i = 0; i < out.length; i++) {
      out[i] = from[at]!;
      for (let axis = v.shape.length - 1; axis >= 0; axis--) {
        at += v.strides[axis]!;
        if (++count[axis]! < v.shape[axis]!) break;
        at -= v.strides[axis]! * v.shape[axis]!;
        count[axis] = 0;
      }
    }
    return hold({ kind: "type", dtype: v.buffer.dtype, shape: v.shape }, out);
  };
  const step = (index: number): void => {
    const { node, operands, outs } = compiled.hosted[index]!;
    const held = operands.map((v): Held | null => {
      if (v === null) return null;
      const t = isWhole(v) ? read(v) : strided(v);
      return v.shape.length === 0 ? t.data[0]! : t;
    });
    const made = node.op.run(node, held, runBody);
    const list = node.outputs === null ? [made as Held] : (made as readonly Held[]);
    outs.forEach((b, i) => {
      const h = list[i]!;
      const into = heap.at(b.dtype, address(b), b.length);
      if (typeof h === "number") into[0] = h;
      else into.set(h.data);
    });
  };
  // Of numbers beyond their range compiled functions ask these.
  const { sin, cos, tan } = Math;
  const host: Record<string, WebAssembly.ImportValue> = { memory: heap.memory, step, sin, cos, tan };
  const number = heap.programNumber++;
  const { threads } = heap;
  if (threads !== null)
    host["share"] = (index: number, parts: number, wakes: number): void => {
      const part = instance.exports[`part${index}`] as (part: number, thread: number) => void;
      threads.run({ program: number, bytes: text, length, base, step: index, parts, wakes: wakes !== 0 }, (i) => part(i, 0));
    };
  const instance = new WebAssembly.Instance(module, {
    host,
    global: { base: new WebAssembly.Global({ value: "i32" }, base) },
  });
  const all = instance.exports["run"] as () => void;
  const each = Object.entries(instance.exports).filter(([name]) => name.startsWith("step")) as [string, () => void][];
  const start = apart === undefined ? all : () => apart(each.map(([, f]) => f));
  const width = laid.inputs.length;
  // Views of the program's own places, made anew when the memory has moved.
  let seen = -1;
  let slot: NumberArray = table;
  let own: NumberArray[] = [];
  let running = false;
  const run = (values: readonly Held[], into: readonly (Tensor | null)[] = []): readonly Held[] => {
    if (running) throw new EngineError("run: this program is running; a kernel that it calls cannot run it again: compile it once more");
    if (seen !== heap.moves) {
      seen = heap.moves;
      slot = heap.at("u32", base, slots.length);
      own = slots.map((b, i) => heap.at(b.dtype, room + starts[i]!, b.length));
    }
    for (let i = 0; i < width; i++) {
      const given = values[i]!;
      if (given instanceof Resident && given.isIn(heap)) slot[i] = given.address;
      else {
        slot[i] = room + starts[i]!;
        if (typeof given === "number") own[i]![0] = given;
        else own[i]!.set(given.data);
      }
    }
    for (let i = 0; i < laid.outputs.length; i++) {
      const place = into[i];
      slot[width + i] = place instanceof Resident ? place.address : room + starts[width + i]!;
    }
    running = true;
    try {
      start();
    } finally {
      running = false;
    }
    const results = new Array<Held>(laid.outputs.length);
    for (let i = 0; i < results.length; i++) {
      const place = into[i];
      const { type } = outputs[i]!;
      if (place instanceof Resident) results[i] = place;
      else {
        const from = seen === heap.moves ? own[width + i]! : heap.at(type.dtype, room + starts[width + i]!, sizeOf(type.shape));
        results[i] = type.shape.length === 0 ? from[0]! : hold(type, from.slice());
      }
    }
    return results;
  };
  let disposed = false;
  const dispose = (): void => {
    if (disposed) return;
    disposed = true;
    heap.give(base, whole);
  };
  const made: Executable<"sync"> = { run, dispose };
  heap.programs.register(made, dispose);
  return made;
}
