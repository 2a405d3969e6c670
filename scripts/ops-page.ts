// docs/ops.md, made from the declarations: what an op's declaration says is written nowhere else.
import { parseSync } from "rolldown/utils";
import { variable } from "../src/ir/leaf.ts";
import type { Node } from "../src/ir/node.ts";
import type { AnyOp, Interval, Operand } from "../src/ir/op.ts";
import { infix } from "../src/notation/infix.ts";

interface Syntax {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

interface Declared {
  readonly name: string;
  readonly file: string;
  /** First sentence of its TSDoc. */
  readonly sentence: string;
  readonly signature: string;
}

/** The groups of the page: the folder of the declaration and the title. */
const groups: readonly (readonly [string, string, string])[] = [
  ["ops/arithmetic", "Arithmetic", "Elementwise; operands broadcast."],
  ["ops/elementwise/", "Elementwise", "Applied to every element; operands broadcast."],
  ["ops/linear/", "Linear and moving elements", "Each stands in one file with its transpose, which is its backward rule."],
  ["ops/identity", "Identities", ""],
  ["ops/reduce/", "Reductions", "Over the axes named by `axis`, all when it is left out; negative axes count from the end."],
  ["ops/contract/", "Contractions", ""],
  [
    "linalg/",
    "Linear algebra",
    "On the last two axes, leading axes being a batch; transforms along one axis. See [linear-algebra.md](linear-algebra.md).",
  ],
  ["ops/composite/", "Composites", "Functions made of the ops above: they appear in a graph as these, under a scope of their name."],
  ["random/", "Random numbers", "Used as `random.key(1)`, `random.normal(key, f64(3))`. The same key gives the same numbers."],
  ["control/", "Control", ""],
];

/** The sources of the declarations, by path below `src/`. */
export type Sources = ReadonlyMap<string, string>;

function isSyntax(x: unknown): x is Syntax {
  return typeof x === "object" && x !== null && typeof (x as { type?: unknown }).type === "string";
}

function list(x: unknown): readonly Syntax[] {
  return Array.isArray(x) ? x.filter(isSyntax) : [];
}

function nameIn(x: unknown): string {
  return isSyntax(x) && typeof x["name"] === "string" ? x["name"] : "";
}

/** The text of the doc comment that ends right before `at`, up to the end of its first sentence. */
function sentenceBefore(text: string, at: number): string {
  const comment = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*(?:\/\*(?:(?!\*\/)[\s\S])*\*\/\s*|\/\/[^\n]*\n)*$/.exec(text.slice(0, at));
  if (comment === null) return "";
  const words = comment[1]!
    .replace(/^\s*\* ?/gm, " ")
    .replace(/\s+/g, " ")
    .trim();
  return (/^.*?[.:](?= [A-Z]|$)/.exec(words.replace(/ @\w+ .*$/, ""))?.[0] ?? words).replace(/:$/, ".");
}

/** Types and interfaces by name, to write out attribute records. */
function typesOf(programs: readonly (readonly Syntax[])[]): Map<string, Syntax> {
  const found = new Map<string, Syntax>();
  for (const body of programs)
    for (const statement of body) {
      const inner = isSyntax(statement["declaration"]) ? statement["declaration"] : statement;
      if (inner.type === "TSInterfaceDeclaration" || inner.type === "TSTypeAliasDeclaration") found.set(nameIn(inner["id"]), inner);
    }
  return found;
}

function members(node: unknown, types: ReadonlyMap<string, Syntax>): string[] | null {
  if (!isSyntax(node)) return null;
  if (node.type === "TSTypeLiteral") return list(node["members"]).map((m) => nameIn(m["key"]) + (m["optional"] === true ? "?" : ""));
  if (node.type === "TSIntersectionType") return list(node["types"]).flatMap((t) => members(t, types) ?? []);
  if (node.type === "TSTypeReference") return members(types.get(nameIn(node["typeName"])), types);
  if (node.type === "TSTypeAliasDeclaration") return members(node["typeAnnotation"], types);
  if (node.type !== "TSInterfaceDeclaration") return null;
  const own = list((node["body"] as Syntax)["body"]).map((m) => nameIn(m["key"]) + (m["optional"] === true ? "?" : ""));
  const inherited = list(node["extends"]).flatMap((e) => members(types.get(nameIn(e["expression"])), types) ?? []);
  return [...own, ...inherited];
}

function annotation(node: Syntax): unknown {
  return isSyntax(node["typeAnnotation"]) ? node["typeAnnotation"]["typeAnnotation"] : undefined;
}

/** A list of parameters as users write the call. */
function parameters(params: readonly Syntax[], types: ReadonlyMap<string, Syntax>): string {
  return params
    .map((given) => {
      const rest = given.type === "RestElement";
      const p = given.type === "AssignmentPattern" ? (given["left"] as Syntax) : given;
      const record = members(annotation(p), types);
      const optional = given !== p || p["optional"] === true;
      if (record !== null) return `{ ${[...new Set(record)].join(", ")} }${optional ? "?" : ""}`;
      return rest ? `...${nameIn(given["argument"])}` : nameIn(p) + (optional ? "?" : "");
    })
    .join(", ");
}

function signatureOf(node: unknown, types: ReadonlyMap<string, Syntax>): string | null {
  if (!isSyntax(node)) return null;
  if (node.type === "TSFunctionType") return parameters(list(node["params"]), types);
  if (node.type === "TSTypeAliasDeclaration") return signatureOf(node["typeAnnotation"], types);
  if (node.type !== "TSTypeReference") return null;
  const name = nameIn(node["typeName"]);
  if (name === "Op") return signatureOf(list((node["typeArguments"] as Syntax)["params"])[0], types);
  return signatureOf(types.get(name), types);
}

/** What the sources export as values, with the first sentence of the comment and the signature. */
function declarationsIn(sources: Sources): Declared[] {
  const programs = new Map([...sources].map(([file, text]) => [file, parseSync(file, text).program.body as unknown as Syntax[]] as const));
  const types = typesOf([...programs.values()]);
  const found: Declared[] = [];
  for (const [file, body] of programs)
    for (const statement of body) {
      const inner = statement["declaration"];
      if (statement.type !== "ExportNamedDeclaration" || !isSyntax(inner)) continue;
      const sentence = sentenceBefore(sources.get(file)!, statement.start);
      if (inner.type === "VariableDeclaration")
        for (const d of list(inner["declarations"])) {
          const id = d["id"] as Syntax;
          const signature = signatureOf(annotation(id), types);
          if (signature !== null) found.push({ name: nameIn(id), file, sentence, signature });
        }
      else if (inner.type === "FunctionDeclaration" || inner.type === "TSDeclareFunction") {
        const name = nameIn(inner["id"]);
        if (!found.some((f) => f.name === name && f.file === file))
          found.push({ name, file, sentence, signature: parameters(list(inner["params"]), types) });
      }
    }
  return found;
}

function isOp(x: unknown): x is AnyOp & ((...operands: Operand[]) => Node) {
  return typeof x === "function" && "slots" in x && "facts" in x;
}

function intervalText({ min, max, open, nonzero }: Interval, name: string): string {
  if (nonzero === true) return `${name} ≠ 0`;
  const sign = open === true ? "<" : "≤";
  return `${min === undefined ? "" : `${min} ${sign} `}${name}${max === undefined ? "" : ` ${sign} ${max}`}`;
}

/** A factor, in brackets when it is more than a name or a call. */
function bracketed(formula: string): string {
  const text = formula.replace(/\n/g, "; ");
  let depth = 0;
  for (const c of text) {
    depth += c === "(" ? 1 : c === ")" ? -1 : 0;
    if (c === " " && depth === 0) return `(${text})`;
  }
  return text.startsWith("-") ? `(${text})` : text;
}

/** The local derivatives of an elementwise op as our own printer writes them. */
function localText(op: AnyOp & ((...operands: Operand[]) => Node)): string {
  const { slots, facts } = op;
  if (facts.local === null) return "";
  for (const dtype of ["f64", "bool"] as const) {
    try {
      const operands = slots.map(({ name }) => variable(0.5, name));
      const local = facts.local(dtype === "f64" ? op(...operands) : op(...slots.map(() => variable(true, "x"))));
      return slots
        .map(({ name }, i) => {
          const d = local[i] ?? 0;
          return `d${name} = ${d === 1 ? "dy" : d === -1 ? "-dy" : typeof d === "object" ? `dy · ${bracketed(infix(d as Node))}` : String(d)}`;
        })
        .join(", ");
    } catch {
      // Ops of truth values do not take numbers.
    }
  }
  return "";
}

/** The backward rule in a cell. */
function backwardText(op: AnyOp & ((...operands: Operand[]) => Node)): string {
  const { formula } = op.facts;
  if (op.pull === null) return "none by nature";
  const text = formula === null ? localText(op) : Object.values(formula).join(", ");
  return text === "" ? "" : `\`${text}\``;
}

function cell(text: string): string {
  return text.replace(/\|/g, "\\|");
}

function row({ name, sentence, signature }: Declared, made: unknown, prefix: string): string {
  const call = `\`${prefix}${name}(${signature})\``;
  if (!isOp(made)) return `| ${cell(call)} | ${cell(sentence)} | | |`;
  const { symbol, facts } = made;
  const marks = [
    symbol === null ? "" : `\`${symbol}\``,
    facts.linear === null ? "" : facts.linear === "all" ? "linear" : `linear in ${facts.linear.join(", ")}`,
  ];
  const domain = Object.entries(facts.domain).map(([slot, interval]) => intervalText(interval, slot));
  return `| ${cell(call)} | ${cell(sentence)} | ${cell([...marks, ...domain].filter((t) => t !== "").join("; "))} | ${cell(backwardText(made))} |`;
}

/**
 * The page.
 * @param sources the texts of `src/ops`, `src/linalg`, `src/random` and `src/control` by path below `src/`
 * @param exported what the package exports
 */
export function opsPage(sources: Sources, exported: Readonly<Record<string, unknown>>): string {
  const declared = declarationsIn(sources);
  const random = exported["random"] as Readonly<Record<string, unknown>>;
  const out = [
    "# Ops",
    "",
    "Made from the declarations by `npm run docs`; do not edit. An op is called with its operands, then one record of attributes; a `?` marks what may",
    "be left out. `dy` is the gradient that arrives (upstream), `dx` the gradient that operand `x` gets; capital letters are tensors. Broadcast operands get",
    "their gradient summed back to their own shape, which no rule has to say. Kinks and ties are in [conventions.md](conventions.md).",
  ];
  let count = 0;
  for (const [folder, title, note] of groups) {
    const here = folder === "random/" ? random : exported;
    const rows = declared
      .filter(({ file, name }) => file.startsWith(folder) && name in here && name !== "unary" && name !== "binary")
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    count += rows.length;
    out.push("", `## ${title}`, "", ...(note === "" ? [] : [note, ""]), "| call | what it gives | facts | backward |", "|---|---|---|---|");
    for (const declaration of rows) out.push(row(declaration, here[declaration.name], folder === "random/" ? "random." : ""));
  }
  return `${out.join("\n")}\n\n${count} functions.\n`;
}
