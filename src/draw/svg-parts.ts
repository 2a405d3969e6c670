import type { Layout } from "./layout/layout-scene.ts";
import type { PictureWords } from "./picture-words.ts";
import type { Scene } from "./scene.ts";
import { itemSvg } from "./svg.ts";
import { trunkKey, trunkSvg, wireSvg, wiresByOutput } from "./svg-wires.ts";

/** Parts of a picture as `renderSvg` writes them, one by one: for a page that changes single elements from step to step. */
export interface SvgParts {
  item(index: number): string;
  wire(index: number): string;
  /** By its place among the layout's trunks. */
  trunk(index: number): string;
}

/** The parts of a laid-out scene, made when they are asked for. */
export function svgParts(scene: Scene, layout: Layout, words: PictureWords): SvgParts {
  const names = new Map(scene.items.map((item) => [item.id, item.label]));
  const groups = wiresByOutput(scene);
  const sums = new Map((scene.trunks ?? []).map((trunk) => [trunkKey(trunk), trunk]));
  const shared = new Set(layout.trunks.filter((trunk) => trunk.dots.length > 0).map(trunkKey));
  return {
    item: (i) => itemSvg(scene.items[i]!, i, layout.items[i]!, scene.items[i]!.id === scene.active),
    wire: (i) => wireSvg(scene.wires[i]!, i, layout.wires[i]!, layout.direction, shared.has(trunkKey(scene.wires[i]!)), names, words),
    trunk: (i) => {
      const trunk = layout.trunks[i]!;
      return trunkSvg(trunk, layout.direction, sums.get(trunkKey(trunk)), groups.get(trunkKey(trunk)) ?? [], names, words);
    },
  };
}
