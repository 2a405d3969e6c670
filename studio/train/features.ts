import { abs, add, concat, cos, mul, type Operand, reshape, sin, slice, sqrt, square, type Value } from "chainrule";
import type { FeatureName } from "./state.ts";

const bySign: Readonly<Record<FeatureName, (x1: Operand, x2: Operand) => Value>> = {
  x1: (x1) => add(x1, 0),
  x2: (_, x2) => add(x2, 0),
  "x1^2": (x1) => square(x1),
  "x2^2": (_, x2) => square(x2),
  "x1*x2": (x1, x2) => mul(x1, x2),
  "sin(x1)": (x1) => sin(x1),
  "sin(x2)": (_, x2) => sin(x2),
  "cos(x1)": (x1) => cos(x1),
  "cos(x2)": (_, x2) => cos(x2),
  "abs(x1)": (x1) => abs(x1),
  "abs(x2)": (_, x2) => abs(x2),
  "sqrt(x1^2+x2^2)": (x1, x2) => sqrt(add(square(x1), square(x2))),
};

/** The columns that a net sees, of points [rows, 2] or, on a line, [rows, 1]. The same function feeds the training and is part of exported graphs. */
export function featuresOf(points: Value, names: readonly FeatureName[]): Value {
  const rows = points.type.shape[0]!;
  const column = (i: number): Value => slice(points, { axis: 1, start: i, end: i + 1 });
  const x1 = column(0);
  const x2 = points.type.shape[1] === 1 ? x1 : column(1);
  const columns = names.map((name) => reshape(bySign[name](x1, x2), { shape: [rows, 1] }));
  return columns.length === 1 ? columns[0]! : concat(columns, { axis: 1 });
}

/** The features that there are on a line: those of x1 alone. */
export function onLine(names: readonly FeatureName[]): readonly FeatureName[] {
  const own = names.filter((name) => !name.includes("x2"));
  return own.length === 0 ? ["x1"] : own;
}
