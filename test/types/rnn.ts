import {
  add,
  cast,
  constant,
  f32,
  grad,
  jit,
  less,
  matmul,
  mul,
  type Operand,
  random,
  range,
  reference,
  scan,
  sigmoid,
  slice,
  softmaxCrossEntropy,
  split,
  tanh,
  tensor,
  type Value,
  type Values,
  where,
} from "../../src/index.ts";

// Layers come with chainrule/nn; here they are written out.
const linear = Object.assign((p: { w: Value; b: Value }, x: Operand) => add(matmul(x, p.w), p.b), {
  init: (key: Operand, inputs: number, outputs: number) => ({ w: random.normal(key, f32(inputs, outputs)), b: new Float32Array(outputs) }),
});
interface State {
  readonly h: Value;
  readonly c: Value;
}
const lstm = Object.assign(
  (p: { w: Value; u: Value; b: Value }, { h, c }: State, x: Operand): State => {
    const gates = add(add(matmul(x, p.w), matmul(h, p.u)), p.b);
    const [i, f, o, g] = split(gates, { parts: 4 }) as [Value, Value, Value, Value];
    const next = add(mul(sigmoid(f), c), mul(sigmoid(i), tanh(g)));
    return { h: mul(sigmoid(o), tanh(next)), c: next };
  },
  {
    init: (key: Operand, inputs: number, units: number) => ({
      w: random.normal(random.fold(key, "w"), f32(inputs, 4 * units)),
      u: random.normal(random.fold(key, "u"), f32(units, 4 * units)),
      b: new Float32Array(4 * units),
    }),
  },
);

const k = random.key(0);
const params = { cell: lstm.init(random.fold(k, "cell"), 32, 8), out: linear.init(random.fold(k, "out"), 8, 32) };
type Params = Values<typeof params>;
const zero = { h: constant(new Float32Array(8)), c: constant(new Float32Array(8)) };
// one length per call: the loop stops early, inside one compiled program
const loss = (p: Params, xs: Value, ys: Value, length: Value) => {
  const { out } = scan(
    (carry, x) => {
      const next = lstm(p.cell, carry, x);
      return { carry: next, out: linear(p.out, next.h) };
    },
    zero,
    xs,
    { length, checkpointEvery: 16 },
  );
  return softmaxCrossEntropy(out, where(less(cast(range(128), "f64"), length), ys, -1)); // -1: ignored
};
const slope = jit(grad(loss), reference());
const xs = tensor(
  Float32Array.from({ length: 128 * 32 }, (_, i) => Math.sin(i)),
  f32(128, 32),
);
console.log(slope(params, xs, new Int32Array(128), 77).cell.w);
// or the host's own loop: a JavaScript `for`, one graph per length
const unrolled = (p: Params, rows: Value, length: number) => {
  let s: State = zero;
  for (let t = 0; t < length; t++) s = lstm(p.cell, s, slice(rows, { start: t, end: t + 1 }));
  return s;
};
console.log(unrolled);
// @ts-expect-error: the carry changes its tree
scan((c: { h: Value }, x: Value) => ({ carry: { g: c.h }, out: x }), { h: zero.h }, zero.c);
