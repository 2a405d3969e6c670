import { type Between, between } from "../autodiff/pullback.ts";
import { heldBy, settleAll } from "../evaluate/evaluate.ts";
import { allocate, isFloat } from "../ir/dtype.ts";
import { GradientError } from "../ir/errors.ts";
import { isValue, nameOf } from "../ir/leaf.ts";
import { type Node, type Value, valuesOf } from "../ir/node.ts";
import { sizeOf, stridesOf } from "../ir/shape.ts";
import { dense, type Held, hold, type Tensor } from "../ir/tensor.ts";
import { typeText } from "../ir/type.ts";
import { collect } from "../ir/walk.ts";
import { blockPaths } from "./block-paths.ts";
import { type Tally, tallyElement } from "./element-paths.ts";
import { type FoundPaths, flatIndex, gateOf, type PathEdge, seedAt, unitData } from "./found-paths.ts";
import type { PathStep, PathSum } from "./gradient-path.ts";
import { nameOfResult, nameValues } from "./names.ts";
import { type JsonTensor, jsonNumber, jsonTensor } from "./number-text.ts";
import { type Place, placeOf } from "./place.ts";
import { pathsLatex, pathsMarkdown, pathsText } from "./render-paths.ts";
import { ruleText, slotName } from "./steps.ts";
import { checkHistory, pulled, sweep } from "./sweep.ts";
import { type FindingLanguage, findingWords } from "./words/finding-words.ts";

/** What of the paths to show. */
export interface PathOptions {
  /** How many of the largest paths to spell out, 5 when left out. */
  readonly top?: number;
  /** Which element of x to ask about, by flat row-major index or by index per axis. */
  readonly element?: number | readonly number[];
  /** Which element of the end to differentiate, when it is no scalar. */
  readonly of?: number | readonly number[];
  /**
   * "element": a path goes from element to element and its size is a product of numbers. "edge": a path goes from value to value, and what it
   * gives is a block of x's type, the product of Jacobian blocks. Left out: "element" among scalars or where `element` is given, else "edge".
   */
  readonly by?: "element" | "edge";
  readonly language?: FindingLanguage;
}

/** The gradient as a sum over paths, and its renderings. */
export interface Paths extends PathSum {
  text(): string;
  markdown(): string;
  latex(): string;
  toJSON(): PathsJson;
}

/** Paths in JSON; counts are decimal strings, because they go beyond 2^53. */
export interface PathsJson {
  readonly name: string;
  readonly wrt: string;
  readonly by: "element" | "edge";
  readonly count: string;
  readonly live: string | null;
  readonly ranked: boolean;
  readonly top: readonly {
    readonly contribution: JsonTensor;
    readonly size: number | string;
    readonly share: number | string | null;
    readonly steps: readonly {
      readonly op: string;
      readonly name: string;
      readonly slot: string;
      readonly into: string;
      readonly local: number | string | null;
    }[];
  }[];
  readonly rest: { readonly count: string; readonly sum: JsonTensor };
  readonly total: JsonTensor;
  readonly gradient: JsonTensor;
  readonly magnitude: number | string | null;
}

/**
 * `paths(f, x)`: df/dx as a sum over the paths from f back to x. The largest are spelled out gate by gate; the others are counted and summed by
 * the same dynamic program, so that an exponential number of them costs no more than the graph.
 * @throws GradientError for a non-scalar f without `of`, an integer x, an element out of range, Jacobians too large to go through;
 * GraphError when f depends on an input without a value
 */
