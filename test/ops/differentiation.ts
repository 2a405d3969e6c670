import { expect } from "vitest";
import { evaluate, hvp, jvp, mul, type Operand, sum, type Tensor, tensor, type Value, vjp } from "../../src/index.ts";

/** Fixed numbers between -1 and 1 for a shape. */
export function sample(shape: readonly number[], seed: number): Tensor {
  const count = shape.reduce((n, s) => n * s, 1);
  const data = Float64Array.from({ length: count }, (_, i) => Math.sin(12.9898 * (i + 1) + 78.233 * seed));
  return tensor(data, { kind: "type", dtype: "f64", shape });
}

function moved(x: Tensor, along: Tensor, by: number): Tensor {
  return tensor(
    Float64Array.from(x.data, (v, i) => v + by * along.data[i]!),
    x.type,
  );
}

function inner(a: Tensor, b: Tensor): number {
  let total = 0;
  for (let i = 0; i < a.data.length; i++) total += a.data[i]! * b.data[i]!;
  return total;
}

/** Holds f's reverse rule to central differences, its forward rule to its reverse rule, and its second derivative to differences of the first. */
export function checkDerivatives(f: (x: Value) => Value, at: Tensor): void {
  const direction = sample(at.type.shape, 5);
  const { value, tangent } = evaluate(jvp(f)(at, direction));
  const ct = sample(value.type.shape, 7);
  const weighted = (x: Operand): Value => sum(mul(f(x as Value), ct));
  const pulled = (x: Tensor): Tensor => evaluate(vjp(f)(x).pull(ct));
  const step = 1e-5;
  const slope = inner(pulled(at), direction);
  const number = (x: Tensor): number => evaluate(weighted(x)).data[0]!;
  expect(slope).toBeCloseTo((number(moved(at, direction, step)) - number(moved(at, direction, -step))) / (2 * step), 6);
  expect(inner(ct, tangent)).toBeCloseTo(slope, 10);
  const curvature = evaluate(hvp(weighted)(at, direction));
  const up = pulled(moved(at, direction, step));
  const down = pulled(moved(at, direction, -step));
  curvature.data.forEach((v, i) => {
    expect(v).toBeCloseTo((up.data[i]! - down.data[i]!) / (2 * step), 5);
  });
}
