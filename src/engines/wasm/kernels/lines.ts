import type { DType } from "../../../ir/dtype.ts";
import { type Shape, sizeOf, stridesOf } from "../../../ir/shape.ts";
import { axisLayout } from "../../../ops/kernels/walk.ts";
import { f64 } from "../encoder.ts";
import { cells, type KernelCode, type KernelRow } from "../kernel.ts";

const ordered = ["f32", "f64", "i32"] as const;
type Ordered = (typeof ordered)[number];
const isOrdered = (dtype: DType): dtype is Ordered => (ordered as readonly DType[]).includes(dtype);

/** Lists of the k best are kept up to this length; longer ones are cut from the whole line in order. */
const few = 64;

/** Running sums, in double for floats, as the reference has them. */
const running: KernelRow = (node) => {
  const { axis, exclusive, reverse } = node.attrs as { readonly axis: number; readonly exclusive: boolean; readonly reverse: boolean };
  const { dtype, shape } = node.type;
  if (!isOrdered(dtype)) return null;
  const { outer, size, inner } = axisLayout(shape, axis);
  const { bytes } = cells[dtype];
  const exact = dtype === "i32" ? "i32" : "f64";
  const step = (reverse ? -inner : inner) * bytes;
  return {
    write(k) {
      const { code } = k;
      const [total, next] = [k.local(exact === "i32" ? undefined : f64), k.local(exact === "i32" ? undefined : f64)];
      const skip = reverse ? (size - 1) * inner * bytes : 0;
      const [from, to] = [k.pointer(k.operands[0]!, skip), k.pointer(k.outs[0]!, skip)];
      if (outer * size * inner === 0) return;
      const strides = [size * inner * bytes, bytes];
      k.walk(
        [outer, inner],
        [
          { pointer: from, strides },
          { pointer: to, strides },
        ],
        () => {
          const [x, y] = [k.pointer(from), k.pointer(to)];
          if (exact === "i32") code.int(0);
          else code.float64(0);
          code.set(total);
          k.repeat(size, () => {
            code.get(x);
            k.take(dtype);
            if (dtype === "f32") code.op("f64.promote_f32");
            code.get(total).op(`${exact}.add`).set(next);
            code.get(y).get(exclusive ? total : next);
            if (dtype === "f32") code.op("f32.demote_f64");
            k.put(dtype);
            code.get(next).set(total);
            k.advance(x, step);
            k.advance(y, step);
          });
        },
      );
    },
  };
};

/** Where the largest or the smallest element of each reduction is: the first of equals, and the first NaN before all. */
const extreme =
  (better: "ge" | "le"): KernelRow =>
  (node) => {
    const { dtype, shape } = node.operands[0]!.type;
    const { axis } = node.attrs as { readonly axis: readonly number[] };
    if (!isOrdered(dtype)) return null;
    const keptAxes = shape.map((_, i) => i).filter((i) => !axis.includes(i));
    const { bytes, type } = cells[dtype];
    const pickedFrom = (list: readonly number[], axes: readonly number[]): number[] => axes.map((a) => list[a]!);
    return {
      views: [0],
      write(k) {
        const { code } = k;
        const strides = k.views[0]!.strides.map((s) => s * bytes);
        const from = k.pointer(k.operands[0]!);
        const out = k.pointer(k.outs[0]!);
        const [best, now] = [k.local(type), k.local(type)];
        const [at, i] = [k.local(), k.local()];
        const outer = pickedFrom(shape, keptAxes);
        k.walk(
          outer,
          [
            { pointer: from, strides: pickedFrom(strides, keptAxes) },
            { pointer: out, strides: stridesOf(outer).map((s) => s * 4) },
          ],
          () => {
            code.int(0).set(at).int(0).set(i).get(from);
            k.take(dtype);
            code.set(best);
            k.walk(pickedFrom(shape, axis), [{ pointer: from, strides: pickedFrom(strides, axis) }], () => {
              code.get(from);
              k.take(dtype);
              code.set(now);
              // The best is not at least as good as this one: it is less, or one of them is NaN, and the best is not.
              if (dtype === "i32") code.get(best).get(now).op(`i32.${better}_s`).op("i32.eqz");
              else code.get(best).get(now).op(`${dtype}.${better}`).op("i32.eqz").get(best).get(best).op(`${dtype}.eq`).op("i32.and");
              code.if(() => code.get(now).set(best).get(i).set(at));
              code.move(i, 1);
            });
            code.get(out).get(at).mem("i32.store");
          },
        );
      },
    };
  };

