import {
  ChainruleError,
  compile,
  type Engine,
  f16,
  f32,
  f64,
  graph,
  i32,
  mean,
  reshape,
  softmaxCrossEntropy,
  square,
  sub,
  type Tensor,
  type TensorType,
  tensor,
  type Value,
  valueAndGrad,
} from "chainrule";
import type { CsvTable } from "chainrule/data";
import type { Model } from "chainrule/onnx";
import { adam, sgd } from "chainrule/optim";
import { wasm } from "chainrule/wasm";
import type { TakenOver, TuneAsk, TuneState } from "./protocol.ts";
import { openRuntime, type Runtime } from "./runtime.ts";

/** What tuning left. */
export interface Tuned {
  readonly params: Readonly<Record<string, Tensor>>;
  readonly loss: number;
  readonly stopped: boolean;
}

/** How a table fits a model: rows as its one input, the label as classes of its first output or as the number to meet. */
interface Fit {
  readonly input: string;
  readonly output: string;
  /** The input's sizes behind the first axis. */
  readonly inner: readonly number[];
  readonly classes: number | null;
  /** Makes a type of the input's dtype. */
  readonly type: typeof f32 | typeof f64 | typeof f16;
  readonly rows: number | null;
}

function fitOf(model: Model<string, string>, types: Readonly<Record<string, TensorType>>, { columns, label }: CsvTable): Fit {
  const inputs = Object.entries(types);
  const [first] = inputs;
  if (first === undefined || inputs.length > 1)
    throw new Error(`tuning on a table takes a model with one input; this one has ${inputs.map(([name]) => name).join(", ") || "none"}`);
  const [input, { dtype, shape }] = first;
  const inner = shape.slice(1);
  const width = inner.reduce((a, b) => a * b, 1);
  if (width !== columns.length)
    throw new Error(
      `a row of the table has ${columns.length} numbers beside the label, and the input ${input} takes ${width} (${shape.join("x")}); choose the right columns`,
    );
  if (label === null) throw new Error("the table has no label column; name one label, target or y");
  const output = Object.keys(model.outputs)[0]!;
  const whole = label.classes !== null || label.values.every((y) => Number.isInteger(y) && y >= 0);
  const type = { f32, f64, f16 }[dtype as "f32"];
  if (type === undefined) throw new Error(`the input ${input} is ${dtype}; a table tunes a model that takes numbers with a point`);
  const rows = model.inputs[input]?.shape?.[0];
  return {
    input,
    output,
    inner,
    type,
    rows: typeof rows === "number" ? rows : null,
    classes: whole ? (label.classes?.length ?? Math.max(...label.values) + 1) : null,
  };
}

/**
 * Fine-tunes a model's trainable weights on a table in one compiled step, batch by batch in an order of the seed; what is left of an epoch after
 * whole batches is left out, so that one program serves all.
 * An engine that cannot take the model, or loses its device, gives way to the compiled one, which goes on from the state of the last step.
 * @param say called after steps, at most 30 times a second
 * @param tell called when another engine gave way
 * @param asked whether to stop
 */
