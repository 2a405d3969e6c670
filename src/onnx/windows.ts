import { samePadding } from "../ops/kernels/window.ts";
import type { Application } from "./application.ts";

/** Strides and dilations of a node, 1 where they are left out. */
export function spatial(n: Application, rank: number): { readonly stride: readonly number[]; readonly dilation: readonly number[] } {
  const ones = new Array<number>(rank).fill(1);
  return { stride: n.ints("strides") ?? ones, dilation: n.ints("dilations") ?? ones };
}

/** Padding before and after each spatial axis, `auto_pad` worked out from the sizes. */
export function alignedPads(
  n: Application,
  sizes: readonly number[],
  kernel: readonly number[],
  stride: readonly number[],
  dilation: readonly number[],
): readonly (readonly [number, number])[] {
  const auto = n.text("auto_pad", "NOTSET");
  if (auto === "SAME_UPPER" || auto === "SAME_LOWER")
    return sizes.map((size, i) => {
      const [low, high] = samePadding(size, kernel[i]!, stride[i]!, dilation[i]!);
      return auto === "SAME_UPPER" ? [low, high] : [high, low];
    });
  const pads = n.ints("pads");
  if (auto === "VALID" || pads === undefined) return sizes.map(() => [0, 0]);
  if (pads.length !== 2 * sizes.length)
    n.refuse(`pads has ${pads.length} numbers and there are ${sizes.length} spatial axes; two for each are wanted`);
  return sizes.map((_, i) => [pads[i]!, pads[i + sizes.length]!]);
}
