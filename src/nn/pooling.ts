import { DomainError, ShapeError } from "../ir/errors.ts";
import { lift } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import type { Operand } from "../ir/op.ts";
import { scope } from "../ir/scope.ts";
import { sizeOf } from "../ir/shape.ts";
import { tensor } from "../ir/tensor.ts";
import { tensorType, typeText } from "../ir/type.ts";
import { matmul } from "../ops/contract/matmul.ts";
import { maxPool } from "../ops/contract/pool.ts";
import { gather } from "../ops/linear/gather.ts";
import { reshape } from "../ops/linear/reshape.ts";
import { transpose } from "../ops/linear/transpose.ts";
import { mean } from "../ops/reduce/mean.ts";

/** Which axis is the first that is joined; 1 when left out, so that examples stay apart. */
export interface FlattenOptions {
  readonly from?: number;
}

/** Joins all axes of x from axis 1 on into one: [N, C, H, W] to [N, C H W]. @throws ShapeError for an x with fewer axes */
export function flatten(x: Operand, { from = 1 }: FlattenOptions = {}): Value {
  const v = lift(x, "f64");
  const { shape } = v.type;
  if (!Number.isInteger(from) || from < 0 || from > shape.length)
    throw new ShapeError(`flatten: x is ${typeText(v.type)} and the first axis to join is ${from}; x has ${shape.length} axes`, {
      op: "flatten",
    });
  return reshape(v, { shape: [...shape.slice(0, from), sizeOf(shape.slice(from))] });
}

function checkSpace(who: string, v: Value): readonly number[] {
  if (v.type.shape.length < 3)
    throw new ShapeError(`${who}: x is ${typeText(v.type)}; it is [N, C, ...space] with a spatial axis or more`, { op: who });
  return v.type.shape.slice(2);
}

/** The mean of each channel over all space: x [N, C, ...space], result [N, C]. @throws ShapeError for an x without space */
export function globalAveragePool(x: Operand): Value {
  const v = lift(x, "f64");
  const space = checkSpace("globalAveragePool", v);
  return mean(v, { axis: space.map((_, i) => i + 2) });
}

/** Space and the sizes it shall have, one per axis. @throws ShapeError, DomainError for sizes that do not fit */
function checkAdaptive(
  who: string,
  v: Value,
  size: number | readonly number[],
): { readonly space: readonly number[]; readonly wanted: readonly number[] } {
  const space = checkSpace(who, v);
  const wanted = typeof size === "number" ? space.map(() => size) : size;
  if (wanted.length !== space.length)
    throw new ShapeError(`${who}: there are ${wanted.length} sizes and ${space.length} spatial axes; give one size, or one per axis`, {
      op: who,
    });
  for (const n of wanted)
    if (!Number.isInteger(n) || n < 1) throw new DomainError(`${who}: a size is ${n}; sizes are whole numbers of 1 or more`, { op: who });
  return { space, wanted };
}

/** From where to where place i of n goes. */
function windowOf(place: number, n: number, from: number): readonly [low: number, high: number] {
  return [Math.floor((place * from) / n), Math.ceil(((place + 1) * from) / n)];
}

/**
 * Means over windows chosen so that space comes out in this size, whatever it was: place i of n covers floor(i size / n) up to ceil((i + 1) size / n), as
 * PyTorch's AdaptiveAvgPool. x [N, C, ...space].
 * @throws ShapeError for an x without space or a size for another number of axes; DomainError for sizes that are no whole numbers of 1 or more
 */
export function adaptiveAveragePool(x: Operand, size: number | readonly number[]): Value {
  const who = "adaptiveAveragePool";
  const v = lift(x, "f64");
  const { space, wanted } = checkAdaptive(who, v, size);
  return scope(who, () =>
    wanted.reduce((out, n, i) => {
      const from = space[i]!;
      const axis = i + 2;
      const last = out.type.shape.length - 1;
      const axes = out.type.shape.map((_, a) => (a === axis ? last : a === last ? axis : a));
      const weights = new Float64Array(from * n);
      for (let place = 0; place < n; place++) {
        const [low, high] = windowOf(place, n, from);
        for (let t = low; t < high; t++) weights[t * n + place] = 1 / (high - low);
      }
      return transpose(matmul(transpose(out, { axes }), tensor(weights, tensorType(v.type.dtype, [from, n]))), { axes });
    }, v),
  );
}

/**
 * The largest number of each of these windows, as PyTorch's AdaptiveMaxPool; of equal ones the first has the gradient, NaN wins. x [N, C, ...space].
 * @throws ShapeError for an x without space or a size for another number of axes; DomainError for sizes that are no whole numbers of 1 or more
 */
export function adaptiveMaxPool(x: Operand, size: number | readonly number[]): Value {
  const who = "adaptiveMaxPool";
  const v = lift(x, "f64");
  const { space, wanted } = checkAdaptive(who, v, size);
  return scope(who, () => {
    // Windows side by side, all as long as the longest: what one lacks is its last element once more, which is never the first of equal ones.
    const widths = wanted.map((n, i) => Math.max(...Array.from({ length: n }, (_, p) => lengthOf(windowOf(p, n, space[i]!)))));
    const apart = wanted.reduce((out, n, i) => {
      const [from, width] = [space[i]!, widths[i]!];
      if (n * width === from) return out;
      const places = Int32Array.from({ length: n * width }, (_, k) => {
        const [low, high] = windowOf(Math.floor(k / width), n, from);
        return Math.min(low + (k % width), high - 1);
      });
      return gather(out, places, { axis: i + 2 });
    }, v);
    return maxPool(apart, { size: widths });
  });
}

function lengthOf([low, high]: readonly [number, number]): number {
  return high - low;
}
