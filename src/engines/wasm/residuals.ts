import { bodyOf, regionOf } from "../../control/region.ts";
import type { ScanAttrs } from "../../control/scan-op.ts";
import { copyOf, substitute } from "../../ir/graph.ts";
import { input } from "../../ir/leaf.ts";
import type { Node, Value } from "../../ir/node.ts";
import { sizeOf } from "../../ir/shape.ts";
import { collect } from "../../ir/walk.ts";
import { applyTo } from "../../ops/define.ts";
import { add, sum, transpose } from "../../ops/index.ts";
import { InternedNodes } from "../../passes/interned-nodes.ts";

/** A loop over rows with the parts of its operands. */
interface Loop {
  readonly node: Node;
  readonly attrs: ScanAttrs;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly length: Value | null;
  readonly xs: readonly Value[];
  /** How many outs it has. */
  readonly outs: number;
}

/** What a loop takes from another instead of computing it: values of its body, and their places among what the other keeps. */
interface Taken {
  readonly from: Loop;
  readonly places: ReadonlyMap<Value, number>;
}

/** Ops that cost no more than reading their result back would. */
const cheap: ReadonlySet<string> = /* @__PURE__ */ new Set(["add", "sub", "mul", "neg", "abs", "square", "relu", "maximum", "minimum", "clip", "where", "cast", "equal", "notEqual", "less", "lessEqual", "greater", "greaterEqual", "logicalAnd", "logicalOr", "logicalNot"]); // biome-ignore format: a list
const views: ReadonlySet<string> = /* @__PURE__ */ new Set(["identity", "stop", "reshape", "expand", "transpose", "slice", "split", "unstack", "flip"]); // biome-ignore format: a list
/** Elements that one loop may keep for others, and that a sum may keep of its factors: 64 MiB in f32. */
const mostKept = 1 << 24;

function loopOf(node: Node): Loop {
  const attrs = node.attrs as ScanAttrs;
  const { inputs, outputs } = bodyOf(attrs.body);
  const [length, ...xs] = node.operands as [Value | null, ...Value[]];
  return { node, attrs, inputs, outputs, length, xs, outs: outputs.length - attrs.carries };
}

/**
 * Loops over rows made leaner, with the same results: a loop that goes over what an earlier one kept, as a backward pass does, takes what both
 * compute from the earlier one, row by row; and a sum of products over all rows, as the gradient of a matrix is, becomes one product behind the loop.
 */
export function leaner(outputs: readonly Value[]): readonly Value[] {
  const order = collect(outputs);
  const loops = new Map<Node, Loop>();
  const kept = new Map<Node, Value[]>();
  const taken = new Map<Node, Taken>();
  for (const node of order) {
    if (node.op.name !== "scan") continue;
    const later = loopOf(node);
    loops.set(node, later);
    const { fixed, carries, rows } = later.attrs;
    const from = later.xs.slice(fixed + carries).flatMap((v) => loops.get(v.node) ?? []);
    const earlier = from.find((l) => l.node !== node && l.attrs.rows === rows && l.length === later.length);
    if (earlier === undefined) continue;
    const list = kept.get(earlier.node) ?? [];
    const places = new Map<Value, number>();
    let room = mostKept - list.reduce((n, v) => n + rows * sizeOf(v.type.shape), 0);
    for (const [own, theirs] of shared(later, earlier)) {
      let place = list.indexOf(theirs);
      if (place < 0) {
        const size = rows * sizeOf(theirs.type.shape);
        if (size > room) continue;
        room -= size;
        place = list.push(theirs) - 1;
      }
      places.set(own, place);
    }
    if (places.size === 0) continue;
    kept.set(earlier.node, list);
    taken.set(node, { from: earlier, places });
  }
  const made = new Map<Node, readonly Value[]>();
  const mapped = (v: Value): Value => made.get(v.node)?.[v.index] ?? v;
  const read = new Set<Value | null>(outputs);
  for (const { operands } of order) for (const v of operands) read.add(v);
  let changed = false;
  for (const node of order) {
    const loop = loops.get(node);
    if (loop !== undefined) {
      const operands = node.operands.map((v) => v && mapped(v));
      const found = rebuilt(loop, operands, { kept: kept.get(node) ?? [], taken: taken.get(node) ?? null, made, read });
      if (found !== null) {
        made.set(node, found);
        changed = true;
        continue;
      }
    }
    if (!node.operands.some((v) => v !== null && mapped(v) !== v)) continue;
    const copy = copyOf(
      node,
      node.operands.map((v) => v && mapped(v)),
    );
    made.set(node, copy.outputs ?? [copy]);
  }
  return changed ? outputs.map(mapped) : outputs;
}

