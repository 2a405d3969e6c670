import { isValue } from "../ir/leaf.ts";
import { scope } from "../ir/scope.ts";
import { leaves } from "../ir/tree.ts";
import { isRecord } from "../notation/given.ts";
import { checkParams } from "./layer-checks.ts";

/**
 * The path of a layer's parameters, read off the names of the Values among them: `blocks.0.attn` for a leaf that is called
 * `blocks.0.attn.out.w` and is at `out.w` in them. Null where they have no names. A `params.` before it says nothing and is left out.
 */
export function pathOf(params: unknown): string | null {
  if (!isRecord(params)) return null;
  for (const { leaf, path } of leaves(params)) {
    if (!isValue(leaf)) continue;
    const { label } = leaf.node;
    if (label === null || !label.endsWith(`.${path}`)) continue;
    const at = label.slice(0, -path.length - 1);
    return at === "params" ? null : at.replace(/^params\./, "");
  }
  return null;
}

/** What errors call a layer: its kind, and its path where it has one. */
export function layerName(kind: string, params: unknown, path?: string): string {
  const at = path ?? pathOf(params);
  return at === null ? kind : `${kind} ${at}`;
}

/**
 * Builds a layer inside a scope of its path, so that pictures fold by layer; of its kind where its parameters have no names.
 * @throws GraphError for what is no record of parameters, and where one that the layer needs is not in it
 */
export function inLayer<R>(kind: string, params: unknown, needs: readonly string[], build: () => R): R {
  checkParams(kind, layerName(kind, params), params, needs);
  return scope(pathOf(params) ?? kind, build);
}
