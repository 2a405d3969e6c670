// The architecture as a table and a checker: which folder may import which, no import cycles, no `any`, no code from outside.
// `test/architecture.test.ts` runs it over `src` and over planted violations.
import { parseSync } from "rolldown/utils";

/**
 * The level of every folder of `src`: a folder imports itself and folders of lower levels, never one of its own level.
 * Folders within one row of ARCHITECTURE.md that build on each other have a fraction.
 */
export const levels: Readonly<Record<string, number>> = {
  ir: 0,
  words: 0,
  files: 0.5,
  ops: 1,
  random: 1.1,
  loops: 0.9,
  linalg: 1.1,
  control: 1.1,
  evaluate: 2,
  notation: 2,
  autodiff: 3,
  passes: 3,
  transforms: 4,
  onnx: 4,
  check: 4.1,
  draw: 4,
  explain: 5,
  engines: 5,
  mpi: 5,
  nn: 6,
  optim: 6,
  data: 6,
  train: 7,
  finetune: 7,
  "(entry)": 8,
  cli: 9,
};

/** Folders that may import fewer folders than their level allows. */
export const narrowed: Readonly<Record<string, readonly string[]>> = { draw: ["ir"] };

/** Inside `ops/`: a file or folder imports itself and what stands before it. What is not named here (an index, a table) stands last. */
export const opsOrder: readonly string[] = [
  "kernels",
  "loops",
  "define",
  "identity",
  "arithmetic",
  "elementwise",
  "linear",
  "reduce",
  "contract",
  "composite",
];

/** Folders whose code may use Node's own modules. */
export const nodeFolders: readonly string[] = ["cli", "data"];

/** Names that say nothing about what is inside. */
export const emptyNames: readonly string[] = ["utils", "util", "helpers", "helper", "misc", "common"];

/** A rule that was broken: where, and what is wrong there. */
export type Violation = {
  readonly rule: "layer" | "cycle" | "any" | "outside" | "entry" | "name" | "parse";
  readonly file: string;
  readonly message: string;
};

type Source = {
  readonly imports: readonly string[];
  readonly anyAt: readonly number[];
  readonly entryOnly: boolean;
  readonly errors: readonly string[];
};

type SyntaxNode = { readonly type: string; readonly start: number } & Readonly<Record<string, unknown>>;

/** Statement kinds an entry may consist of: it only passes on what others declare. */
const passingOn: ReadonlySet<string> = new Set(["ImportDeclaration", "ExportAllDeclaration", "ExportNamedDeclaration"]);

function isSyntaxNode(value: unknown): value is SyntaxNode {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
}

/** Every node of the syntax tree below `root`, without recursion. */
function* walk(root: SyntaxNode): Generator<SyntaxNode> {
  const stack: unknown[] = [root];
  while (stack.length > 0) {
    const next = stack.pop();
    if (Array.isArray(next)) stack.push(...next);
    else if (isSyntaxNode(next)) {
      yield next;
      stack.push(...Object.values(next));
    }
  }
}

function readSource(file: string, text: string): Source {
  const { program, errors } = parseSync(file, text);
  const imports: string[] = [];
  const anyAt: number[] = [];
  for (const node of walk(program as unknown as SyntaxNode)) {
    if (node.type === "TSAnyKeyword") anyAt.push(text.slice(0, node.start).split("\n").length);
    const source = node["source"];
    if (isSyntaxNode(source) && typeof source["value"] === "string") imports.push(source["value"]);
  }
  const entryOnly = program.body.every((node) => passingOn.has(node.type) && !("declaration" in node && node.declaration));
  return { imports, anyAt, entryOnly, errors: errors.map(({ message }) => message) };
}

/** `ops/linear/pad.ts` and `../define.ts` to `ops/define.ts`. */
function resolve(from: string, to: string): string {
  const path = from.split("/").slice(0, -1);
  for (const part of to.split("/")) {
    if (part === "..") path.pop();
    else if (part !== ".") path.push(part);
  }
  return path.join("/");
}

function folderOf(file: string): string {
  const at = file.indexOf("/");
  return at < 0 ? "(entry)" : file.slice(0, at);
}

/** The place of a file of `ops/` in {@link opsOrder}. */
function opsPlace(file: string): number {
  const name = (file.split("/")[1] ?? "").replace(/\.ts$/, "");
  const place = opsOrder.indexOf(name);
  return place < 0 ? opsOrder.length : place;
}

