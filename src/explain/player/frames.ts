import type { PictureWords } from "../../draw/picture-words.ts";
import { renderSvg } from "../../draw/svg.ts";
import { type SvgParts, svgParts } from "../../draw/svg-parts.ts";
import { trunkKey } from "../../draw/svg-wires.ts";
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
  const { layout } = made;
  const numbers = new Map<string, number>();
  const elements: (readonly string[])[] = [];
  const shown = new Map<string, number>();
  // What each part was drawn from: a part is drawn again only when that changes.
  const drawnFrom = new Map<string, string>();
  const changes: (readonly [string, number])[][] = [];
  let first: readonly string[] = [];
  for (let t = 0; t <= steps.length; t++) {
    const scene = made.scene(t);
    if (t === 0) first = words.map((w, language) => renderSvg(scene, layout, { words: w, ...(language > 0 && { language: "ko" }) }));
    const parts = words.map((w) => svgParts(scene, layout, w));
    const changed: (readonly [string, number])[] = [];
    const put = (part: string, source: string, draw: (p: SvgParts) => string): void => {
      if (drawnFrom.get(part) === source) return;
      drawnFrom.set(part, source);
      const all = parts.map(draw);
      const key = all.join("\n");
      let number = numbers.get(key);
      if (number === undefined) {
        number = elements.push(all) - 1;
        numbers.set(key, number);
      }
      if (shown.get(part) !== number) changed.push([part, number]);
      shown.set(part, number);
    };
    const flows = new Map<string, string>();
    scene.wires.forEach((wire, i) => {
      put(`w${i}`, JSON.stringify(wire), (p) => p.wire(i));
      const key = trunkKey(wire);
      flows.set(key, `${flows.get(key) ?? ""} ${wire.flow ?? ""} ${wire.gradient}`);
    });
    // A trunk's lines follow its wires.
    const sums = new Map((scene.trunks ?? []).map((trunk) => [trunkKey(trunk), JSON.stringify(trunk)]));
    layout.trunks.forEach((trunk, i) => {
      const key = trunkKey(trunk);
      put(`t${i}`, `${sums.get(key) ?? ""}${flows.get(key) ?? ""}`, (p) => p.trunk(i));
    });
    scene.items.forEach((item, i) => {
      put(`i${i}`, `${JSON.stringify(item)} ${item.id === scene.active}`, (p) => p.item(i));
    });
    changes.push(changed);
  }
  return { first, elements, changes };
}
