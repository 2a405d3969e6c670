// Finds every message of our error family in the sources, and which of them no test speaks of: errors are lessons, and each lesson has a test.
import { parseSync } from "rolldown/utils";

/** A message as it stands in a source: the texts between its values. */
export interface Message {
  readonly file: string;
  readonly line: number;
  readonly texts: readonly string[];
}

/** A node of the parsed source. */
export interface Syntax {
  readonly type: string;
  readonly start: number;
  readonly [key: string]: unknown;
}

/** Whether something is a node of the parsed source. */
export function isSyntax(x: unknown): x is Syntax {
  return typeof x === "object" && x !== null && typeof (x as { type?: unknown }).type === "string";
}

/** The fixed texts of an expression that makes a message. */
function textsOf(node: unknown): string[] {
  if (!isSyntax(node)) return [];
  if (node.type === "Literal") return typeof node["value"] === "string" ? [node["value"]] : [];
  if (node.type === "TemplateLiteral") return (node["quasis"] as { value: { cooked: string } }[]).map((q) => q.value.cooked);
  if (node.type === "ConditionalExpression") return [...textsOf(node["consequent"]), ...textsOf(node["alternate"])];
  if (node.type === "BinaryExpression") return [...textsOf(node["left"]), ...textsOf(node["right"])];
  return [];
}

/** The names of our errors but for `InternalError`, which is for our own bugs. */
export const family: RegExp = /^(Shape|DType|Domain|Numeric|Gradient|Parse|Engine|Graph)Error$/;

/** The messages of `new XError(...)` in a source. Our own bugs (`InternalError`) are not lessons. */
export function messagesIn(file: string, source: string): Message[] {
  const found: Message[] = [];
  if (!/new (Shape|DType|Domain|Numeric|Gradient|Parse|Engine|Graph)Error\(/.test(source)) return found; // most files: not worth parsing
  const open: unknown[] = [parseSync(file, source).program];
  while (open.length > 0) {
    const node = open.pop();
    if (Array.isArray(node)) open.push(...(node as unknown[]));
    else if (isSyntax(node)) {
      const callee = node["callee"];
      if (node.type === "NewExpression" && isSyntax(callee) && family.test(String(callee["name"]))) {
        const texts = textsOf((node["arguments"] as unknown[])[0]).filter((t) => t.trim().length >= 4);
        if (texts.length > 0) found.push({ file, line: source.slice(0, node.start).split("\n").length, texts });
      }
      for (const value of Object.values(node)) if (typeof value === "object" && value !== null) open.push(value);
    }
  }
  return found.sort((a, b) => a.line - b.line);
}

const span = 14;
const places: number = 2 ** 24;

/** Which stretches of 14 characters a text may have: a bit for the hash of each, so that most of what it has not is known without a search. */
export function stretchesOf(text: string): Uint8Array {
  const bits = new Uint8Array(places / 8);
  for (let i = 0; i + span <= text.length; i++) {
    const h = hashAt(text, i);
    bits[h >> 3] = bits[h >> 3]! | (1 << (h & 7));
  }
  return bits;
}

function hashAt(text: string, from: number): number {
  let h = 0;
  for (let i = from; i < from + span; i++) h = Math.imul(h, 31) + text.charCodeAt(i);
  return (h ^ (h >>> 15)) & (places - 1);
}

/** Whether a text stands in others, whose `stretchesOf` these are; of a longer one all stretches have to be there, which no text but itself is likely to have. */
export function standsIn(text: string, others: string, stretches: Uint8Array): boolean {
  if (text.length < 2 * span) return others.includes(text);
  for (let i = 0; i + span <= text.length; i++) {
    const h = hashAt(text, i);
    if ((stretches[h >> 3]! & (1 << (h & 7))) === 0) return false;
  }
  return true;
}

/** Whether some stretch of a message's fixed text stands in the tests, whose `stretchesOf` these are. */
export function isTested({ texts }: Message, tests: string, stretches: Uint8Array = stretchesOf(tests)): boolean {
  return texts.some((text) => {
    if (text.length <= span) return text.trim().length >= 8 && tests.includes(text.trim());
    for (let i = 0; i + span <= text.length; i++) {
      const h = hashAt(text, i);
      if ((stretches[h >> 3]! & (1 << (h & 7))) !== 0 && tests.includes(text.slice(i, i + span))) return true;
    }
    return false;
  });
}