/** Why `from` may not import `to`, or nothing where it may. */
function layerFault(from: string, to: string): string | undefined {
  const [upper, lower] = [folderOf(from), folderOf(to)];
  const [high, low] = [levels[upper], levels[lower]];
  if (high === undefined) return `folder ${upper}/ has no level; give it one in scripts/layers.ts`;
  if (low === undefined) return `imports ${to}, whose folder has no level; give it one in scripts/layers.ts`;
  if (upper === lower) {
    if (upper === "ops" && opsPlace(from) < opsPlace(to)) return `imports ${to}; inside ops/ imports go ${opsOrder.join(" <- ")}`;
    return undefined;
  }
  if (low >= high) return `${upper}/ (level ${high}) imports ${to} (level ${low}); imports point down only`;
  const allowed = narrowed[upper];
  if (allowed && !allowed.includes(lower)) return `${upper}/ imports ${to}; it may import ${allowed.join(", ")} only`;
  return undefined;
}

function outsideFault(file: string, target: string): string | undefined {
  if (target.startsWith("node:"))
    return nodeFolders.includes(folderOf(file)) ? undefined : `imports ${target}; only ${nodeFolders.join("/, ")}/ may use Node's modules`;
  return `imports ${target}; the package has no dependencies`;
}

/** One cycle of imports through each file that is in one, as the list of its files; a depth-first walk with its own stack. */
export function importCycles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const done = new Set<string>();
  const cycles: string[][] = [];
  for (const start of graph.keys()) {
    const path: string[] = [];
    const onPath = new Set<string>();
    const stack: { file: string; leave: boolean }[] = [{ file: start, leave: false }];
    while (stack.length > 0) {
      const { file, leave } = stack.pop()!;
      if (leave) {
        path.pop();
        onPath.delete(file);
        done.add(file);
      } else if (onPath.has(file)) cycles.push([...path.slice(path.indexOf(file)), file]);
      else if (!done.has(file)) {
        path.push(file);
        onPath.add(file);
        stack.push({ file, leave: true });
        for (const next of graph.get(file) ?? []) stack.push({ file: next, leave: false });
      }
    }
  }
  return cycles;
}

/** What is checked of one file by itself. */
function fileViolations(file: string, source: Source, files: ReadonlyMap<string, string>, entries: readonly string[]): Violation[] {
  const found: Violation[] = source.errors.map((message) => ({ rule: "parse", file, message }));
  for (const line of source.anyAt) found.push({ rule: "any", file, message: `line ${line} says any; write the type, or unknown` });
  for (const part of file.replace(/\.ts$/, "").split("/")) {
    if (emptyNames.includes(part)) found.push({ rule: "name", file, message: `${part} says nothing about what is inside` });
    if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(part)) found.push({ rule: "name", file, message: `${part} is not in kebab-case` });
  }
  if (entries.includes(file) && !source.entryOnly)
    found.push({ rule: "entry", file, message: "declares something; an entry only re-exports" });
  for (const target of source.imports) {
    if (!target.startsWith(".")) {
      const message = outsideFault(file, target);
      if (message) found.push({ rule: "outside", file, message });
      continue;
    }
    const to = resolve(file, target);
    if (!files.has(to)) found.push({ rule: "outside", file, message: `imports ${target}, which is no file of src` });
    const message = files.has(to) ? layerFault(file, to) : undefined;
    if (message) found.push({ rule: "layer", file, message });
  }
  return found;
}

/**
 * Every broken rule in a set of sources.
 *
 * @param files the text of each file by its path in `src`, `ops/linear.ts`
 * @param entries the files that are entries of the package, `index.ts`
 */
export function checkArchitecture(files: ReadonlyMap<string, string>, entries: readonly string[]): Violation[] {
  const sources = new Map([...files].map(([file, text]) => [file, readSource(file, text)] as const));
  const found = [...sources].flatMap(([file, source]) => fileViolations(file, source, files, entries));
  const graph = new Map(
    [...sources].map(([file, { imports }]) => [file, imports.filter((to) => to.startsWith(".")).map((to) => resolve(file, to))] as const),
  );
  for (const cycle of importCycles(graph))
    found.push({ rule: "cycle", file: cycle[0]!, message: `is in an import cycle: ${cycle.join(" -> ")}` });
  return found;
}
