import { add, at, div, grad, mul, read, reshape, stack, sub, sum, type Value } from "../../src/index.ts";

/** GradBench's particle path with a force by differentiation in every step; the outer derivative goes through the whole loop. */
export function path(w: Value): Value {
  const charge = stack([10, sub(10, w)]);
  const fixed = stack([10, 0]);
  const inverse = (p: Value, c: Value): Value => {
    const d = sub(p, c);
    return div(1, reshape(sum(mul(d, d)), { shape: [] }));
  };
  const force = grad((p: Value) => add(inverse(p, charge), inverse(p, fixed)));
  let x: Value = stack([0, 8]);
  let v: Value = stack([0.75, 0]);
  for (;;) {
    const next = add(x, mul(0.1, v));
    if (read(at(next, 1)) <= 0) break;
    v = sub(v, mul(0.1, force(x)));
    x = next;
  }
  const end = sub(at(x, 0), mul(div(at(x, 1), at(v, 1)), at(v, 0)));
  return mul(end, end);
}
