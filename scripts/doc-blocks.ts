// Runs the code blocks of a document and compares what they give with what the document says. `test/docs/` runs it over every page, and over
// planted mistakes; `npm run docs` runs it to write the outputs anew.
//
// A block that begins with an import starts a module; blocks after it without one go on in the same module.
//   read(f); // -> -12            the value of the statement; written decimals say how exactly to compare
//   log(tensor([])); // throws ShapeError: ...
//   draw(f); // -> pictures/f.svg a file beside the page holds the value
// What console.log prints has to stand in a ```text block that follows, or in a `// ->` on its line.
import { parseSync, transformSync } from "rolldown/utils";

/** A fenced block of a page. */
export interface Block {
  readonly language: string;
  readonly text: string;
  /** Line of the opening fence, from 1. */
  readonly line: number;
  /** Offsets of the text between the fences. */
  readonly from: number;
  readonly to: number;
}

/** What running needs of the world. */
export interface World {
  /** A module by its specifier. */
  load(specifier: string): Promise<Record<string, unknown>>;
  /** What a `npx chainrule` line prints; absent: such lines are faults. */
  readonly command?: (args: readonly string[]) => Promise<string>;
  /** The text of a file beside the page, if it is there. */
  file(path: string): string | undefined;
}

/** What a run found: faults to report, and the page and files as they should be. */
export interface Outcome {
  readonly faults: readonly string[];
  readonly page: string;
  readonly files: ReadonlyMap<string, string>;
  /** How many values, printed blocks and files were compared. */
  readonly compared: number;
}

interface Expectation {
  readonly kind: "value" | "throws";
  readonly text: string;
  /** Where the text stands in the page. */
  readonly from: number;
  readonly to: number;
  readonly line: number;
  readonly printed: boolean;
}

