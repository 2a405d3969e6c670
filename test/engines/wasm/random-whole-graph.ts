import type { Draw } from "../../../src/check/draws.ts";
import type { Engine } from "../../../src/engines/engine.ts";
import { reference } from "../../../src/engines/reference.ts";
import {
  abs,
  add,
  argMin,
  cast,
  clip,
  concat,
  cumsum,
  div,
  equal,
  flip,
  gather,
  graph,
  greater,
  less,
  matmul,
  max,
  maximum,
  min,
  minimum,
  mod,
  mul,
  neg,
  oneHot,
  pad,
  pow,
  print,
  prod,
  relu,
  reshape,
  scan,
  scatterElements,
  sign,
  slice,
  sort,
  square,
  stack,
  sub,
  sum,
  type Tensor,
  transpose,
  type Value,
  where,
} from "../../../src/index.ts";
import { allocate, type DType, dtypes, isInteger } from "../../../src/ir/dtype.ts";
import { broadcast, sizeOf } from "../../../src/ir/shape.ts";
import { dense, type Held, hold } from "../../../src/ir/tensor.ts";
import { leaves } from "../../../src/ir/tree.ts";
import { tensorType } from "../../../src/ir/type.ts";

const wholes: readonly DType[] = dtypes.filter(isInteger);
/** Also those through which whole numbers of some size go unharmed, or are rounded in the same way everywhere. */
const others: readonly DType[] = ["bool", "f64", "f32", "f16", "bf16"];
const sizes = [0, 1, 1, 2, 3, 5, 8, 17, 37];

type Step = (x: Value, y: Value, d: Draw) => Value | null;
const axisIn = (v: Value, d: Draw): number => d.whole(0, v.type.shape.length - 1);
const one =
  (f: (x: Value) => Value): Step =>
  (x) =>
    f(x);
const two =
  (f: (x: Value, y: Value) => Value): Step =>
  (x, y) =>
    broadcast(x.type.shape, y.type.shape) === null ? null : f(x, y.type.dtype === x.type.dtype ? y : cast(y, x.type.dtype));
const along =
  (f: (x: Value, axis: number) => Value, empty = true): Step =>
  (x, _, d) => {
    if (x.type.shape.length === 0) return null;
    const axis = axisIn(x, d);
    return !empty && x.type.shape[axis] === 0 ? null : f(x, axis);
  };

const steps: readonly Step[] = [
  one(neg),
  one(abs),
  one(sign),
  one(relu),
  one(square),
  one((x) => transpose(x)),
  one((x) => flip(x)),
  one((x) => reshape(x, { shape: [-1] })),
  one((x) => clip(x, { min: 1, max: 100 })),
  one((x) => pow(x, 3)),
  one((x) => pow(2, mod(x, 7))),
  one((x) => div(x, 3)),
  one((x) => mod(x, 5)),
  two(add),
  two(add),
  two(sub),
  two(mul),
  two(mul),
  two(maximum),
  two(minimum),
  // Divisors of 0 now and then.
  two((x, y) => div(x, y)),
  two((x, y) => mod(x, add(square(y), 1))),
  two((x, y) => where(less(x, y), x, y)),
  two((x, y) => where(equal(x, y), add(x, 1), y)),
  (x, _, d) => cast(x, wholes[d.whole(0, wholes.length - 1)]!),
  (x, _, d) => cast(x, wholes[d.whole(0, wholes.length - 1)]!),
  // There and back; what does not fit is an error on both engines.
  (x, _, d) => cast(cast(x, others[d.whole(0, others.length - 1)]!), x.type.dtype),
  (x) => cast(greater(x, 2), x.type.dtype),
  along((x, axis) => sum(x, { axis })),
  along((x, axis) => sum(x, { axis, keepDims: true })),
  along((x, axis) => prod(x, { axis })),
  along((x, axis) => cumsum(x, { axis })),
  along((x, axis) => concat([x, x], { axis })),
  along((x, axis) => slice(x, { axis, start: 1, step: 2 })),
  along((x, axis) => slice(x, { axis, step: -1 })),
  along((x, axis) => stack([x, x], { axis })),
  along((x, axis) => pad(x, { pads: x.type.shape.map((_, i) => (i === axis ? [1, 2] : [0, 0])), value: 7 })),
  along((x, axis) => max(x, { axis }), false),
  along((x, axis) => min(x, { axis, keepDims: true }), false),
  along((x, axis) => sort(x, { axis }).values, false),
  along((x, axis) => cast(argMin(x, { axis }), x.type.dtype), false),
  along((x, axis) => gather(x, mod(reshape(x, { shape: [-1] }), Math.min(100, x.type.shape[axis]!)), { axis }), false),
  along((x, axis) => scatterElements(x, mod(x, Math.min(100, x.type.shape[axis]!)), x, { axis, reduction: "add" }), false),
  (x) => (sizeOf(x.type.shape) > 40 ? null : oneHot(mod(x, 4), { depth: 4, dtype: x.type.dtype })),
  (x) => (x.type.shape.length === 2 ? matmul(x, transpose(x)) : null),
  (x) => {
    if (x.type.shape.length < 1 || x.type.shape[0] === 0) return null;
    const start = sum(x, { axis: 0 });
    const { carry, out } = scan((c: Value, row: Value) => ({ carry: sub(row, c), out: mul(c, 2) }), start, x);
    return add(sum(out as unknown as Value, { axis: 0 }), carry);
  },
];

