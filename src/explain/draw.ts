import { renderDot } from "../draw/dot.ts";
import { renderMermaid } from "../draw/mermaid.ts";
import { renderTextPicture } from "../draw/text/text-picture.ts";
import { GraphError } from "../ir/errors.ts";
import type { AnyGraph } from "../ir/graph.ts";
import type { Value } from "../ir/node.ts";
import { type PictureOptions, picture } from "./picture/picture.ts";
import { wordsIn } from "./picture/words.ts";

/** What `draw` writes: SVG, Graphviz's DOT, a Mermaid flowchart, or a drawing in box characters. */
export type DrawFormat = "svg" | "dot" | "mermaid" | "text";

/** How to draw. */
export interface DrawOptions extends PictureOptions {
  /** `svg` when left out. */
  readonly format?: DrawFormat;
  /** Show the picture after this many of its steps, forward and then backward, with the last one lit; all of them, unlit, when left out. */
  readonly step?: number;
  /** Show the backward pass after this many of its steps, with the last one lit. */
  readonly backwardSteps?: number;
  /** For `text`: the most columns of a line, 80 when left out. */
  readonly columns?: number;
}

/**
 * A picture as text: of a scalar with its values above the wires and its gradients below, or of a graph with its shapes.
 * @throws GraphError for more than `maxItems` items, for a step past the end and for unknown formats; GradientError when `f` is a Value and no
 * floating-point scalar
 */
export function draw(f: Value | AnyGraph, { format = "svg", step, backwardSteps, columns, ...options }: DrawOptions = {}): string {
  if (!["svg", "dot", "mermaid", "text"].includes(format))
    throw new GraphError(`draw: format "${String(format)}" is not there; "svg", "dot", "mermaid" and "text" are`);
  const made = picture(f, options);
  const at = step ?? (backwardSteps === undefined ? undefined : made.forwardSteps + backwardSteps);
  if (format === "svg") return made.svg(at);
  const words = wordsIn(options.language ?? "en");
  if (format === "dot") return renderDot(made.scene(at), { words });
  if (format === "mermaid") return renderMermaid(made.scene(at), { words });
  return renderTextPicture(made.scene(at), { words, ...(columns !== undefined && { columns }) });
}
