import type { DType } from "../../ir/dtype.ts";
import { literalOf } from "../../ir/leaf.ts";
import { type Node, type Value, valuesOf } from "../../ir/node.ts";
import { sameShape, sizeOf } from "../../ir/shape.ts";
import { sameType } from "../../ir/type.ts";
import { collect } from "../../ir/walk.ts";
import { add, div, expand, lessEqual, matmul, mul, sub, sum, transpose, where } from "../../ops/index.ts";
import { attributesKey } from "../../passes/attributes-key.ts";
import { InternedTerms } from "../../passes/interned-terms.ts";
import { atom, literalTerm, number, plus, type Term, TermWriter, times, withoutShared } from "./products.ts";

const arithmetic: ReadonlySet<string> = new Set(["add", "sub", "mul", "div", "neg", "square", "reciprocal"]);
/** What a node costs beside its elements, in elements: ONNX Runtime calls a kernel for each, which takes about as long as so many. */
const perNode = 3000;
/** ONNX Runtime takes longer to read a graph of more nodes than could be saved. */
const mostNodes = 50_000;
/** Elements that a division takes the time of. */
const slowDivision = 1.5;

interface Axes {
  readonly axis: readonly number[];
  readonly keepDims: boolean;
}

/**
 * Outputs of the same meaning in fewer passes over memory. ONNX Runtime computes elementwise operations one by one, each from memory to memory, so sums of products in f32 are
 * written in as few as are found: like terms joined, shared factors taken out, small operands multiplied first, factors that are alike along a sum's axes
 * multiplied after it, signs carried to where they cost nothing. The exponentials of a softmax become the softmax times its sum, which then cancels in its gradient.
 * Where that saves nothing the operations stay as they are, to the last bit; elsewhere roundings differ.
 */
export function fewerPasses(outputs: readonly Value[]): readonly Value[] {
  const order = collect(outputs);
  return order.length > mostNodes ? outputs : new Leaner(outputs, order).outputs;
}

class Leaner {
  readonly outputs: readonly Value[];
  readonly #nodes: InternedTerms = new InternedTerms();
  readonly #writer: TermWriter;
  readonly #users: Map<Node, Node[]> = new Map();
  /** Nodes of arithmetic that are only parts of a larger sum of products of their shape: the node that it ends in. */
  readonly #ends: Map<Node, Node> = new Map();
  readonly #terms: Map<Node, readonly Term[]> = new Map();
  /** The same operations on operands in their new form. */
  readonly #plain: Map<Node, Value> = new Map();
  readonly #written: Map<Value, Value> = new Map();
  /** Nodes that the new outputs need. */
  readonly #live: Set<Node> = new Set();
  /** Sums of exponentials, which are neither 0 nor infinite where the softmax is a number. */
  readonly #safe: Set<Value> = new Set();

  /** Max poolings by what they pool. */
  readonly #pooled: Map<Value, Node[]> = new Map();

