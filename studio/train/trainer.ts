import {
  add,
  compile,
  type Engine,
  f32,
  firstBad,
  type Graph,
  gradients,
  graph,
  i32,
  mean,
  mul,
  NumericError,
  type Program,
  type State,
  sqrt,
  square,
  type Tensor,
  type TensorType,
  tensor,
  type Value,
  type Values,
  valueAndGrad,
  variables,
} from "chainrule";
import { type Dataset, dataset, type Loader, loader } from "chainrule/data";
import type { OptimizerState } from "chainrule/optim";
import { type Files, makeProblem, type Part, type Problem, seen } from "./data-sets.ts";
import type { CurvePoint, Facts, LayerHealth, Points, Snapshot, Taken } from "./messages.ts";
import {
  accuracyOf,
  answerType,
  forward,
  initParams,
  layerName,
  lossOf,
  type NetShape,
  optimizerOf,
  type Params,
  penaltyOf,
  saidOf,
  shapeOf,
  shownUnits,
  troubleOf,
} from "./net.ts";
import type { TrainState } from "./state.ts";

/** Losses of more rows than this are taken over the first of them: an epoch should not cost more to measure than to learn. */
const mostMeasured = 4096;
/** Rows on which the health of gradients is measured. */
const mostProbed = 256;
/** Points that are drawn of each part; units of a layer that have pictures; inputs that have wires. */
export const mostPoints = 2000;
export const mostShown = 24;

type Batch = { readonly x: Tensor; readonly y: Tensor };
type Learnt = { params: Params<Tensor>; opt: OptimizerState; penalty: Tensor };
// Programs are made of graphs that are put together at run time; their trees are looked after here.
type Run = Program<unknown, Record<string, Value | readonly Value[]>, unknown, "sync">;

/** One compiled step with its state in the engine, and the programs beside it that read the same state. No worker, no page: tests run it in Node. */
export interface Trainer {
  readonly facts: Facts;
  readonly problem: Problem;
  readonly shape: NetShape;
  /** One batch; gives its loss before the step. @throws NumericError when that is not finite; the weights are then those before the step */
  step(): number;
  readonly steps: number;
  /** Whole passes done so far, and the part of the one that is under way. */
  readonly epoch: number;
  /** Curve points that nobody has taken yet. */
  takeCurve(): CurvePoint[];
  /** How things stand; without the pictures where they are drawn apart. */
  snapshot(speed: number, withPictures?: boolean): Snapshot;
  /** The pictures alone, as they stand. */
  pictures(): Pick<Snapshot, "maps" | "surface" | "weights">;
  /** Other rates, without beginning anew. */
  live(settings: TrainState): void;
  draw(pixels: Float32Array | null): void;
  /** Why the step that failed was not finite, in a sentence or some. */
  reason(language: "en" | "ko"): string;
  params(): Params<Tensor>;
  take(rows: number): Taken;
}

function partTypes(problem: Problem, part: Part): { columns: Batch; rows: number } {
  const { task } = problem;
  const { rows, x, y } = part;
  const inputs = problem.inputs.length;
  return {
    rows,
    columns: {
      x: tensor(x, f32(rows, inputs)),
      y: task.kind === "classes" ? tensor(Int32Array.from(y), i32(rows)) : tensor(y, f32(rows)),
    },
  };
}

const first = (columns: Batch, rows: number): Batch => {
  const inputs = columns.x.type.shape[1]!;
  return {
    x: tensor((columns.x.data as Float32Array).slice(0, rows * inputs), f32(rows, inputs)),
    y: tensor(columns.y.data.slice(0, rows) as Float32Array, { ...columns.y.type, shape: [rows] }),
  };
};

function pointsOf({ rows, at, y }: Part, space: number): Points {
  const some = Math.min(rows, mostPoints);
  return { rows: some, at: at.slice(0, some * space), y: y.slice(0, some) };
}

