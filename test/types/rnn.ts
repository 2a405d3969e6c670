import {
  cast,
  constant,
  f32,
  grad,
  jit,
  less,
  random,
  range,
  reference,
  scan,
  slice,
  softmaxCrossEntropy,
  tensor,
  type Value,
  type Values,
  where,
} from "../../src/index.ts";
import { linear, lstm } from "../../src/nn.ts";

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
  let s: { h: Value; c: Value } = zero;
  for (let t = 0; t < length; t++) s = lstm(p.cell, s, slice(rows, { start: t, end: t + 1 }));
  return s;
};
console.log(unrolled);
// @ts-expect-error: the carry changes its tree
scan((c: { h: Value }, x: Value) => ({ carry: { g: c.h }, out: x }), { h: zero.h }, zero.c);