export async function tuneModel(
  model: Model<string, string>,
  types: Readonly<Record<string, TensorType>>,
  table: CsvTable,
  { epochs, batch: wanted, rate, optimizer: kind, seed, engine, runtime: address }: TuneAsk,
  say: (state: TuneState) => void,
  tell: (takenOver: TakenOver) => void,
  asked: () => boolean,
): Promise<Tuned> {
  const fit = fitOf(model, types, table);
  // A model that was exported for one size of batch takes no other.
  const batch = fit.rows ?? Math.min(wanted, table.rows);
  if (batch > table.rows) throw new Error(`the model takes ${batch} rows at a time, and the table has ${table.rows}`);
  const typeX = fit.type(batch, ...fit.inner);
  const typeY = fit.classes === null ? fit.type(batch) : i32(batch);
  const optimizer = (kind === "adam" ? adam : sgd)({ rate, only: [...model.trainable] });
  const state = { params: { ...model.params } as Record<string, Tensor>, opt: optimizer.init(model.params) };
  const width = table.columns.length;
  const answers = table.label!.values;
  let classes = 0;
  const step = graph({ ...state, x: typeX as TensorType, y: typeY as TensorType }, ({ params, opt, x, y }) => {
    let scores: Value | null = null;
    const loss = (p: Record<string, Value>): Value => {
      const out = model.apply(p, { [fit.input]: x })[fit.output]!;
      if (fit.classes === null) return mean(square(sub(reshape(out, { shape: [batch] }), y)));
      classes = out.type.shape.at(-1) ?? 1;
      if (fit.classes > classes) throw new Error(`the table has ${fit.classes} classes, and the output ${fit.output} has ${classes}`);
      scores = reshape(out, { shape: [batch, classes] });
      return softmaxCrossEntropy(scores, y);
    };
    const { value, grad } = valueAndGrad(loss)(params);
    return { loss: value, ...(scores !== null && { scores }), ...optimizer.update({ params, grad, opt }) };
  });
  let done = 0;
  const on = (to: Engine, from: typeof state, signal?: AbortSignal) =>
    compile(step, to, signal === undefined ? { state: from } : { state: from, signal });
  const giveWay = (error: unknown, why: TakenOver["why"]): void => {
    if (!(error instanceof ChainruleError)) throw error;
    tell({ step: done, why, reason: error.message });
  };
  let runtime: Runtime | null = null;
  let program: Awaited<ReturnType<typeof on>> | null = null;
  if (engine !== "wasm")
    try {
      runtime = await openRuntime(engine, address);
      program = await on(runtime.engine, state, runtime.lost);
      await runtime.watch();
    } catch (error) {
      giveWay(error, "refused");
      runtime = null;
    }
  program ??= await on(wasm(), state);
  const rows = Array.from({ length: table.rows }, (_, i) => i);
  const steps = epochs * Math.floor(table.rows / batch);
  let loss = Number.NaN;
  let last = 0;
  let random = (seed * 2654435761 + 1) >>> 0 || 1;
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (let i = rows.length - 1; i > 0; i--) {
      random ^= random << 13;
      random ^= random >>> 17;
      random ^= random << 5;
      const j = (random >>> 0) % (i + 1);
      [rows[i], rows[j]] = [rows[j]!, rows[i]!];
    }
    for (let from = 0; from + batch <= rows.length; from += batch) {
      const x = new Float64Array(batch * width);
      const y = new Float64Array(batch);
      for (let k = 0; k < batch; k++) {
        const row = rows[from + k]!;
        x.set(table.data.subarray(row * width, (row + 1) * width), k * width);
        y[k] = answers[row]!;
      }
      const given = { x: tensor(x, typeX), y: tensor(y, typeY) };
      let ran: Awaited<ReturnType<typeof program.run>>;
      try {
        ran = await program.run(given);
      } catch (error) {
        if (runtime === null) throw error;
        giveWay(error, (await runtime.isLost()) ? "lost" : "refused");
        runtime = null;
        // A run that failed left the state as it was before it, in memory of this worker.
        program = await on(wasm(), (await program.state.read()) as typeof state);
        ran = await program.run(given);
      }
      const { loss: value, scores } = ran as typeof ran & { readonly scores?: Tensor };
      done++;
      loss = value.data[0]!;
      if (!Number.isFinite(loss)) throw new Error(`the loss became ${loss} at step ${done}; try a smaller learning rate`);
      const now = performance.now();
      if (now - last < 33 && done < steps) continue;
      last = now;
      say({ step: done, steps, loss, accuracy: scores === undefined ? null : rightShare(scores, y, classes) });
      // Lets a word of the page come in.
      await new Promise((resolve) => setTimeout(resolve, 0));
      if (asked()) return { params: (await program.state.read()).params, loss, stopped: true };
    }
  }
  return { params: (await program.state.read()).params, loss, stopped: false };
}

function rightShare({ data }: Tensor, y: Float64Array, classes: number): number {
  let right = 0;
  for (let i = 0; i < y.length; i++) {
    let best = 0;
    for (let c = 1; c < classes; c++) if (data[i * classes + c]! > data[i * classes + best]!) best = c;
    if (best === y[i]) right++;
  }
  return right / y.length;
}
