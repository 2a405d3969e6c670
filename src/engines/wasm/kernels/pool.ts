import { sizeOf } from "../../../ir/shape.ts";
import { reachOf, threeAxes, type WindowShape } from "../../../ops/kernels/window.ts";
import { v128 } from "../encoder.ts";
import { cells, type Kernel, type KernelCode, type KernelRow } from "../kernel.ts";

interface Windows {
  readonly size: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly (readonly [number, number])[];
  readonly dilation: readonly number[];
  readonly countIncludePad?: boolean;
}

interface Pool extends WindowShape {
  readonly planes: number;
  readonly high: readonly number[];
  /** Whether every window lies in the input whole. */
  readonly inside: boolean;
}

/** Larger windows are walked by loops instead of being written out. */
const mostTaps = 64;

function poolOf(x: readonly number[], y: readonly number[], { size, stride, padding, dilation }: Windows): Pool {
  const lows = padding.map(([low]) => low);
  const window = threeAxes({ input: x.slice(2), kernel: size, output: y.slice(2), stride, padding: lows, dilation });
  const high = [...new Array<number>(3 - padding.length).fill(0), ...padding.map(([, h]) => h)];
  const inside = window.output.every(
    (n, i) => window.padding[i] === 0 && (n - 1) * window.stride[i]! + reachOf(window.kernel[i]!, window.dilation[i]!) <= window.input[i]!,
  );
  return { ...window, planes: x[0]! * x[1]!, high, inside };
}

/** Where a window starts, as coordinates in the input (below 0 in the padding) and as an address in its plane. */
interface Window {
  readonly starts: readonly number[];
  readonly corner: number;
}

/**
 * Walks all windows: `each` writes what is done with one, and moves on from its result; `four`, where it is given, does it with four in a row, as
 * long as there are as many.
 */
function windows(k: KernelCode, p: Pool, bytes: number, input: number, each: (w: Window) => void, four?: (w: Window) => void): void {
  const { code } = k;
  const [starts, corners] = [
    [k.local(), k.local(), k.local()],
    [k.local(), k.local(), k.local()],
  ] as const;
  const steps = [p.input[1]! * p.input[2]! * bytes, p.input[2]! * bytes, bytes];
  const plane = k.pointer(input);
  const level = (axis: number): void => {
    code.int(-p.padding[axis]!).set(starts[axis]!);
    code
      .get(axis === 0 ? plane : corners[axis - 1]!)
      .int(p.padding[axis]! * steps[axis]!)
      .op("i32.sub")
      .set(corners[axis]!);
    const window = { starts, corner: corners[2]! };
    const count = p.output[axis]!;
    const fours = axis === 2 && four !== undefined ? Math.floor(count / 4) : 0;
    const some = (times: number, windows: number, body: () => void): void =>
      k.repeat(times, () => {
        body();
        k.advance(starts[axis]!, windows * p.stride[axis]!);
        k.advance(corners[axis]!, windows * p.stride[axis]! * steps[axis]!);
      });
    if (fours > 0) some(fours, 4, () => four!(window));
    some(count - 4 * fours, 1, () => (axis === 2 ? each(window) : level(axis + 1)));
  };
  k.repeat(p.planes, () => {
    level(0);
    k.advance(plane, sizeOf(p.input) * bytes);
  });
}

/** Writes `tap` for each element under the window: its address is a pointer and a constant offset. `first` is true for one that is surely there first. */
function taps(k: KernelCode, p: Pool, bytes: number, w: Window, tap: (pointer: number, offset: number, first: boolean) => void): void {
  const { code } = k;
  const steps = [p.input[1]! * p.input[2]! * bytes, p.input[2]! * bytes, bytes];
  const [kd, kh, kw] = p.kernel as [number, number, number];
  if (p.inside && kd * kh * kw <= mostTaps) {
    for (let z = 0; z < kd; z++)
      for (let y = 0; y < kh; y++)
        for (let x = 0; x < kw; x++)
          tap(w.corner, z * p.dilation[0]! * steps[0]! + y * p.dilation[1]! * steps[1]! + x * p.dilation[2]! * steps[2]!, z + y + x === 0);
    return;
  }
  const places = [k.local(), k.local(), k.local()] as const;
  const at = [k.local(), k.local(), k.local()] as const;
  const level = (axis: number): void => {
    if (axis === 3) {
      tap(at[2], 0, false);
      return;
    }
    code.get(w.starts[axis]!).set(places[axis]!);
    code.get(axis === 0 ? w.corner : at[axis - 1]!).set(at[axis]!);
    k.repeat(p.kernel[axis]!, () => {
      code.get(places[axis]!).int(p.input[axis]!).op("i32.lt_u");
      code.if(() => level(axis + 1));
      k.advance(places[axis]!, p.dilation[axis]!);
      k.advance(at[axis]!, p.dilation[axis]! * steps[axis]!);
    });
  };
  level(0);
}