export function paths(f: Value, x: Value, options: PathOptions = {}): Paths {
  const words = findingWords(options.language ?? "en", "paths");
  checkValue(f, "the value to start from");
  checkValue(x, "the value to go back to");
  const top = options.top ?? 5;
  if (!Number.isInteger(top) || top < 0) throw new GradientError(`paths: top is ${top}; it is a whole number, 0 or more`);
  if (options.by !== undefined && options.by !== "element" && options.by !== "edge")
    throw new GradientError(`paths: by is "${String(options.by)}"; it is "element" or "edge"`);
  checkHistory(f, "paths");
  settleAll([f, x]);
  const from = endElement(f, options.of);
  const graph = between([f], [x]);
  const by = options.by ?? (options.element !== undefined || allScalars(graph, x) ? "element" : "edge");
  const to = by === "element" ? startElement(x, options.element) : -1;
  if (by === "edge" && options.element !== undefined)
    throw new GradientError('paths: by "edge" gives blocks of all elements at once; leave element out, or ask by "element"');
  const found = by === "element" ? ofElement(graph, f, from, x, to, top) : blockPaths(graph, f, from, x, top);
  const order = collect([f, x]);
  const names = nameValues(order, f);
  const type = by === "element" ? ({ kind: "type", dtype: "f64", shape: [] } as const) : x.type;
  const asTensor = (held: Held): Tensor => dense(held, type);
  const made = {
    name: elementName(nameOfResult(names, f), f, options.of === undefined ? -1 : from),
    wrt: elementName(nameOfResult(names, x), x, to),
    by,
    count: found.count,
    live: found.live,
    ranked: found.ranked,
    top: found.top.map(({ edges, contribution, size }) => ({
      steps: edges.map((e) => new Step(graph, e, names)),
      contribution: asTensor(contribution),
      size,
      share: found.magnitude === null ? null : found.magnitude === 0 ? 0 : size / found.magnitude,
    })),
    rest: { count: found.restCount, sum: asTensor(found.restSum) },
    total: sumOf([...found.top.map((p) => asTensor(p.contribution)), asTensor(found.restSum)], type),
    gradient: gradientOf(graph, f, from, x, to),
    magnitude: found.magnitude,
  };
  return {
    ...made,
    text: () => pathsText(made, words),
    markdown: () => pathsMarkdown(made, words),
    latex: () => pathsLatex(made, words),
    toJSON: () => jsonOf(made),
  };
}

function checkValue(v: unknown, what: string): void {
  if (!isValue(v)) throw new GradientError(`paths: ${what} is no Value; write paths(f, x) with the Values themselves`);
  if (!isFloat(v.type.dtype))
    throw new GradientError(`paths: ${nameOf(v)} is ${typeText(v.type)}; integers and truth values have no gradient`);
}

function allScalars({ order, active }: Between, x: Value): boolean {
  for (let i = 0; i < order.length; i++) if (active[i] === 1 && valuesOf(order[i]!).some((v) => sizeOf(v.type.shape) !== 1)) return false;
  return sizeOf(x.type.shape) === 1;
}

function endElement(f: Value, of: number | readonly number[] | undefined): number {
  if (of !== undefined) return flatIndex("paths", f, of, "of");
  if (sizeOf(f.type.shape) !== 1)
    throw new GradientError(`paths: ${nameOf(f)} is ${typeText(f.type)}; say which element to differentiate: { of: 0 }, or take its sum`);
  return 0;
}

function startElement(x: Value, element: number | readonly number[] | undefined): number {
  if (element !== undefined) return flatIndex("paths", x, element, "element");
  if (sizeOf(x.type.shape) !== 1)
    throw new GradientError(`paths: ${nameOf(x)} is ${typeText(x.type)}; say which element to go back to: { element: 0 }`);
  return 0;
}

function elementName(name: string, v: Value, element: number): string {
  const { shape } = v.type;
  if (element < 0 || shape.length === 0) return name;
  let rest = element;
  return `${name}[${stridesOf(shape)
    .map((step) => {
      const c = Math.floor(rest / step);
      rest -= c * step;
      return c;
    })
    .join(",")}]`;
}

function ofElement(graph: Between, f: Value, from: number, x: Value, to: number, top: number): FoundPaths {
  const tally: Tally | null = tallyElement(graph, f, from, x, to, top);
  if (tally === null) return { count: 0n, live: 0n, ranked: true, top: [], restCount: 0n, restSum: 0, magnitude: 0 };
  return {
    count: tally.count,
    live: tally.live,
    ranked: true,
    top: tally.top.map((link) => {
      const edges: PathEdge[] = [];
      for (let at = link; at.next !== null; at = at.next)
        edges.push({ edge: at.edge, result: at.result, element: at.element, intoElement: at.intoElement, weight: at.weight });
      return { edges, contribution: link.product, size: Math.abs(link.product) };
    }),
    restCount: tally.restCount,
    restSum: tally.restSum,
    magnitude: tally.magnitude,
  };
}

