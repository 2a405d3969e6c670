import { type Shape, sizeOf } from "../../ir/shape.ts";

/** How a window moves over an image, as convolutions and pools store it. */
export interface Windows {
  readonly stride: readonly number[];
  readonly padding: readonly (readonly [number, number])[];
  readonly dilation: readonly number[];
  readonly groups: number;
}

/**
 * Calls `visit` for every product that a convolution adds up: flat places in the image `x` [N, C, ...], the weights [O, C / groups, ...kernel] and the
 * result `y` [N, O, ...]. All three products of a convolution, and pools, are made of the same terms.
 */
export function eachTap(
  x: Shape,
  kernel: Shape,
  y: Shape,
  { stride, padding, dilation, groups }: Windows,
  visit: (x: number, w: number, y: number) => void,
): void {
  const [samples, channels] = x as readonly [number, number];
  const outs = y[1]!;
  const space = y.slice(2);
  const [area, taps, image] = [sizeOf(space), sizeOf(kernel), sizeOf(x.slice(2))];
  const [inGroup, outGroup] = [channels / groups, outs / groups];
  for (let place = 0; place < area; place++) {
    const at = coordinates(place, space);
    for (let tap = 0; tap < taps; tap++) {
      const within = coordinates(tap, kernel);
      let from = 0;
      let inside = true;
      space.forEach((_, a) => {
        const p = at[a]! * stride[a]! + within[a]! * dilation[a]! - padding[a]![0];
        if (p < 0 || p >= x[a + 2]!) inside = false;
        from = from * x[a + 2]! + p;
      });
      if (!inside) continue;
      for (let n = 0; n < samples; n++)
        for (let o = 0; o < outs; o++) {
          const group = Math.floor(o / outGroup);
          for (let c = 0; c < inGroup; c++)
            visit((n * channels + group * inGroup + c) * image + from, (o * inGroup + c) * taps + tap, (n * outs + o) * area + place);
        }
    }
  }
}

function coordinates(flat: number, shape: Shape): number[] {
  const at = new Array<number>(shape.length);
  let rest = flat;
  for (let a = shape.length - 1; a >= 0; a--) {
    at[a] = rest % shape[a]!;
    rest = Math.floor(rest / shape[a]!);
  }
  return at;
}
