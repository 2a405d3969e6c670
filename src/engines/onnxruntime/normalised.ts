import { evaluate } from "../../evaluate/evaluate.ts";
import { constant, input, literalOf } from "../../ir/leaf.ts";
import type { Value } from "../../ir/node.ts";
import { sameShape } from "../../ir/shape.ts";
import { hold } from "../../ir/tensor.ts";
import { tensorType } from "../../ir/type.ts";
import { collect } from "../../ir/walk.ts";
import type { OwnRows } from "../../onnx/emitter.ts";
import { add, mul, reciprocal, sqrt, square, sub, sum } from "../../ops/index.ts";
import { exported } from "./export.ts";
import type { Runtime } from "./ort.ts";

/** What a value is before it is repeated, a line as it was before it got axes of size 1. */
function bare(v: Value): Value {
  const { op, operands, type } = v.node;
  const [x] = operands;
  if (x == null) return v;
  const lined = op.name === "reshape" && x.type.shape.length === 1 && x.type.shape[0] === type.shape.at(-1);
  return op.name === "expand" ? bare(x) : lined ? x : v;
}

/** What an op of this name was made of, in both orders where that makes no difference. */
function madeOf(v: Value, name: string): (readonly [Value, Value])[] {
  const { op, operands } = bare(v).node;
  const [a, b] = operands;
  if (op.name !== name || a == null) return [];
  if (b == null) return [[a, a]];
  return name === "add" || name === "mul"
    ? [
        [a, b],
        [b, a],
      ]
    : [[a, b]];
}

/** What a reduction along the last axis, kept, is of. */
function alongLast(v: Value, name: string): Value | null {
  const [x] = madeOf(v, name)[0] ?? [];
  if (x === undefined) return null;
  const { axis, keepDims } = bare(v).node.attrs as { readonly axis: readonly number[]; readonly keepDims: boolean };
  return keepDims && axis.length === 1 && axis[0] === x.type.shape.length - 1 ? x : null;
}

/** What the mean along the last axis, kept, is taken of. */
function meanOf(v: Value): Value | null {
  const parts = [
    ...madeOf(v, "mul").map(([c, total]) => [literalOf(bare(c)), total] as const),
    ...madeOf(v, "div").map(([total, n]) => [1 / (literalOf(bare(n)) ?? 0), total] as const),
  ];
  for (const [share, total] of parts) {
    const x = alongLast(total, "sum");
    if (share !== null && x !== null && Math.fround(share) === Math.fround(1 / x.type.shape.at(-1)!)) return x;
  }
  return alongLast(v, "mean");
}

interface Norm {
  readonly x: Value;
  readonly centred: Value;
  /** The root, and 1 over it, where they were written. */
  readonly root: Value | null;
  readonly inverse: Value | null;
  readonly epsilon: number;
}

/** What rows less their mean, over the root of their variance and a small number, are made of; null for anything else. */
function normOf(v: Value): Norm | null {
  const forms = [
    ...madeOf(v, "div").map(([c, root]) => [c, root, null] as const),
    ...madeOf(v, "mul").flatMap(([r, c]) => madeOf(r, "reciprocal").map(([root]) => [c, root, bare(r)] as const)),
    ...madeOf(v, "mul").map(([r, c]) => [c, null, bare(r)] as const),
  ];
  for (const [centred, root, inverse] of forms) {
    const [x, mean] = madeOf(centred, "sub")[0] ?? [];
    const [under] = (root === null ? madeOf(inverse, "rsqrt")[0] : madeOf(root, "sqrt")[0]) ?? [];
    if (x === undefined || mean === undefined || under === undefined || meanOf(mean) !== x) continue;
    for (const [variance, small] of madeOf(under, "add")) {
      const epsilon = literalOf(bare(small));
      const squares = meanOf(variance);
      const squared = squares === null ? [] : [...madeOf(squares, "square"), ...madeOf(squares, "mul")];
      if (epsilon !== null && epsilon > 0 && squared.some(([a, b]) => a === centred && b === centred))
        return { x, centred, root: root && bare(root), inverse, epsilon };
    }
  }
  return null;
}

