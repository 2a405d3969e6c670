import type { PictureWords } from "../picture-words.ts";
import type { GradientState } from "../scene.ts";

/** A gradient as texts without styles show it. */
export function gradientCells(state: GradientState, below: string, words: PictureWords): string {
  if (state === "none") return words.noGradient;
  if (state === "not yet") return "·";
  return state === "zero" ? "0" : state === "unknown" ? "" : below;
}
