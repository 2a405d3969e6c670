import { type Finding, firstBad, why, whyZero } from "../../src/index.ts";
import type { Node } from "../../src/ir/node.ts";
import { kinds, type Planted, planted } from "./planted.ts";

/** What was not named exactly. */
export interface Miss {
  readonly seed: number;
  readonly kind: string;
  readonly origin: string;
  readonly what: string;
}

export interface Score {
  readonly graphs: number;
  readonly exact: number;
  readonly misses: readonly Miss[];
  readonly alarms: readonly Miss[];
}

/** What is wrong with a finding; nothing where gate, operand, cause and path are named exactly. */
function faultsOf(p: Planted, found: Finding | null): string[] {
  if (found === null) return ["nothing was found"];
  const { kind } = p;
  const wrong: string[] = [];
  const say = (what: string, got: unknown, wanted: unknown): void => {
    if (got !== wanted) wrong.push(`${what} is ${String(got)}, not ${String(wanted)}`);
  };
  if (kind.effect === "missing") {
    say("trouble", found.trouble, "missing");
    return wrong;
  }
  say("trouble", found.trouble, kind.effect === "zero" ? "zero" : "notFinite");
  say("cause", found.cause, kind.cause);
  if (kind.op !== "") say("op", found.op, kind.op);
  if (kind.operand !== null) say("operand", found.operand, kind.operand);
  if (p.text === null) say("gate", found.node === p.gate.node, true);
  else say("span", found.place.text, p.text);
  if (kind.effect === "zero") say("share", found.share, 1);
  wrong.push(...pathFaults(p, found));
  return wrong;
}

/** A path is right when it goes over real edges, from the one end to the other, through the gate and through every value that no way avoids. */
function pathFaults(p: Planted, { path, pass, node }: Finding): string[] {
  const wrong: string[] = [];
  const nodes: readonly Node[] = pass === "backward" ? path : [...path].reverse();
  for (let i = 0; i + 1 < nodes.length; i++)
    if (!nodes[i]!.operands.some((v) => v?.node === nodes[i + 1]))
      wrong.push(`the path has no edge ${nodes[i]!.op.name} <- ${nodes[i + 1]!.op.name}`);
  if (!nodes.includes(node)) wrong.push("the gate is not on the path");
  const gateSerial = node.serial;
  const spine = p.spine.map((v) => v.node).filter((n) => pass === "backward" || n.serial <= gateSerial);
  const wanted = pass === "backward" ? p.loss.node : node;
  if (nodes[0] !== wanted) wrong.push("the path does not begin at its end");
  if (pass === "backward") {
    let at = -1;
    for (const n of spine) {
      const next = nodes.indexOf(n, at + 1);
      if (next < 0) wrong.push(`the path misses ${n.label ?? n.op.name}`);
      else at = next;
    }
    if (nodes[nodes.length - 1] !== p.x.node) wrong.push("the path does not end at x");
  } else if (nodes[nodes.length - 1]!.operands.length > 0) wrong.push("the path does not begin at an input");
  return wrong;
}

function judged(p: Planted): Finding | null {
  return p.kind.effect === "bad" ? firstBad(p.loss, { wrt: { x: p.x } }) : whyZero(p.loss, p.x);
}

/** An alarm over a healthy graph, if there is one. */
function alarm(p: Planted): string | null {
  const bad = firstBad(p.loss);
  if (bad !== null) return `firstBad: ${bad.cause} at ${bad.op}`;
  const { trouble, op } = why(p.loss, p.x);
  return trouble === "ordinary" ? null : `why: ${trouble} at ${op}`;
}

/** Plants `count` faults, kind after kind, each with its healthy twin. */
export function score(count: number, seed: number): Score {
  const misses: Miss[] = [];
  const alarms: Miss[] = [];
  for (let i = 0; i < count; i++) {
    const kind = kinds[i % kinds.length]!;
    const own = seed + 7919 * i;
    const sick = planted(kind, own, true);
    const base = { seed: own, kind: kind.name, origin: sick.origin };
    const wrong = faultsOf(sick, judged(sick));
    if (wrong.length > 0) misses.push({ ...base, what: wrong.join("; ") });
    const healthy = alarm(planted(kind, own, false));
    if (healthy !== null) alarms.push({ ...base, what: healthy });
  }
  return { graphs: count, exact: count - misses.length, misses, alarms };
}
