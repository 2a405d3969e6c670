import { isFloat } from "../../ir/dtype.ts";
import { isGraph } from "../../ir/graph.ts";
import { lift, literalOf } from "../../ir/leaf.ts";
import { type Node, nextSerial, type Value, valuesOf } from "../../ir/node.ts";
import type { AnyOp } from "../../ir/op.ts";
import { reducedShape, sameShape, sizeOf } from "../../ir/shape.ts";
import { tensor } from "../../ir/tensor.ts";
import { bool, i32 } from "../../ir/type.ts";
import { collect } from "../../ir/walk.ts";
import { applyTo } from "../../ops/define.ts";
import {
  abs,
  add,
  cast,
  concat,
  div,
  equal,
  exp,
  expand,
  lessEqual,
  log,
  max,
  mul,
  pow,
  reciprocal,
  reshape,
  sqrt,
  square,
  sub,
  sum,
  transpose,
  unslice,
  where,
} from "../../ops/index.ts";
import { sliceRange } from "../../ops/linear/slice.ts";
import { InternedNodes } from "../../passes/interned-nodes.ts";
import { leaner } from "./residuals.ts";
import { inWider, isWidened } from "./wider.ts";

/** A graph ready to be laid out: the same meaning in ops that the compiler has kernels for, equal parts made one, and only what is used. */
export interface Lowered {
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
}

interface Axes {
  readonly axis: readonly number[];
  readonly keepDims: boolean;
}

const counted = (x: Value, axis: readonly number[]): number => sizeOf(axis.map((a) => x.type.shape[a]!));
const shaped = (v: Value, x: Value, { axis, keepDims }: Axes): Value =>
  keepDims ? v : reshape(v, { shape: reducedShape(x.type.shape, axis, false) });

/** Truth values are counted as whole numbers. */
const whole = (x: Value): Value => cast(x, "i32");

/** What padding before or behind a line shows of it: which elements, or the edge again and again. */
function shown(x: Value, axis: number, count: number, behind: boolean, mode: "reflect" | "edge"): Value {
  const size = x.type.shape[axis]!;
  if (mode === "reflect") return sliceRange(x, { axis, start: behind ? size - 2 : count, step: -1, count });
  const edge = sliceRange(x, { axis, start: behind ? size - 1 : 0, step: 1, count: 1 });
  return expand(edge, { shape: x.type.shape.map((s, i) => (i === axis ? count : s)) });
}

/** The way back from `shown`: the padding added to what it showed of a line of `size`. */
function unshown(x: Value, axis: number, size: number, behind: boolean, mode: "reflect" | "edge"): Value {
  if (mode === "reflect") return unslice(x, { axis, start: behind ? size - 2 : x.type.shape[axis]!, step: -1, size });
  return unslice(sum(x, { axis, keepDims: true }), { axis, start: behind ? size - 1 : 0, step: 1, size });
}

interface Pads {
  readonly pads: readonly (readonly [number, number])[];
  readonly mode: "constant" | "reflect" | "edge";
}

/** A triangle and zeros: where it keeps its elements is a constant, which the planner computes once. */
function triangle(x: Value, attrs: object, side: 1 | -1): Value {
  const { offset } = attrs as { readonly offset: number };
  const [rows, columns] = x.type.shape.slice(-2) as [number, number];
  const kept = Uint8Array.from({ length: rows * columns }, (_, i) =>
    Number(side * ((i % columns) - Math.floor(i / columns) - offset) >= 0),
  );
  return where(lift(tensor(kept, bool(rows, columns)), "bool"), x, 0);
}

/**
 * The sum of products over all their examples as one product, whose inner axis has the examples too: what the gradient of a matrix is that all
 * examples share.
 */
function overProducts(x: Value, { axis, keepDims }: Axes): Value | null {
  const rank = x.type.shape.length;
  const lead = rank - 2;
  if (x.node.op.name !== "matmul" || lead < 1 || axis.length !== lead || axis.some((a, i) => a !== i)) return null;
  const [a, b] = x.node.operands as [Value, Value];
  const examples = x.type.shape.slice(0, lead);
  if (![a, b].every((v) => v.type.shape.length === rank && sameShape(v.type.shape.slice(0, lead), examples))) return null;
  const [m, inner] = a.type.shape.slice(-2) as [number, number];
  const n = b.type.shape[rank - 1]!;
  const length = sizeOf(examples) * inner;
  // [..., m, k] with k before m, as a matrix [examples k, m] seen the other way round.
  const turned = [...examples.map((_, i) => i), rank - 1, rank - 2];
  const left = transpose(reshape(transpose(a, { axes: turned }), { shape: [length, m] }), { axes: [1, 0] });
  const total = applyTo(x.node.op, [left, reshape(b, { shape: [length, n] })], x.node.attrs) as Value;
  return keepDims ? reshape(total, { shape: [...examples.map(() => 1), m, n] }) : total;
}