/** A step says what it is asked for: of a path of 100,000 gates a text shows twelve. */
class Step implements PathStep {
  readonly node: Node;
  readonly local: number | null;
  readonly element: number;
  readonly intoElement: number;
  private readonly result: Value;
  private readonly operand: number;
  private readonly names: ReadonlyMap<Node, string>;

  constructor(graph: Between, { edge, result, element, intoElement, weight }: PathEdge, names: ReadonlyMap<Node, string>) {
    const place = gateOf(graph, edge);
    this.node = graph.order[place]!;
    this.local = weight;
    this.element = element;
    this.intoElement = intoElement;
    this.result = valuesOf(this.node)[result]!;
    this.operand = edge - graph.first[place]!;
    this.names = names;
  }

  get op(): string {
    return this.node.op.name;
  }
  get name(): string {
    return elementName(nameOfResult(this.names, this.result), this.result, this.element);
  }
  get value(): Tensor {
    return dense(heldBy(this.result), this.result.type);
  }
  get slot(): string {
    return slotName(this.node, this.operand);
  }
  get into(): string {
    const into = this.node.operands[this.operand]!;
    return elementName(nameOfResult(this.names, into), into, this.intoElement);
  }
  get rule(): string {
    return ruleText(this.node, this.operand, this.names);
  }
  get place(): Place {
    return placeOf(this.node);
  }
  jacobian(): Tensor {
    return jacobianBlock(this.node, this.result.index, this.operand);
  }
}

/** All rows of a gate's Jacobian toward one operand. */
function jacobianBlock(node: Node, index: number, operand: number): Tensor {
  const x = node.operands[operand]!;
  const results = valuesOf(node);
  const out = results[index]!;
  const rows = sizeOf(out.type.shape);
  const width = sizeOf(x.type.shape);
  const data = allocate(x.type.dtype, rows * width);
  for (let i = 0; i < rows; i++) {
    const ct: Held = out.type.shape.length === 0 ? 1 : hold(out.type, unitData(out, i));
    const piece = pulled(
      node,
      results.map((_, r) => (r === index ? ct : null)),
      (j) => j === operand,
    )[operand];
    if (piece != null) data.set(dense(piece, x.type).data, i * width);
  }
  return hold({ kind: "type", dtype: x.type.dtype, shape: [...out.type.shape, ...x.type.shape] }, data);
}

function gradientOf(graph: Between, f: Value, from: number, x: Value, to: number): Tensor {
  const end = graph.place(f);
  const start = graph.place(x);
  const { arrived } = end < 0 || graph.active[end] === 0 ? { arrived: [] } : sweep(graph, new Map([[end, seedAt(f, from)]]));
  const held = start < 0 ? null : (arrived[start]?.[x.index] ?? null);
  const whole = held === null ? hold(x.type, allocate(x.type.dtype, sizeOf(x.type.shape))) : dense(held, x.type);
  if (to < 0) return hold(x.type, whole.data.slice());
  return dense(whole.data[to]!, { kind: "type", dtype: "f64", shape: [] });
}

function sumOf(parts: readonly Tensor[], type: Tensor["type"]): Tensor {
  const data = allocate(type.dtype, sizeOf(type.shape));
  for (const p of parts) for (let i = 0; i < data.length; i++) data[i]! += p.data[i]!;
  return hold(type, data);
}

function jsonOf(p: PathSum): PathsJson {
  return {
    name: p.name,
    wrt: p.wrt,
    by: p.by,
    count: String(p.count),
    live: p.live === null ? null : String(p.live),
    ranked: p.ranked,
    top: p.top.map(({ steps, contribution, size, share }) => ({
      contribution: jsonTensor(contribution),
      size: jsonNumber(size),
      share: share === null ? null : jsonNumber(share),
      steps: steps.map((s) => ({
        op: s.op,
        name: s.name,
        slot: s.slot,
        into: s.into,
        local: s.local === null ? null : jsonNumber(s.local),
      })),
    })),
    rest: { count: String(p.rest.count), sum: jsonTensor(p.rest.sum) },
    total: jsonTensor(p.total),
    gradient: jsonTensor(p.gradient),
    magnitude: p.magnitude === null ? null : jsonNumber(p.magnitude),
  };
}