/** The pixels of a square from -reach to reach, row by row from the top; of a line, from left to right. */
export function gridPoints(side: number, reach: number, space: 1 | 2): Float32Array {
  const along = (i: number): number => (side === 1 ? 0 : reach * ((2 * (i + 0.5)) / side - 1));
  if (space === 1) return Float32Array.from({ length: side }, (_, i) => along(i));
  return Float32Array.from({ length: 2 * side * side }, (_, k) => {
    const i = k >> 1;
    return k % 2 === 0 ? along(i % side) : -along(Math.floor(i / side));
  });
}

/** What the net sees at the pixels: features; or the first one or two columns of a table, the others at their mean. */
function gridInputs(problem: Problem, side: number): Float32Array | null {
  const { shape, space, reach, features } = problem;
  if (shape === "image") return null;
  // A table of one column is drawn over a plane too: up and down nothing changes.
  const flat = shape === "line" ? 1 : 2;
  const at = gridPoints(side, reach, flat);
  if (features !== null) return seen(at, flat, features);
  if (space === flat) return at;
  const rows = at.length / flat;
  const out = new Float32Array(rows * space);
  for (let r = 0; r < rows; r++) for (let i = 0; i < Math.min(flat, space); i++) out[r * space + i] = at[r * flat + i]!;
  return out;
}

