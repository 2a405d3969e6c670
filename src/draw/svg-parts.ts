import type { Layout } from "./layout/layout-scene.ts";
import type { PictureWords } from "./picture-words.ts";
import type { Scene, SceneWire } from "./scene.ts";
import { groupSvg, itemSvg, titleSvg } from "./svg.ts";
import { dotsSvg, trunkKey, trunkSvg, wireSvg, wiresByOutput } from "./svg-wires.ts";

/** Parts of a picture as `renderSvg` writes them, one by one: for a page that changes single elements from step to step. */
export interface SvgParts {
  item(index: number): string;
  wire(index: number): string;
  /** By its place among the layout's trunks. */
  trunk(index: number): string;
  /** The dots where a trunk's branches part; they are the same at every step. */
  dots(trunk: number): string;
  /** The frame of an open module, and its title. */
  group(index: number): string;
  groupTitle(index: number): string;
}

/** The parts of a laid-out scene, made when they are asked for. */
export function svgParts(scene: Scene, layout: Layout, words: PictureWords): SvgParts {
  const names = new Map(scene.items.map((item) => [item.id, item.label]));
  // Trunks alone ask for it, and few of them are drawn at a step.
  let groups: Map<string, SceneWire[]> | null = null;
  const sums = new Map((scene.trunks ?? []).map((trunk) => [trunkKey(trunk), trunk]));
  const shared = new Set(layout.trunks.filter((trunk) => trunk.dots.length > 0).map(trunkKey));
  return {
    item: (i) => itemSvg(scene.items[i]!, i, layout.items[i]!, scene.items[i]!.id === scene.active),
    wire: (i) => wireSvg(scene.wires[i]!, i, layout.wires[i]!, layout.direction, shared.has(trunkKey(scene.wires[i]!)), names, words),
    trunk: (i) => {
      const trunk = layout.trunks[i]!;
      return trunkSvg(
        trunk,
        layout.direction,
        sums.get(trunkKey(trunk)),
        (groups ??= wiresByOutput(scene)).get(trunkKey(trunk)) ?? [],
        names,
        words,
      );
    },
    dots: (i) => dotsSvg(layout.trunks[i]!),
    group: (g) => groupSvg(scene.groups![g]!, g, layout.groups[g]!),
    groupTitle: (g) => titleSvg(scene.groups![g]!, layout.groups[g]!),
  };
}
