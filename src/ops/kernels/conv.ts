import type { NumberArray } from "../../ir/dtype.ts";
import { product } from "./matmul.ts";
import { threeAxes, type WindowShape } from "./window.ts";

/**
 * A convolution x [batch, inChannels, ...input] * w [outChannels, inChannels / groups, ...kernel] -> y [batch, outChannels, ...output], all row-major.
 * Both channel counts are multiples of `groups`.
 */
export interface ConvShape extends WindowShape {
  readonly batch: number;
  readonly groups: number;
  readonly inChannels: number;
  readonly outChannels: number;
}

/** About how many doubles the matrix of windows may hold; larger outputs are worked off in stretches. */
const COLUMNS_LIMIT = 1 << 18;

/** What all three products share. */
interface Plan {
  readonly batch: number;
  readonly groups: number;
  /** Channels per group. */
  readonly inputs: number;
  readonly outputs: number;
  /** Elements of one channel of x, taps of the kernel, elements of one channel of y. */
  readonly area: number;
  readonly taps: number;
  readonly places: number;
  /** Output places per stretch. */
  readonly width: number;
  readonly window: WindowShape;
  /** For each place of the stretch, where its window starts, three coordinates. */
  readonly starts: Int32Array;
  /** For each place of the stretch, the element of a channel under the current tap; -1 in the padding. */
  readonly under: Int32Array;
  /** [inputs * taps, places of the stretch]: the elements that every window sees. */
  readonly columns: Float64Array;
}

function volume(sizes: readonly number[]): number {
  let count = 1;
  for (const size of sizes) count *= size;
  return count;
}

function planOf(shape: ConvShape): Plan {
  const inputs = shape.inChannels / shape.groups;
  const taps = volume(shape.kernel);
  const places = volume(shape.output);
  const rows = Math.max(1, inputs * taps);
  const width = Math.max(1, Math.min(places, Math.max(16, Math.floor(COLUMNS_LIMIT / rows))));
  return {
    batch: shape.batch,
    groups: shape.groups,
    inputs,
    outputs: shape.outChannels / shape.groups,
    area: volume(shape.input),
    taps,
    places,
    width,
    window: threeAxes(shape),
    starts: new Int32Array(3 * width),
    under: new Int32Array(width),
    columns: new Float64Array(rows * width),
  };
}

/** Fills `starts` for `count` places from `first` on. */
function findStarts(plan: Plan, first: number, count: number): void {
  const { starts, window } = plan;
  const [, height, width] = window.output as [number, number, number];
  const { stride, padding } = window;
  for (let i = 0; i < count; i++) {
    const place = first + i;
    const row = Math.floor(place / width);
    starts[3 * i] = Math.floor(row / height) * stride[0]! - padding[0]!;
    starts[3 * i + 1] = (row % height) * stride[1]! - padding[1]!;
    starts[3 * i + 2] = (place % width) * stride[2]! - padding[2]!;
  }
}

/** Fills `under` for a tap. */
function findUnder(plan: Plan, tap: number, count: number): void {
  const { starts, under, window } = plan;
  const [depth, height, width] = window.input as [number, number, number];
  const [, kernelHeight, kernelWidth] = window.kernel as [number, number, number];
  const row = Math.floor(tap / kernelWidth);
  const dz = Math.floor(row / kernelHeight) * window.dilation[0]!;
  const dy = (row % kernelHeight) * window.dilation[1]!;
  const dx = (tap % kernelWidth) * window.dilation[2]!;
  for (let i = 0; i < count; i++) {
    const z = starts[3 * i]! + dz;
    const y = starts[3 * i + 1]! + dy;
    const x = starts[3 * i + 2]! + dx;
    under[i] = z >= 0 && z < depth && y >= 0 && y < height && x >= 0 && x < width ? (z * height + y) * width + x : -1;
  }
}