interface Edit {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/** The fenced blocks of a page, in order. */
export function blocksOf(page: string): Block[] {
  const found: Block[] = [];
  const fence = /^```([a-z]*)\n((?:(?!```)[^\n]*\n)*)```$/gm;
  for (const match of page.matchAll(fence)) {
    const from = match.index + 4 + match[1]!.length;
    found.push({ language: match[1]!, text: match[2]!, line: lineAt(page, match.index), from, to: from + match[2]!.length });
  }
  return found;
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}

/** Whether the written text says the same as what a run gave: words exactly, numbers to the decimals that are written. */
export function says(written: string, given: string): boolean {
  const number = /-?(?:\d+\.\d+|\d+)(?:e[+-]?\d+)?/g;
  const flat = (text: string): string => text.replace(/\s+/g, " ").trim();
  const [a, b] = [flat(written), flat(given)];
  if (a === b) return true;
  if (a.replace(number, "#") !== b.replace(number, "#")) return false;
  const got = b.match(number) ?? [];
  return (a.match(number) ?? []).every((text, i) => closeAsWritten(text, got[i]!));
}

function closeAsWritten(written: string, given: string): boolean {
  const parts = /^-?\d+(?:\.(\d+))?(?:e([+-]?\d+))?$/.exec(written);
  const decimals = parts?.[1]?.length ?? 0;
  if (written === given) return true;
  if (decimals === 0) return Number(written) === Number(given);
  const unit = 10 ** (Number(parts?.[2] ?? 0) - decimals);
  return Math.abs(Number(written) - Number(given)) <= 0.5 * unit * (1 + 1e-9);
}

type ToArray = (x: unknown) => unknown;

/** A value as pages write it. */
export function shown(x: unknown, toArray: ToArray): string {
  if (typeof x === "string") return x;
  if (typeof x === "number") return Object.is(x, -0) ? "-0" : String(x);
  if (typeof x === "bigint") return `${x}n`;
  if (typeof x !== "object" || x === null) return String(x);
  const { kind } = x as { kind?: unknown };
  if (kind === "value" || kind === "tensor") return shown(toArray(x), toArray);
  if (ArrayBuffer.isView(x)) return shown(Array.from(x as unknown as Iterable<unknown>), toArray);
  if (Array.isArray(x)) return `[${x.map((e) => shown(e, toArray)).join(", ")}]`;
  const entries = Object.entries(x).map(([key, value]) => `${key}: ${shown(value, toArray)}`);
  return entries.length === 0 ? "{}" : `{ ${entries.join(", ")} }`;
}

type Statement = { readonly type: string; readonly start: number; readonly end: number } & Readonly<Record<string, unknown>>;

/** The expectations of a block, by the statement they follow. */
function expectationsOf(
  block: Block,
  body: readonly Statement[],
  comments: readonly Comment[],
  faults: string[],
): Map<number, Expectation> {
  const found = new Map<number, Expectation>();
  for (const { type, value, start, end } of comments) {
    const match = /^ (->|throws) (.*)$/s.exec(value);
    if (type !== "Line" || match === null) continue;
    const line = block.line + lineAt(block.text, start);
    const at = body.findLastIndex((s) => s.start < start);
    const statement = body[at];
    if (statement === undefined || statement.end > start) {
      faults.push(`line ${line}: "//${value}" stands inside a statement; it has to follow one`);
      continue;
    }
    const earlier = found.get(at);
    const text = earlier === undefined ? match[2]! : `${earlier.text} ${match[2]}`;
    const printed = /^console\.log\(/.test(block.text.slice(statement.start));
    const from = earlier?.from ?? block.from + start + 4 + match[1]!.length;
    found.set(at, { kind: match[1] === "->" ? "value" : "throws", text, from, to: block.from + end, line, printed });
  }
  return found;
}

interface Comment {
  readonly type: string;
  readonly value: string;
  readonly start: number;
  readonly end: number;
}

/** An import as a line of a function: `const { a: b } = await $load("x");`. */
function importLine(statement: Statement): string {
  if (statement["importKind"] === "type") return "";
  const source = (statement["source"] as { value: string }).value;
  const load = `await $doc.load(${JSON.stringify(source)})`;
  const names: string[] = [];
  for (const s of statement["specifiers"] as (Statement & {
    local: { name: string };
    imported?: { name: string };
    importKind?: string;
  })[]) {
    if (s.importKind === "type") continue;
    if (s.type === "ImportNamespaceSpecifier") return `const ${s.local.name} = ${load};`;
    names.push(s.imported === undefined ? `default: ${s.local.name}` : `${s.imported.name}: ${s.local.name}`);
  }
  return names.length === 0 ? `${load};` : `const { ${names.join(", ")} } = ${load};`;
}

/** A block as lines that report to `$doc`. */
function instrument(block: Block, index: number, expected: Map<string, Expectation>, faults: string[]): { code: string; starts: boolean } {
  const parsed = parseSync(`block-${index}.ts`, block.text) as unknown as {
    program: { body: readonly Statement[] };
    comments: readonly Comment[];
    errors: readonly { message: string }[];
  };
  for (const { message } of parsed.errors) faults.push(`line ${block.line}: ${message}`);
  const { body } = parsed.program;
  const wanted = expectationsOf(block, body, parsed.comments, faults);
  const lines: string[] = [];
  body.forEach((statement, i) => {
    const text = block.text.slice(statement.start, statement.end);
    const e = wanted.get(i);
    const id = `${index}:${i}`;
    if (e !== undefined) expected.set(id, e);
    if (statement.type === "ImportDeclaration") lines.push(importLine(statement));
    else if (e?.kind === "throws") lines.push(`await $doc.throws("${id}", async () => { ${text} });`);
    else if (statement.type === "ExpressionStatement" && e !== undefined && !e.printed) {
      const { start, end } = statement["expression"] as Statement;
      lines.push(`$doc.value("${id}", (${block.text.slice(start, end)}));`);
    } else {
      if (e?.printed) lines.push(`$doc.listen("${id}");`);
      lines.push(statement.type === "ExportNamedDeclaration" ? text.replace(/^export\s+/, "") : text);
      if (e?.printed) lines.push("$doc.heard();");
      else if (e !== undefined) {
        const last = (statement["declarations"] as { id: Statement }[] | undefined)?.at(-1)?.id;
        if (last?.type === "Identifier") lines.push(`$doc.value("${id}", ${String(last["name"])});`);
        else faults.push(`line ${e.line}: nothing to compare with "${e.text}"; let it follow an expression or a const`);
      }
    }
  });
  return { code: lines.join("\n"), starts: body.some((s) => s.type === "ImportDeclaration") };
}

const AsyncFunction = (async () => {}).constructor as new (...text: string[]) => (...args: unknown[]) => Promise<void>;

/** Splits a command line at blanks, with quotes. */
export function wordsOf(line: string): string[] {
  return [...line.matchAll(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g)].map(([word]) => word.replace(/"([^"]*)"|'([^']*)'/g, (_, a, b) => a ?? b));
}

/** What a shell block gives: the outputs of its `npx chainrule` lines. */
async function runCommands(text: string, command: (args: readonly string[]) => Promise<string>): Promise<string> {
  let out = "";
  for (const line of text.split("\n")) if (line.startsWith("npx chainrule ")) out += await command(wordsOf(line).slice(2));
  return out;
}

/** Runs every block of a page. */
export async function runPage(page: string, world: World): Promise<Outcome> {
  const faults: string[] = [];
  const edits: Edit[] = [];
  const files = new Map<string, string>();
  const expected = new Map<string, Expectation>();
  const met = new Set<string>();
  const printed = new Map<number, string>();
  const blocks = blocksOf(page);
  const toArray = (await world.load("chainrule"))["toArray"] as ToArray;
  let compared = 0;
  let current = -1;
  let listening: string | null = null;
  let heard = "";

  const compare = (id: string, given: string): void => {
    const e = expected.get(id)!;
    met.add(id);
    compared++;
    if (/^\S+\.svg$/.test(e.text)) {
      files.set(e.text, given);
      if (world.file(e.text) !== given) faults.push(`line ${e.line}: ${e.text} is not what the statement gives; run npm run docs`);
    } else if (!says(e.text, given)) {
      faults.push(`line ${e.line}: the page says ${e.text}, the run gives ${given.trim()}`);
      edits.push({ from: e.from, to: e.to, text: given.trim().replace(/\s*\n\s*/g, " ") });
    }
  };
  const print = (...xs: unknown[]): void => {
    const line = `${xs.map((x) => shown(x, toArray)).join(" ")}\n`;
    if (listening === null) printed.set(current, (printed.get(current) ?? "") + line);
    else heard += line;
  };
  const doc = {
    load: world.load,
    enter: (index: number): void => {
      current = index;
    },
    value: (id: string, x: unknown): void => compare(id, shown(x, toArray)),
    throws: async (id: string, run: () => Promise<void>): Promise<void> => {
      let given = "nothing was thrown";
      try {
        await run();
      } catch (error) {
        given = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      }
      compare(id, given);
    },
    listen: (id: string): void => {
      listening = id;
      heard = "";
    },
    heard: (): void => {
      const id = listening!;
      listening = null;
      compare(id, heard);
    },
  };

  const modules: { line: number; code: string }[] = [];
  for (const [index, block] of blocks.entries()) {
    if (block.language !== "ts" && block.language !== "js") continue;
    const { code, starts } = instrument(block, index, expected, faults);
    const text = `$doc.enter(${index});\n${code}\n`;
    const last = modules.at(-1);
    if (starts || last === undefined) modules.push({ line: block.line, code: text });
    else last.code += text;
  }
  for (const { line, code } of modules) {
    try {
      const { code: js, errors } = transformSync("block.ts", code);
      for (const error of errors) faults.push(`line ${line}: ${String(error.message)}`);
      if (errors.length === 0) await new AsyncFunction("$doc", "console", js)(doc, { log: print });
    } catch (error) {
      faults.push(
        `line ${blocks[current]?.line ?? line}: the block fails: ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`,
      );
    }
  }
  for (const [id, e] of expected) if (!met.has(id)) faults.push(`line ${e.line}: "${e.text}" was never reached`);

  for (const [index, block] of blocks.entries()) {
    if (block.language !== "text") continue;
    const before = blocks.findLastIndex((b, i) => i < index && b.language !== "text");
    const source = blocks[before];
    let given = printed.get(before);
    if (source?.language === "sh" && /^npx chainrule /m.test(source.text)) {
      if (world.command === undefined) {
        faults.push(`line ${block.line}: there is no command line to run this with`);
        continue;
      }
      given = await runCommands(source.text, world.command);
    }
    printed.delete(before);
    compared++;
    if (given === undefined) faults.push(`line ${block.line}: nothing was printed before this text block`);
    else if (block.text.trimEnd() !== given.trimEnd()) {
      faults.push(`line ${block.line}: the page says\n${block.text.trimEnd()}\nand the run prints\n${given.trimEnd()}`);
      edits.push({ from: block.from, to: block.to, text: `${given.trimEnd()}\n` });
    }
  }
  for (const [index, text] of printed)
    faults.push(`line ${blocks[index]?.line}: the block prints what no text block after it shows: ${text.trim().slice(0, 200)}`);

  let fixed = page;
  for (const { from, to, text } of edits.sort((a, b) => b.from - a.from)) fixed = fixed.slice(0, from) + text + fixed.slice(to);
  return { faults, page: fixed, files, compared };
}