/** What two loops both compute of their rows and what they share, as far as the later needs it and it is not cheap: its value there, and here. */
function shared(later: Loop, earlier: Loop): (readonly [Value, Value])[] {
  const interned = new InternedNodes();
  /** What stands for a node in the comparison, for nodes of both bodies. */
  const common = new Map<Node, Value | Node>();
  const of = (v: Value): Value => {
    const found = common.get(v.node);
    if (found === undefined) return v;
    const node = found.node;
    return node === found && node.outputs !== null ? node.outputs[v.index]! : found;
  };
  const known = new Map<Node, Node>();
  const compared = (node: Node): Node => {
    const one = interned.applied(
      node,
      node.operands.map((v) => v && of(v)),
    );
    common.set(node, one);
    return one;
  };
  for (const node of collect(earlier.outputs))
    if (node.operands.length > 0) {
      const one = compared(node);
      if (!known.has(one)) known.set(one, node);
    }
  const { attrs } = later;
  const { fixed, carries, every, rows } = earlier.attrs;
  const first = carries + earlier.outs;
  for (const [i, v] of later.inputs.entries()) {
    const x = later.xs[i]!;
    if (i < attrs.fixed) {
      const place = earlier.xs.slice(0, fixed).indexOf(x);
      if (place >= 0) common.set(v.node, earlier.inputs[place]!);
    } else if (i >= attrs.fixed + attrs.carries) {
      const place = earlier.xs.indexOf(x, fixed + carries);
      if (place >= 0) common.set(v.node, earlier.inputs[place]!);
      else if (x.node === earlier.node && x.index >= first && (every === 1 || rows === 1))
        common.set(v.node, earlier.inputs[fixed + x.index - first]!);
      else if (x.node === earlier.node && x.index >= carries && x.index < first) common.set(v.node, of(earlier.outputs[x.index]!));
    }
  }
  /** Nodes of the later body that the earlier one has, too. */
  const twins = new Map<Node, Node>();
  const dear = new Set<Node>();
  for (const node of collect(later.outputs)) {
    if (node.operands.length === 0) continue;
    const twin = known.get(compared(node));
    if (twin === undefined) continue;
    if (!views.has(node.op.name)) twins.set(node, twin);
    if ((!cheap.has(node.op.name) && !views.has(node.op.name)) || node.operands.some((v) => v !== null && dear.has(v.node))) dear.add(node);
  }
  const found = new Map<Value, Value>();
  const seen = new Set<Node>();
  const asked: Value[] = [...later.outputs];
  for (let v = asked.pop(); v !== undefined; v = asked.pop()) {
    const twin = twins.get(v.node);
    if (twin !== undefined && dear.has(v.node)) {
      found.set(v, twin.outputs === null ? twin : twin.outputs[v.index]!);
      continue;
    }
    if (seen.has(v.node)) continue;
    seen.add(v.node);
    for (const x of v.node.operands) if (x !== null) asked.push(x);
  }
  return [...found];
}

/** What is changed of a loop, what others have become, and what is read of all of them. */
interface Changes {
  readonly kept: readonly Value[];
  readonly taken: Taken | null;
  readonly made: ReadonlyMap<Node, readonly Value[]>;
  readonly read: ReadonlySet<Value | null>;
}