/** Where an engine differs from the reference on a random graph of whole numbers of every dtype; null where nowhere. An error may be another one where several ops have one. */
export function wholeDifference(engine: Engine<"sync">, d: Draw, seen: { values: number; errors: number }): string | null {
  const operands = Array.from({ length: 3 }, (): Tensor => {
    const dtype = wholes[d.whole(0, wholes.length - 1)]!;
    const shape = Array.from({ length: d.whole(0, 2) }, () => sizes[d.whole(0, sizes.length - 1)]!);
    const data = allocate(dtype, sizeOf(shape));
    const most = d.whole(0, 5) === 0 ? 2 ** Math.min(52, 8 * data.BYTES_PER_ELEMENT) : 10;
    for (let i = 0; i < data.length; i++)
      data[i] = Math.floor(d.fraction() * most) * (dtype.startsWith("i") && d.fraction() < 0.5 ? -1 : 1) + 0;
    return hold(tensorType(dtype, shape), data);
  });
  const count = d.whole(1, 10);
  const g = graph(Object.fromEntries(operands.map((t, i) => [`x${i}`, t.type])), (inputs) => {
    const made: Value[] = Object.values(inputs as Record<string, Value>);
    for (let i = 0; i < count; i++) {
      const x = made[d.whole(Math.max(0, made.length - 4), made.length - 1)]!;
      const next = steps[d.whole(0, steps.length - 1)]!(x, made[d.whole(0, made.length - 1)]!, d);
      if (next !== null && sizeOf(next.type.shape) <= 3000 && next.type.shape.length <= 4) made.push(next);
    }
    return Object.fromEntries(made.slice(-3).map((v, i) => [`y${i}`, v]));
  });
  const inputs = leaves(g.inputs).map(({ leaf }) => leaf as Value);
  const values = leaves(g.outputs).map(({ leaf }) => leaf as Value);
  const given = operands.map((t): Held => (t.type.shape.length === 0 ? t.data[0]! : t));
  const run = (e: Engine<"sync">): readonly Held[] | Error => {
    try {
      return e.prepare(inputs, values).run(given);
    } catch (error) {
      return error as Error;
    }
  };
  const [want, got] = [run(reference()), run(engine)];
  const failed = [want, got].map((x) => x instanceof Error);
  const told = (x: unknown): string => (x instanceof Error ? `${x.name}: ${x.message}` : "nothing");
  if (failed[0]) seen.errors++;
  else seen.values++;
  if (failed[0] !== failed[1]) return `the reference says ${told(want)}, and the engine ${told(got)}\n${print(g)}`;
  if (failed[0]) return null;
  for (let k = 0; k < values.length; k++) {
    const [a, b] = [want, got].map((list) => dense((list as readonly Held[])[k]!, values[k]!.type).data);
    for (let i = 0; i < a!.length; i++)
      if (!Object.is(a![i], b![i])) return `y${k}[${i}] is ${b![i]}, and the reference has ${a![i]}\n${print(g)}`;
  }
  return null;
}
