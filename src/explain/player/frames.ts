import type { PictureWords } from "../../draw/picture-words.ts";
import { renderSvg } from "../../draw/svg.ts";
import { GraphError } from "../../ir/errors.ts";
import type { Value } from "../../ir/node.ts";
import { type PictureOptions, picture } from "../picture/picture.ts";
import type { Step } from "../steps.ts";

/** The pictures of a walk: the first one whole, and what each step changes in it. */
export interface Frames {
  /** The picture before the first step, one per set of words. */
  readonly first: readonly string[];
  /** Elements that occur in any picture, each in every set of words. */
  readonly elements: readonly (readonly string[])[];
  /** By step, from the first picture on (0): which part shows which element. Parts are `i` items, `w` wires, `t` trunks with their places. */
  readonly changes: readonly (readonly (readonly [part: string, element: number])[])[];
}

/** The most steps of a page. Each step is a whole picture while the page is made. */
export const mostSteps: number = 600;

/**
 * Draws every step of both passes on one layout, so that nothing moves. In the forward pass the wires of gates that have not computed are empty.
 * @throws GraphError for a walk of more than `mostSteps` steps
 */
export function framesOf(f: Value, steps: readonly Step[], options: PictureOptions, words: readonly PictureWords[]): Frames {
  if (steps.length > mostSteps)
    throw new GraphError(
      `draw: the walk has ${steps.length} steps and a page shows up to ${mostSteps}; ask for fewer variables, explain a part of the graph, or draw it as svg`,
    );
  // The steps are those of `explain`, for which a call is one gate.
  const made = picture(f, { ...options, inline: false });
  const numbers = new Map<string, number>();
  const elements: (readonly string[])[] = [];
  const shown = new Map<string, number>();
  const changes: (readonly [string, number])[][] = [];
  let first: readonly string[] = [];
  for (let t = 0; t <= steps.length; t++) {
    const scene = made.scene(t);
    const pictures = words.map((w, language) => renderSvg(scene, made.layout, { words: w, ...(language > 0 && { language: "ko" }) }));
    if (t === 0) first = pictures;
    const [parts, ...others] = pictures.map(partsOf) as [Map<string, string>, ...Map<string, string>[]];
    const changed: (readonly [string, number])[] = [];
    for (const [part, text] of parts) {
      const all = [text, ...others.map((o) => o.get(part) ?? text)];
      const key = all.join("\n");
      let number = numbers.get(key);
      if (number === undefined) {
        number = elements.push(all) - 1;
        numbers.set(key, number);
      }
      if (shown.get(part) !== number) changed.push([part, number]);
      shown.set(part, number);
    }
    changes.push(changed);
  }
  return { first, elements, changes };
}

/** The elements of a rendered picture that a step may change, by part. The renderer writes each on a line of its own. */
function partsOf(svg: string): Map<string, string> {
  const parts = new Map<string, string>();
  let trunk = 0;
  for (const line of svg.split("\n")) {
    const own = /^<g class="[^"]*"[^>]*? data-(item|wire)="(\d+)"/.exec(line);
    if (own !== null) parts.set(`${own[1]![0]}${own[2]}`, line);
    else if (line.startsWith('<g class="cr-trunk')) parts.set(`t${trunk++}`, line);
  }
  return parts;
}
