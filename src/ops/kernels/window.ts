/** How a window slides over the spatial axes (1 to 3) of an input; one entry per axis. What lies beyond the input is padding. */
export interface WindowShape {
  readonly input: readonly number[];
  readonly kernel: readonly number[];
  readonly output: readonly number[];
  readonly stride: readonly number[];
  /** Padding before the first element; how much follows the last is told by `output`. Negative padding crops. */
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
}

/** How far a dilated kernel reaches: from its first tap to its last, both included. */
export function reachOf(kernel: number, dilation: number): number {
  return (kernel - 1) * dilation + 1;
}

/** The number of window places along an axis, floor((input + low + high - reach) / stride) + 1; 0 or less where the window does not fit. */
export function windowCount(input: number, kernel: number, stride: number, low: number, high: number, dilation: number): number {
  return Math.floor((input + low + high - reachOf(kernel, dilation)) / stride) + 1;
}

/**
 * {@link windowCount}, and one more where elements are left over, if that window, which reaches beyond the padding, starts inside the input or the padding
 * before it: PyTorch's ceil_mode.
 */
export function windowCountCeil(input: number, kernel: number, stride: number, low: number, high: number, dilation: number): number {
  const count = windowCount(input, kernel, stride, low, high, dilation);
  const leftOver = (input + low + high - reachOf(kernel, dilation)) % stride !== 0;
  return leftOver && count * stride < input + low ? count + 1 : count;
}

/** The output size of a transposed convolution, the inverse of {@link windowCount} up to `extra`, PyTorch's output_padding. */
export function transposedCount(
  count: number,
  kernel: number,
  stride: number,
  low: number,
  high: number,
  dilation: number,
  extra: number,
): number {
  return (count - 1) * stride - low - high + reachOf(kernel, dilation) + extra;
}

/**
 * The padding [low, high] with which an axis of `input` elements gives ceil(input / stride) windows; an odd element goes to the end, as in PyTorch's
 * padding "same" and ONNX SAME_UPPER.
 */
export function samePadding(input: number, kernel: number, stride: number, dilation: number): [number, number] {
  const total = Math.max(0, (Math.ceil(input / stride) - 1) * stride + reachOf(kernel, dilation) - input);
  const low = Math.floor(total / 2);
  return [low, total - low];
}

/** The same window over three axes, those it lacks of size 1 in front. */
export function threeAxes(shape: WindowShape): WindowShape {
  const missing = 3 - shape.input.length;
  const lead = (values: readonly number[], one: number): number[] => [...new Array<number>(missing).fill(one), ...values];
  return {
    input: lead(shape.input, 1),
    kernel: lead(shape.kernel, 1),
    output: lead(shape.output, 1),
    stride: lead(shape.stride, 1),
    padding: lead(shape.padding, 0),
    dilation: lead(shape.dilation, 1),
  };
}
