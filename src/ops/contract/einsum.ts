import { ShapeError } from "../../ir/errors.ts";
import { lift } from "../../ir/leaf.ts";
import type { Value } from "../../ir/node.ts";
import type { Operand } from "../../ir/op.ts";
import { sizeOf } from "../../ir/shape.ts";
import { typeText } from "../../ir/type.ts";
import { mul } from "../arithmetic.ts";
import { mixed } from "../define.ts";
import { reshape } from "../linear/reshape.ts";
import { slice } from "../linear/slice.ts";
import { expand, sum } from "../linear/sum.ts";
import { transpose } from "../linear/transpose.ts";
import { matmul } from "./matmul.ts";

/** A tensor whose axes have labels. */
interface Labelled {
  readonly v: Value;
  readonly labels: readonly string[];
}

function fail(spec: string, message: string): never {
  throw new ShapeError(`einsum "${spec}": ${message}`, { op: "einsum" });
}

/** The labels of operands and result; ellipses become labels of their own, aligned at the right. */
function readSpec(spec: string, operands: readonly Value[]): { readonly inputs: readonly string[][]; readonly output: readonly string[] } {
  const text = spec.replace(/\s+/g, "");
  const [left, right, extra] = text.split("->");
  if (left === undefined || extra !== undefined) fail(spec, 'write operands, one arrow at most, and the result: "ij,jk->ik"');
  const terms = left.split(",");
  if (terms.length !== operands.length) fail(spec, `${terms.length} operands are described and ${operands.length} were given`);
  let most = 0;
  const inputs = terms.map((term, i) => {
    const { shape } = operands[i]!.type;
    const parts = term.split("...");
    if (parts.length > 2) fail(spec, `operand ${i} has two ellipses`);
    const named = [...parts.join("")];
    for (const c of named) if (!/\p{L}/u.test(c)) fail(spec, `${JSON.stringify(c)} is no label; labels are single letters`);
    const hidden = shape.length - named.length;
    if (parts.length === 1 ? hidden !== 0 : hidden < 0)
      fail(spec, `operand ${i} is ${typeText(operands[i]!.type)} with ${shape.length} axes, and "${term}" labels ${named.length}`);
    if (parts.length === 1) return named;
    most = Math.max(most, hidden);
    return [...parts[0]!, ...Array.from({ length: hidden }, (_, k) => `...${hidden - k}`), ...parts[1]!];
  });
  const dots = Array.from({ length: most }, (_, k) => `...${most - k}`);
  const counts = new Map<string, number>();
  for (const c of inputs.flat()) counts.set(c, (counts.get(c) ?? 0) + 1);
  if (right === undefined)
    return { inputs, output: [...dots, ...[...counts.keys()].filter((c) => c.length === 1 && counts.get(c) === 1).sort()] };
  const parts = right.split("...");
  if (parts.length > 2) fail(spec, "the result has two ellipses");
  if (parts.length === 1 && most > 0) fail(spec, 'the operands have an ellipsis and the result has none; write "..." in the result');
  const output = parts.length === 1 ? [...right] : [...parts[0]!, ...dots, ...parts[1]!];
  for (const c of output) if (!counts.has(c) && c.length === 1) fail(spec, `the result has label ${c}, which no operand has`);
  if (new Set(output).size !== output.length) fail(spec, "the result names a label twice");
  return { inputs, output };
}

/** Takes the diagonal over axes with one label, as a slice of their joined axis. */
function diagonals({ v, labels }: Labelled, spec: string): Labelled {
  for (let i = 0; i < labels.length; i++) {
    const j = labels.indexOf(labels[i]!, i + 1);
    if (j < 0) continue;
    const { shape } = v.type;
    const n = shape[i]!;
    if (n !== shape[j]) fail(spec, `label ${labels[i]} stands for sizes ${n} and ${shape[j]} of one operand`);
    const rest = labels.map((_, k) => k).filter((k) => k !== i && k !== j);
    const joined = reshape(transpose(v, { axes: [...rest, i, j] }), { shape: [...rest.map((k) => shape[k]!), n * n] });
    const diagonal = n === 0 ? joined : slice(joined, { axis: rest.length, step: n + 1 });
    return diagonals({ v: diagonal, labels: [...rest.map((k) => labels[k]!), labels[i]!] }, spec);
  }
  return { v, labels };
}