/** Where the elements are that indices name, one on each line along an axis, which are held in range; null for other indices. */
function marks({ type: { shape } }: Value, index: Value, axis: number): Value | null {
  const size = shape[axis]!;
  const { op, attrs } = index.node;
  const { min = -1, max = size } = attrs as { readonly min?: number; readonly max?: number };
  if (op.name !== "clip" || min < 0 || max >= size || index.type.dtype !== "i32") return null;
  const line = shape.map((s, i) => (i === axis ? 1 : s));
  if (!sameShape(index.type.shape, line)) return null;
  const places = Int32Array.from({ length: size }, (_, i) => i);
  return equal(index, lift(tensor(places, i32(size, ...line.slice(axis + 1).map(() => 1))), "i32"));
}

interface Windows {
  readonly stride: readonly number[];
  readonly padding: readonly (readonly [number, number])[];
  readonly dilation: readonly number[];
  readonly groups: number;
}

/** More places in a window than this would make a loop of too many operands. */
const mostPlaces = 27;

/** The places of a window, the last axis first to move, as offsets along each axis. */
function placesOf(sizes: readonly number[], dilation: readonly number[]): number[][] {
  return sizes.reduce<number[][]>(
    (all, size, i) => all.flatMap((p) => Array.from({ length: size }, (_, k) => [...p, k * dilation[i]!])),
    [[]],
  );
}

/** Zeros before and behind along the axes of planes, to these sizes. */
function framed(x: Value, before: readonly number[], sizes: readonly number[]): Value {
  return sizes.reduce(
    (v, size, i) => (v.type.shape[i + 2] === size ? v : unslice(v, { axis: i + 2, start: before[i]!, step: 1, size })),
    x,
  );
}

/** The part of planes that starts so far along each axis and has so many places. */
function windowAt(x: Value, at: readonly number[], counts: readonly number[]): Value {
  return counts.reduce(
    (v, count, i) => (v.type.shape[i + 2] === count ? v : sliceRange(v, { axis: i + 2, start: at[i]!, step: 1, count })),
    x,
  );
}

/**
 * A convolution of each channel with a window of its own, or one of its two transposes, as sums of products of what the window's places see: one loop, where
 * matrix products would have a single row for each channel.
 */
function depthwise(a: Value, b: Value, { op, attrs, type }: Node): Value | null {
  const { stride, padding, dilation, groups } = attrs as Windows;
  const { name } = op;
  const [x, y] =
    name === "conv" ? [a.type.shape, type.shape] : name === "convInput" ? [type.shape, a.type.shape] : [b.type.shape, a.type.shape];
  const [weights, inner] = [(name === "convWeight" ? type : b.type).shape, x.slice(2)];
  const window = weights.slice(2);
  const places = placesOf(window, dilation);
  if (groups < 4 || x[1] !== groups || y[1] !== groups || !isFloat(type.dtype) || sizeOf(y) * sizeOf(x) === 0) return null;
  if (places.length > mostPlaces || places.length === 0 || stride.some((s) => s !== 1)) return null;
  const wide = inner.map((size, i) => size + padding[i]![0] + padding[i]![1]);
  const outer = y.slice(2);
  const before = padding.map(([low]) => low);
  if (padding.flat().some((p) => p < 0)) return null;
  if (name === "convWeight") {
    const frame = framed(b, before, wide);
    const axis = [0, ...inner.map((_, i) => i + 2)];
    const sums = places.map((at) => reshape(sum(mul(a, windowAt(frame, at, outer)), { axis }), { shape: [groups, 1] }));
    return reshape(concat(sums, { axis: 1 }), { shape: weights });
  }
  const flat = reshape(b, { shape: [groups, places.length] });
  const each = (t: number): Value =>
    reshape(sliceRange(flat, { axis: 1, start: t, step: 1, count: 1 }), { shape: [1, groups, ...window.map(() => 1)] });
  const ends = window.map((size, i) => (size - 1) * dilation[i]!);
  const back = name === "convInput";
  // What a place sees of dy lies on the other side of it.
  const starts = ends.map((end, i) => end - before[i]!);
  const sizes = inner.map((size, i) => size + ends[i]!);
  if (back && starts.some((s, i) => s < 0 || s + outer[i]! > sizes[i]!)) return null;
  const frame = back ? framed(a, starts, sizes) : framed(a, before, wide);
  return places
    .map((at, t) => mul(windowAt(frame, back ? at.map((p, i) => ends[i]! - p) : at, back ? inner : outer), each(t)))
    .reduce((total, part) => add(total, part));
}

