import { add, checkpoint, customGradient, grad, mul, read, round, stopGradient, sub, sum, tanh, type Value } from "../../src/index.ts";

const roundSt = customGradient(
  ({ x }: { x: Value }) => round(x),
  ({ ct }) => ({ x: ct }),
);
const roundSt2 = (x: Value) => add(x, stopGradient(sub(round(x), x)));
console.log(read(grad((x: Value) => add(roundSt({ x }), roundSt2(x)))(1.3))); // 2
const clipped = customGradient(
  ({ x, limit }: { x: Value; limit: Value }) => mul(x, limit),
  ({ ct, x, out }) => ({ x: add(ct, mul(0, add(x, out))), limit: null }),
);
console.log(clipped({ x: 1, limit: 2 }));
const deep = (p: { w: Value }[], x: Value) => sum(p.reduce((h, { w }) => checkpoint((v: Value) => tanh(mul(w, v)))(h), x));
console.log(read(grad(deep)([{ w: 0.1 }, { w: 0.2 }], 1)[0]!.w));
const forgetful = ({ ct }: { ct: Value }) => ({ x: ct });
// @ts-expect-error: a gradient is missing
customGradient(({ x, y }: { x: Value; y: Value }) => mul(x, y), forgetful);
