import { add, at, constant, expr, grad, mul, norm, read, square, stack, sub, tensor, type Value, type Way } from "../../src/index.ts";

const argmin = (f: (x: Value) => Value, start: Value, mode: Way): Value => {
  const slope = grad(f, { mode });
  let x = start;
  let c = f(x);
  let g = slope(x);
  let rate = 1e-5;
  let i = 0;
  for (;;) {
    if (read(norm(g)) <= 1e-5) return x;
    if (i === 10) {
      rate *= 2;
      i = 0;
      continue;
    }
    const next = sub(x, mul(rate, g));
    if (read(norm(sub(x, next))) <= 1e-5) return x;
    const cost = f(next);
    if (read(cost) < read(c)) {
      x = next;
      c = cost;
      g = slope(x);
      i++;
    } else {
      rate /= 2;
      i = 0;
    }
  }
};
const particle = (outer: Way, inner: Way, w0: number) =>
  argmin(
    (w) => {
      const charge = stack([10, sub(10, w)]);
      const force = grad((p: Value) => expr`1 / norm(${p} - ${charge}) + 1 / norm(${p} - ${tensor([10, 0])})`, { mode: inner });
      let x: Value = constant([0, 8]);
      let v: Value = constant([0.75, 0]);
      for (;;) {
        const next = add(x, mul(0.1, v));
        if (read(at(next, 1)) <= 0) break;
        v = sub(v, mul(0.1, force(x)));
        x = next;
      }
      return square(expr`${at(x, 0)} - ${at(x, 1)} / ${at(v, 1)} * ${at(v, 0)}`);
    },
    constant(w0),
    outer,
  ); // a constant: what no open transform needs is forgotten once read
console.log(read(particle("forward", "reverse", 0)));
// @ts-expect-error: there is no such mode
grad((x: Value) => x, { mode: "sideways" });