/** columns = the elements of x's channels from `base` on that each window of the stretch sees, 0 in the padding. */
function readWindows(plan: Plan, x: NumberArray, base: number, first: number, count: number): void {
  const { inputs, taps, area, under, columns } = plan;
  findStarts(plan, first, count);
  for (let tap = 0; tap < taps; tap++) {
    findUnder(plan, tap, count);
    for (let channel = 0; channel < inputs; channel++) {
      const to = (channel * taps + tap) * count;
      const from = base + channel * area;
      for (let i = 0; i < count; i++) {
        const at = under[i]!;
        columns[to + i] = at < 0 ? 0 : x[from + at]!;
      }
    }
  }
}

/** The transpose of {@link readWindows}: adds each column element to the image element it was read from. */
function addWindows(plan: Plan, image: Float64Array, first: number, count: number): void {
  const { inputs, taps, area, under, columns } = plan;
  findStarts(plan, first, count);
  for (let tap = 0; tap < taps; tap++) {
    findUnder(plan, tap, count);
    for (let channel = 0; channel < inputs; channel++) {
      const from = (channel * taps + tap) * count;
      const to = channel * area;
      for (let i = 0; i < count; i++) {
        const at = under[i]!;
        if (at >= 0) image[to + at]! += columns[from + i]!;
      }
    }
  }
}

/**
 * y = x * w: cross-correlation (the kernel is not flipped), y[n, o, p] = sum over c, t of w[o, c, t] x[n, c, p stride + t dilation - padding].
 * The windows are laid out as the columns of a matrix (im2col; Chellapilla, Puri, Simard 2006) and multiplied. Sums in double, rounded once.
 */
export function convForward(x: NumberArray, w: NumberArray, y: NumberArray, shape: ConvShape): void {
  const plan = planOf(shape);
  const { batch, groups, inputs, outputs, area, taps, places, width, columns } = plan;
  const rows = inputs * taps;
  for (let item = 0; item < batch * groups; item++) {
    const group = item % groups;
    const weights = { offset: group * outputs * rows, row: rows, column: 1 };
    for (let first = 0; first < places; first += width) {
      const count = Math.min(width, places - first);
      readWindows(plan, x, item * inputs * area, first, count);
      const result = { offset: item * outputs * places + first, row: places, column: 1 };
      product(w, weights, columns, { offset: 0, row: count, column: 1 }, y, result, outputs, rows, count);
    }
  }
}

/**
 * dx = the transpose of {@link convForward} in x, applied to dy: its gradient with respect to x, and the transposed convolution of dy with w.
 * `shape` is that of the forward convolution. Sums in double, rounded once.
 */
export function convInputGradient(dy: NumberArray, w: NumberArray, dx: NumberArray, shape: ConvShape): void {
  const plan = planOf(shape);
  const { batch, groups, inputs, outputs, area, taps, places, width, columns } = plan;
  const rows = inputs * taps;
  const image = new Float64Array(inputs * area);
  for (let item = 0; item < batch * groups; item++) {
    const group = item % groups;
    const weights = { offset: group * outputs * rows, row: 1, column: rows };
    image.fill(0);
    for (let first = 0; first < places; first += width) {
      const count = Math.min(width, places - first);
      const given = { offset: item * outputs * places + first, row: places, column: 1 };
      product(w, weights, dy, given, columns, { offset: 0, row: count, column: 1 }, rows, outputs, count);
      addWindows(plan, image, first, count);
    }
    dx.set(image, item * inputs * area);
  }
}

/** dw = the transpose of {@link convForward} in w, applied to dy: its gradient with respect to w. Sums in double, rounded once. */
export function convWeightGradient(dy: NumberArray, x: NumberArray, dw: NumberArray, shape: ConvShape): void {
  const plan = planOf(shape);
  const { batch, groups, inputs, outputs, area, taps, places, width, columns } = plan;
  const rows = inputs * taps;
  const sums = new Float64Array(groups * outputs * rows);
  for (let item = 0; item < batch * groups; item++) {
    const group = item % groups;
    const result = { offset: group * outputs * rows, row: rows, column: 1 };
    for (let first = 0; first < places; first += width) {
      const count = Math.min(width, places - first);
      readWindows(plan, x, item * inputs * area, first, count);
      const given = { offset: item * outputs * places + first, row: places, column: 1 };
      product(dy, given, columns, { offset: 0, row: 1, column: count }, sums, result, outputs, count, rows, true);
    }
  }
  dw.set(sums);
}
