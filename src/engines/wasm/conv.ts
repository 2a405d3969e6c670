import { sizeOf } from "../../ir/shape.ts";
import { type Code, type Instruction, i32, type ModuleBuilder } from "./encoder.ts";

/** The geometry of a convolution, every list with three entries: missing axes have size 1. */
export interface Geometry {
  readonly kind: "f32" | "f64";
  readonly batch: number;
  readonly groups: number;
  /** Channels of the input and the output in one group. */
  readonly inChannels: number;
  readonly outChannels: number;
  readonly input: readonly number[];
  readonly kernel: readonly number[];
  readonly output: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
}

interface Windows {
  readonly stride: readonly number[];
  readonly padding: readonly (readonly [number, number])[];
  readonly dilation: readonly number[];
  readonly groups: number;
}

/** The geometry from the shapes of x [N, C, ...], w [O, C / groups, ...] and y [N, O, ...]. */
export function geometryOf(
  kind: "f32" | "f64",
  x: readonly number[],
  w: readonly number[],
  y: readonly number[],
  attrs: Windows,
): Geometry {
  const three = (list: readonly number[], fill: number): number[] => [...new Array<number>(3 - list.length).fill(fill), ...list];
  return {
    kind,
    batch: x[0]!,
    groups: attrs.groups,
    inChannels: w[1]!,
    outChannels: w[0]! / attrs.groups,
    input: three(x.slice(2), 1),
    kernel: three(w.slice(2), 1),
    output: three(y.slice(2), 1),
    stride: three(attrs.stride, 1),
    padding: three(
      attrs.padding.map(([low]) => low),
      0,
    ),
    dilation: three(attrs.dilation, 1),
  };
}

/** Rows of the unfolded input: one for each channel and place in the kernel. */
export const innerOf = (g: Geometry): number => g.inChannels * sizeOf(g.kernel);
/** Places of the window: columns of the unfolded input. */
export const areaOf = (g: Geometry): number => sizeOf(g.output);
/** Whether the input is its own unfolding: windows of one element, one after the other. */
export const isDirect = (g: Geometry): boolean =>
  sizeOf(g.kernel) === 1 && g.stride.every((s) => s === 1) && g.padding.every((p) => p === 0) && sizeOf(g.input) === sizeOf(g.output);

const bytesOf = (g: Geometry): number => (g.kind === "f32" ? 4 : 8);

/**
 * Walks the unfolded input row by row: for each row of output places, `blank` writes where the window is beside the input, `row` where it is
 * inside for output places `low` to `high`. Locals: `image` points to the input's plane, `column` to the unfolded row.
 */
