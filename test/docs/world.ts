import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The project's folder, with a slash at its end. */
export const root: string = fileURLToPath(new URL("../../", import.meta.url));

/** Whether pages are written anew (`npm run docs`) or compared. */
export const writing: boolean = process.env["CHAINRULE_DOCS"] === "write";

/** A module as a user's program gets it: the package's entries from their sources, and Node's own. */
export async function load(specifier: string): Promise<Record<string, unknown>> {
  // Optional peers that a user imports and hands over.
  if (specifier.startsWith("node:") || specifier === "onnxruntime-node")
    return (await import(/* @vite-ignore */ specifier)) as Record<string, unknown>;
  const { exports } = JSON.parse(readFileSync(`${root}package.json`, "utf8")) as { exports: Record<string, string | { default: string }> };
  const target = exports[specifier.replace(/^chainrule/, ".")];
  if (!/^chainrule(\/|$)/.test(specifier) || typeof target !== "object") throw new Error(`the package has no entry ${specifier}`);
  const source = target.default.replace("./dist/", "../../src/").replace(/\.js$/, ".ts");
  return (await import(/* @vite-ignore */ source)) as Record<string, unknown>;
}

/** The pages whose blocks run, by their paths in the project. */
export function pages(): string[] {
  const docs = readdirSync(`${root}docs`, { recursive: true, encoding: "utf8" }).map((file) => `docs/${file.replaceAll("\\", "/")}`);
  return ["README.md", "ARCHITECTURE.md", ...docs.filter((file) => file.endsWith(".md")).sort()].filter((file) => existsSync(root + file));
}
