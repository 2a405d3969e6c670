import { allocate, type DType, type NumberArray } from "../../ir/dtype.ts";
import { ChainruleError, EngineError } from "../../ir/errors.ts";
import type { Value } from "../../ir/node.ts";
import { sizeOf } from "../../ir/shape.ts";
import { dense, type Held, hold, settle, type Tensor } from "../../ir/tensor.ts";
import { type TensorType, typeText } from "../../ir/type.ts";
import type { Engine, Executable } from "../engine.ts";
import { reference } from "../reference.ts";
import { blockSize, mayUseBlocks } from "./block-size.ts";
import { leastPlaces } from "./blocked.ts";
import { type Doubles, type Exported, exported, refused } from "./export.ts";
import { mayNormalise, normalised, normalisesRight } from "./normalised.ts";
import { type Ort, type OrtTensor, outsideInSingles, type Runtime, runtimeOf } from "./ort.ts";
import { OwnPlaces } from "./own-places.ts";
import { dropCopies, isUnfilled } from "./results.ts";
import { type Lease, Sessions } from "./sessions.ts";

/** Options of {@link onnxruntime}. */
export interface OrtOptions {
  /** Execution providers by ONNX Runtime's names, the preferred one first: `["cuda", "cpu"]`, `["webgpu", "wasm"]`. ONNX Runtime's own choice when left out. */
  readonly providers?: readonly (string | { readonly name: string })[];
  /** How many threads one run may use, 1 unless given. In a page ONNX Runtime takes the number once, from `ort.env.wasm.numThreads`, which this sets. */
  readonly threads?: number;
  /**
   * What becomes of f64 in a graph. `"f32"` computes it in f32, with its 7 digits, for kernels that ONNX Runtime has in f32 alone. When left out it stays f64; on WebGPU, which has none, single
   * numbers of a graph are f32 instead, as the rate of an optimiser is, and a tensor in f64 is an error.
   */
  readonly f64?: "f64" | "f32";
  /** More options of ONNX Runtime's sessions, as they are. */
  readonly session?: Readonly<Record<string, unknown>>;
}

const mostThreads = 256;
const engines = /* @__PURE__ */ new FinalizationRegistry<Sessions>((sessions) => sessions.close());

/**
 * ONNX Runtime as an engine: a graph is written as an ONNX model and run by the module that is handed over, `onnxruntime-node` or `onnxruntime-web`. Answers come
 * later. State is held in memory that ONNX Runtime reads and writes where it is, so only the inputs of a run move.
 * A run that is aborted is refused at once and commits nothing; ONNX Runtime itself goes on to the end of it.
 * @throws EngineError for an argument that is not ONNX Runtime, and for a number of threads that is none
 */
export function onnxruntime(ort: Ort, options: OrtOptions = {}): Engine<"async"> {
  return engineOn(ort, options).engine;
}

/** The engine, and the sessions behind it. */
export function engineOn(
  ort: Ort,
  { providers, threads = 1, f64, session = {} }: OrtOptions,
): { readonly engine: Engine<"async">; readonly sessions: Sessions } {
  if (!Number.isInteger(threads) || threads < 1 || threads > mostThreads)
    throw new EngineError(`onnxruntime: threads is ${threads}; it is a whole number from 1 to ${mostThreads}`);
  const runtime = runtimeOf(ort);
  const { wasm } = (ort.env ?? {}) as { readonly wasm?: { numThreads?: number } };
  if (wasm !== undefined) wasm.numThreads = threads;
  const sessions = new Sessions(runtime, {
    ...(providers === undefined ? {} : { executionProviders: providers }),
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    logSeverityLevel: 4,
    ...session,
  });
  const onGpu = (providers ?? []).some((p) => (typeof p === "string" ? p : p.name) === "webgpu");
  const doubles: Doubles = f64 ?? (onGpu ? "scalars" : "f64");
  const released = new FinalizationRegistry<Lease>((lease) => lease.release());
  const wraps = new Wraps(runtime);
  // Blocks of channels are those of ONNX Runtime's kernels for processors, in Node.
  const mayBlock = runtime.fills && (providers ?? ["cpu"]).every((p) => p === "cpu");
  let asked: Promise<number> | null = null;
  let block = 0;
  let askedNorms: Promise<boolean> | null = null;
  let norms = false;
  const askFor = async (outputs: readonly Value[]): Promise<void> => {
    if (!mayBlock) return;
    if (mayNormalise(outputs)) {
      askedNorms ??= sessions.turn(() => normalisesRight(runtime, sessions.options));
      norms = await askedNorms;
    }
    if (!mayUseBlocks(outputs)) return;
    asked ??= sessions.turn(() => blockSize(runtime, sessions.options));
    block = await asked;
  };
  const begin = (inputs: readonly Value[], outputs: readonly Value[]): { readonly program: Executable<"async">; readonly lease: Lease } => {
    const made = exported(inputs, outputs, doubles, { channels: block, places: leastPlaces }, norms ? normalised : {});
    const lease = sessions.lease(made);
    const program = programOf(made, lease, sessions, wraps, inputs, outputs);
    released.register(program, lease);
    return { program, lease };
  };
  const engine: Engine<"async"> = {
    name: "onnxruntime",
    mode: "async",
    copies: true,
    prepare: (inputs, outputs) => begin(inputs, outputs).program,
    prepareLater: async (inputs, outputs) => {
      await askFor(outputs);
      const { program, lease } = begin(inputs, outputs);
      await lease.session;
      return program;
    },
    tensor: plainTensor,
  };
  engines.register(engine, sessions);
  return { engine, sessions };
}