/**
 * Rows brought to mean 0 and variance 1, scaled and moved, as ONNX Runtime's one operator. Its mean and inverse deviation stand for those that were to be computed from here on,
 * in gradients, and what only led to them is left out.
 */
export const normalised: OwnRows = {
  add: (e, w) => {
    if (w.dtype !== "f32") return null;
    for (const [scaled, shift] of madeOf(w.node, "add"))
      for (const [unit, scale] of madeOf(scaled, "mul")) {
        const norm = normOf(unit);
        const row = w.shape.slice(-1);
        if (norm === null || !sameShape(norm.x.type.shape, w.shape)) continue;
        if (![scale, shift].every((v) => sameShape(bare(v).type.shape, row))) continue;
        const [x, g, h] = [norm.x, bare(scale), bare(shift)].map((v) => e.names.get(v));
        if (x === undefined || g === undefined || h === undefined) continue;
        const [y, mean, inverse] = e.several("LayerNormalization", [x, g, h], 3, { axis: -1, epsilon: { float: norm.epsilon } });
        const centred = e.op("Sub", [x, mean!]);
        const now = new Map<Value, string>([
          [norm.centred, centred],
          [bare(unit), e.op("Mul", [inverse!, centred])],
        ]);
        if (norm.root !== null) now.set(norm.root, e.op("Reciprocal", [inverse!]));
        if (norm.inverse !== null) now.set(norm.inverse, inverse!);
        for (const [v, name] of now) e.names.set(v, name);
        return y!;
      }
    return null;
  },
};

/** Whether a graph may have rows to normalise: it has a root of one number a row. */
export function mayNormalise(outputs: readonly Value[]): boolean {
  return collect(outputs).some(
    ({ op, type: { dtype, shape } }) =>
      (op.name === "sqrt" || op.name === "rsqrt") && dtype === "f32" && shape.length > 1 && shape.at(-1) === 1,
  );
}

/** Whether this ONNX Runtime has the operator, and gives what it should for rows far from 0 too, the mean and the inverse deviation included. */
export async function normalisesRight(runtime: Runtime, options: object): Promise<boolean> {
  const [rows, n] = [3, 40];
  const type = tensorType("f32", [rows, n]);
  const data = Float32Array.from({ length: rows * n }, (_, i) => [0, 1000, -7][Math.floor(i / n)]! + (i < 2 * n ? Math.sin(1.7 * i) : 0));
  const line = tensorType("f32", [n]);
  const [g, h] = [1.1, 0.3].map((pace) =>
    hold(
      line,
      Float32Array.from({ length: n }, (_, i) => Math.cos(pace * i)),
    ),
  );
  const made = ([x, scale, shift]: readonly Value[]): Value[] => {
    const mean = (v: Value): Value => mul(1 / n, sum(v, { axis: -1, keepDims: true }));
    const centred = sub(x!, mean(x!));
    const inverse = reciprocal(sqrt(add(mean(square(centred)), 1e-5)));
    const unit = mul(inverse, centred);
    return [add(mul(unit, scale!), shift!), unit, centred, inverse];
  };
  const tensors = [hold(type, data), g!, h!];
  const inputs = tensors.map((t, i) => input(t.type, `t${i}`));
  try {
    const file = exported(inputs, made(inputs), "f64", undefined, normalised);
    const session = await runtime.open(file.bytes, options);
    const feeds = Object.fromEntries(file.inputs.map((name, i) => [name, runtime.tensor("f32", tensors[i]!.data, tensors[i]!.type.shape)]));
    const results = await session.run(feeds, Object.fromEntries(file.outputs.map((name) => [name, null])));
    await session.release();
    const wanted = made(tensors.map((t) => constant(t))).map((v) => evaluate(v).data);
    return wanted.every((list, k) =>
      list.every((v, i) => Math.abs(v - results[file.outputs[k]!]!.data[i]!) <= 1e-3 * Math.max(1, Math.abs(v))),
    );
  } catch {
    return false;
  }
}
