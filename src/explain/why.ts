import { settleAll } from "../evaluate/evaluate.ts";
import { isFloat } from "../ir/dtype.ts";
import { GradientError } from "../ir/errors.ts";
import { isValue, nameOf } from "../ir/leaf.ts";
import type { Node, Value } from "../ir/node.ts";
import type { Held } from "../ir/tensor.ts";
import { typeText } from "../ir/type.ts";
import { collect } from "../ir/walk.ts";
import { badGradient } from "./bad-gradient.ts";
import { badForward } from "./bad-value.ts";
import type { Cause, Finding, GateFinding, Trouble } from "./finding.ts";
import { type EdgeFlow, type FlowTo, flowTo } from "./flow-to.ts";
import { flatIndex, gateOf } from "./found-paths.ts";
import { blockCause, stopCause } from "./gate-cause.ts";
import { finished, gateFinding } from "./gate-finding.ts";
import { nameOfResult, nameValues } from "./names.ts";
import { numberText } from "./number-text.ts";
import { elementsOf, type Mask, normOn } from "./reach.ts";
import { checkHistory } from "./sweep.ts";
import type { FindingWords } from "./words/finding-en.ts";
import { type FindingLanguage, findingWords } from "./words/finding-words.ts";

/** What of x to ask about, and when a gradient counts as tiny or huge. */
export interface WhyOptions {
  /** One element of x, by flat row-major index or by index per axis; all together when left out. */
  readonly element?: number | readonly number[];
  /** A gradient whose largest element is below this is tiny (1e-6 when left out), above `huge` (1e6) it is huge. */
  readonly tiny?: number;
  readonly huge?: number;
  readonly language?: FindingLanguage;
}

/**
 * Why the gradient of the scalar f with respect to x is what it is: missing, zero, not finite, tiny, huge or ordinary; which gate stopped, shrank,
 * blew or spoiled it, the share of the L1 norm of the arriving gradient that it stopped, the path, and where the user wrote the gate.
 * @throws GradientError for an f that is no floating-point scalar, an integer x, an element out of range; GraphError when f depends on an input
 * without a value
 */
export function why(f: Value, x: Value, options: WhyOptions = {}): Finding {
  return found("why", f, x, options);
}

/** As `why`, when the gradient is missing or zero; null when it is not. */
export function whyZero(f: Value, x: Value, options: WhyOptions = {}): Finding | null {
  const finding = found("whyZero", f, x, options);
  return finding.trouble === "missing" || finding.trouble === "zero" ? finding : null;
}

function found(who: string, f: Value, x: Value, { element, tiny = 1e-6, huge = 1e6, language = "en" }: WhyOptions): Finding {
  const words = findingWords(language, who);
  check(who, f, "the loss");
  check(who, x, "the value to ask about");
  if (f.type.shape.length !== 0)
    throw new GradientError(`${who}: ${nameOf(f)} is ${typeText(f.type)}; a gradient starts at a scalar: take sum or mean first`);
  checkHistory(f, who);
  settleAll([f, x]);
  const flow = flowTo(f, x, element === undefined ? null : flatIndex(who, x, element, "element"));
  const { start, sweep, reach } = flow;
  const mask: Mask = start < 0 ? true : (reach.masks[start]?.[x.index] ?? true);
  const held = start < 0 ? null : (sweep.arrived[start]?.[x.index] ?? null);
  const order = collect([f, x]);
  const at: Asked = { f, x, flow, words, names: nameValues(order, f) };
  if (!flow.depends) return missing(at, order);
  const largest = held === null ? 0 : most(elementsOf(held, x), mask);
  if (!Number.isFinite(largest)) return badGradient(at.f, at.x, flow, words, at.names);
  if (largest === 0) return zero(at);
  // A gradient may be finite and even look well where the loss is not.
  const spoiled = badForward([f], words, at.names);
  if (spoiled !== null) return spoiled;
  const trouble: Trouble = largest < tiny ? "tiny" : largest > huge ? "huge" : "ordinary";
  return scaled(at, trouble, largest);
}

interface Asked {
  readonly f: Value;
  readonly x: Value;
  readonly flow: FlowTo;
  readonly words: FindingWords;
  readonly names: ReadonlyMap<Node, string>;
}

function check(who: string, v: unknown, what: string): void {
  if (!isValue(v)) throw new GradientError(`${who}: ${what} is no Value; write ${who}(loss, x) with the Values themselves`);
  if (!isFloat(v.type.dtype))
    throw new GradientError(`${who}: ${nameOf(v)} is ${typeText(v.type)}; integers and truth values have no gradient`);
}

/** The largest absolute value of the marked elements; NaN when one is. */
function most(data: ArrayLike<number>, mask: Mask): number {
  let found = 0;
  for (let i = 0; i < data.length; i++) if (mask === true || mask?.[i] === 1) found = Math.max(found, Math.abs(data[i]!));
  return found;
}

