import { isFloat } from "../ir/dtype.ts";
import { constant } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import { tensor } from "../ir/tensor.ts";
import { cast, gather, matmul, reshape, transpose, where } from "../ops/index.ts";
import type { Application, Family } from "./application.ts";

/** How one axis is resized. */
interface Line {
  readonly axis: number;
  readonly from: number;
  readonly to: number;
  readonly scale: number;
  readonly roi: readonly [number, number] | null;
}

/** Where the place `x` of the result lies on the axis it is made from. Source: ONNX Operators.md, Resize, coordinate_transformation_mode. */
function origin(mode: string, x: number, { from, to, scale, roi }: Line): number {
  const width = scale * from;
  switch (mode) {
    case "align_corners":
      return width === 1 ? 0 : (x * (from - 1)) / (width - 1);
    case "asymmetric":
      return x / scale;
    case "tf_crop_and_resize": {
      const [low, high] = roi ?? [0, 1];
      return low * (from - 1) + (width === 1 ? ((high - low) * (from - 1)) / 2 : (x * (high - low) * (from - 1)) / (width - 1));
    }
    case "pytorch_half_pixel":
      return width === 1 ? -0.5 : (x + 0.5) / scale - 0.5;
    case "half_pixel_symmetric":
      return (from / 2) * (1 - to / width) + (x + 0.5) / scale - 0.5;
    default:
      return (x + 0.5) / scale - 0.5;
  }
}

function cubicWeight(distance: number, a: number): number {
  const d = Math.abs(distance);
  if (d <= 1) return (a + 2) * d ** 3 - (a + 3) * d ** 2 + 1;
  return d < 2 ? a * d ** 3 - 5 * a * d ** 2 + 8 * a * d - 4 * a : 0;
}

interface Filter {
  readonly cubic: boolean;
  readonly a: number;
  readonly antialias: boolean;
  readonly excludeOutside: boolean;
}

/** For each place of the result the weights of the places it is made from: a matrix [from, to]. */
function weightsOf(line: Line, mode: string, { cubic, a, antialias, excludeOutside }: Filter): Float64Array {
  const matrix = new Float64Array(line.from * line.to);
  // An antialiasing filter is stretched when the axis shrinks, so that more elements count.
  const stretch = antialias ? Math.min(line.scale, 1) : 1;
  const half = -(Math.floor(-(cubic ? 2 : 1) / stretch) + 1);
  for (let x = 0; x < line.to; x++) {
    const at = origin(mode, x, line);
    const before = Math.ceil(at) - 1;
    const taps: { place: number; weight: number }[] = [];
    for (let k = -half; k <= half + 1; k++) {
      const distance = (before + k - at) * stretch;
      taps.push({ place: before + k, weight: cubic ? cubicWeight(distance, a) : Math.max(0, 1 - Math.abs(distance)) });
    }
    if (excludeOutside) for (const tap of taps) if (tap.place < 0 || tap.place >= line.from) tap.weight = 0;
    const total = antialias || excludeOutside ? taps.reduce((s, { weight }) => s + weight, 0) : 1;
    for (const { place, weight } of taps) matrix[Math.min(line.from - 1, Math.max(0, place)) * line.to + x]! += weight / total;
  }
  return matrix;
}

function nearestPlace(at: number, mode: string): number {
  if (Number.isInteger(at)) return at;
  if (mode === "floor") return Math.floor(at);
  if (mode === "ceil") return Math.ceil(at);
  const ratio = at - Math.floor(at);
  return ratio < 0.5 || (ratio === 0.5 && mode === "round_prefer_floor") ? Math.floor(at) : Math.ceil(at);
}

/** A product with [from, to] along one axis. */
function along(x: Value, axis: number, matrix: Value): Value {
  const rank = x.type.shape.length;
  const axes = [...x.type.shape.map((_, i) => i).filter((i) => i !== axis), axis];
  const product = matmul(axis === rank - 1 ? x : transpose(x, { axes }), matrix);
  return axis === rank - 1 ? product : transpose(product, { axes: axes.map((_, i) => axes.indexOf(i)) });
}