function sumOut({ v, labels }: Labelled, keep: (label: string) => boolean): Labelled {
  const axis = labels.flatMap((c, i) => (keep(c) ? [] : [i]));
  return axis.length === 0 ? { v, labels } : { v: sum(v, { axis }), labels: labels.filter(keep) };
}

function ordered({ v, labels }: Labelled, order: readonly string[]): Value {
  return transpose(v, { axes: order.map((c) => labels.indexOf(c)) });
}

/** One contraction: shared labels that are kept are batch axes, shared ones that are not are summed. */
function contract(a: Labelled, b: Labelled, keep: (label: string) => boolean): Labelled {
  const left = sumOut(a, (c) => keep(c) || b.labels.includes(c));
  const right = sumOut(b, (c) => keep(c) || a.labels.includes(c));
  const shared = left.labels.filter((c) => right.labels.includes(c));
  const batch = shared.filter(keep);
  const inner = shared.filter((c) => !keep(c));
  const rows = left.labels.filter((c) => !shared.includes(c));
  const columns = right.labels.filter((c) => !shared.includes(c));
  const sizes = (x: Labelled, labels: readonly string[]): number[] => labels.map((c) => x.v.type.shape[x.labels.indexOf(c)]!);
  const batchSizes = sizes(left, batch);
  const labels = [...batch, ...rows, ...columns];
  if (inner.length === 0) {
    const p = reshape(ordered(left, [...batch, ...rows]), { shape: [...batchSizes, ...sizes(left, rows), ...columns.map(() => 1)] });
    const q = reshape(ordered(right, [...batch, ...columns]), { shape: [...batchSizes, ...rows.map(() => 1), ...sizes(right, columns)] });
    return { v: mul(p, q), labels };
  }
  const k = sizeOf(sizes(left, inner));
  const p = reshape(ordered(left, [...batch, ...rows, ...inner]), { shape: [...batchSizes, sizeOf(sizes(left, rows)), k] });
  const q = reshape(ordered(right, [...batch, ...inner, ...columns]), { shape: [...batchSizes, k, sizeOf(sizes(right, columns))] });
  return { v: reshape(matmul(p, q), { shape: [...batchSizes, ...sizes(left, rows), ...sizes(right, columns)] }), labels };
}

/** Checks that a label has one size everywhere; axes of an ellipsis broadcast. */
function agree(spec: string, given: readonly Labelled[]): Labelled[] {
  const sizes = new Map<string, number>();
  for (const { v, labels } of given)
    labels.forEach((c, i) => {
      const n = v.type.shape[i]!;
      const known = sizes.get(c);
      if (known === undefined || (c.length > 1 && known === 1)) sizes.set(c, n);
      else if (known !== n && !(c.length > 1 && n === 1))
        fail(spec, `label ${c.length > 1 ? "..." : c} stands for sizes ${known} and ${n}`);
    });
  return given.map(({ v, labels }) => ({ v: expand(v, { shape: labels.map((c) => sizes.get(c)!) }), labels }));
}

/**
 * Einstein summation: `einsum("ij,jk->ik", a, b)`. Labels are letters; a label twice in one operand takes its diagonal, labels missing from the
 * result are summed, `...` stands for axes that broadcast; without an arrow the result has the labels that occur once, in alphabetical order
 * (NumPy's `einsum`). Any number of operands, contracted from left to right as matrix products.
 * @throws ShapeError for a specification that does not fit its operands
 */
export function einsum(spec: string, ...operands: readonly Operand[]): Value {
  if (typeof spec !== "string")
    throw new ShapeError('einsum: the first argument is the specification, such as "ij,jk->ik"', { op: "einsum" });
  const typed = operands.find((x) => typeof x !== "number");
  const dtype = typed === undefined ? "f64" : lift(typed, "f64").type.dtype;
  const values = operands.map((x) => lift(x, dtype));
  values.forEach((v, i) => {
    if (v.type.dtype !== dtype) throw mixed("einsum", "operand 0", values[0]!, `operand ${i}`, v);
  });
  const { inputs, output } = readSpec(spec, values);
  const diagonal = values.map((v, i) => diagonals({ v, labels: inputs[i]! }, spec));
  const terms = agree(spec, diagonal);
  let total = terms[0]!;
  for (let i = 1; i < terms.length; i++) {
    const later = new Set(terms.slice(i + 1).flatMap((t) => t.labels));
    total = contract(total, terms[i]!, (c) => output.includes(c) || later.has(c));
  }
  return ordered(
    sumOut(total, (c) => output.includes(c)),
    output,
  );
}