function missing({ f, x, words, names }: Asked, order: readonly Node[]): Finding {
  const fName = nameOfResult(names, f);
  const xName = x.node.label ?? nameOfResult(names, x);
  const twin = x.node.label !== null && order.some((n) => n !== x.node && n.label === x.node.label);
  const gate = gateFinding(f.node, null, "unconnected", {
    words,
    names,
    facts: [],
    reason: words.unconnectedFrom(fName, xName),
    advice: twin ? words.twin(xName) : words.connect(xName),
  });
  return finished(
    { trouble: "missing", pass: "backward", headline: words.missing(fName, xName), path: [f.node], gates: [gate] },
    names,
    words,
  );
}

/** Where the gradient ended: edges over which it arrived and did not go on, sums that came to 0, and what has no derivative. */
function zero(at: Asked): Finding {
  const { f, x, flow, words, names } = at;
  const ends: End[] = [];
  for (const edge of flow.edges)
    if (edge.sent === 0) ends.push({ place: edge.gate, operand: edge.operand, upstream: edge.upstream, cause: causeOf(flow, edge) });
  for (const [place, upstream] of cancelled(flow)) ends.push({ place, operand: null, upstream, cause: "cancels" });
  for (const { place, operand, upstream } of flow.blockers)
    if (upstream > 0) ends.push({ place, operand, upstream, cause: blockCause(flow.graph.order[place]!) });
  if (ends.length === 0)
    for (const { place, operand } of flow.blockers) ends.push({ place, operand, upstream: 0, cause: blockCause(flow.graph.order[place]!) });
  ends.sort((a, b) => b.upstream - a.upstream || b.place - a.place);
  const gates = ends.map((end) => stopFinding(at, end));
  const partial = partials(at, ends[0]);
  const fName = nameOfResult(names, f);
  const xName = nameOfResult(names, x);
  const shown =
    gates.length > 0
      ? gates
      : [gateFinding(f.node, null, "ruleSendsNothing", { words, names, facts: [], reason: words.nothingArrives(fName), advice: null })];
  return finished(
    {
      trouble: "zero",
      pass: "backward",
      headline: words.zero(fName, xName),
      path: ends[0] === undefined ? [f.node] : pathThrough(flow, ends[0].place, ends[0].operand),
      gates: [...shown, ...partial],
    },
    names,
    words,
  );
}

interface End {
  readonly place: number;
  /** null for a sum of branches that came to 0. */
  readonly operand: number | null;
  readonly upstream: number;
  readonly cause: Cause;
}

/** What arrived at a gate, where it has one result. */
function arrivedAt({ sweep }: FlowTo, gate: number): Held | null {
  return sweep.arrived[gate]?.[0] ?? null;
}

function causeOf(flow: FlowTo, { edge, gate, operand }: EdgeFlow): Cause {
  const { graph, reach } = flow;
  const linked = reach.along(edge).some((m) => m !== null);
  return stopCause(graph.order[gate]!, operand, linked, arrivedAt(flow, gate));
}

/** The values at which branches arrived that came to 0, with the sum of their sizes. */
function cancelled({ graph, edges, reach, sweep, start }: FlowTo): [number, number][] {
  const sizes = new Map<number, number>();
  for (const { edge, sent } of edges) if (sent > 0) sizes.set(graph.edges[edge]!, (sizes.get(graph.edges[edge]!) ?? 0) + sent);
  return [...sizes].filter(([place]) => {
    if (place < start) return false;
    const masks = reach.masks[place] ?? [];
    return (sweep.arrived[place] ?? []).every((ct, r) => normOn(ct, masks[r] ?? null) === 0);
  });
}

/** The way from f back to a gate by the largest flow, and on to x by the shortest one. */
export function pathThrough({ graph, upward, onward, start }: FlowTo, place: number, operand: number | null): Node[] {
  const { order, edges, first } = graph;
  const up: Node[] = [];
  for (let p = place; p >= 0; p = upward(p)) up.push(order[p]!);
  const path = up.reverse();
  let p = operand === null ? place : edges[first[place]! + operand]!;
  // Behind what has no derivative there are no edges, only operands.
  if (operand !== null && p < 0) {
    const v = order[place]!.operands[operand];
    p = v == null ? -1 : order.indexOf(v.node);
  }
  if (operand !== null && p >= 0) path.push(order[p]!);
  while (p > start && p >= 0) {
    const e = onward[p]!;
    if (e < 0) break;
    p = edges[e]!;
    path.push(order[p]!);
  }
  return path;
}

function stopFinding({ flow, words, names }: Asked, { place, operand, upstream, cause }: End): GateFinding {
  const node = flow.graph.order[place]!;
  if (operand === null) {
    const users = flow.edges.filter((e) => flow.graph.edges[e.edge] === place && e.sent > 0);
    return gateFinding(node, null, "cancels", {
      words,
      names,
      upstream,
      share: 1,
      facts: users.map((e) => {
        const user = flow.graph.order[e.gate]!;
        return { slot: user.op.name, name: names.get(user) ?? user.op.name, value: numberText(e.sent) };
      }),
      reason: words.cancelsAt(names.get(node) ?? node.op.name, users.length, numberText(upstream)),
      advice: null,
    });
  }
  const into = node.operands[operand]!;
  const mask = flow.reach.masks[flow.graph.edges[flow.graph.first[place]! + operand]!]?.[into.index] ?? true;
  return gateFinding(node, operand, cause, { words, names, upstream, share: 1, mask });
}