type Rule = (x: Value, node: Node, operands: readonly (Value | null)[]) => Value | null;

/** Ops as others, made by the node's own op where it is one of them, so that a bundle has no op for the sake of its rule; null where the op's own kernel is the better choice (empty axes, other dtypes). */
const rules: Readonly<Record<string, Rule>> = {
  // Its rule was applied when the graph was differentiated, and has no text form.
  customGradient: (x) => x,
  // The bias is an ordinary sum, so that what follows can be fused with it.
  conv: (x, node, [, w, bias]) =>
    bias == null
      ? depthwise(x, w!, node)
      : add(
          applyTo(node.op, [x, w!, null], node.attrs) as Value,
          reshape(bias, { shape: [1, -1, ...node.type.shape.slice(2).map(() => 1)] }),
        ),
  convInput: (dy, node, [, w]) => depthwise(dy, w!, node),
  convWeight: (dy, node, [, x]) => depthwise(dy, x!, node),
  mean: (x, node) => {
    const attrs = node.attrs as Axes;
    return x.type.dtype === "bool" ? null : div(sum(x, attrs), counted(x, attrs.axis));
  },
  logSumExp: (x, node) => {
    const attrs = node.attrs as Axes;
    if (counted(x, attrs.axis) === 0) return null;
    const top = max(x, { axis: attrs.axis, keepDims: true });
    const endless = equal(abs(top), Number.POSITIVE_INFINITY);
    const from = where(endless, 0, top);
    const found = add(log(sum(exp(sub(x, from)), { axis: attrs.axis, keepDims: true })), from);
    return shaped(where(endless, top, found), x, attrs);
  },
  variance: (x, node) => {
    const { axis, correction } = node.attrs as Axes & { readonly correction: number };
    const centred = sub(x, div(sum(x, { axis, keepDims: true }), counted(x, axis)));
    const total = sum(square(centred), { axis, keepDims: true });
    return shaped(div(total, Math.max(0, counted(x, axis) - correction)), x, node.attrs as Axes);
  },
  norm: (x, node) => {
    const attrs = node.attrs as Axes & { readonly ord: number };
    const { axis, keepDims } = attrs;
    if (attrs.ord === 1) return sum(abs(x), { axis, keepDims });
    if (attrs.ord === Number.POSITIVE_INFINITY && counted(x, axis) > 0) return max(abs(x), { axis, keepDims });
    if (counted(x, attrs.axis) === 0) return null;
    // Divided by the largest magnitude first, so that no square overflows.
    const top = max(abs(x), { axis: attrs.axis, keepDims: true });
    const scale = where(equal(top, 0), 1, where(equal(top, Number.POSITIVE_INFINITY), 1, top));
    const axes = { axis: attrs.axis, keepDims: true };
    if (attrs.ord === 2) return shaped(mul(scale, sqrt(sum(square(div(x, scale)), axes))), x, attrs);
    return shaped(mul(scale, pow(sum(pow(div(abs(x), scale), attrs.ord), axes), 1 / attrs.ord)), x, attrs);
  },
  // Powers that are products, within two units in the last place.
  pow: (x, { type }, [, exponent]) => {
    const n = exponent == null || !isFloat(type.dtype) || !sameShape(type.shape, x.type.shape) ? null : literalOf(exponent);
    if (n === 1) return x;
    if (n === 2) return square(x);
    if (n === 3) return mul(square(x), x);
    if (n === 4) return square(square(x));
    if (n === -1) return reciprocal(x);
    if (n === -2) return square(reciprocal(x));
    return n === 0.5 ? where(equal(x, Number.NEGATIVE_INFINITY), Number.POSITIVE_INFINITY, sqrt(add(x, 0))) : null;
  },
  sum: (x, { attrs }) => (x.type.dtype === "bool" ? sum(whole(x), attrs as Axes) : overProducts(x, attrs as Axes)),
  // One product instead of one for each example: a matrix that all examples share is packed once.
  matmul: (x, { op, attrs, type }, [, b]) => {
    const rank = x.type.shape.length;
    if (rank < 3 || b!.type.shape.length !== 2 || x.node.op.name === "transpose") return null;
    const inner = x.type.shape[rank - 1]!;
    const rows = reshape(x, { shape: [sizeOf(x.type.shape.slice(0, -1)), inner] });
    return reshape(applyTo(op, [rows, b!], attrs) as Value, { shape: type.shape });
  },
  // Of what a loop computes it picks the elements, too, and the way back is a loop instead of zeros and numbers put among them.
  gatherElements: (x, { attrs }, [, index]) => {
    const { axis } = attrs as { readonly axis: number };
    const mark = x.node.op.scalar === null ? null : marks(x, index!, axis);
    return mark && sum(where(mark, x, 0), { axis, keepDims: true });
  },
  scatterElements: (x, { attrs }, [, index, updates]) => {
    const { axis, reduction } = attrs as { readonly axis: number; readonly reduction?: string };
    const mark = marks(x, index!, axis);
    return mark && where(mark, reduction === "add" ? add(x, updates!) : updates!, x);
  },
  cumsum: (x, { op, attrs }) => (x.type.dtype === "bool" ? (applyTo(op, [whole(x)], attrs) as Value) : null),
  pad: (x, { attrs }) => {
    const { pads, mode } = attrs as Pads;
    if (mode === "constant") return null;
    return pads.reduce((v, [before, after], axis) => {
      const parts = [
        ...(before > 0 ? [shown(v, axis, before, false, mode)] : []),
        v,
        ...(after > 0 ? [shown(v, axis, after, true, mode)] : []),
      ];
      return parts.length === 1 ? v : concat(parts, { axis });
    }, x);
  },
  unpad: (x, { attrs, type }) => {
    const { pads, mode } = attrs as Pads;
    if (mode === "constant") return null;
    return pads.reduce((v, [before, after], axis) => {
      const size = type.shape[axis]!;
      const part = (start: number, count: number): Value => sliceRange(v, { axis, start, step: 1, count });
      let total = part(before, size);
      if (before > 0) total = add(total, unshown(part(0, before), axis, size, false, mode));
      return after > 0 ? add(total, unshown(part(before + size, after), axis, size, true, mode)) : total;
    }, x);
  },
  // Of reshapes in a row the last one counts, so that what is computed of either is one value.
  reshape: ({ node: { op, operands } }, node) => {
    if (op !== node.op) return null;
    const from = operands[0]!;
    return sameShape(from.type.shape, node.type.shape) ? from : (applyTo(op, [from], node.attrs) as Value);
  },
  tile: (x, { attrs, type }) => {
    const { repeats } = attrs as { readonly repeats: readonly number[] };
    const apart = x.type.shape.flatMap((s) => [1, s]);
    const copies = x.type.shape.flatMap((s, i) => [repeats[i]!, s]);
    return reshape(expand(reshape(x, { shape: apart }), { shape: copies }), { shape: type.shape });
  },
  diag: (x, { attrs, type }) => {
    const { offset } = attrs as { readonly offset: number };
    const [rows = 0, columns] = x.type.shape;
    const width = columns ?? type.shape[0]!;
    const start = offset >= 0 ? offset : -offset * width;
    if (columns === undefined) return reshape(unslice(x, { axis: 0, start, step: width + 1, size: width * width }), { shape: type.shape });
    return sliceRange(reshape(x, { shape: [rows * columns] }), { axis: 0, start, step: width + 1, count: type.shape[0]! });
  },
  triu: (x, { attrs }) => triangle(x, attrs, 1),
  tril: (x, { attrs }) => triangle(x, attrs, -1),
};