/** The sizes and scales that a node asks for, axis by axis. */
function linesOf(
  n: Application,
  scales: readonly number[] | undefined,
  sizes: readonly number[] | undefined,
  roi: readonly number[] | undefined,
): Line[] {
  const { shape } = n.get(0).type;
  const axes = (n.ints("axes") ?? shape.map((_, i) => i)).map((a) => n.axis(a, shape.length));
  const list = scales ?? sizes ?? n.refuse("it has neither scales nor sizes");
  if (list.length !== axes.length) n.refuse(`it resizes ${axes.length} axes and has ${list.length} ${scales ? "scales" : "sizes"}`);
  const policy = n.text("keep_aspect_ratio_policy", "stretch");
  const ratios = axes.map((axis, i) => (scales ? scales[i]! : sizes![i]! / shape[axis]!));
  const common = policy === "not_larger" ? Math.min(...ratios) : policy === "not_smaller" ? Math.max(...ratios) : null;
  return axes.map((axis, i) => {
    const from = shape[axis]!;
    const scale = common ?? ratios[i]!;
    const to = scales ? Math.floor(from * scale) : common === null ? sizes![i]! : Math.floor(common * from + 0.5);
    return { axis, from, to, scale, roi: roi === undefined ? null : [roi[i]!, roi[i + axes.length]!] };
  });
}

/** Interpolation is linear in the data: axis by axis a product with a matrix of weights, or a gather. */
function resized(n: Application): Value {
  const old = n.opset < 11;
  const mode = n.text("coordinate_transformation_mode", old ? "asymmetric" : "half_pixel");
  const kind = n.text("mode", "nearest");
  const crop = mode === "tf_crop_and_resize";
  const given = n.op === "Upsample" && n.hasAttribute("scales") ? n.floats("scales") : n.knownOr(old ? 1 : 2, "its scales");
  const scales = given !== undefined && given.length > 0 ? given : undefined;
  const sizes = old || scales !== undefined ? undefined : n.knownOr(3, "its sizes");
  const lines = linesOf(n, scales, sizes, crop ? n.known(1, "its region") : undefined);
  const nearestMode = n.text("nearest_mode", old ? "floor" : "round_prefer_floor");
  const filter: Filter = {
    cubic: kind === "cubic",
    a: n.float("cubic_coeff_a", -0.75),
    antialias: n.int("antialias", 0) !== 0,
    excludeOutside: n.int("exclude_outside", 0) !== 0,
  };
  const { dtype } = n.get(0).type;
  const floating = isFloat(dtype);
  let x = kind === "nearest" || floating ? n.get(0) : cast(n.get(0), "f32");
  for (const line of lines) {
    if (line.to === line.from && line.scale === 1 && !crop) continue;
    if (kind === "nearest") {
      const places = Int32Array.from({ length: line.to }, (_, i) =>
        Math.min(line.from - 1, Math.max(0, nearestPlace(origin(mode, i, line), nearestMode))),
      );
      x = gather(x, constant(tensor(places)), { axis: line.axis });
    } else {
      const matrix = tensor(weightsOf(line, mode, filter), { kind: "type", dtype: "f64", shape: [line.from, line.to] });
      x = along(x, line.axis, cast(constant(matrix), x.type.dtype));
    }
  }
  if (crop) x = outside(x, lines, mode, n.float("extrapolation_value", 0));
  return x.type.dtype === dtype ? x : cast(x, dtype);
}

/** What lies outside the data gets one value. */
function outside(x: Value, lines: readonly Line[], mode: string, value: number): Value {
  let v = x;
  for (const line of lines) {
    const beyond = Array.from({ length: line.to }, (_, i) => {
      const at = origin(mode, i, line);
      return at < 0 || at > line.from - 1;
    });
    if (!beyond.includes(true)) continue;
    const mask = reshape(constant(tensor(beyond)), { shape: v.type.shape.map((_, i) => (i === line.axis ? line.to : 1)) });
    v = where(mask, value, v);
  }
  return v;
}

/** Interpolation. */
export const resizing: Family = { Resize: resized, Upsample: resized };
