import type { Between } from "../autodiff/pullback.ts";
import { heldBy } from "../evaluate/evaluate.ts";
import { InternalError } from "../ir/errors.ts";
import { type Node, type Value, valuesOf } from "../ir/node.ts";
import { sizeOf } from "../ir/shape.ts";
import { dense, type Held } from "../ir/tensor.ts";
import { backwardCause, numberAt } from "./bad-cause.ts";
import { badAt, badForward } from "./bad-value.ts";
import type { Fact, Finding } from "./finding.ts";
import { type FlowTo, widest } from "./flow-to.ts";
import { gateOf } from "./found-paths.ts";
import { finished, gateFinding } from "./gate-finding.ts";
import { broadcastPlaces, isElementwise } from "./jacobian-rows.ts";
import { nameOfResult } from "./names.ts";
import { numberText, tensorText } from "./number-text.ts";
import { slotName } from "./steps.ts";
import type { Sweep } from "./sweep.ts";
import type { FindingWords } from "./words/finding-en.ts";

/** Why the gradient at x is not finite: the bad forward value behind it, or the gate whose rule spoiled it. */
export function badGradient(f: Value, x: Value, flow: FlowTo, words: FindingWords, names: ReadonlyMap<Node, string>): Finding {
  const forward = badForward([f], words, names);
  if (forward !== null) return forward;
  const found = firstBadEdge(flow.graph, flow.sweep, [x], words, names);
  if (found === null)
    throw new InternalError(`the gradient of ${nameOfResult(names, x)} is not finite and no gate was found that made it so`);
  return found;
}

/**
 * The first gate in backward order whose rule made a gradient that is not finite of finite ones, among those that spoil a gradient of `wrt`: found
 * from the bad end, back along bad edges only.
 */
export function firstBadEdge(
  graph: Between,
  { arrived, sent }: Sweep,
  wrt: readonly Value[],
  words: FindingWords,
  names: ReadonlyMap<Node, string>,
): Finding | null {
  const { order, edges } = graph;
  const into = new Map<number, number[]>();
  for (let e = 0; e < edges.length; e++) {
    if (edges[e]! < 0 || badAt(sent[e]) < 0) continue;
    const list = into.get(edges[e]!);
    if (list === undefined) into.set(edges[e]!, [e]);
    else list.push(e);
  }
  const isBad = (p: number): boolean => arrived[p]?.some((h) => badAt(h) >= 0) === true;
  const open: { readonly place: number; readonly asked: Value }[] = [];
  for (const w of wrt) {
    const p = graph.place(w);
    if (p >= 0 && badAt(arrived[p]?.[w.index]) >= 0) open.push({ place: p, asked: w });
  }
  const seen = new Set<number>(open.map(({ place }) => place));
  let best: { readonly place: number; readonly edge: number; readonly asked: Value; readonly from: number } | null = null;
  const came = new Map<number, number>();
  while (open.length > 0) {
    const { place, asked } = open.pop()!;
    const bad = into.get(place) ?? [];
    if (bad.length === 0 && (best === null || place > best.place)) best = { place, edge: -1, asked, from: place };
    for (const e of bad) {
      const gate = gateOf(graph, e);
      if (!isBad(gate)) {
        if (best === null || gate > best.place) best = { place: gate, edge: e, asked, from: place };
      } else if (!seen.has(gate)) {
        seen.add(gate);
        came.set(gate, place);
        open.push({ place: gate, asked });
      }
    }
  }
  if (best === null) return null;
  const node = order[best.place]!;
  const end = order.length - 1;
  const users = widest(graph, sent, end);
  const path: Node[] = [];
  for (let p = best.place; p >= 0 && p !== end; p = users[p]!) if (p !== best.from) path.push(order[p]!);
  path.push(order[end]!);
  path.reverse();
  if (best.from !== end) for (let p: number | undefined = best.from; p !== undefined; p = came.get(p)) path.push(order[p]!);
  if (best.edge < 0) {
    const gate = gateFinding(node, null, "infinityLessInfinity", {
      words,
      names,
      reason: words.overflow({ op: "+", name: "", into: "", value: "", other: "", factor: "" }),
      advice: words.adviceScaleDown,
    });
    return finished(
      {
        trouble: "notFinite",
        pass: "backward",
        headline: words.badInBackward(nameOfResult(names, best.asked), valueText(arrived[best.place]!)),
        path,
        gates: [gate],
      },
      names,
      words,
    );
  }
  const operand = best.edge - graph.first[best.place]!;
  const forward = behind(node, order, words, names);
  if (forward !== null) return forward;
  const piece = sent[best.edge]!;
  const place = badAt(piece);
  const ct = arrived[best.place]!.find((h) => h !== null) ?? null;
  const upstream = elementOf(node, operand, ct, place);
  const { cause, advice } = backwardCause(node, operand, upstream);
  const x = node.operands[operand]!;
  const at = isElementwise(node) && sizeOf(x.type.shape) === sizeOf(node.type.shape) ? place : -1;
  const facts: Fact[] = node.operands.flatMap((v, j) =>
    v === null
      ? []
      : [
          {
            slot: slotName(node, j),
            name: nameOfResult(names, v),
            value: at >= 0 ? numberText(numberAt(node, j, at)) : tensorText(dense(heldBy(v), v.type)),
          },
        ],
  );
  if (ct !== null)
    facts.push({ slot: "ct", name: words.upstreamFact, value: upstream === null ? held(ct, valuesOf(node)[0]!) : numberText(upstream) });
  const xName = nameOfResult(names, best.asked);
  return finished(
    {
      trouble: "notFinite",
      pass: "backward",
      headline: words.badInBackward(xName, valueText(arrived[graph.place(best.asked)]!)),
      path,
      gates: [gateFinding(node, operand, cause, { words, names, facts: facts, advice: advice === null ? null : words[advice] })],
    },
    names,
    words,
  );
}

/** What was bad already when the gradient came: an operand, or a result that overflowed and that the rule multiplies with. */
function behind(node: Node, order: readonly Node[], words: FindingWords, names: ReadonlyMap<Node, string>): Finding | null {
  const operands = node.operands.filter((v): v is Value => v !== null);
  const given = badForward(operands, words, names, false, order);
  if (given !== null && given.cause !== "given") return given;
  const own = badForward(valuesOf(node), words, names, false, order);
  return own?.cause === "overflow" ? own : null;
}

function held(h: Held, v: Value): string {
  return tensorText(dense(h, v.type));
}

function valueText(cts: readonly (Held | null)[]): string {
  for (const h of cts) {
    const at = badAt(h);
    if (at >= 0) return String(typeof h === "number" ? h : h!.data[at]!);
  }
  return "";
}

/** What arrived at the element of the gate that made element `at` of the operand's gradient; null where several may have. */
function elementOf(node: Node, operand: number, ct: Held | null, at: number): number | null {
  if (ct === null) return null;
  if (typeof ct === "number") return ct;
  const x = node.operands[operand]!;
  if (!isElementwise(node)) return ct.data.length === 1 ? ct.data[0]! : null;
  if (sizeOf(x.type.shape) === ct.data.length) return ct.data[at]!;
  const into = broadcastPlaces(x.type.shape, node.type.shape);
  let found: number | null = null;
  for (let i = 0; i < ct.data.length; i++)
    if (into(i) === at) {
      if (found !== null && found !== ct.data[i]) return null;
      found = ct.data[i]!;
    }
  return found;
}