/** Ops beside those with rules that become others, or whose bodies do. */
const opened: ReadonlySet<string> = /* @__PURE__ */ new Set(["call", "lessEqual", "scan"]);

const opens = ({ name }: AnyOp): boolean => opened.has(name) || Object.hasOwn(rules, name);

/** Whether a node may become others in a graph that is not rewritten otherwise. */
export function rewrites(node: Node): boolean {
  return (opens(node.op) && (node.op.name !== "reshape" || node.operand(0)!.node.op === node.op)) || isWidened(node);
}

/** Rewrites ops that have no kernel of their own into ops that do, opens `call`s, computes equal parts once, and makes loops over rows leaner. */
export function lowered(inputs: readonly Value[], outputs: readonly Value[]): Lowered {
  const low = rewritten(inputs, outputs);
  const lean = low.loops ? leaner(low.outputs) : low.outputs;
  return lean === low.outputs ? low : rewritten(inputs, lean);
}

/**
 * Rewrites ops into others, opens `call`s, and computes equal parts once.
 * @param only the ops that are rewritten, for an engine that has kernels for the others
 */
export function rewritten(
  inputs: readonly Value[],
  outputs: readonly Value[],
  only: readonly string[] | null = null,
): Lowered & { readonly loops: boolean } {
  let loops = false;
  const interned = new InternedNodes();
  /** What depends on the inputs. */
  const varies = new Set(inputs.map((v) => v.node));
  const made = new Map<Node, readonly Value[]>();
  const mapped = (v: Value): Value => made.get(v.node)?.[v.index] ?? v;
  const uses = new Map<Node, number>();
  const walked: (readonly Node[])[] = [];
  /** How many nodes read a product: counted when somebody asks, since most graphs of many nodes have none. */
  const usesOf = (product: Node): number => {
    for (let order = walked.pop(); order !== undefined; order = walked.pop())
      for (const { operands } of order)
        for (const v of operands) if (v?.node.op.name === "matmul") uses.set(v.node, (uses.get(v.node) ?? 0) + 1);
    return uses.get(product)!;
  };
  /** relu(x) by the node of x. */
  const rectified = new Map<Node, Value>();
  /** Rewrites what the roots depend on, from a serial number on: what is older has been. */
  const rewrite = (roots: readonly Value[], floor = 0): void => {
    const order = collect(roots, floor);
    walked.push(order);
    for (const node of order) {
      if (node.count === 0 || made.has(node)) continue;
      // Most nodes of a large graph stay what they are, and are not copied or written down.
      let operands: (Value | null)[] | null = null;
      let moves = false;
      for (let i = 0; i < node.count; i++) {
        const v = node.operand(i);
        if (v === null) continue;
        const m = mapped(v);
        if (m !== v) {
          operands ??= [...node.operands];
          operands[i] = m;
        }
        if (varies.has(m.node)) moves = true;
      }
      if (!moves) continue;
      if (node.op.name === "scan") loops = true;
      const found =
        (opens(node.op) || (only === null && isWidened(node)) ? expanded(node, operands ?? node.operands) : null) ??
        valuesOf(operands === null ? interned.unique(node) : interned.applied(node, operands));
      if (found[0]?.node !== node) made.set(node, found);
      for (const v of found) varies.add(v.node);
      if (node.op.name === "relu") rectified.set((operands === null ? node.operand(0) : operands[0]!)!.node, mapped(node));
    }
  };
  /** The node's results by other nodes, which are rewritten themselves. */
  const expanded = (node: Node, operands: readonly (Value | null)[]): readonly Value[] | null => {
    const floor = nextSerial();
    let results = only === null ? inWider(node, operands) : null;
    if (results !== null) {
      // Its rule comes with the dtype that it is computed in.
    } else if (node.op.name === "call") {
      const { graph } = node.attrs as { readonly graph: unknown };
      if (isGraph(graph)) results = (graph as unknown as (xs: readonly unknown[]) => readonly Value[])(operands);
    } else if (node.op.name === "sum" && node.operands[0]!.node.op.name === "matmul" && usesOf(node.operands[0]!.node) > 1) return null;
    else if (Object.hasOwn(rules, node.op.name) && (only === null || only.includes(node.op.name))) {
      const found = rules[node.op.name]!(operands[0]!, node, operands);
      if (found !== null) results = [found];
    } else if (node.op.name === "lessEqual" && literalOf(operands[1]!) === 0) {
      // Where relu's gradient stops is told by its result as well as by its operand, which then need not be written down.
      const y = rectified.get(operands[0]!.node);
      if (y !== undefined) results = [lessEqual(y, operands[1]!)];
    }
    if (results === null) return null;
    rewrite(results, floor);
    return results.map(mapped);
  };
  rewrite(outputs);
  return { inputs, outputs: outputs.map(mapped), loops };
}
