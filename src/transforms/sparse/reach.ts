import { between } from "../../autodiff/pullback.ts";
import { callOp } from "../../control/call.ts";
import { heldBy } from "../../evaluate/evaluate.ts";
import { GraphError } from "../../ir/errors.ts";
import type { Graph } from "../../ir/graph.ts";
import { constantOf, constantOp } from "../../ir/leaf.ts";
import { type Node, type Value, valuesOf } from "../../ir/node.ts";
import { broadcastStrides, reducedShape, sizeOf } from "../../ir/shape.ts";
import { dense, hold, type Tensor } from "../../ir/tensor.ts";
import { leaves } from "../../ir/tree.ts";
import { tensorType } from "../../ir/type.ts";
import { eachRow, mul } from "../../ops/arithmetic.ts";
import { conv, convInput, convWeight } from "../../ops/contract/conv.ts";
import { matmul } from "../../ops/contract/matmul.ts";
import { averagePool, averagePoolInput, maxPool, unpick } from "../../ops/contract/pool.ts";
import { applyTo } from "../../ops/define.ts";
import { gather, scatterAdd } from "../../ops/linear/gather.ts";
import { gatherElements, scatterElements } from "../../ops/linear/gather-elements.ts";
import { gatherND, scatterND } from "../../ops/linear/gather-nd.ts";
import { type PadAttrs, pad, unpad } from "../../ops/linear/pad.ts";
import { type ColumnSets, none } from "./column-sets.ts";
import { eachTap, type Windows } from "./taps.ts";

/** For each element of a value the number of the set of columns that it depends on. */
export type Ids = Float64Array;

/** What a node's operands depend on, null for those that carry no derivative. */
type Arriving = readonly (Ids | null)[];
type Rule = (node: Node, arriving: Arriving, sets: ColumnSets) => readonly Ids[] | null;

/**
 * What each element of `roots` depends on when the elements of `wrt` depend on `seeds`: the pattern of nonzeros that the graph allows, whatever the
 * numbers are. It may be larger than that of the derivative, never smaller. Null: a root depends on nothing.
 */
export function propagate(roots: readonly Value[], wrt: readonly Value[], seeds: readonly Ids[], sets: ColumnSets): (Ids | null)[] {
  const { order, active, edges, first, place } = between(roots, wrt);
  const carried = new Array<readonly (Ids | null)[] | null>(order.length).fill(null);
  const given = new Map<number, (Ids | null)[]>();
  const rootPlaces = roots.map(place);
  wrt.forEach((w, i) => {
    const p = place(w);
    if (p < 0) return;
    const list = given.get(p) ?? valuesOf(w.node).map(() => null);
    list[w.index] = seeds[i]!;
    given.set(p, list);
  });
  const of = (p: number, v: Value): Ids | null => (p < 0 ? null : (carried[p]?.[v.index] ?? null));
  for (let i = 0; i < order.length; i++) {
    const own = given.get(i);
    if (own !== undefined) {
      carried[i] = own;
      continue;
    }
    if (active[i] === 0) continue;
    const node = order[i]!;
    const arriving = node.operands.map((v, j) => (v === null ? null : of(edges[first[i]! + j]!, v)));
    if (arriving.every((ids) => ids === null)) continue;
    carried[i] = reached(node, arriving, sets);
  }
  return roots.map((r, i) => of(rootPlaces[i]!, r));
}

function reached(node: Node, arriving: Arriving, sets: ColumnSets): readonly Ids[] {
  const special = rules().get(node.op.name)?.(node, arriving, sets);
  if (special != null) return special;
  const { reach } = node.op.facts;
  if (reach === "moves") return moved(node, arriving) ?? everything(node, arriving, sets);
  if (reach === "lines") return alongLines(node, arriving, sets);
  if (reach === null && node.op.batch === "elementwise") return [elementwise(node, arriving, sets)];
  return everything(node, arriving, sets);
}

/** Every result depends on every element of every operand: what is right for any op. */
function everything(node: Node, arriving: Arriving, sets: ColumnSets): readonly Ids[] {
  const all = sets.join(arriving.flatMap((ids) => (ids === null ? [] : [sets.join(ids)])));
  return valuesOf(node).map((v) => new Float64Array(sizeOf(v.type.shape)).fill(all));
}