/** The largest of four f32 windows in a row, in lanes; the first tap of each is there in any case. */
function fourLargest(k: KernelCode, p: Pool, w: Window, input: number, value: number, place: number): void {
  const { code } = k;
  const [best, now, at, wins] = [k.local(v128), k.local(v128), k.local(v128), k.local(v128)];
  const stride = p.stride[2]!;
  const splat = (n: number): void => {
    code.int(n).op("i32x4.splat");
  };
  taps(k, p, 4, w, (pointer, offset, first) => {
    if (stride === 1) code.get(pointer).mem("v128.load", offset);
    else {
      code
        .get(pointer)
        .mem("v128.load", offset)
        .get(pointer)
        .mem("v128.load", offset + 16);
      code.shuffle([0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27]);
    }
    if (first) {
      code.set(best);
      splat(0);
      code.set(at);
      return;
    }
    code.set(now);
    code.get(now).get(best).op("f32x4.le").op("v128.not").get(best).get(best).op("f32x4.eq").op("v128.and").set(wins);
    code.get(now).get(best).get(wins).op("v128.bitselect").set(best);
    if (place < 0) return;
    splat(offset / 4);
    code.get(at).get(wins).op("v128.bitselect").set(at);
  });
  if (value >= 0) code.get(value).get(best).mem("v128.store");
  if (place < 0) return;
  code.get(place).get(w.corner).get(input).op("i32.sub").int(2).op("i32.shr_u").op("i32x4.splat");
  code.constant(new Uint8Array(new Int32Array([0, stride, 2 * stride, 3 * stride]).buffer)).op("i32x4.add");
  code.get(at).op("i32x4.add").mem("v128.store");
}

/** The largest element of each window, its flat place, or both: of equals the first, of NaNs the first; -1 where there is only padding. */
function maxPoolKernel(
  x: { readonly dtype: "f32" | "f64" | "i32"; readonly shape: readonly number[] },
  y: readonly number[],
  attrs: Windows,
  values: number,
  places: number,
): Kernel {
  const p = poolOf(x.shape, y, attrs);
  const { bytes, type } = cells[x.dtype];
  const float = x.dtype !== "i32";
  return {
    write(k) {
      const { code } = k;
      const input = k.operands[0]!;
      const value = values < 0 ? -1 : k.pointer(k.outs[values]!);
      const place = places < 0 ? -1 : k.pointer(k.outs[places]!);
      const [best, now] = [k.local(type), k.local(type)];
      const [at, wins] = [k.local(), k.local()];
      if (p.planes === 0) return;
      const done = (count: number): void => {
        if (value >= 0) k.advance(value, count * bytes);
        if (place >= 0) k.advance(place, count * 4);
      };
      const one = (w: Window): void => {
        code.int(-1).set(at);
        if (x.dtype === "f32") code.float32(Number.NEGATIVE_INFINITY);
        else if (x.dtype === "f64") code.float64(Number.NEGATIVE_INFINITY);
        else code.int(-2147483648);
        code.set(best);
        taps(k, p, bytes, w, (pointer, offset, first) => {
          code.get(pointer);
          k.take(x.dtype, offset);
          if (first) code.set(best).get(pointer).set(at);
          else {
            code.set(now);
            // Not below or equal to the best, which a NaN is not either; but nothing wins over a NaN.
            if (float) code.get(now).get(best).op(`${x.dtype}.le`).op("i32.eqz").get(best).get(best).op(`${x.dtype}.eq`).op("i32.and");
            else code.get(now).get(best).op("i32.gt_s");
            if (!p.inside || p.kernel.reduce((a, b) => a * b, 1) > mostTaps) code.get(at).int(-1).op("i32.eq").op("i32.or");
            // Chosen without a branch, which would be guessed wrong half of the time.
            code.set(wins).get(now).get(best).get(wins).op("select").set(best);
            code.get(pointer);
            if (offset !== 0) code.int(offset).op("i32.add");
            code.get(at).get(wins).op("select").set(at);
          }
        });
        if (value >= 0) {
          code.get(value).get(best);
          // A window without elements has no largest one: the reference says -Infinity, which whole numbers hold as 0.
          if (!float) code.int(0).get(at).int(-1).op("i32.ne").op("select");
          k.put(x.dtype);
        }
        if (place >= 0) {
          code.get(place);
          code.get(at).get(input).op("i32.sub").int(Math.log2(bytes)).op("i32.shr_u").int(-1).get(at).int(-1).op("i32.ne").op("select");
          code.mem("i32.store");
        }
        done(1);
      };
      const four = (w: Window): void => {
        fourLargest(k, p, w, input, value, place);
        done(4);
      };
      windows(
        k,
        p,
        bytes,
        input,
        one,
        x.dtype === "f32" && p.inside && sizeOf(p.kernel) <= mostTaps && p.stride[2]! <= 2 ? four : undefined,
      );
    },
  };
}

