import { shapeText, sizeOf } from "../../ir/shape.ts";
import type { StepProfile } from "../profile.ts";
import { bytesOf, type Step } from "./plan.ts";
import type { Buffer, View } from "./view.ts";

/** Functions of a dozen operations or so. */
const costly: ReadonlySet<string> = /* @__PURE__ */ new Set(["exp", "expm1", "log", "log1p", "tanh", "sigmoid", "softplus", "sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "erf", "pow", "lgamma", "digamma"]); // biome-ignore format: a list

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
  const touch = (view: View | null): void => {
    if (view !== null) buffers.set(view.buffer, Math.max(buffers.get(view.buffer) ?? 0, shown(view)));
  };
  const whole = (b: Buffer): void => {
    buffers.set(b, bytesOf(b));
  };
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
        if (name !== "identity") operations += size * (costly.has(name) ? 12 : 1);
        names.push(name === "identity" ? "copy" : name);
        for (const a of m.args) if ("view" in a) touch(a.view);
        touch(m.out);
        if (m.node.type.dtype === "f64") wide = true;
      }
      for (const t of step.totals) {
        operations += size;
        names.push(t.op);
        if ("view" in t.source) touch(t.source.view);
        whole(t.out);
        if (t.kind === "f64") wide = true;
      }
    } else {
      const { node } = step;
      shape = node.type.shape;
      wide = node.type.dtype === "f64";
      names.push(node.op.name);
      if (step.kind === "product") {
        const k = step.a.shape[step.a.shape.length - 1]!;
        operations = 2 * sizeOf(node.type.shape) * k;
        touch(step.a);
        touch(step.b);
        whole(step.out);
      } else if (step.kind === "convolution") {
        const [a, b] = node.operands.slice(0, 2).map((v) => v!.type.shape) as [readonly number[], readonly number[]];
        const y = node.op.name === "conv" ? node.type.shape : a;
        const w = node.op.name === "convWeight" ? node.type.shape : b;
        operations = w[0] === 0 ? 0 : (2 * sizeOf(y) * sizeOf(w)) / w[0]!;
        for (const x of [step.a, step.b, step.out]) whole(x);
      } else {
        for (const x of step.operands) touch(x);
        for (const x of step.outs) whole(x);
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

/** What a step reads and what it writes of the plan that it stands in. */
function memoryOf(step: Step): { readonly read: readonly Buffer[]; readonly written: readonly Buffer[] } {
  if (step.kind === "rows") {
    const all = step.whole.map(memoryOf);
    return { read: all.flatMap((m) => m.read), written: all.flatMap((m) => m.written) };
  }
  if (step.kind === "product" || step.kind === "convolution") {
    const read = step.kind === "product" ? [step.a.buffer, step.b.buffer] : [step.a, step.b];
    return { read, written: [step.out] };
  }
  if (step.kind !== "loop") return { read: step.operands.flatMap((v) => (v === null ? [] : [v.buffer])), written: step.outs };
  const sources = [...step.members.flatMap((m) => m.args), ...step.totals.map((t) => t.source)];
  return {
    read: sources.flatMap((s) => ("view" in s ? [s.view.buffer] : [])),
    written: [...step.members.flatMap((m) => (m.out === null ? [] : [m.out.buffer])), ...step.totals.map((t) => t.out)],
  };
}

/** For each step the earlier ones that wrote what it reads, those that wrote parts of it included. */
export function readsOf(steps: readonly Step[]): number[][] {
  const writers = new Map<Buffer, number[]>();
  return steps.map((step, i) => {
    const { read, written } = memoryOf(step);
    const from = new Set(read.flatMap((b) => writers.get(b) ?? []));
    for (const b of new Set(written)) {
      const before = writers.get(b);
      if (before === undefined) writers.set(b, [i]);
      else before.push(i);
    }
    return [...from].sort((a, b) => a - b);
  });
}