/** The loop with more outs and more rows to walk over, and its sums of products taken out; its results in their old order, then what it keeps. */
function rebuilt(
  { inputs, outputs: old, attrs, node, outs, length }: Loop,
  operands: readonly (Value | null)[],
  { kept, taken, made, read }: Changes,
): readonly Value[] | null {
  const { fixed, carries, rows, every } = attrs;
  const xs = operands.slice(1) as readonly Value[];
  const holders = new Map<Value, Value>();
  const more: Value[] = [];
  if (taken !== null)
    for (const [v, place] of taken.places) {
      holders.set(v, input(v.type, "kept"));
      const { attrs: theirs, outs: first, node: from } = taken.from;
      more.push(made.get(from)![theirs.carries + first + oldSaved(taken.from) + place]!);
    }
  const outputs = holders.size === 0 ? [...old, ...kept] : substitute([...old, ...kept], holders);
  const factors: Value[] = [];
  const sums = length === null && rows > 1 ? sumsOf(inputs.slice(fixed, fixed + carries), outputs, rows) : [];
  // What was saved of a sum on its way is not there any more.
  if (every > 0 && sums.some(({ carry }) => read.has(node.outputs![carries + outs + carry]!))) sums.length = 0;
  if (sums.length === 0 && kept.length === 0 && holders.size === 0) return null;
  const walked = new Map<Value, Value>();
  inputs.slice(fixed + carries).forEach((v, i) => {
    walked.set(v, xs[fixed + carries + i]!);
  });
  [...holders.values()].forEach((v, i) => {
    walked.set(v, more[i]!);
  });
  const gone = new Map(sums.map((s) => [s.carry, s]));
  const stays = (_: unknown, i: number): boolean => !gone.has(i);
  /** A factor of all rows: what the loop walks over, or an out of it. */
  const rowsOf = ({ base }: Factor): Value | number =>
    walked.get(base) ?? (factors.includes(base) ? factors.indexOf(base) : factors.push(base) - 1);
  const pairs = sums.map(({ left, right }) => [rowsOf(left), rowsOf(right)] as const);
  const left = carries - sums.length;
  const body = regionOf({
    inputs: [
      ...inputs.slice(0, fixed),
      ...inputs.slice(fixed, fixed + carries).filter(stays),
      ...inputs.slice(fixed + carries),
      ...holders.values(),
    ],
    outputs: [...outputs.slice(0, carries).filter(stays), ...outputs.slice(carries), ...factors],
  });
  const given = [length === null ? null : operands[0]!, ...xs.slice(0, fixed), ...xs.slice(fixed, fixed + carries).filter(stays), ...xs.slice(fixed + carries), ...more]; // biome-ignore format: in the order of the inputs
  const results = applyTo(node.op, given, { ...attrs, body, carries: left }) as readonly Value[];
  const at = left + outs + kept.length;
  const total = ({ left: l, right: r, product, carry }: Sum, [a, b]: readonly [Value | number, Value | number]): Value => {
    const side = (v: Value | number, turned: boolean): Value => {
      const all = typeof v === "number" ? results[at + v]! : v;
      return turned ? transpose(all, { axes: [0, 2, 1] }) : all;
    };
    const products = applyTo(product.op, [side(a, l.turned), side(b, r.turned)], product.attrs) as Value;
    return add(xs[fixed + carry]!, sum(products, { axis: 0 }));
  };
  let next = 0;
  const last = inputs.slice(fixed, fixed + carries).map((_, i) => {
    const s = gone.get(i);
    return s === undefined ? results[next++]! : total(s, pairs[sums.indexOf(s)]!);
  });
  next = at + factors.length;
  const saved = every === 0 ? [] : last.map((v, i) => (gone.has(i) ? v : results[next++]!));
  return [...last, ...results.slice(left, left + outs), ...saved, ...results.slice(left + outs, at)];
}

function oldSaved({ attrs }: Loop): number {
  return attrs.every === 0 ? 0 : attrs.carries;
}

/** A factor as it lies in a row: the other way round, or not. */
interface Factor {
  readonly base: Value;
  readonly turned: boolean;
}

interface Sum {
  readonly carry: number;
  readonly product: Node;
  readonly left: Factor;
  readonly right: Factor;
}

/** Carries that are sums of products of matrices, one of each row, and nothing else. */
function sumsOf(carries: readonly Value[], outputs: readonly Value[], rows: number): Sum[] {
  const uses = new Map<Value, number>();
  const use = (v: Value | null): void => {
    if (v !== null) uses.set(v, (uses.get(v) ?? 0) + 1);
  };
  for (const { operands } of collect(outputs)) operands.forEach(use);
  outputs.forEach(use);
  const factor = (v: Value): Factor => {
    const { op, operands, attrs } = v.node;
    const turned = op.name === "transpose" && String((attrs as { readonly axes: readonly number[] }).axes) === "1,0";
    return turned ? { base: operands[0]!, turned } : { base: v, turned };
  };
  return carries.flatMap((c, carry): Sum[] => {
    const out = outputs[carry]!;
    if (out.node.op.name !== "add" || uses.get(out) !== 1 || uses.get(c) !== 1) return [];
    const [a, b] = out.node.operands as [Value, Value];
    const product = a === c ? b : b === c ? a : null;
    if (product === null || product.node.op.name !== "matmul") return [];
    const sides = product.node.operands as [Value, Value];
    if (sides.some((v) => v.type.shape.length !== 2)) return [];
    const [left, right] = sides.map(factor) as [Factor, Factor];
    const size = rows * (sizeOf(left.base.type.shape) + sizeOf(right.base.type.shape));
    return size > mostKept ? [] : [{ carry, product: product.node, left, right }];
  });
}