const computed = ["f32", "f64", "i32"] as const;
const isComputed = (dtype: string): dtype is (typeof computed)[number] => (computed as readonly string[]).includes(dtype);

const largest =
  (values: number, places: number): KernelRow =>
  ({ operands, type, attrs }) => {
    const { dtype, shape } = operands[0]!.type;
    return isComputed(dtype) ? maxPoolKernel({ dtype, shape }, type.shape, attrs as Windows, values, places) : null;
  };

/** How many taps of the window on one axis are at places from `low` on, `size` of them, on the stack. */
function tapsWithin(k: KernelCode, start: number, kernel: number, dilation: number, low: number, size: number): void {
  const { code } = k;
  const [count, at] = [k.local(), k.local()];
  code.int(0).set(count).get(start).int(low).op("i32.sub").set(at);
  k.repeat(kernel, () => {
    code.get(count).get(at).int(size).op("i32.lt_u").op("i32.add").set(count);
    k.advance(at, dilation);
  });
  code.get(count);
}

/** The mean of each window, or each gradient shared out over its window. */
const averages =
  (backward: boolean): KernelRow =>
  ({ operands, type, attrs }) => {
    const given = operands[0]!.type;
    const { dtype } = type;
    if (dtype !== "f32" && dtype !== "f64") return null;
    const { countIncludePad = true } = attrs as Windows;
    const [x, y] = backward ? [type.shape, given.shape] : [given.shape, type.shape];
    const p = poolOf(x, y, attrs as Windows);
    const { bytes, type: cell } = cells[dtype];
    const area = sizeOf(p.kernel);
    return {
      write(k) {
        const { code } = k;
        const [input, output] = backward ? [k.outs[0]!, k.operands[0]!] : [k.operands[0]!, k.outs[0]!];
        const [total, divisor] = [k.local(cell), k.local(cell)];
        const out = k.pointer(output);
        const number = (n: number): void => {
          if (dtype === "f32") code.float32(n);
          else code.float64(n);
        };
        if (backward) k.clear(input, sizeOf(x) * bytes);
        if (p.planes === 0) return;
        windows(k, p, bytes, input, (w) => {
          if (p.inside) number(area);
          else {
            code.int(1);
            for (let axis = 0; axis < 3; axis++) {
              const low = countIncludePad ? -p.padding[axis]! : 0;
              const size = p.input[axis]! + (countIncludePad ? p.padding[axis]! + p.high[axis]! : 0);
              tapsWithin(k, w.starts[axis]!, p.kernel[axis]!, p.dilation[axis]!, low, size);
              code.op("i32.mul");
            }
            code.op(dtype === "f32" ? "f32.convert_i32_s" : "f64.convert_i32_s");
          }
          code.set(divisor);
          if (backward) {
            code.get(out);
            k.take(dtype);
            code.get(divisor).op(`${dtype}.div`).set(total);
          } else {
            number(0);
            code.set(total);
          }
          taps(k, p, bytes, w, (pointer, offset) => {
            if (backward) code.get(pointer);
            else code.get(total);
            code.get(pointer);
            k.take(dtype, offset);
            if (backward) {
              code.get(total).op(`${dtype}.add`);
              k.put(dtype, offset);
            } else code.op(`${dtype}.add`).set(total);
          });
          if (!backward) {
            code.get(out);
            number(0);
            code.get(total).get(divisor).op(`${dtype}.div`);
            code.get(divisor);
            number(0);
            code.op(`${dtype}.eq`).op("select");
            k.put(dtype);
          }
          k.advance(out, bytes);
        });
      },
    };
  };

/** Kernels of pooling. */
export function poolKernels(): Readonly<Record<string, KernelRow>> {
  return {
    maxPool: largest(0, -1),
    maxPoolPlaces: largest(-1, 0),
    /** The values and the places of one pooling, in one walk. */
    maxPoolBoth: largest(0, 1),
    averagePool: averages(false),
    averagePoolInput: averages(true),
  };
}
