// What the package exports, name by name, and the TSDoc of each: what `test/documented.test.ts` holds the sources to.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseSync } from "rolldown/utils";

/** One exported name. */
export interface PublicName {
  readonly name: string;
  /** The file that declares it. */
  readonly file: string;
  /** The text between its comment's marks, or null when it has no TSDoc. */
  readonly doc: string | null;
  /** Its declaration throws an error of its own, of which its TSDoc has to tell. */
  readonly throws: boolean;
}

interface Statement {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly source?: { readonly value: string } | null;
  readonly exported?: { readonly name: string } | null;
  readonly specifiers?: readonly { readonly local: { readonly name: string }; readonly exported: { readonly name: string } }[];
  readonly declaration?: Declared | null;
}

interface Declared {
  readonly type: string;
  readonly id?: { readonly name: string } | null;
  readonly declarations?: readonly { readonly id: { readonly name: string } }[];
}

/** The names that an entry exports, those of its namespaces as `random.key`. */
export function publicNames(entry: string): PublicName[] {
  const found = new Map<string, PublicName>();
  for (const name of namesOf(entry)) found.set(name.name, name);
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function namesOf(file: string): PublicName[] {
  const text = readFileSync(file, "utf8");
  const { program, comments } = parseSync(file, text);
  const docBefore = (start: number): string | null => {
    const last = comments.filter((c) => c.end <= start && c.type === "Block" && c.value.startsWith("*")).at(-1);
    // Annotations for bundlers and linters may stand between the comment and what it is about.
    const between =
      last === undefined ? "" : text.slice(last.end, start).replace(/\/\*\s*@__[A-Z_]+__\s*\*\/|\/\/ biome-ignore[^\n]*/g, "");
    return last === undefined || between.trim() !== "" ? null : last.value.replace(/^\*|\n\s*\*/g, "\n").trim();
  };
  const found: PublicName[] = [];
  let overload: string | null = null;
  for (const statement of program.body as unknown as readonly Statement[]) {
    const { source, declaration, specifiers } = statement;
    if (statement.type === "ExportAllDeclaration") {
      const inner = namesOf(join(dirname(file), source!.value));
      const prefix = statement.exported?.name;
      found.push(...(prefix === undefined ? inner : inner.map((x) => ({ ...x, name: `${prefix}.${x.name}` }))));
    } else if (statement.type === "ExportNamedDeclaration" && source != null) {
      const there = new Map(namesOf(join(dirname(file), source.value)).map((x) => [x.name, x]));
      for (const { local, exported } of specifiers ?? []) {
        const x = there.get(local.name);
        found.push({ ...(x ?? { file, doc: null, throws: false }), name: exported.name });
      }
    } else if (statement.type === "ExportNamedDeclaration" && declaration != null) {
      const doc = docBefore(statement.start);
      const throws = /\bthrow\b/.test(text.slice(statement.start, statement.end));
      for (const name of declaredNames(declaration)) {
        // Overloads are declared in a row; one comment, at any of them, is enough.
        const before = overload === name ? found.findLast((x) => x.name === name) : undefined;
        found.push({
          name,
          file,
          doc: [before?.doc, doc].filter((d) => d != null).join("\n") || null,
          throws,
        });
        overload = /Function/.test(declaration.type) ? name : null;
      }
    } else overload = null;
  }
  return found;
}

function declaredNames({ id, declarations }: Declared): string[] {
  return declarations === undefined ? (id == null ? [] : [id.name]) : declarations.map((d) => d.id.name);
}