/** One line being sorted: its elements side by side, and places of them in order. */
interface Line {
  readonly k: KernelCode;
  readonly dtype: Ordered;
  readonly size: number;
  readonly descending: boolean;
  readonly keys: number;
}

/** base + index * bytes on the stack. */
function at(k: KernelCode, base: number, index: number, bytes: number): void {
  k.code.get(base).plus(index, bytes);
}

/** Whether the element at place `a` may stand before the one at place `b`, `a` being first by nature; NaN counts as largest. */
function before({ k, dtype, descending, keys }: Line, a: number, b: number): void {
  const { code } = k;
  const { bytes, type } = cells[dtype];
  const [x, y] = [k.local(type), k.local(type)];
  at(k, keys, a, bytes);
  k.take(dtype);
  code.set(x);
  at(k, keys, b, bytes);
  k.take(dtype);
  code.set(y).get(x).get(y);
  if (dtype === "i32") {
    code.op(descending ? "i32.ge_s" : "i32.le_s");
    return;
  }
  const late = descending ? x : y;
  code
    .op(`${dtype}.${descending ? "ge" : "le"}`)
    .get(late)
    .get(late)
    .op(`${dtype}.ne`)
    .op("i32.or");
}

/** Merges runs of growing width from one list of places to the other and back; leaves the list in order in the local `order`. */
function mergeSort(line: Line, order: number, spare: number): void {
  const { k, size } = line;
  const { code } = k;
  const [low, middle, high, left, right, to, a, b, width, other] = Array.from({ length: 10 }, () => k.local()) as [
    number, number, number, number, number, number, number, number, number, number,
  ]; // biome-ignore format: ten locals
  const least = (x: () => void, into: number): void => {
    x();
    code.int(size);
    x();
    code.int(size).op("i32.lt_s").op("select").set(into);
  };
  const load = (list: number, index: number, into: number): void => {
    at(k, list, index, 4);
    code.mem("i32.load").set(into);
  };
  code.int(1).set(width);
  if (size < 2) return;
  code.loop(() => {
    code.int(0).set(low);
    code.loop(() => {
      least(() => code.get(low).get(width).op("i32.add"), middle);
      least(() => code.get(middle).get(width).op("i32.add"), high);
      code.get(low).tee(left).set(to).get(middle).set(right);
      // Elements that are merged: those of both halves, then what is left of one.
      code.block(() => {
        code.get(left).get(middle).op("i32.ge_s").brIf(0).get(right).get(high).op("i32.ge_s").brIf(0);
        load(order, left, a);
        load(order, right, b);
        code.loop(() => {
          before(line, a, b);
          code.if(
            () => {
              at(k, spare, to, 4);
              code.get(a).mem("i32.store").move(to, 1);
              code.get(left).int(1).op("i32.add").tee(left).get(middle).op("i32.ge_s").brIf(2);
              load(order, left, a);
            },
            () => {
              at(k, spare, to, 4);
              code.get(b).mem("i32.store").move(to, 1);
              code.get(right).int(1).op("i32.add").tee(right).get(high).op("i32.ge_s").brIf(2);
              load(order, right, b);
            },
          );
          code.br(0);
        });
      });
      for (const [from, end] of [
        [left, middle],
        [right, high],
      ] as const) {
        code.block(() => {
          code.get(from).get(end).op("i32.ge_s").brIf(0);
          code.loop(() => {
            at(k, spare, to, 4);
            load(order, from, a);
            code.get(a).mem("i32.store").move(to, 1);
            code.get(from).int(1).op("i32.add").tee(from).get(end).op("i32.lt_s").brIf(0);
          });
        });
      }
      code.get(high).tee(low).int(size).op("i32.lt_s").brIf(0);
    });
    code.get(order).set(other).get(spare).set(order).get(other).set(spare);
    code.get(width).int(1).op("i32.shl").tee(width).int(size).op("i32.lt_s").brIf(0);
  });
}

