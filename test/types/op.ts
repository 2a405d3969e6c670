import { div, grad, mul, type Op, type Operand, op, pow, read, square, type Value } from "../../src/index.ts";
export const cbrt: Op<(x: Operand) => Value> = op("acme.cbrt", ["x"], {
  type: ({ x }) => x,
  eval: ({ x }) => x.data.map(Math.cbrt),
  vjp: ({ ct, out }) => ({ x: div(ct, mul(3, square(out))) }),
});
export const scaled: Op<(x: Operand, y: Operand, attrs: { readonly by: number }) => Value> = op("acme.scaled", ["x", "y"], {
  type: ({ x }) => x,
  eval: ({ x, by }) => x.data.map((v) => v * by),
  vjp: ({ ct, by }) => ({ x: mul(ct, by), y: null }),
  lower: ({ x, by }) => mul(x, by), // so every engine, and ONNX, has it
});
console.log(read(grad((x: Value) => scaled(cbrt(x), x, { by: 2 }))(8)), pow(2, 3));
export const wrong: Op<(x: Operand, y: Operand) => Value> = op("acme.wrong", ["x", "y"], {
  type: ({ x }) => x,
  eval: ({ x }) => x.data,
  // @ts-expect-error: y has no gradient here
  vjp: ({ ct }) => ({ x: ct }),
});
// @ts-expect-error: an outside op carries its owner's name
op("cbrt", ["x"], { type: ({ x }) => x, eval: ({ x }) => x.data, vjp: null });