function elementwise(node: Node, arriving: Arriving, sets: ColumnSets): Ids {
  const { shape } = node.type;
  const out: Ids = new Float64Array(sizeOf(shape));
  arriving.forEach((ids, i) => {
    if (ids === null) return;
    eachRow(shape, [broadcastStrides(node.operands[i]!.type.shape, shape)], (at, base, step, length) => {
      let p = base[0]!;
      for (let k = 0; k < length; k++, p += step[0]!) out[at + k] = sets.union(out[at + k]!, ids[p]!);
    });
  });
  return out;
}

/** The op itself moves the numbers of the sets: what it puts in by itself (padding) depends on nothing. Null: its places are not known yet. */
function moved(node: Node, arriving: Arriving): readonly Ids[] | null {
  const run = (ids: (i: number) => Ids | null): readonly Ids[] | null => {
    const operands = node.operands.map((v, i) => {
      if (v === null) return null;
      const own = ids(i);
      return own === null ? v : idsValue(own, v.type.shape);
    });
    const made = applyTo(node.op, operands, node.attrs);
    const results = node.outputs === null ? [made as Value] : valuesOf((Object.values(made as object)[0] as Value).node);
    const tensors = results.map(known);
    return tensors.every((t) => t !== null) ? tensors.map((t) => Float64Array.from(t!.data)) : null;
  };
  // Operands of the dtype that carries derivatives are moved; the others, such as indices, say where to.
  const dtype = node.operands[arriving.findIndex((ids) => ids !== null)]!.type.dtype;
  const carries = (i: number): boolean => node.operands[i]?.type.dtype === dtype;
  const nothing = (i: number): Ids => new Float64Array(sizeOf(node.operands[i]!.type.shape));
  const out = run((i) => (carries(i) ? (arriving[i] ?? nothing(i)) : null));
  if (out === null || node.op.facts.linear !== null) return out;
  const still = run((i) => (carries(i) ? nothing(i) : null))!;
  return out.map((ids, k) => ids.map((id, e) => (id === still[k]![e] ? none : id)));
}

function idsValue(ids: Ids, shape: readonly number[]): Value {
  const type = tensorType("f64", shape);
  return constantOf(shape.length === 0 ? ids[0]! : hold(type, ids), type);
}

/** The numbers of a value, null while it depends on an input. */
function known(v: Value): Tensor | null {
  try {
    return dense(heldBy(v), v.type);
  } catch (e) {
    if (e instanceof GraphError) return null;
    throw e;
  }
}

/** The union along the attribute `axis`, for every result of that line. */
function alongLines(node: Node, arriving: Arriving, sets: ColumnSets): readonly Ids[] {
  const { axis } = node.attrs as { readonly axis: number | readonly number[] };
  const axes = typeof axis === "number" ? [axis] : axis;
  const at = arriving.findIndex((ids) => ids !== null);
  const { shape } = node.operands[at]!.type;
  const kept = reducedShape(shape, axes, true);
  const lines: number[][] = Array.from({ length: sizeOf(kept) }, () => []);
  const ids = arriving[at]!;
  eachRow(shape, [broadcastStrides(kept, shape)], (from, base, step, length) => {
    let p = base[0]!;
    for (let k = 0; k < length; k++, p += step[0]!) if (ids[from + k] !== none) lines[p]!.push(ids[from + k]!);
  });
  const unions = Float64Array.from(lines, (line) => sets.join(line));
  return valuesOf(node).map(({ type }) => {
    const n = sizeOf(type.shape);
    // One result a line: the unions in order; else every element of a line has the line's.
    if (n === unions.length) return unions;
    const out: Ids = new Float64Array(n);
    eachRow(type.shape, [broadcastStrides(kept, type.shape)], (from, base, step, length) => {
      let p = base[0]!;
      for (let k = 0; k < length; k++, p += step[0]!) out[from + k] = unions[p]!;
    });
    return out;
  });
}

/** Where a constant factor is 0 the product has no derivative. */
function zerosOf(v: Value): Tensor | null {
  return v.node.op === constantOp ? known(v) : null;
}

const product: Rule = (node, arriving, sets) => {
  const i = arriving.findIndex((ids) => ids !== null);
  const factor = arriving[1 - i] === null ? zerosOf(node.operands[1 - i]!) : null;
  if (factor === null) return null;
  const out = elementwise(node, arriving, sets);
  eachRow(node.type.shape, [broadcastStrides(factor.type.shape, node.type.shape)], (at, base, step, length) => {
    let p = base[0]!;
    for (let k = 0; k < length; k++, p += step[0]!) if (factor.data[p] === 0) out[at + k] = none;
  });
  return [out];
};