/** Keeps the k best places seen so far in order, each new one put in its place from behind. */
function selectFew(line: Line, order: number, wanted: number): void {
  const { k, size } = line;
  const { code } = k;
  const [count, j, other] = [k.local(), k.local(), k.local()];
  code.int(0).set(count);
  k.repeat(size, (i) => {
    code.get(count).set(j);
    code.block(() => {
      code.loop(() => {
        code.get(j).op("i32.eqz").brIf(1);
        k.advance(j, -1);
        at(k, order, j, 4);
        code.mem("i32.load").set(other);
        // Those that may stand before the new one stay; j is then the place after them.
        before(line, other, i);
        code.if(() => code.move(j, 1).br(2));
        code
          .get(j)
          .int(wanted - 1)
          .op("i32.lt_s");
        code.if(() => {
          at(k, order, j, 4);
          code.get(other).mem("i32.store", 4);
        });
        code.br(0);
      });
    });
    code.get(j).int(wanted).op("i32.lt_s");
    code.if(() => {
      at(k, order, j, 4);
      code.get(i).mem("i32.store");
      code.move(count, 1).atMost(count, wanted);
    });
  });
}

/** The first `wanted` of each line in order, and where they came from. */
function sorted(
  x: { readonly dtype: DType; readonly shape: Shape },
  axis: number,
  wanted: number,
  descending: boolean,
): ReturnType<KernelRow> {
  const { dtype, shape } = x;
  if (!isOrdered(dtype)) return null;
  const { outer, size, inner } = axisLayout(shape, axis);
  const { bytes } = cells[dtype];
  const list = { dtype: "i32", length: size } as const;
  return {
    temps: [{ dtype, length: size }, list, list],
    write(k) {
      const { code } = k;
      if (wanted === 0 || sizeOf(shape) === 0) return;
      const [from, values, indices] = [k.pointer(k.operands[0]!), k.pointer(k.outs[0]!), k.pointer(k.outs[1]!)];
      const keys = k.temps[0]!;
      const line: Line = { k, dtype, size, descending, keys };
      const [order, spare, place] = [k.local(), k.local(), k.local()];
      k.walk(
        [outer, inner],
        [
          { pointer: from, strides: [size * inner * bytes, bytes] },
          { pointer: values, strides: [wanted * inner * bytes, bytes] },
          { pointer: indices, strides: [wanted * inner * 4, 4] },
        ],
        () => {
          const source = k.pointer(from);
          const [v, n] = [k.pointer(values), k.pointer(indices)];
          code.get(k.temps[1]!).set(order).get(k.temps[2]!).set(spare);
          k.repeat(size, (i) => {
            at(k, keys, i, bytes);
            code.get(source);
            k.take(dtype);
            k.put(dtype);
            k.advance(source, inner * bytes);
          });
          if (wanted <= few && wanted * 4 < size) selectFew(line, order, wanted);
          else {
            k.repeat(size, (i) => {
              at(k, order, i, 4);
              code.get(i).mem("i32.store");
            });
            mergeSort(line, order, spare);
          }
          k.repeat(wanted, (i) => {
            at(k, order, i, 4);
            code.mem("i32.load").set(place).get(n).get(place).mem("i32.store").get(v);
            at(k, keys, place, bytes);
            k.take(dtype);
            k.put(dtype);
            k.advance(v, inner * bytes);
            k.advance(n, inner * 4);
          });
        },
      );
    },
  };
}

/** Kernels that walk along lines: running sums, places of extremes, and order. */
export function lineKernels(): Readonly<Record<string, KernelRow>> {
  return {
    cumsum: running,
    argMax: extreme("ge"),
    argMin: extreme("le"),
    sort: ({ operands, attrs }) => {
      const { axis, descending } = attrs as { readonly axis: number; readonly descending: boolean };
      const x = operands[0]!.type;
      return sorted(x, axis, x.shape[axis]!, descending);
    },
    topK: ({ operands, attrs }) => {
      const { axis, k, largest } = attrs as { readonly axis: number; readonly k: number; readonly largest: boolean };
      return sorted(operands[0]!.type, axis, k, largest);
    },
  };
}