/** Memory that ONNX Runtime reads and writes where it is: an array of JavaScript. */
export function plainTensor(type: TensorType): Tensor {
  return hold(type, allocate(type.dtype, sizeOf(type.shape)));
}

/** Tensors of ONNX Runtime over arrays of ours, made once for arrays that come again. */
class Wraps {
  readonly runtime: Runtime;
  private readonly made = new WeakMap<NumberArray, { readonly type: TensorType; readonly tensor: OrtTensor }>();
  constructor(runtime: Runtime) {
    this.runtime = runtime;
  }
  of(t: Tensor): OrtTensor {
    const found = this.made.get(t.data);
    if (found?.type === t.type) return found.tensor;
    const tensor = this.runtime.tensor(t.type.dtype, t.data, t.type.shape);
    this.made.set(t.data, { type: t.type, tensor });
    return tensor;
  }
  /** Numbers of another dtype than the runtime is given, as that one. @throws EngineError for whole numbers that do not fit */
  as({ type, data }: Tensor, dtype: DType): OrtTensor {
    const own = allocate(dtype, data.length);
    own.set(data);
    const bad = dtype === "i32" ? own.findIndex((x, i) => x !== data[i]) : -1;
    if (bad >= 0)
      throw new EngineError(
        `onnxruntime: element ${bad} of a tensor ${typeText(type)} is ${data[bad]}; where f64 is computed in f32, 64-bit integers go in as 32-bit ones`,
      );
    return this.runtime.tensor(dtype, own, type.shape);
  }
}

function programOf(
  made: Exported,
  lease: Lease,
  sessions: Sessions,
  wraps: Wraps,
  inputs: readonly Value[],
  outputs: readonly Value[],
): Executable<"async"> {
  // Halves are f32 outside either way.
  const converted = ({ type: { dtype } }: Value): DType | undefined =>
    made.singles && dtype !== "f16" && dtype !== "bf16" ? outsideInSingles[dtype] : undefined;
  const own = new OwnPlaces();
  const outsideOf = inputs.map(converted);
  const fillable = outputs.map((v) => wraps.runtime.fills && converted(v) === undefined);
  // Single numbers are read as soon as they are there, so that one place does for all runs.
  const singles = outputs.map((v, i) => (v.type.shape.length === 0 && fillable[i] ? plainTensor(v.type) : null));
  let first = true;
  const run = (values: readonly Held[], into: readonly (Tensor | null)[] = []): Promise<readonly Held[]> =>
    sessions.turn(async () => {
      const session = await lease.session;
      const feeds: Record<string, OrtTensor> = {};
      made.inputs.forEach((name, i) => {
        const given = dense(values[i]!, inputs[i]!.type);
        const other = outsideOf[i];
        feeds[name] = other === undefined ? wraps.of(given) : wraps.as(given, other);
      });
      const fetches: Record<string, OrtTensor | null> = {};
      const filled = made.outputs.map((name, i) => {
        const place = fillable[i] ? (into[i] ?? singles[i]!) : null;
        fetches[name] = place === null ? null : wraps.of(place);
        // So that what is there afterwards was written by this run.
        if (first) place?.data.fill(-77.25);
        return place;
      });
      let results: Readonly<Record<string, OrtTensor>>;
      try {
        results = await session.run(feeds, fetches);
      } catch (error) {
        throw explained(error, made, values, inputs, outputs);
      } finally {
        own.back(values);
      }
      const told = made.outputs.map((name) => results[name]!.data);
      // A binding that answers in memory of its own alone is found out before its answers are dropped.
      if (first)
        for (const [i, place] of filled.entries())
          if (isUnfilled(told[i]!, place)) {
            fillable[i] = false;
            filled[i] = null;
          }
      first = false;
      dropCopies(told, filled);
      return told.map((copy, i): Held => {
        const { type } = outputs[i]!;
        const place = into[i] ?? null;
        const there = filled[i]?.data ?? copy;
        const data = converted(outputs[i]!) === undefined || place !== null ? there : Float64Array.from(there);
        // Builds for pages answer in memory of their own.
        if (place !== null && data !== place.data) place.data.set(data);
        // ONNX Runtime computes halves in f32 and leaves out what rounds them where it is cast back.
        if (type.dtype === "f16" || type.dtype === "bf16") settle(type.dtype, place?.data ?? data);
        if (place !== null) return place;
        return type.shape.length === 0 ? data[0]! : hold(type, data);
      });
    });
  return { run, own: (values) => own.take(values), dispose: () => lease.release() };
}

/** Why a run failed: the reference engine says it of data that is out of range in its own words. */
function explained(error: unknown, made: Exported, values: readonly Held[], inputs: readonly Value[], outputs: readonly Value[]): Error {
  try {
    reference().prepare(inputs, outputs).run(values);
  } catch (lesson) {
    if (lesson instanceof ChainruleError) return lesson;
  }
  return refused(error, made, "failed");
}