/** Row times column: what the terms depend on, without those where a constant factor is 0. */
const matrixProduct: Rule = (node, arriving, sets) => {
  const [a, b] = node.operands as readonly [Value, Value];
  const left = a.type.shape.length === 1 ? [1, a.type.shape[0]!] : a.type.shape;
  const right = b.type.shape.length === 1 ? [b.type.shape[0]!, 1] : b.type.shape;
  const m = left[left.length - 2]!;
  const n = right[right.length - 1]!;
  const inner = right[right.length - 2]!;
  const rank = Math.max(left.length, right.length) - 2;
  const batch = node.type.shape.slice(0, rank);
  const [p, q] = [arriving[0] ?? null, arriving[1] ?? null];
  const [x, y] = [p === null ? zerosOf(a) : null, q === null ? zerosOf(b) : null];
  const out: Ids = new Float64Array(sizeOf(node.type.shape));
  // What a whole row of the one or column of the other depends on is asked for again and again.
  const rows = new Map<number, number>();
  const columns = new Map<number, number>();
  const cached = (of: Map<number, number>, key: number, make: () => number): number => {
    let id = of.get(key);
    if (id === undefined) of.set(key, (id = make()));
    return id;
  };
  const strides = [broadcastStrides(left.slice(0, -2), batch), broadcastStrides(right.slice(0, -2), batch)];
  const terms = new Float64Array(2 * inner);
  eachRow(batch, strides, (at, base, step, length) => {
    for (let r = 0; r < length; r++) {
      const [u, v] = [(base[0]! + r * step[0]!) * m * inner, (base[1]! + r * step[1]!) * inner * n];
      for (let i = 0; i < m; i++)
        for (let j = 0; j < n; j++) {
          const [row, column] = [u + i * inner, v + j];
          let id: number = none;
          if (x === null && y === null) {
            if (p !== null) id = cached(rows, row, () => sets.join(p, row, row + inner));
            if (q !== null)
              id = sets.union(
                id,
                cached(columns, column, () => sets.join(q, column, column + inner * n, n)),
              );
          } else {
            let count = 0;
            for (let k = 0; k < inner; k++) {
              if (p !== null && y !== null && y.data[column + k * n] !== 0) terms[count++] = p[row + k]!;
              if (q !== null && x !== null && x.data[row + k] !== 0) terms[count++] = q[column + k * n]!;
            }
            id = sets.join(terms, 0, count);
          }
          out[((at + r) * m + i) * n + j] = id;
        }
    }
  });
  return [out];
};

/** Scatters: what was there, and each update where its index says. The op's own gather, run on positions, tells where that is. */
function scattered(gathered: (positions: Value, node: Node) => Value): Rule {
  return (node, arriving, sets) => {
    const { shape } = node.type;
    const n = sizeOf(shape);
    const places = known(node.operands[1]!) && known(gathered(positionsOf(shape), node));
    if (places === null) return null;
    const out = arriving[0] === null ? new Float64Array(n) : arriving[0]!.slice();
    const updates = arriving[2] ?? null;
    if (updates === null) return [out];
    const meeting = new Map<number, number[]>();
    for (let k = 0; k < places.data.length; k++) {
      if (updates[k] === none) continue;
      const list = meeting.get(places.data[k]!);
      if (list === undefined) meeting.set(places.data[k]!, [updates[k]!]);
      else list.push(updates[k]!);
    }
    for (const [place, ids] of meeting) out[place] = sets.join([...ids, out[place]!]);
    return [out];
  };
}

/** Sums that say where each element of the operand goes: the transposes of what moves elements. */
function summedAt(placesOf: (node: Node) => Value): Rule {
  return (node, arriving, sets) => {
    const places = known(placesOf(node));
    if (places === null || arriving[0] === null) return null;
    const meeting = new Map<number, number[]>();
    places.data.forEach((place, e) => {
      if (place >= 0) meeting.set(place, [...(meeting.get(place) ?? []), arriving[0]![e]!]);
    });
    const out: Ids = new Float64Array(sizeOf(node.type.shape));
    for (const [place, ids] of meeting) out[place] = sets.join(ids);
    return [out];
  };
}

function positionsOf(shape: readonly number[]): Value {
  return idsValue(
    Float64Array.from({ length: sizeOf(shape) }, (_, i) => i),
    shape,
  );
}

/** Which of image, weights and result each operand of a convolution is, and which its own result. */
type Role = "x" | "w" | "y";

