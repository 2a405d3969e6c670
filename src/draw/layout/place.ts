import type { Item } from "./layers.ts";
import { least } from "./spacing.ts";

/**
 * Gives every item its height in the picture. Each sweep moves a layer toward the ports it is wired to: the weighted least-squares heights that
 * keep the order and the gaps, found exactly and in linear time by pooling adjacent violators.
 */
export function placeLayers(layers: readonly Item[][]): void {
  for (const layer of layers) stack(layer);
  const most = layers.reduce((longest, { length }) => Math.max(longest, length), 0);
  const blocks: Blocks = {
    offset: new Float64Array(most),
    mean: new Float64Array(most),
    mass: new Float64Array(most),
    size: new Int32Array(most),
  };
  const sweep = (forward: boolean, inputs: boolean, outputs: boolean): void => {
    for (let i = 0; i < layers.length; i++) moveToward(layers[forward ? i : layers.length - 1 - i]!, blocks, inputs, outputs);
  };
  const isLarge = layers.reduce((sum, layer) => sum + layer.length, 0) > 4000;
  for (let round = isLarge ? 2 : 0; round < 6; round++) {
    sweep(true, true, false);
    sweep(false, false, true);
  }
  for (let round = isLarge ? 4 : 0; round < 10; round++) sweep(round % 2 === 0, true, true);
}

function stack(layer: readonly Item[]): void {
  let y = 0;
  for (let p = 0; p < layer.length; p++) {
    if (p > 0) y += least(layer[p - 1]!, layer[p]!);
    layer[p]!.y = y;
  }
  for (const item of layer) item.y -= y / 2;
}

/** Neighbours of one layer that have become one block: their weighted mean, their weight, their number. `offset` is each item's, from the first. */
interface Blocks {
  readonly offset: Float64Array;
  readonly mean: Float64Array;
  readonly mass: Float64Array;
  readonly size: Int32Array;
}

/** Isotonic regression: blocks that would violate the order merge and take their weighted mean. */
function moveToward(layer: readonly Item[], { offset, mean, mass, size }: Blocks, inputs: boolean, outputs: boolean): void {
  let blocks = 0;
  for (let p = 0; p < layer.length; p++) {
    const item = layer[p]!;
    let sum = 0;
    let total = 0;
    if (inputs) {
      for (const link of item.ins) {
        sum += link.stiffness * (link.from.y + link.fromOffset - link.toOffset);
        total += link.stiffness;
      }
    }
    if (outputs) {
      for (const link of item.outs) {
        sum += link.stiffness * (link.to.y + link.toOffset - link.fromOffset);
        total += link.stiffness;
      }
    }
    offset[p] = p > 0 ? offset[p - 1]! + least(layer[p - 1]!, item) : 0;
    mean[blocks] = (total > 0 ? sum / total : item.y) - offset[p]!;
    mass[blocks] = total > 0 ? total : 0.05;
    size[blocks++] = 1;
    while (blocks > 1 && mean[blocks - 2]! > mean[blocks - 1]!) {
      const b = --blocks;
      const a = b - 1;
      mean[a] = (mean[a]! * mass[a]! + mean[b]! * mass[b]!) / (mass[a]! + mass[b]!);
      mass[a]! += mass[b]!;
      size[a]! += size[b]!;
    }
  }
  for (let block = 0, p = 0; block < blocks; block++) {
    for (let i = 0; i < size[block]!; i++, p++) layer[p]!.y = mean[block]! + offset[p]!;
  }
}
