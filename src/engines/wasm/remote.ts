import { type ChainruleError, DomainError, EngineError, InternalError, NumericError } from "../../ir/errors.ts";
import { type AnyGraph, nodesOf } from "../../ir/graph.ts";
import { constantOp, inputOp, variableOp } from "../../ir/leaf.ts";
import type { Value } from "../../ir/node.ts";
import { dense, type Held, hold, type Tensor } from "../../ir/tensor.ts";
import { printGraph } from "../../ir/text/print-graph.ts";
import { type TensorType, typeText } from "../../ir/type.ts";
import type { Engine, Executable, FarMemory } from "../engine.ts";
import { rewritten } from "./lower.ts";
import { nodeWorkers } from "./threads.ts";
import { type Answer, ownElements, type Ref, type Request, unwired, type Wired, type WiredTensor, wired } from "./wire.ts";

/** A worker as the engine sees it. */
export interface Link {
  send(message: Request): void;
  /** A link with work to wait for keeps a Node process alive, an idle one does not. */
  hold(busy: boolean): void;
  close(): void;
}

/** Starts a worker: answers go to `take`, and `gone` is called once when there will be no more. */
export type Connect = (take: (answer: Answer) => void, gone: (reason: string) => void) => Link;

interface NodeWorker {
  on(event: string, take: (given: never) => void): unknown;
  postMessage(message: unknown): void;
  ref(): void;
  unref(): void;
  terminate(): unknown;
}

/** A worker that runs `worker-main`: the file beside the built library, or one that the user names. */
export function connectTo(address: URL | string | null, options: object): Connect {
  return (take, gone) => {
    const node = nodeWorkers();
    if (node !== null) {
      const url = address ?? new URL("./wasm-worker.js", import.meta.url);
      const worker = new node.Worker(url, { workerData: options, execArgv: [] }) as unknown as NodeWorker;
      worker.unref();
      worker.on("message", take as (given: never) => void);
      worker.on("error", ((error: Error) => gone(error.message)) as (given: never) => void);
      worker.on("exit", ((code: number) => gone(`it ended with code ${code}`)) as (given: never) => void);
      return {
        send: (message) => worker.postMessage(message),
        hold: (busy) => (busy ? worker.ref() : worker.unref()),
        close: () => void worker.terminate(),
      };
    }
    // Bundlers look for exactly this form.
    const worker =
      address === null
        ? new Worker(new URL("./wasm-worker.js", import.meta.url), { type: "module" })
        : new Worker(address, { type: "module" });
    worker.postMessage(options);
    worker.onmessage = ({ data }) => take(data as Answer);
    worker.onerror = (event) => gone(event.message ?? "its file could not be loaded");
    worker.onmessageerror = () => gone("a message could not be read");
    return { send: (message) => worker.postMessage(message), hold: () => undefined, close: () => worker.terminate() };
  };
}

/** By their codes: names are shortened in the worker's file. */
const classes: Readonly<Record<string, new (message: string) => ChainruleError>> = { domain: DomainError, numeric: NumericError };

function failureOf({ code, message }: { readonly code: string; readonly message: string }): Error {
  return new (classes[code] ?? EngineError)(message);
}

interface Waiting {
  readonly resolve: (results: readonly (number | Tensor["data"])[]) => void;
  readonly reject: (error: Error) => void;
}

/** What the owner of an engine and its finalizer both need; it does not know the engine. */
class Office {
  readonly #connect: Connect;
  #link: Link | null = null;
  /** Counts workers: a program that an earlier one had is sent anew. */
  life = 0;
  #calls = 0;
  readonly #waiting = new Map<number, Waiting>();
  constructor(connect: Connect) {
    this.#connect = connect;
  }
  open(): Link {
    if (this.#link === null) {
      const life = ++this.life;
      this.#link = this.#connect(
        (answer) => this.#take(answer),
        (reason) => {
          if (life === this.life) this.#lose(reason);
        },
      );
    }
    return this.#link;
  }
  #take(answer: Answer): void {
    const waiting = this.#waiting.get(answer.call);
    if (waiting === undefined) return;
    this.#waiting.delete(answer.call);
    if (this.#waiting.size === 0) this.#link?.hold(false);
    if ("results" in answer) waiting.resolve(answer.results);
    else waiting.reject(failureOf(answer.failure));
  }
  #lose(reason: string): void {
    this.#link?.close();
    this.#link = null;
    const lost = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of lost)
      reject(
        new EngineError(
          `wasm: the engine's worker died (${reason}), and the states that were in it are gone; the next run starts a new worker: state.write puts a state into it, from a checkpoint or what state.read gave`,
        ),
      );
  }
  ask(make: (call: number) => Request): Promise<readonly (number | Tensor["data"])[]> {
    return new Promise((resolve, reject) => {
      const call = this.#calls++;
      this.#waiting.set(call, { resolve, reject });
      const link = this.open();
      link.hold(true);
      link.send(make(call));
    });
  }
  /** Nobody holds the tensor of this number any more. */
  drop(ref: number): void {
    this.#link?.send({ kind: "drop", refs: [ref] });
  }
  close(): void {
    this.#link?.close();
  }
}

