import { GraphError } from "../ir/errors.ts";
import type { AnyGraph } from "../ir/graph.ts";
import type { Value } from "../ir/node.ts";
import { type PictureOptions, picture } from "./picture/picture.ts";

/** How to draw. */
export interface DrawOptions extends PictureOptions {
  /** The only format so far. */
  readonly format?: "svg";
  /** Show the picture after this many of its steps, forward and then backward, with the last one lit; all of them, unlit, when left out. */
  readonly step?: number;
  /** Show the backward pass after this many of its steps, with the last one lit. */
  readonly backwardSteps?: number;
}

/**
 * A picture as SVG text: of a scalar with its values above the wires and its gradients below, or of a graph with its shapes.
 * @throws GraphError for more than `maxItems` items, for a step past the end and for unknown formats; GradientError when `f` is a Value and no
 * floating-point scalar
 */
export function draw(f: Value | AnyGraph, { format = "svg", step, backwardSteps, ...options }: DrawOptions = {}): string {
  if (format !== "svg") throw new GraphError(`draw: format "${String(format)}" is not there; "svg" is`);
  const made = picture(f, options);
  return made.svg(step ?? (backwardSteps === undefined ? undefined : made.forwardSteps + backwardSteps));
}
