import { layoutScene } from "../draw/layout/layout-scene.ts";
import { renderSvg } from "../draw/svg.ts";
import { GraphError } from "../ir/errors.ts";
import { type Graph, isGraph } from "../ir/graph.ts";
import { isValue } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import { type SceneOptions, sceneOf, sceneOfGraph } from "./scene-of.ts";

/** How to draw. */
export interface DrawOptions extends SceneOptions {
  /** The only format so far. */
  readonly format?: "svg";
}

/**
 * A picture as SVG text: of a scalar with its values above the wires and its gradients below, or of a graph with its shapes.
 * @throws GraphError for more than 5,000 items and for unknown formats; GradientError when `f` is a Value and no floating-point scalar
 */
export function draw(f: Value | Graph<never, unknown>, { format = "svg", ...options }: DrawOptions = {}): string {
  if (format !== "svg") throw new GraphError(`draw: format "${String(format)}" is not there; "svg" is`);
  if (!isGraph(f) && !isValue(f)) throw new GraphError("draw: give a Value or a Graph");
  const scene = isGraph(f) ? sceneOfGraph(f, options) : sceneOf(f as Value, options);
  return renderSvg(scene, layoutScene(scene));
}