function unfold(
  c: Code,
  g: Geometry,
  at: { readonly image: number; readonly column: number },
  blank: (from: () => void, to: () => void) => void,
  row: (from: number, low: number, high: number) => void,
): void {
  const size = bytesOf(g);
  const [depth, height, width] = g.input as [number, number, number];
  const [kz, ky, kx, channel, oz, oy] = Array.from({ length: 6 }, () => c.local(i32)) as [number, number, number, number, number, number];
  const [iz, iy, low, high, from, shift] = Array.from({ length: 6 }, () => c.local(i32)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const [outDepth, outHeight, outWidth] = g.output as [number, number, number];
  const each = (local: number, count: number, body: () => void): void => {
    c.count(
      local,
      () => c.int(0),
      () => c.int(count),
      1,
      body,
    );
  };
  /** local = o * stride + k * dilation - padding, on the stack. */
  const place = (axis: number, o: number, k: number): void => {
    c.get(o).int(g.stride[axis]!).op("i32.mul").plus(k, g.dilation[axis]!).int(g.padding[axis]!).op("i32.sub");
  };
  /** What is on the stack, held between 0 and the row's length. */
  const held = (into: number): void => {
    c.set(into);
    c.get(into).int(0).get(into).int(0).op("i32.gt_s").op("select").set(into);
    c.atMost(into, outWidth);
  };
  each(channel, g.inChannels, () => {
    each(kz, g.kernel[0]!, () => {
      each(ky, g.kernel[1]!, () => {
        each(kx, g.kernel[2]!, () => {
          const stride = g.stride[2]!;
          // Output places whose input lies inside the row: 0 <= o stride + shift < width.
          c.get(kx).int(g.dilation[2]!).op("i32.mul").int(g.padding[2]!).op("i32.sub").set(shift);
          // ceil(-shift / stride), and for the end ceil((width - shift) / stride).
          const upward = (value: () => void): void => {
            value();
            if (stride > 1) {
              c.int(stride - 1).op("i32.add");
              c.int(stride);
              c.bytes.byte(0x6d); // i32.div_s; of what may be negative only where it is then held at 0
            }
          };
          upward(() => c.int(0).get(shift).op("i32.sub"));
          held(low);
          upward(() => c.int(width).get(shift).op("i32.sub"));
          held(high);
          c.get(high).get(low).get(high).get(low).op("i32.gt_s").op("select").set(high);
          each(oz, outDepth, () => {
            place(0, oz, kz);
            c.set(iz);
            each(oy, outHeight, () => {
              place(1, oy, ky);
              c.set(iy);
              c.get(iz).int(depth).op("i32.lt_u").get(iy).int(height).op("i32.lt_u").op("i32.and");
              c.if(
                () => {
                  blank(
                    () => c.int(0),
                    () => c.get(low),
                  );
                  blank(
                    () => c.get(high),
                    () => c.int(outWidth),
                  );
                  c.get(at.image);
                  c.get(iz).int(height).op("i32.mul").get(iy).op("i32.add").int(width).op("i32.mul").get(shift).op("i32.add");
                  c.plus(low, stride).int(size).op("i32.mul").op("i32.add").set(from);
                  row(from, low, high);
                },
                () =>
                  blank(
                    () => c.int(0),
                    () => c.int(outWidth),
                  ),
              );
              c.get(at.column)
                .int(outWidth * size)
                .op("i32.add")
                .set(at.column);
            });
          });
        });
      });
    });
    c.get(at.image)
      .int(depth * height * width * size)
      .op("i32.add")
      .set(at.image);
  });
}

/** A function (image, columns) that unfolds one group of one image: [inner, area]. */
export function unfoldFunction(module: ModuleBuilder, g: Geometry): number {
  const size = bytesOf(g);
  return module.add(null, [i32, i32], [], (c) => {
    const [to, end, i] = [c.local(i32), c.local(i32), c.local(i32)] as const;
    const zero = (): Code => (g.kind === "f32" ? c.float32(0) : c.float64(0));
    const address = (place: () => void): void => {
      c.get(1);
      place();
      c.int(size).op("i32.mul").op("i32.add");
    };
    unfold(
      c,
      g,
      { image: 0, column: 1 },
      (from, until) => {
        c.count(i, from, until, 1, () => {
          address(() => c.get(i));
          zero().mem(`${g.kind}.store`);
        });
      },
      (from, low, high) => {
        address(() => c.get(low));
        c.set(to);
        address(() => c.get(high));
        c.set(end);
        const steps = g.stride[2]! === 1 ? 16 : size;
        c.block(() => {
          c.get(to).get(end).op("i32.ge_u").brIf(0);
          c.loop(() => {
            // The last vector of a row runs over into the next row, which is written later, or behind the end.
            c.get(to).get(from);
            if (steps === 16) c.mem("v128.load").mem("v128.store");
            else c.mem(`${g.kind}.load`).mem(`${g.kind}.store`);
            c.move(from, steps === 16 ? 16 : size * g.stride[2]!);
            c.get(to).int(steps).op("i32.add").tee(to).get(end).op("i32.lt_u").brIf(0);
          });
        });
        // What ran over into the blanks at the end of this row.
        if (steps === 16)
          c.count(
            i,
            () => c.get(high),
            () => c.int(g.output[2]!),
            1,
            () => {
              address(() => c.get(i));
              zero().mem(`${g.kind}.store`);
            },
          );
      },
    );
  });
}

/** A function (image, columns) that adds columns back to where they were unfolded from. */
export function foldFunction(module: ModuleBuilder, g: Geometry): number {
  const size = bytesOf(g);
  return module.add(null, [i32, i32], [], (c) => {
    const [of, end] = [c.local(i32), c.local(i32)] as const;
    unfold(
      c,
      g,
      { image: 0, column: 1 },
      () => undefined,
      (into, low, high) => {
        const address = (place: number): void => {
          c.get(1).plus(place, size);
        };
        address(low);
        c.set(of);
        address(high);
        c.set(end);
        const lanes = g.kind === "f32" ? "f32x4" : "f64x2";
        if (g.stride[2] === 1)
          c.block(() => {
            c.loop(() => {
              c.get(of).int(16).op("i32.add").get(end);
              c.bytes.byte(0x4b); // i32.gt_u
              c.brIf(1);
              c.get(into)
                .get(into)
                .mem("v128.load")
                .get(of)
                .mem("v128.load")
                .op(`${lanes}.add` as Instruction)
                .mem("v128.store");
              c.move(into, 16);
              c.move(of, 16).br(0);
            });
          });
        c.block(() => {
          c.get(of).get(end).op("i32.ge_u").brIf(0);
          c.loop(() => {
            c.get(into)
              .get(into)
              .mem(`${g.kind}.load`)
              .get(of)
              .mem(`${g.kind}.load`)
              .op(`${g.kind}.add` as Instruction)
              .mem(`${g.kind}.store`);
            c.move(into, size * g.stride[2]!);
            c.get(of).int(size).op("i32.add").tee(of).get(end).op("i32.lt_u").brIf(0);
          });
        });
      },
    );
  });
}
