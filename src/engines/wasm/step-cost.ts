import { shapeText, sizeOf } from "../../ir/shape.ts";
import type { StepProfile } from "../profile.ts";
import { isMath } from "./math.ts";
import { bytesOf, type Step } from "./plan.ts";
import { touched } from "./rows.ts";
import type { Buffer, View } from "./view.ts";

const product = (xs: readonly number[]): number => xs.reduce((a, b) => a * b, 1);

/** Bytes of the different elements that a view shows. */
function shown({ buffer, shape, strides }: View): number {
  const different = product(shape.filter((_, i) => strides[i] !== 0));
  return bytesOf({ dtype: buffer.dtype, length: Math.min(different, buffer.length) });
}

/** What a step does, before it is timed: a loop over rows all of its rounds, a loop of unknown length one, of two branches the dearer. */
export function costOf(step: Step): Omit<StepProfile, "measured" | "reads"> {
  if (step.kind === "control") {
    const rounds = step.form === "scan" ? step.rows : 1;
    const bodies = step.parts.map((steps) => steps.map(costOf));
    const of = (what: "bytes" | "operations" | "predicted"): number => {
      const sums = bodies.map((costs) => costs.reduce((a, c) => a + c[what], 0));
      return rounds * (step.form === "branch" ? Math.max(0, ...sums) : sums.reduce((a, b) => a + b, 0));
    };
    const inner = bodies.flat().flatMap((c) => c.ops);
    const ops = [step.node.op.name, ...new Set(inner)];
    return { kind: step.kind, ops, shape: shapeText(step.node.outputs![0]?.type.shape ?? []), bytes: of("bytes"), operations: of("operations"), predicted: of("predicted") }; // biome-ignore format: one record
  }
  const buffers = new Map<Buffer, number>();
  const { reads, outs } = touched(step);
  for (const v of reads) buffers.set(v.buffer, Math.max(buffers.get(v.buffer) ?? 0, shown(v)));
  for (const b of outs) buffers.set(b, bytesOf(b));
  const names: string[] = [];
  let operations = 0;
  let wide = false;
  let shape: readonly number[] = [];
  const count = (step: Exclude<Step, { readonly kind: "control" }>): void => {
    if (step.kind === "rows") {
      for (const s of step.whole) if (s.kind !== "control") count(s);
    } else if (step.kind === "loop") {
      const size = sizeOf(step.shape);
      shape = step.shape;
      for (const m of step.members) {
        const { name } = m.node.op;
        // Functions of a dozen operations or so.
        if (name !== "identity") operations += size * (isMath(name) ? 12 : 1);
        names.push(name === "identity" ? "copy" : name);
        if (m.node.type.dtype === "f64") wide = true;
      }
      for (const t of step.totals) {
        operations += size;
        names.push(t.op);
        if (t.kind === "f64") wide = true;
      }
    } else {
      const { node } = step;
      shape = node.type.shape;
      wide = node.type.dtype === "f64";
      names.push(node.op.name);
      if (step.kind === "product") operations = 2 * sizeOf(node.type.shape) * step.a.shape[step.a.shape.length - 1]!;
      else if (step.kind === "kernel") operations = step.kernel.loops?.operations ?? 0;
      else if (step.kind === "convolution") {
        const [a, b] = node.operands.slice(0, 2).map((v) => v!.type.shape) as [readonly number[], readonly number[]];
        const y = node.op.name === "conv" ? node.type.shape : a;
        const w = node.op.name === "convWeight" ? node.type.shape : b;
        operations = w[0] === 0 ? 0 : (2 * sizeOf(y) * sizeOf(w)) / w[0]!;
      }
    }
  };
  count(step);
  const bytes = [...buffers.values()].reduce((a, b) => a + b, 0);
  const times = new Map<string, number>();
  for (const n of names) times.set(n, (times.get(n) ?? 0) + 1);
  const ops = [...times].sort((a, b) => b[1] - a[1]).map(([n, some]) => (some === 1 ? n : `${some} ${n}`));
  const predicted = Math.max(operations / (wide ? 20 : 40), bytes / 16) * 1e-6;
  return { kind: step.kind, ops, shape: shapeText(shape), bytes, operations, predicted };
}

/** For each step the earlier ones that wrote what it reads, those that wrote parts of it included. */
export function readsOf(steps: readonly Step[]): number[][] {
  const writers = new Map<Buffer, number[]>();
  return steps.map((step, i) => {
    const { reads, outs } = touched(step);
    const from = new Set(reads.flatMap((v) => writers.get(v.buffer) ?? []));
    for (const b of new Set(outs)) {
      const before = writers.get(b);
      if (before === undefined) writers.set(b, [i]);
      else before.push(i);
    }
    return [...from].sort((a, b) => a - b);
  });
}
