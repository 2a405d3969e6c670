// Importing a library costs reading it: every function is looked through for errors of syntax, used or not. Node can load a module in the middle of
// a call, so there the parts that few programs use wait until one of their functions is called. Pages cannot, and have bundlers that leave them out.
import { readFileSync } from "node:fs";
import { parseSync } from "rolldown/utils";
import { root } from "./entries.js";

/** Parts that wait, by where their modules are. What is in none of them is read at once. */
const parts = {
  reports: /^src\/(check|draw|explain)\//,
  kernels: /^src\/((ops|linalg)\/kernels|random)\//,
  loops: /^src\/((linalg|ops)\/)?loops\//,
  notation: /^src\/(notation|ir\/text)\//,
  derived: /^src\/(transforms|passes|autodiff|control|linalg)\//,
  programs: /^src\/engines\/[^/]+$/,
};
/** The first gradient needs these. */
const atOnce = /^src\/autodiff\/(grad|pullback|argument)\.ts$/;
const prefix = "\0lazy:";

/** @param {string} id */
function partOf(id) {
  const path = id.startsWith(root) ? id.slice(root.length) : "";
  if (atOnce.test(path)) return null;
  return Object.entries(parts).find(([, where]) => where.test(path))?.[0] ?? null;
}

/**
 * The functions that a module exports, with their parameters as a stand-in passes them on; null where it exports anything else: only a call can wait.
 * Loops have constants for one another beside: who is outside calls their functions.
 *
 * @param {string} id
 * @returns {Map<string, string> | null}
 */
function functionsOf(id) {
  const functions = new Map();
  for (const statement of parseSync(id, readFileSync(id, "utf8"), { lang: "ts" }).program.body) {
    if (statement.type === "ExportAllDeclaration" || statement.type === "ExportDefaultDeclaration") return null;
    if (statement.type !== "ExportNamedDeclaration" || statement.exportKind === "type") continue;
    const { declaration } = statement;
    if (declaration?.type === "TSDeclareFunction") continue;
    if (declaration?.type === "VariableDeclaration" && partOf(id) === "loops") continue;
    if (declaration?.type !== "FunctionDeclaration" || declaration.id === null) return null;
    const { params } = declaration;
    const many = params.at(-1)?.type === "RestElement";
    functions.set(declaration.id.name, many ? "...args" : params.map((_, i) => `a${i}`).join());
  }
  return functions.size > 0 ? functions : null;
}

/**
 * A plugin that puts a stand-in where a module of a part is imported from outside of it. A stand-in loads its part when one of its functions is called.
 *
 * @param {(part: string) => string} fileOf where the built part will be, from where the stand-ins will be
 */
export function lazyModules(fileOf) {
  /** @type {Map<string, Map<string, string> | null>} */
  const known = new Map();
  /** @param {string} id */
  const functions = (id) => {
    let found = known.get(id);
    if (found === undefined) known.set(id, (found = functionsOf(id)));
    return found;
  };
  /** @type {Map<string, Set<string>>} modules that have a stand-in, by part */
  const waiting = new Map(Object.keys(parts).map((part) => [part, new Set()]));
  /** @type {import("rolldown").Plugin} */
  const plugin = {
    name: "lazy-modules",
    async resolveId(source, importer, options) {
      if (source.startsWith(prefix)) return source;
      if (importer === undefined || importer.startsWith(prefix)) return null;
      const found = await this.resolve(source, importer, { ...options, skipSelf: true });
      const part = found === null ? null : partOf(found.id);
      if (found === null || part === null || part === partOf(importer) || functions(found.id) === null) return found;
      waiting.get(part)?.add(found.id);
      return `${prefix}${found.id}`;
    },
    load(id) {
      if (!id.startsWith(prefix)) return null;
      const name = id.slice(prefix.length);
      if (name === "load")
        return `import { createRequire } from "node:module"; let load; export const part = (file) => (load ??= createRequire(import.meta.url))(file);`;
      if (Object.hasOwn(parts, name))
        return [...(waiting.get(name) ?? [])]
          .map((m) => `export { ${[...(functions(m)?.keys() ?? [])]} } from ${JSON.stringify(m)};`)
          .join("\n");
      const file = JSON.stringify(fileOf(partOf(name) ?? ""));
      const lines = [...(functions(name) ?? [])].map(
        ([f, params]) => `let ${f}$; export function ${f}(${params}) { return (${f}$ ??= part(${file}).${f})(${params}); }`,
      );
      return `import { part } from "${prefix}load";\n${lines.join("\n")}`;
    },
  };
  return { plugin, waiting, partOf, entryOf: (/** @type {string} */ part) => prefix + part };
}
