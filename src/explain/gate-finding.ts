import { heldBy } from "../evaluate/evaluate.ts";
import type { Node } from "../ir/node.ts";
import { dense, type Tensor } from "../ir/tensor.ts";
import type { Cause, Fact, Finding, FindingJson, GateFinding, Trouble } from "./finding.ts";
import { nameOfResult } from "./names.ts";
import { jsonNumber, numberText, tensorText } from "./number-text.ts";
import { placeOf } from "./place.ts";
import type { Mask } from "./reach.ts";
import { findingLatex, findingMarkdown, findingText } from "./render-finding.ts";
import { slotName } from "./steps.ts";
import type { FindingWords, Told } from "./words/finding-en.ts";

/** What is known about a gate beside what can be read off it. */
export interface Seen {
  readonly words: FindingWords;
  readonly names: ReadonlyMap<Node, string>;
  readonly upstream?: number;
  readonly share?: number;
  /** By what it scales what arrives. */
  readonly factor?: number;
  /** The elements of the operand in question. */
  readonly mask?: Mask;
  readonly facts?: readonly Fact[];
  readonly reason?: string;
  readonly advice?: string | null;
}

const remedies: Readonly<
  Partial<
    Record<
      Cause,
      | "adviceLeaky"
      | "adviceClip"
      | "adviceStop"
      | "adviceInteger"
      | "adviceSaturated"
      | "adviceZeroFactor"
      | "adviceRounded"
      | "adviceDepth"
    >
  >
> = {
  reluOff: "adviceLeaky",
  clipped: "adviceClip",
  stopped: "adviceStop",
  integer: "adviceInteger",
  compared: "adviceInteger",
  rounded: "adviceRounded",
  saturated: "adviceSaturated",
  zeroFactor: "adviceZeroFactor",
  manyShrink: "adviceDepth",
  manyGrow: "adviceDepth",
};

/** A finding about one gate, with its reason in words. */
export function gateFinding(node: Node, operand: number | null, cause: Cause, seen: Seen): GateFinding {
  const { words, names, mask = true } = seen;
  const into = operand === null ? null : (node.operands[operand] ?? null);
  const facts = seen.facts ?? operandFacts(node, names, operand, mask);
  const name = names.get(node) ?? node.op.name;
  const told: Told = {
    op: node.op.name,
    name,
    into: into === null ? name : nameOfResult(names, into),
    value: facts.find((f) => operand !== null && f.slot === slotName(node, operand))?.value ?? "",
    other: node.operands.flatMap((v, j) => (v === null || j === operand ? [] : [nameOfResult(names, v)])).join(", "),
    factor: seen.factor === undefined ? "" : numberText(seen.factor, 3),
  };
  const remedy = remedies[cause];
  return {
    cause,
    node,
    op: node.op.name,
    name,
    operand: operand === null ? null : slotName(node, operand),
    into: into === null ? null : told.into,
    upstream: seen.upstream ?? null,
    share: seen.share ?? null,
    facts,
    reason: seen.reason ?? words[cause](told),
    advice: seen.advice !== undefined ? seen.advice : remedy === undefined ? null : words[remedy],
    place: placeOf(node),
  };
}

/** The operands' values; of the one in question, the elements in question. */
function operandFacts(node: Node, names: ReadonlyMap<Node, string>, operand: number | null, mask: Mask): Fact[] {
  const found: Fact[] = [];
  node.operands.forEach((v, j) => {
    if (v === null) return;
    const t = dense(heldBy(v), v.type);
    found.push({ slot: slotName(node, j), name: nameOfResult(names, v), value: j === operand ? maskedText(t, mask) : tensorText(t) });
  });
  return found.slice(0, 8);
}

const shown = 6;

/** A tensor's marked elements in a line. */
function maskedText(t: Tensor, mask: Mask): string {
  if (mask === true || mask === null || t.data.length !== mask.length) return tensorText(t);
  const found: string[] = [];
  for (let i = 0; i < t.data.length && found.length <= shown; i++)
    if (mask[i] === 1) found.push(found.length === shown ? "…" : `[${i}]: ${numberText(t.data[i]!)}`);
  return found.join(", ");
}

/** What a finding is made of. */
export interface Parts {
  readonly trouble: Trouble;
  readonly pass: "forward" | "backward";
  readonly headline: string;
  readonly path: readonly Node[];
  readonly gates: readonly GateFinding[];
}

/** The finding with its renderings; the first of the gates is what was found. */
export function finished(parts: Parts, names: ReadonlyMap<Node, string>, words: FindingWords): Finding {
  const made = { ...parts.gates[0]!, ...parts, pathNames: parts.path.map((n) => names.get(n) ?? n.op.name) };
  return {
    ...made,
    text: () => findingText(made, words),
    markdown: () => findingMarkdown(made, words),
    latex: () => findingLatex(made, words),
    toJSON: () => jsonOf(made),
  };
}

function jsonOf({ trouble, pass, headline, pathNames, gates }: Omit<Finding, "text" | "markdown" | "latex" | "toJSON">): FindingJson {
  const number = (x: number | null): number | string | null => (x === null ? null : jsonNumber(x));
  return {
    trouble,
    pass,
    headline,
    path: pathNames,
    gates: gates.map((g) => ({
      cause: g.cause,
      op: g.op,
      name: g.name,
      operand: g.operand,
      into: g.into,
      upstream: number(g.upstream),
      share: number(g.share),
      facts: g.facts,
      reason: g.reason,
      advice: g.advice,
      source: g.place.text,
      line: g.place.line,
    })),
  };
}