/** Makes a trainer of settings. @throws DataFault for data that cannot be learnt from; the library's errors otherwise */
export async function makeTrainer(settings: TrainState, engine: Engine<"sync">, files: Files = {}): Promise<Trainer> {
  const problem = makeProblem(settings, files);
  const { task } = problem;
  const shape = shapeOf(settings, problem.inputs.length, task, problem.shape === "image");
  const train = partTypes(problem, problem.train);
  const test = partTypes(problem, problem.test);
  const batch = Math.min(settings.batch, train.rows);
  const source: Loader<Batch> = loader(dataset(train.columns) as Dataset<Batch>, { batch, shuffle: settings.seed, last: "drop" });

  // Optimisers refuse a rate of 0, which here is a choice like any other: it stands in the state.
  const still = settings.rate === 0;
  const optimizer = optimizerOf(still ? { ...settings, rate: 1, schedule: "constant" } : settings, source.length);
  const params = initParams(shape, settings.seed, settings.initial);
  const opt = optimizer.init(params);
  if (still) Object.assign(opt, { rate: tensor(0, opt["rate"]!.type.dtype) });
  const begin = { params, opt, penalty: tensor(settings.penaltyRate, "f32") };
  const inputType = (rows: number): TensorType => f32(rows, shape.inputs);

  const lossAt = (p: Params, x: Value, y: Value): Value => lossOf(task, settings.loss, forward(shape, p, x).out, y);
  const objective = (p: Params, x: Value, y: Value, weight: Value): { loss: Value } => {
    const data = lossAt(p, x, y);
    const penalty = penaltyOf(settings.penalty, p);
    return { loss: penalty === null ? data : add(data, mul(weight, penalty)) };
  };
  const step = graph(
    { ...begin, x: inputType(batch), y: answerType(task, batch) },
    ({ params: p, opt, penalty, x, y }: { params: Params; opt: Values<OptimizerState>; penalty: Value; x: Value; y: Value }) => {
      const { value, grad } = valueAndGrad((q: Params) => objective(q, x, y, penalty))(p);
      return { loss: value.loss, ...optimizer.update({ params: p, grad: grad as Params, opt }) };
    },
  );
  const learning = (await compile(step as never, engine, { state: begin, guard: ["loss"] } as never)) as unknown as Run & {
    state: State<Learnt, "sync">;
  };
  const beside = async (g: unknown): Promise<Run> =>
    (await compile(g as Graph<never, never>, engine, { state: learning.state } as never)) as unknown as Run;

  const measure = (rows: number) =>
    beside(
      graph({ params, x: inputType(rows), y: answerType(task, rows) }, ({ params: p, x, y }: { params: Params; x: Value; y: Value }) => {
        const { out } = forward(shape, p, x);
        const loss = lossOf(task, settings.loss, out, y);
        return { loss, right: task.kind === "number" ? mul(0, loss) : accuracyOf(task, out, y) };
      }),
    );
  const measured = [train, test].map(({ rows, columns }) => {
    const some = Math.min(rows, mostMeasured);
    return { columns: first(columns, some), rows: some };
  });
  const meters = [await measure(measured[0]!.rows), await measure(measured[1]!.rows)];

  const probed = Math.min(train.rows, mostProbed);
  const probeRows = first(train.columns, probed);
  const names = [...settings.layers.keys(), settings.layers.length].map((i) => layerName(i, settings.layers));
  const probe = await beside(
    graph(
      { params, penalty: f32(), x: inputType(probed), y: answerType(task, probed) },
      (at: { params: Params; penalty: Value; x: Value; y: Value }) => {
        const { hidden, out } = forward(shape, at.params, at.x);
        const loss = lossOf(task, settings.loss, out, at.y);
        const wanted: Record<string, Value> = {};
        names.forEach((name, i) => {
          wanted[`w${i}`] = at.params[name]!.w;
          wanted[`h${i}`] = hidden[i] ?? out;
        });
        const slopes = gradients(loss, wanted) as Record<string, Value>;
        const rms = (v: Value): Value => sqrt(mean(square(v)));
        const facts: Record<string, Value> = {};
        names.forEach((name, i) => {
          facts[`weights${i}`] = rms(at.params[name]!.w);
          facts[`gradient${i}`] = rms(slopes[`w${i}`]!);
          facts[`arriving${i}`] = rms(slopes[`h${i}`]!);
          if (hidden[i] === undefined) return;
          const { dead, flat } = troubleOf(settings.activation, hidden[i]!);
          facts[`dead${i}`] = dead;
          facts[`flat${i}`] = flat;
        });
        return facts;
      },
    ),
  );

  // Pictures: fewer pixels where there are many of them.
  const shown = settings.layers.map((units) => Math.min(units, mostShown));
  const pictures = shown.reduce((a, b) => a + b, 0);
  const grid = problem.shape === "line" ? 64 : pictures <= 40 ? 40 : pictures <= 200 ? 24 : 12;
  const fine = problem.shape === "line" ? 200 : 64;
  const coarse = gridInputs(problem, grid);
  const smooth = gridInputs(problem, fine);
  const over = (inputs: Float32Array, kind: "maps" | "surface") => {
    const rows = inputs.length / shape.inputs;
    return beside(
      graph({ params, x: inputType(rows) }, ({ params: p, x }: { params: Params; x: Value }) => {
        const { hidden, out } = forward(shape, p, x);
        if (kind === "surface") return { said: saidOf(task, settings.loss, out) };
        return Object.fromEntries(hidden.map((h, i) => [`h${i}`, shownUnits(h, mostShown)]));
      }),
    ).then((program) => ({ program, x: tensor(inputs, inputType(rows)) }));
  };
  const maps = coarse === null || pictures === 0 ? null : await over(coarse, "maps");
  const surface = smooth === null ? null : await over(smooth, "surface");
  const reader =
    problem.shape === "image"
      ? await beside(
          graph({ params, x: inputType(1) }, ({ params: p, x }: { params: Params; x: Value }) => {
            const { hidden, out } = forward(shape, p, x);
            return { said: saidOf(task, settings.loss, out), ...Object.fromEntries(hidden.map((h, i) => [`h${i}`, h])) };
          }),
        )
      : null;

  let pass = 0;
  let order = source.pass(0)[Symbol.iterator]();
  let inPass = 0;
  let steps = 0;
  let digit: Float32Array | null = null;
  let failed: Batch | null = null;
  let watching = true;
  let ratios: number[] = names.map(() => 0);
  let curve: CurvePoint[] = [];

  const scalar = (v: unknown): number => (v as Tensor).data[0] as number;
  const point = (): CurvePoint => {
    const [a, b] = meters.map((meter, i) => meter.run(measured[i]!.columns as never) as unknown as { loss: Tensor; right: Tensor });
    return { epoch: pass, train: scalar(a!.loss), test: scalar(b!.loss), trainRight: scalar(a!.right), testRight: scalar(b!.right) };
  };
  curve.push(point());

  const norm = (data: ArrayLike<number>, other?: ArrayLike<number>): number => {
    let total = 0;
    for (let i = 0; i < data.length; i++) total += (data[i]! - (other?.[i] ?? 0)) ** 2;
    return Math.sqrt(total);
  };

  const weightsOf = (): Float32Array[] => {
    const { params: now } = learning.state.read() as unknown as Learnt;
    return names.map((name) => now[name]!.w.data as Float32Array);
  };

  const one = (): number => {
    let loss: number;
    let next = order.next();
    if (next.done === true) {
      order = source.pass(pass)[Symbol.iterator]();
      next = order.next();
    }
    const before = watching ? weightsOf() : null;
    try {
      loss = scalar((learning.run(next.value as never) as unknown as { loss: Tensor }).loss);
    } catch (error) {
      if (error instanceof NumericError) failed = next.value;
      throw error;
    }
    if (before !== null) {
      const after = weightsOf();
      ratios = names.map((_, i) => norm(after[i]!, before[i]!) / (norm(before[i]!) || 1));
      watching = false;
    }
    steps++;
    inPass++;
    if (inPass === source.length) {
      inPass = 0;
      pass++;
      order = source.pass(pass)[Symbol.iterator]();
      keep(point());
    }
    return loss;
  };
  // Pending points are thinned by the same rule as the page's: every epoch first, then every second one, and so on.
  let stride = 1;
  const keep = (p: CurvePoint): void => {
    if (p.epoch % stride !== 0) return;
    curve.push(p);
    if (curve.length >= 1000) {
      stride *= 2;
      curve = curve.filter(({ epoch }) => epoch % stride === 0);
    }
  };

  const picturesNow = (): Pick<Snapshot, "maps" | "surface"> => {
    const drawn = maps?.program.run({ x: maps.x } as never) as unknown as Record<string, Tensor> | undefined;
    const said = surface?.program.run({ x: surface.x } as never) as unknown as { said: Tensor } | undefined;
    return {
      maps: drawn === undefined ? [] : settings.layers.map((_, i) => drawn[`h${i}`]!.data as Float32Array),
      surface: said === undefined ? new Float32Array(0) : surfaceOf(problem, said.said.data as Float32Array),
    };
  };

  const inputsShown = Math.min(shape.inputs, mostShown);
  const weightsNow = (p: Params<Tensor>): Snapshot["weights"] =>
    names.map((name, i) => {
      const { w, b } = p[name]!;
      if (w.type.shape.length === 4)
        return { w: (w.data as Float32Array).slice(), rows: w.type.shape[1]!, columns: w.type.shape[0]!, b: b.data as Float32Array };
      const [rows, columns] = w.type.shape as [number, number];
      const [r, c] = [
        Math.min(rows, i === 0 && problem.shape !== "image" ? inputsShown : i === 0 ? 64 : mostShown),
        Math.min(columns, mostShown),
      ];
      const part = new Float32Array(r * c);
      for (let y = 0; y < r; y++) for (let x = 0; x < c; x++) part[y * c + x] = w.data[y * columns + x] as number;
      return { w: part, rows: r, columns: c, b: (b.data as Float32Array).slice(0, c) };
    });

  const facts: Facts = {
    problem: withoutParts(problem),
    points: { train: pointsOf(problem.train, problem.space), test: pointsOf(problem.test, problem.space) },
    layers: names.map((name, i) => ({
      name,
      units: settings.layers[i] ?? shape.outputs,
      shown: Math.min(settings.layers[i] ?? shape.outputs, mostShown),
      weights: params[name]!.w.data.length + params[name]!.b.data.length,
    })),
    parameters: names.reduce((n, name) => n + params[name]!.w.data.length + params[name]!.b.data.length, 0),
    batches: source.length,
    batch,
    grid,
    fine,
    inputs: inputsShown,
    features: problem.features,
    inputMaps: coarse,
  };

  const trainer: Trainer = {
    facts,
    problem,
    shape,
    step: one,
    get steps() {
      return steps;
    },
    get epoch() {
      return pass + inPass / source.length;
    },
    takeCurve: () => {
      const taken = curve;
      curve = [];
      stride = 1;
      return taken;
    },
    pictures() {
      const { params: now } = learning.state.read() as unknown as Learnt;
      return { ...picturesNow(), weights: weightsNow(now) };
    },
    snapshot(speed, withPictures = true) {
      const found = probe.run(probeRows as never) as unknown as Record<string, Tensor>;
      const { params: now, opt } = learning.state.read() as unknown as Learnt;
      watching = true;
      const health = names.map((name, i): LayerHealth => {
        const at = (what: string): number => (found[`${what}${i}`] === undefined ? 0 : scalar(found[`${what}${i}`]));
        return {
          name,
          weights: at("weights"),
          gradient: at("gradient"),
          arriving: at("arriving"),
          ratio: ratios[i]!,
          dead: at("dead"),
          flat: at("flat"),
        };
      });
      return {
        step: steps,
        epoch: trainer.epoch,
        speed,
        rate: opt["rate"] === undefined ? settings.rate : scalar(opt["rate"]),
        curve: trainer.takeCurve(),
        health,
        ...(withPictures ? picturesNow() : { maps: [], surface: new Float32Array(0) }),
        weights: weightsNow(now),
        digit: digit === null || reader === null ? null : readDigit(reader, digit, settings.layers.length),
      };
    },
    live(to) {
      const write: Record<string, unknown> = { penalty: to.penaltyRate };
      const { opt } = learning.state.read() as unknown as Learnt;
      if (opt["rate"] !== undefined) write["opt"] = { ...opt, rate: tensor(to.rate, opt["rate"].type.dtype) };
      learning.state.write(write as never);
    },
    draw(pixels) {
      digit = pixels;
    },
    reason(language) {
      if (failed === null) return "";
      const facts = variables({ ...(learning.state.read() as object), ...failed } as Record<string, unknown>) as unknown as {
        params: Params;
        penalty: Value;
        x: Value;
        y: Value;
      };
      try {
        const { loss } = objective(facts.params, facts.x, facts.y, facts.penalty);
        return firstBad({ loss }, { language })?.text() ?? "";
      } catch (error) {
        return (error as Error).message;
      }
    },
    params: () => (learning.state.read() as unknown as Learnt).params,
    take(rows) {
      const p = trainer.params();
      const { x, y } = problem.train;
      // The rows that the next step would learn from.
      const which = source.rows(pass, inPass).subarray(0, Math.min(rows, train.rows));
      // The penalty's rate may have been moved since it began.
      const { penalty } = learning.state.read() as unknown as Learnt;
      const seen = new Float32Array(which.length * shape.inputs);
      which.forEach((row, i) => {
        seen.set(x.subarray(row * shape.inputs, (row + 1) * shape.inputs), i * shape.inputs);
      });
      return {
        settings: { ...settings, penaltyRate: scalar(penalty) },
        inputs: problem.inputs,
        task,
        layers: names.map((name) => {
          const { w, b } = p[name]!;
          return { name, w: Float32Array.from(w.data as Float32Array), b: Float32Array.from(b.data as Float32Array), shape: w.type.shape };
        }),
        x: seen,
        y: Float32Array.from(which, (row) => y[row]!),
        steps,
      };
    },
  };
  return trainer;
}

function withoutParts({ train: _train, test: _test, ...rest }: Problem): Facts["problem"] {
  return rest;
}

/** Several classes as one number a pixel: the likeliest class, and half its probability behind the point. */
function surfaceOf({ task }: Problem, said: Float32Array): Float32Array {
  if (task.kind !== "classes") return said;
  const { count } = task;
  return Float32Array.from({ length: said.length / count }, (_, i) => {
    let best = 0;
    for (let c = 1; c < count; c++) if (said[i * count + c]! > said[i * count + best]!) best = c;
    return best + 0.5 * said[i * count + best]!;
  });
}

function readDigit(reader: Run, pixels: Float32Array, layers: number): Snapshot["digit"] {
  const found = reader.run({ x: tensor(pixels, f32(1, 64)) } as never) as unknown as Record<string, Tensor>;
  return {
    probabilities: found["said"]!.data as Float32Array,
    hidden: Array.from({ length: layers }, (_, i) => found[`h${i}`]!.data as Float32Array),
  };
}