/** Gates on the way to the end that stopped a part: elementwise ones, by the elements to which they sent 0. */
function partials({ flow, words, names }: Asked, end: End | undefined): GateFinding[] {
  if (end === undefined) return [];
  const found: GateFinding[] = [];
  const sizes = new Map(flow.edges.map((e) => [e.edge, e.upstream]));
  for (let p = end.place; flow.best[p]! >= 0; ) {
    const e = flow.best[p]!;
    p = gateOf(flow.graph, e);
    const share = stoppedShare(flow, e, p);
    if (!(share > 0 && share < 1)) continue;
    const operand = e - flow.graph.first[p]!;
    const node = flow.graph.order[p]!;
    found.push(
      gateFinding(node, operand, stopCause(node, operand, true, arrivedAt(flow, p)), {
        words,
        names,
        upstream: sizes.get(e) ?? 0,
        share,
        mask: true,
      }),
    );
  }
  return found.reverse();
}

/** The share of the arriving L1 norm at elements to which the gate sent exactly 0. */
export function stoppedShare({ graph, reach, sweep }: FlowTo, edge: number, gate: number): number {
  const node = graph.order[gate]!;
  const ct = sweep.arrived[gate]?.[0] ?? null;
  const sent = sweep.sent[edge] ?? null;
  if (ct === null || sent === null || typeof ct === "number" || typeof sent === "number" || node.outputs !== null) return 0;
  if (
    ct.data.length !== sent.data.length ||
    !(node.op.facts.family === "unary" || node.op.facts.family === "binary" || node.op.facts.family === "select")
  )
    return 0;
  const mask = reach.along(edge)[0] ?? null;
  let all = 0;
  let stopped = 0;
  for (let i = 0; i < ct.data.length; i++) {
    if (mask !== true && mask?.[i] !== 1) continue;
    const size = Math.abs(ct.data[i]!);
    all += size;
    if (sent.data[i] === 0) stopped += size;
  }
  return all === 0 ? 0 : stopped / all;
}

/** A gradient that arrives: the way that carries most of it, and the gates that scale it most. */
function scaled(at: Asked, trouble: Trouble, largest: number): Finding {
  const { f, x, flow, words, names } = at;
  const { graph, best, start } = flow;
  const sizes = new Map(flow.edges.map((e) => [e.edge, e]));
  const route: EdgeFlow[] = [];
  for (let p = start; best[p]! >= 0; ) {
    const edge = sizes.get(best[p]!)!;
    route.push(edge);
    p = edge.gate;
  }
  route.reverse();
  const logs = route.map((e) => Math.log(e.sent / e.upstream));
  const total = logs.reduce((a, b) => a + b, 0);
  const shrinking = trouble === "huge" ? false : trouble === "tiny" ? true : total <= 0;
  const ranked = route
    .map((edge, i) => ({ edge, log: logs[i]! }))
    .filter(({ log }) => (shrinking ? log < 0 : log > 0))
    .sort((a, b) => Math.abs(b.log) - Math.abs(a.log));
  const [top] = ranked;
  const same = ranked.reduce((n, { log }) => n + Math.abs(log), 0);
  const alone = top !== undefined && Math.abs(top.log) >= 0.5 * same;
  const gates = ranked.slice(0, 3).map(({ edge, log }, i) => {
    const node = graph.order[edge.gate]!;
    const factor = Math.exp(log);
    const cause: Cause =
      i === 0 && !alone
        ? shrinking
          ? "manyShrink"
          : "manyGrow"
        : shrinking
          ? isSaturating(node) && factor < 1e-2
            ? "saturated"
            : "shrinks"
          : "grows";
    const reason =
      cause === "manyShrink" || cause === "manyGrow"
        ? words.manyScale(ranked.length, numberText(Math.exp((shrinking ? -same : same) / ranked.length)))
        : undefined;
    return gateFinding(node, edge.operand, cause, {
      words,
      names,
      upstream: edge.upstream,
      ...(factor < 1 && { share: 1 - factor }),
      factor,
      mask: true,
      ...(reason !== undefined && { reason }),
    });
  });
  const fName = nameOfResult(names, f);
  const xName = nameOfResult(names, x);
  const fine = gateFinding(f.node, null, "passes", { words, names, facts: [], reason: words.passesOn(fName, xName), advice: null });
  const first = graph.order[start]!;
  return finished(
    {
      trouble,
      pass: "backward",
      headline: words.sized(trouble as "tiny" | "huge" | "ordinary", fName, xName, numberText(largest)),
      path: [...route.map((e) => graph.order[e.gate]!), first],
      gates: gates.length === 0 ? [fine] : gates,
    },
    names,
    words,
  );
}

function isSaturating(node: Node): boolean {
  return stopCause(node, 0, true, null) === "saturated";
}