/** A tensor in the worker. Only its type is here. */
class Far implements Tensor {
  readonly kind = "tensor";
  readonly type: TensorType;
  readonly ref: number;
  /** Which worker has its elements; 0 for none. */
  life = 0;
  constructor(type: TensorType, ref: number) {
    this.type = type;
    this.ref = ref;
  }
  get data(): never {
    throw new InternalError(`wasm: the elements of a ${typeText(this.type)} are in the worker and were read here`);
  }
}

/** The memory of the worker, as seen from here. */
class Drawer implements FarMemory {
  readonly #office: Office;
  #refs = 0;
  readonly #released: FinalizationRegistry<number>;
  constructor(office: Office) {
    this.#office = office;
    this.#released = new FinalizationRegistry((ref) => office.drop(ref));
  }
  make(type: TensorType): Far {
    const made = new Far(type, this.#refs++);
    this.#released.register(made, made.ref);
    return made;
  }
  async write(pairs: readonly (readonly [to: Tensor, from: Held])[]): Promise<void> {
    const tensors = pairs.map(([to, from]) => {
      const { dtype, shape } = to.type;
      return { ref: (to as Far).ref, dtype, shape, data: ownElements(dense(from, to.type).data) };
    });
    this.#office.open();
    const { life } = this.#office;
    await this.#office.ask((call) => ({ kind: "put", call, tensors }));
    for (const [to] of pairs) (to as Far).life = life;
  }
  async read(tensors: readonly Tensor[]): Promise<readonly Tensor[]> {
    this.#office.open();
    const refs = tensors.map((t) => this.refOf(t as Far).ref);
    const found = await this.#office.ask((call) => ({ kind: "get", call, refs }));
    return found.map((data, i) => hold(tensors[i]!.type, data as Tensor["data"]));
  }
  /** @throws EngineError for a tensor that went with its worker */
  refOf({ ref, life, type }: Far): Ref {
    if (life === this.#office.life) return { ref };
    throw new EngineError(
      `wasm: a ${typeText(type)} of the state was in a worker that died; put the state into the new one with state.write, from a checkpoint or what state.read gave`,
    );
  }
}

/** Ends the workers of engines that nobody holds any more. */
const offices = /* @__PURE__ */ new FinalizationRegistry<Office>((office) => office.close());

/**
 * The engine in a worker, behind the interface of any other. Values travel by copying in and by handing over out; those of a state stay there, and travel
 * when somebody reads or writes them.
 */
export function remote(connect: Connect): Engine<"async"> {
  const office = new Office(connect);
  const far = new Drawer(office);
  let programs = 0;
  const disposed = new FinalizationRegistry<() => void>((dispose) => dispose());
  const prepare = (inputs: readonly Value[], outputs: readonly Value[]): Executable<"async"> => {
    // What has no text form is opened; the worker does the rest.
    const low = rewritten(inputs, outputs, ["customGradient"]);
    const graph: AnyGraph = { kind: "graph", inputs: [...low.inputs], outputs: [...low.outputs] };
    for (const { op } of nodesOf(graph))
      if (op.name.includes(".") && op !== inputOp && op !== constantOp && op !== variableOp)
        throw new EngineError(
          `wasm: ${op.name} is an op of your own, whose kernel is JavaScript that a worker does not have; give the op \`lower\`, or run it on wasm() without a worker`,
        );
    const constants: Record<string, Tensor> = {};
    const text = printGraph(graph, { tensors: constants });
    const tensors = Object.fromEntries(
      Object.entries(constants).map(([name, { type, data }]): [string, WiredTensor] => [
        name,
        { dtype: type.dtype, shape: type.shape, data: ownElements(data) },
      ]),
    );
    const program = programs++;
    let sentTo = 0;
    const ready = (): void => {
      const link = office.open();
      if (sentTo === office.life) return;
      sentTo = office.life;
      link.send({ kind: "prepare", program, text, tensors });
    };
    const run = async (values: readonly Held[], into: readonly (Tensor | null)[] = []): Promise<readonly Held[]> => {
      ready();
      const given = values.map((v): Wired | Ref => (v instanceof Far ? far.refOf(v) : wired(v)));
      const stays = outputs.map((_, i) => (into[i] instanceof Far ? into[i] : null));
      const places = stays.map((place) => (place === null ? null : { ref: place.ref }));
      const { life } = office;
      const results = await office.ask((call) => ({ kind: "run", call, program, values: given, into: places }));
      let next = 0;
      return stays.map((place, i) => {
        if (place === null) return unwired(results[next++]!, outputs[i]!.type);
        place.life = life;
        return place;
      });
    };
    let gone = false;
    const dispose = (): void => {
      if (gone) return;
      gone = true;
      if (sentTo === office.life && sentTo > 0) office.open().send({ kind: "dispose", program });
    };
    const made: Executable<"async"> = { run, dispose };
    disposed.register(made, dispose);
    return made;
  };
  const engine: Engine<"async"> = { name: "wasm", mode: "async", copies: true, prepare, far };
  offices.register(engine, office);
  return engine;
}