/** Sums over windows: an element of the result depends on what the terms that make it are made of. */
function windowed(operands: readonly Role[], result: Role, shapes: (node: Node) => Readonly<Record<Role, readonly number[]>>): Rule {
  return (node, arriving, sets) => {
    const parts = operands.flatMap((role, i) => (arriving[i] == null ? [] : [{ role, ids: arriving[i]! }]));
    // Anything more than the window, such as the bias, is too seldom differentiated for a rule of its own.
    if (parts.length === 0 || arriving.slice(operands.length).some((ids) => ids !== null)) return null;
    const of = shapes(node);
    const windows = node.attrs as Windows;
    const out: Ids = new Float64Array(sizeOf(node.type.shape));
    eachTap(of.x, of.w.slice(2), of.y, { ...windows, groups: windows.groups ?? of.x[1]! }, (x, w, y) => {
      const at = { x, w, y };
      for (const { role, ids } of parts) out[at[result]] = sets.union(out[at[result]]!, ids[at[role]]!);
    });
    return [out];
  };
}

/** A pool as a convolution of each channel by itself. */
function pooled(x: readonly number[], size: readonly number[], y: readonly number[]): Readonly<Record<Role, readonly number[]>> {
  return { x, w: [x[1]!, 1, ...size], y };
}

function sizesIn(node: Node): readonly number[] {
  return (node.attrs as { readonly size: readonly number[] }).size;
}

function shapeOf(node: Node, operand: number): readonly number[] {
  return node.operands[operand]!.type.shape;
}

/** A graph applied as one node: what its body says. */
const throughBody: Rule = (node, arriving, sets) => {
  const { graph } = node.attrs as { readonly graph: Graph<unknown, unknown> };
  const inputs = leaves(graph.inputs).map(({ leaf }) => leaf as Value);
  const outputs = leaves(graph.outputs).map(({ leaf }) => leaf as Value);
  const live = arriving.flatMap((ids, i) => (ids === null ? [] : [i]));
  const found = propagate(
    outputs,
    live.map((i) => inputs[i]!),
    live.map((i) => arriving[i]!),
    sets,
  );
  return outputs.map((v, i) => found[i] ?? new Float64Array(sizeOf(v.type.shape)));
};

let made: ReadonlyMap<string, Rule> | null = null;

/** Ops whose results are made of several elements in ways that no word in their declaration says. Everything else follows from the declaration. */
function rules(): ReadonlyMap<string, Rule> {
  made ??= new Map<string, Rule>([
    [mul.name, product],
    [matmul.name, matrixProduct],
    [scatterAdd.name, scattered((v, { operands, attrs }) => gather(v, operands[1]!, attrs))],
    [scatterElements.name, scattered((v, { operands, attrs }) => gatherElements(v, operands[1]!, axisOf(attrs)))],
    [scatterND.name, scattered((v, { operands, attrs }) => gatherND(v, operands[1]!, batchDimsOf(attrs)))],
    [unpad.name, summedAt((node) => pad(positionsOf(node.type.shape), node.attrs as PadAttrs))],
    [unpick.name, summedAt((node) => node.operands[1]!)],
    [conv.name, windowed(["x", "w"], "y", (node) => ({ x: shapeOf(node, 0), w: shapeOf(node, 1), y: node.type.shape }))],
    [convInput.name, windowed(["y", "w"], "x", (node) => ({ x: node.type.shape, w: shapeOf(node, 1), y: shapeOf(node, 0) }))],
    [convWeight.name, windowed(["y", "x"], "w", (node) => ({ x: shapeOf(node, 1), w: node.type.shape, y: shapeOf(node, 0) }))],
    [maxPool.name, windowed(["x"], "y", (node) => pooled(shapeOf(node, 0), sizesIn(node), node.type.shape))],
    [averagePool.name, windowed(["x"], "y", (node) => pooled(shapeOf(node, 0), sizesIn(node), node.type.shape))],
    [averagePoolInput.name, windowed(["y"], "x", (node) => pooled(node.type.shape, sizesIn(node), shapeOf(node, 0)))],
    [callOp.name, throughBody],
  ]);
  return made;
}

function axisOf(attrs: object): { readonly axis: number } {
  return { axis: (attrs as { readonly axis: number }).axis };
}

function batchDimsOf(attrs: object): { readonly batchDims: number } {
  return { batchDims: (attrs as { readonly batchDims: number }).batchDims };
}
