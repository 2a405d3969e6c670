import type { Tensor } from "../../ir/tensor.ts";

/** Counts over the elements of a tensor. */
export interface Measures {
  readonly size: number;
  readonly norm: number;
  /** The root mean square; 0 for no elements. */
  readonly rms: number;
  readonly nans: number;
  readonly infinities: number;
}

/** Norm and counts; NaN and infinities are counted apart, and left out of the norm. */
export function measuresOf(t: Pick<Tensor, "data">): Measures {
  const { data } = t;
  let sum = 0;
  let nans = 0;
  let infinities = 0;
  let largest = 0;
  for (let i = 0; i < data.length; i++) {
    const x = Math.abs(data[i]!);
    if (Number.isNaN(x)) nans++;
    else if (x === Number.POSITIVE_INFINITY) infinities++;
    else if (x > largest) largest = x;
  }
  // Scaled by the largest, so that squares neither overflow nor vanish.
  if (largest > 0)
    for (let i = 0; i < data.length; i++) {
      const x = data[i]! / largest;
      if (Number.isFinite(x)) sum += x * x;
    }
  const finite = data.length - nans - infinities;
  const norm = largest * Math.sqrt(sum);
  return { size: data.length, norm, rms: finite === 0 ? 0 : norm / Math.sqrt(finite), nans, infinities };
}

/** The share of a tensor's units that are off (at most 0) for every sample, and how many units there are. */
export function offUnits({ type: { shape }, data }: Tensor): { readonly share: number; readonly units: number; readonly samples: number } {
  // [samples, features], [samples, channels, height, width] and [samples, steps, features]; one vector or number is one sample.
  const rank = shape.length;
  const axis = rank < 2 ? 0 : rank === 4 ? 1 : rank - 1;
  const units = rank === 0 ? 1 : shape[axis]!;
  if (data.length === 0) return { share: 0, units, samples: 0 };
  let inner = 1;
  for (let i = axis + 1; i < rank; i++) inner *= shape[i]!;
  const on = new Uint8Array(units);
  for (let i = 0; i < data.length; i++) if (!(data[i]! <= 0)) on[Math.floor(i / inner) % units] = 1;
  let off = 0;
  for (const x of on) if (x === 0) off++;
  return { share: off / units, units, samples: data.length / units };
}