  constructor(outputs: readonly Value[], order: readonly Node[]) {
    const nodes = this.#nodes;
    this.#writer = new TermWriter({
      unique: (v) => nodes.unique(v.node),
      literal: (x: number, dtype: DType) => nodes.literal(x, dtype),
    });
    for (const node of order)
      for (const v of node.operands) {
        if (v === null) continue;
        const users = this.#users.get(v.node);
        if (users === undefined) this.#users.set(v.node, [node]);
        else users.push(node);
      }
    const needed = new Set(outputs.map((v) => v.node));
    for (let i = order.length - 1; i >= 0; i--) {
      const node = order[i]!;
      const users = this.#users.get(node) ?? [];
      const end = users[0] === undefined ? undefined : this.#endOf(users[0]);
      const part =
        end !== undefined &&
        isArithmetic(node) &&
        !needed.has(node) &&
        users.every((u) => this.#endOf(u) === end && isArithmetic(u) && sameShape(u.type.shape, node.type.shape) && !divides(node, u));
      this.#ends.set(node, part ? end : node);
    }
    for (const node of order) this.#visit(node);
    this.outputs = outputs.map((v) => this.#of(v));
  }

  #endOf(node: Node): Node {
    return this.#ends.get(node)!;
  }

  #visit(node: Node): void {
    if (node.operands.length === 0) return;
    const terms = isSingle(node) ? (isArithmetic(node) ? this.#combined(node) : this.#found(node)) : null;
    if (terms === null) {
      this.#keep(node);
      return;
    }
    this.#terms.set(node, terms);
    this.#plain.set(
      node,
      this.#nodes.applied(
        node,
        node.operands.map((v) => v && this.#plainly(v)),
      ),
    );
  }

  /** A node that stays what it is. */
  #keep(node: Node): void {
    const operands = node.operands.map((v) => v && this.#of(v));
    const inner = node.op.name === "reshape" ? operands[0]!.node : null;
    if (inner?.op.name === "reshape" && inner.operands.length > 0) operands[0] = inner.operands[0]!;
    const other = node.op.name === "where" ? this.#masked(operands) : node.op.name === "transpose" ? this.#crossed(node, operands) : null;
    const kept = other ?? this.#nodes.applied(node, operands);
    this.#need(kept);
    if (kept.op.name === "maxPool") this.#pooled.set(operands[0]!, [...(this.#pooled.get(operands[0]!) ?? []), kept]);
    for (const v of valuesOf(node)) this.#written.set(v, valuesOf(kept)[v.index]!);
  }

  /**
   * The gradient of a ReLU that is pooled next: where it stops is told by what was pooled, which is smaller. Only the element that was the largest gets any, and
   * that one is what was pooled.
   */
  #masked([test, none, given]: readonly (Value | null)[]): Node | null {
    const [x, zero] = test!.node.operands;
    if (test!.node.op.name !== "lessEqual" || zero == null || literalOf(zero) !== 0 || !isZero(none!)) return null;
    const put = given!.node;
    const [dy, places] = put.operands;
    if (put.op.name !== "unpick" || places?.node.op.name !== "maxPoolPlaces" || places.node.operands[0] !== x) return null;
    const key = attributesKey(places.node.attrs);
    const pooled = this.#pooled.get(x!)?.find(({ attrs }) => attributesKey(attrs) === key);
    if (pooled === undefined || key === null) return null;
    const smaller = this.#nodes.unique(where(this.#nodes.unique(lessEqual(pooled, zero).node), zero, dy!).node);
    return this.#nodes.applied(put, [smaller, places]);
  }

  /**
   * Products of batches of matrices whose rows and columns change places behind them, as the other product, of the transposed: then whole rows move, and that matrices are transposed is
   * part of a product.
   */
  #crossed({ operands: [old], attrs }: Node, [x]: readonly (Value | null)[]): Node | null {
    const { axes } = attrs as { readonly axes: readonly number[] };
    const [r, c] = [axes.length - 2, axes.length - 1];
    const [a, b] = x!.node.operands;
    if (x!.node.op.name !== "matmul" || !isSingle(x!.node) || r < 1 || !this.#lone(old!.node)) return null;
    if (axes.indexOf(c) > axes.indexOf(r) || a!.type.shape.length <= r || b!.type.shape.length <= r) return null;
    const swapped = (v: Value): Value => {
      const last = axes.map((_, i) => (i === r ? c : i === c ? r : i));
      return this.#nodes.unique(transpose(v, { axes: last }).node);
    };
    const product = this.#nodes.unique(matmul(swapped(b!), swapped(a!)).node);
    return this.#nodes.unique(transpose(product, { axes: axes.map((i) => (i === r ? c : i === c ? r : i)) }).node);
  }

  /** A value by the operations that it had. */
  #plainly(v: Value): Value {
    return this.#written.get(v) ?? this.#plain.get(v.node) ?? v;
  }

  /** A value in its new form, which is needed now: by the operations that it had, unless others are cheaper. */
  #of(v: Value): Value {
    const known = this.#written.get(v);
    if (known !== undefined) return known;
    const terms = this.#terms.get(v.node);
    if (terms === undefined) return v;
    const [plain, other] = [this.#plain.get(v.node)!, this.#shaped(terms, v)];
    const best = this.#cost(other) < this.#cost(plain) ? other : plain;
    this.#written.set(v, this.#needed(best));
    return best;
  }

  /** Terms as a value of the type of another. */
  #shaped(terms: readonly Term[], like: Value): Value {
    const made = this.#writer.sum(terms, like.type.dtype);
    return sameType(made.type, like.type) ? made : this.#nodes.unique(expand(made, { shape: like.type.shape }).node);
  }

  /** What a value is as terms: itself as one, unless it is part of a larger sum, or no more than a number in front of a power of another. */
  #termsOf(v: Value, end: Node | null): readonly Term[] {
    const literal = literalTerm(v);
    if (literal !== null) return literal;
    const terms = this.#terms.get(v.node);
    if (terms === undefined) return atom(this.#of(v));
    if (!isArithmetic(v.node) || (end !== null && this.#endOf(v.node) === end)) return terms;
    const [first, ...more] = terms as readonly [Term, ...Term[]];
    const light = first.powers.size === 1 && [...first.powers.values()][0]! > 0;
    return more.length === 0 && (light || this.#lone(v.node)) ? terms : atom(this.#of(v));
  }

  #lone(node: Node): boolean {
    return this.#users.get(node)?.length === 1;
  }

  /** Arithmetic as a sum of products; null where it would be long or lose what is not finite. */
  #combined(node: Node): readonly Term[] | null {
    const curve = this.#curve(node);
    if (curve !== null) return [curve];
    const [x, y] = node.operands as [Value, Value | undefined];
    const end = this.#endOf(node);
    const { name } = node.op;
    const a = this.#termsOf(x, end);
    if (name === "neg") return negated(a);
    const scaled =
      y === undefined
        ? null
        : (numbered(name, a, literalOf(y)) ?? (name === "mul" ? numbered(name, this.#termsOf(y, end), literalOf(x)) : null));
    if (scaled !== null) return scaled;
    if (name === "add" || name === "sub") return plus(a, this.#termsOf(y!, end), name === "add" ? 1 : -1);
    const first = this.#single(x, a);
    if (name === "square") return one(times(first, first, 1, this.#safe));
    if (name === "reciprocal") return one(times({ factor: 1, powers: new Map() }, first, -1, this.#safe));
    const power = name === "div" ? -1 : 1;
    return one(times(first, this.#single(y!, this.#termsOf(y!, power < 0 ? null : end)), power, this.#safe));
  }

  /**
   * 1 + t, and 1 - t t, of a hyperbolic tangent that both are taken of, as in GELU and its gradient: by h = 1/2 + t/2, which both passes through the graph keep in the place of t, they are 2 h and
   * 4 h (1 - h). Both are 0 where they were, and no factor moves.
   */
  #curve({ op, operands: [x, y] }: Node): Term | null {
    if (y == null || (op.name !== "add" && op.name !== "sub")) return null;
    const other = literalOf(x!) === 1 ? y : op.name === "add" && literalOf(y) === 1 ? x! : null;
    if (other === null) return null;
    const t = op.name === "add" ? other : squared(other.node);
    if (t?.node.op.name !== "tanh" || !isSingle(t.node)) return null;
    const users = this.#users.get(t.node)!;
    const risen = users.some((u) => u.op.name === "add" && u.operands.some((v) => v !== null && literalOf(v) === 1));
    if (!risen || !users.some((u) => squared(u) === t)) return null;
    const half = this.#nodes.literal(0.5, "f32");
    const h: Value = this.#needed(this.#nodes.unique(add(half, this.#nodes.unique(mul(half, this.#of(t)).node)).node));
    if (op.name === "add") return { factor: 2, powers: new Map([[h, 1]]) };
    const rest = this.#nodes.unique(sub(this.#nodes.literal(1, "f32"), h).node);
    return { factor: 4, powers: new Map([[this.#nodes.unique(mul(h, rest).node) as Value, 1]]) };
  }

  /** A product of its own: the only term, or a sum as a whole, behind what all of its terms share. */
  #single(v: Value, terms: readonly Term[]): Term {
    if (terms.length === 1) return terms[0]!;
    const [shared, rest] = withoutShared(terms);
    return { factor: 1, powers: new Map([[this.#writer.sum(rest, v.type.dtype), 1], ...shared]) };
  }

  /** Nodes that are not arithmetic, and stand in it for something simpler. */
  #found(node: Node): readonly Term[] | null {
    const x = node.operands[0]!;
    switch (node.op.name) {
      case "expand":
        return this.#termsOf(x, null);
      case "reshape":
        return this.#reshaped(node, x);
      case "transpose":
        return this.#turned(node, 0);
      case "scatterElements":
        return isZero(x) ? this.#turned(node, 2) : null;
      case "exp":
        return this.#exponential(node, x);
      case "sum":
        return this.#terms.get(node) ?? this.#summed(node, x);
    }
    return null;
  }

  /** Another shape of the same numbers, where it is none, or where all are one number. */
  #reshaped(node: Node, x: Value): readonly Term[] | null {
    const terms = this.#termsOf(x, null);
    const rank = node.type.shape.length;
    const alike = (v: Value): boolean => sizeOf(v.type.shape) === 1 && v.type.shape.length <= rank;
    if (sameType(x.type, node.type) || terms.every(({ powers }) => [...powers.keys()].every(alike))) return terms;
    return this.#turned(node, 0);
  }

  /** A minus in front of what a linear op takes, in front of its result instead. */
  #turned(node: Node, at: number): readonly Term[] | null {
    const x = node.operands[at]!;
    const terms = this.#termsOf(x, null);
    if (terms.length !== 1 || terms[0]!.factor >= 0 || !this.#lone(x.node)) return null;
    const positive = this.#needed(this.#shaped(negated(terms), x));
    const operands = node.operands.map((v, i) => (i === at ? positive : v && this.#of(v)));
    return negated(atom(this.#needed(this.#nodes.applied(node, operands))));
  }

  #needed(v: Value): Value {
    this.#need(v.node);
    return v;
  }

  /** e^(x less its largest), where it is summed along the same axes: the softmax times that sum. */
  #exponential(node: Node, x: Value): readonly Term[] | null {
    const largest = x.node.op.name === "sub" ? stopped(x.node.operands[1]!) : null;
    if (largest?.node.op.name !== "max" || stopped(largest.node.operands[0]!) !== x.node.operands[0]) return null;
    const along = largest.node.attrs as Axes;
    const users = this.#users.get(node) ?? [];
    const total = users.find((u) => u.op.name === "sum" && sameAxes(u.attrs as Axes, along));
    if (total === undefined || !along.keepDims || !users.every((u) => u === total || isArithmetic(u))) return null;
    const raised = this.#nodes.applied(node, [this.#of(x)]);
    const z: Value = this.#nodes.unique(sum(raised, along).node);
    const p: Value = this.#nodes.unique(div(raised, z).node);
    this.#written.set(total, z);
    this.#terms.set(total, atom(z));
    this.#safe.add(z);
    return [
      {
        factor: 1,
        powers: new Map([
          [p, 1],
          [z, 1],
        ]),
      },
    ];
  }

  /** A sum of one product: what is alike along its axes, and a minus, are multiplied after it. Elements put among zeros have the sum that they have. */
  #summed(node: Node, x: Value): readonly Term[] | null {
    const { axis, keepDims } = node.attrs as Axes;
    const [term, ...more] = this.#termsOf(x, null);
    if (term === undefined || more.length > 0) return null;
    const { factor, powers } = term;
    const put = powers.size === 1 && factor === Math.sign(factor) ? this.#spread([...powers][0]!, axis, keepDims) : null;
    if (put !== null) return one(times({ factor, powers: new Map() }, atom(put)[0]!, 1, this.#safe));
    if (!this.#lone(x.node)) return null;
    const rank = x.type.shape.length;
    const alike = ({ type: { shape } }: Value): boolean => keepDims && axis.every((a) => (shape[a - (rank - shape.length)] ?? 1) === 1);
    const [inside, outside] = [[...powers].filter(([v]) => !alike(v)), [...powers].filter(([v]) => alike(v))];
    if (inside.length === 0 || (outside.length === 0 && factor > 0)) return null;
    const within = this.#needed(this.#shaped([{ factor: Math.abs(factor), powers: new Map(inside) }], x));
    const total = this.#needed(this.#nodes.applied(node, [within]));
    return one(
      times({ factor: Math.sign(factor), powers: new Map([[total as Value, 1]]) }, { factor: 1, powers: new Map(outside) }, 1, this.#safe),
    );
  }

  /** What was added to zeros along an axis, one element a line, where the sum is along that axis. */
  #spread([v, n]: readonly [Value, number], axis: readonly number[], keepDims: boolean): Value | null {
    const { op, attrs, operands } = v.node;
    if (op.name !== "scatterElements" || n !== 1 || !keepDims || axis.length !== 1 || !isZero(operands[0]!)) return null;
    const { axis: at, reduction } = attrs as { readonly axis: number; readonly reduction: string };
    const updates = operands[2]!;
    const { shape } = v.type;
    const line = updates.type.shape.every((s, i) => s === (i === at ? 1 : shape[i]));
    return at === axis[0] && reduction === "add" && line ? updates : null;
  }

  #need(node: Node): void {
    const todo = [node];
    for (let n = todo.pop(); n !== undefined; n = todo.pop()) {
      if (this.#live.has(n)) continue;
      this.#live.add(n);
      for (const v of n.operands) if (v !== null) todo.push(v.node);
    }
  }

  /** What a value costs beside what is needed anyway. */
  #cost(v: Value): number {
    const seen = new Set<Node>();
    const todo = [v.node];
    let cost = 0;
    for (let n = todo.pop(); n !== undefined; n = todo.pop()) {
      if (seen.has(n) || this.#live.has(n) || n.operands.length === 0) continue;
      seen.add(n);
      const size = Math.max(sizeOf(n.type.shape), ...n.operands.map((o) => (o === null ? 0 : sizeOf(o.type.shape))));
      if (n.op.name !== "expand") cost += perNode + size * (n.op.name === "div" ? slowDivision : 1);
      for (const o of n.operands) if (o !== null) todo.push(o.node);
    }
    return cost;
  }
}

function isSingle(node: Node): boolean {
  return node.outputs === null && node.type.dtype === "f32";
}

function isArithmetic(node: Node): boolean {
  return arithmetic.has(node.op.name) && isSingle(node) && node.operands.length > 0;
}

function divides(node: Node, user: Node): boolean {
  return (user.op.name === "div" && user.operands[1]?.node === node) || user.op.name === "reciprocal";
}

/** What a node squares. */
function squared({ op, operands: [x, y] }: Node): Value | null {
  return x != null && (op.name === "square" || (op.name === "mul" && x === y)) ? x : null;
}

function one(term: Term | null): readonly Term[] | null {
  return term === null ? null : [term];
}

function negated(terms: readonly Term[]): readonly Term[] {
  return terms.map(({ factor, powers }) => ({ factor: -factor, powers }));
}

/** Terms times a number, or divided by one; null for what is no such thing. */
function numbered(name: string, terms: readonly Term[], c: number | null): readonly Term[] | null {
  if (c === null || (name !== "mul" && name !== "div")) return null;
  const by = number(name === "mul" ? c : 1 / c);
  const found = by === null ? [] : terms.map((t) => times(t, by[0]!, 1, new Set()));
  return found.length === 0 || found.includes(null) ? null : (found as readonly Term[]);
}

function stopped(v: Value): Value {
  return v.node.op.name === "stop" && v.node.operands[0] != null ? v.node.operands[0] : v;
}

function isZero(v: Value): boolean {
  const inner = v.node.op.name === "expand" ? v.node.operands[0] : v;
  return inner != null && literalOf(inner) === 0;
}

function sameAxes(a: Axes, b: Axes): boolean {
  return a.keepDims === b.keepDims && sameShape(a.axis, b.axis);
}
