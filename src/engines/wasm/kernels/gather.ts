import type { DType } from "../../../ir/dtype.ts";
import { type Shape, sizeOf, stridesOf } from "../../../ir/shape.ts";
import type { TensorType } from "../../../ir/type.ts";
import { axisLayout } from "../../../ops/kernels/walk.ts";
import { cells, type KernelCode, type KernelRow } from "../kernel.ts";

/** Dtypes of indices that fit 32 bits with their sign, or that are cut to it where they are out of range anyway. */
const indexed: readonly DType[] = ["i32", "i16", "u16", "i8", "u8", "i64", "u64", "u32"];
/** Dtypes that scatters add in. */
const added: readonly DType[] = ["f32", "f64", "i32"];

const type = (node: Parameters<KernelRow>[0], i: number): TensorType => node.operands[i]!.type;
const bytesOf = (shape: Shape, dtype: DType): number[] => stridesOf(shape).map((s) => s * cells[dtype].bytes);

/** Adds a run of elements to those at a pointer. */
function addRun(k: KernelCode, from: number, to: number, count: number, dtype: DType): void {
  const { code } = k;
  const kind = dtype as "f32" | "f64" | "i32";
  const { bytes } = cells[dtype];
  const lanes = 16 / bytes;
  const straight = (n: number, source: number, target: number): void => {
    for (let i = 0; i < n; ) {
      const wide = n - i >= lanes;
      const at = i * bytes;
      code.get(target).get(target);
      if (wide) {
        code.mem("v128.load", at).get(source).mem("v128.load", at);
        code.op(kind === "f32" ? "f32x4.add" : kind === "f64" ? "f64x2.add" : "i32x4.add").mem("v128.store", at);
      } else {
        k.take(dtype, at);
        code.get(source);
        k.take(dtype, at);
        code.op(`${kind}.add`);
        k.put(dtype, at);
      }
      i += wide ? lanes : 1;
    }
  };
  const block = 4 * lanes;
  if (count <= 2 * block) {
    straight(count, from, to);
    return;
  }
  const [source, target] = [k.pointer(from), k.pointer(to)];
  const whole = count - (count % block);
  k.repeat(
    whole,
    () => {
      straight(block, source, target);
      k.advance(source, block * bytes);
      k.advance(target, block * bytes);
    },
    block,
  );
  straight(count - whole, source, target);
}

/** pointer + place * bytes, in a local of its own. */
function elementAt(k: KernelCode, pointer: number, place: number, bytes: number, into: number): void {
  k.code.get(pointer).plus(place, bytes).set(into);
}

/** gather, and scatterAdd as its transpose: for every index of every outer part, a run of inner elements. */
const runs =
  (scatter: boolean): KernelRow =>
  (node) => {
    const [x, indices] = [type(node, 0), type(node, 1)];
    const { axis } = node.attrs as { readonly axis: number };
    if (!indexed.includes(indices.dtype) || (scatter && !added.includes(x.dtype))) return null;
    const { outer, size, inner } = axisLayout(x.shape, axis);
    const { bytes } = cells[x.dtype];
    const count = sizeOf(indices.shape);
    return {
      views: scatter ? [0] : [],
      write(k) {
        if (scatter) k.materialize(0, k.outs[0]!);
        const table = k.pointer(scatter ? k.outs[0]! : k.operands[0]!);
        const row = k.pointer(scatter ? k.operands[2]! : k.outs[0]!);
        const [index, place, at] = [k.local(), k.local(), k.local()];
        k.repeat(outer, () => {
          k.code.get(k.operands[1]!).set(index);
          k.repeat(count, () => {
            k.place(index, indices.dtype, size, place);
            elementAt(k, table, place, inner * bytes, at);
            if (scatter) addRun(k, row, at, inner, x.dtype);
            else k.copy(at, row, inner * bytes);
            k.advance(row, inner * bytes);
            k.advance(index, cells[indices.dtype].bytes);
          });
          k.advance(table, size * inner * bytes);
        });
      },
    };
  };

/** gatherElements and scatterElements: one element for each index. */
const elements =
  (scatter: boolean): KernelRow =>
  (node) => {
    const [x, indices] = [type(node, 0), type(node, 1)];
    const { axis, reduction = "none" } = node.attrs as { readonly axis: number; readonly reduction?: "none" | "add" };
    const adds = scatter && reduction === "add";
    if (!indexed.includes(indices.dtype) || (adds && !added.includes(x.dtype))) return null;
    const { bytes } = cells[x.dtype];
    const strides = bytesOf(x.shape, x.dtype);
    const step = strides[axis]!;
    strides[axis] = 0;
    return {
      views: scatter ? [0] : [],
      write(k) {
        if (scatter) k.materialize(0, k.outs[0]!);
        const table = k.pointer(scatter ? k.outs[0]! : k.operands[0]!);
        const one = k.pointer(scatter ? k.operands[2]! : k.outs[0]!);
        const index = k.pointer(k.operands[1]!);
        const [place, at] = [k.local(), k.local()];
        k.walk(
          indices.shape,
          [
            { pointer: table, strides },
            { pointer: one, strides: bytesOf(indices.shape, x.dtype) },
            { pointer: index, strides: bytesOf(indices.shape, indices.dtype) },
          ],
          () => {
            k.place(index, indices.dtype, x.shape[axis]!, place);
            elementAt(k, table, place, step, at);
            if (adds) addRun(k, one, at, 1, x.dtype);
            else if (scatter) k.copy(one, at, bytes);
            else k.copy(at, one, bytes);
          },
        );
      },
    };
  };

/** gatherND and scatterND: a run of elements for each tuple of indices. */
const tuples =
  (scatter: boolean): KernelRow =>
  (node) => {
    const [x, indices] = [type(node, 0), type(node, 1)];
    const { batchDims, reduction = "none" } = node.attrs as { readonly batchDims: number; readonly reduction?: "none" | "add" };
    const adds = scatter && reduction === "add";
    if (!indexed.includes(indices.dtype) || (adds && !added.includes(x.dtype))) return null;
    const depth = indices.shape[indices.shape.length - 1]!;
    const sizes = x.shape.slice(batchDims, batchDims + depth);
    const inner = sizeOf(x.shape.slice(batchDims + depth));
    const count = sizeOf(indices.shape.slice(batchDims, -1));
    const { bytes } = cells[x.dtype];
    return {
      views: scatter ? [0] : [],
      write(k) {
        const { code } = k;
        if (scatter) k.materialize(0, k.outs[0]!);
        const table = k.pointer(scatter ? k.outs[0]! : k.operands[0]!);
        const row = k.pointer(scatter ? k.operands[2]! : k.outs[0]!);
        const index = k.pointer(k.operands[1]!);
        const [place, whole, at] = [k.local(), k.local(), k.local()];
        k.repeat(sizeOf(x.shape.slice(0, batchDims)), () => {
          k.repeat(count, () => {
            code.int(0).set(whole);
            for (const size of sizes) {
              k.place(index, indices.dtype, size, place);
              code.get(whole).int(size).op("i32.mul").get(place).op("i32.add").set(whole);
              k.advance(index, cells[indices.dtype].bytes);
            }
            elementAt(k, table, whole, inner * bytes, at);
            if (adds) addRun(k, row, at, inner, x.dtype);
            else if (scatter) k.copy(row, at, inner * bytes);
            else k.copy(at, row, inner * bytes);
            k.advance(row, inner * bytes);
          });
          k.advance(table, sizeOf(x.shape.slice(batchDims)) * bytes);
        });
      },
    };
  };

/** Elements by flat places, and their transpose; a place of -1 is none. Other places out of range are for the host to judge. */
const flat =
  (scatter: boolean): KernelRow =>
  (node) => {
    const x = scatter ? node.type : type(node, 0);
    const places = type(node, 1);
    if (!added.includes(x.dtype)) return null;
    const { bytes } = cells[x.dtype];
    const [size, count] = [sizeOf(x.shape), sizeOf(places.shape)];
    return {
      write(k) {
        const { code } = k;
        const table = scatter ? k.outs[0]! : k.operands[0]!;
        const one = k.pointer(scatter ? k.operands[0]! : k.outs[0]!);
        const index = k.pointer(k.operands[1]!);
        const [place, at] = [k.local(), k.local()];
        if (scatter) k.clear(table, size * bytes);
        k.repeat(count, () => {
          code.get(index).mem("i32.load").tee(place).int(0).op("i32.ge_s");
          code.if(
            () => {
              code
                .get(place)
                .int(size)
                .op("i32.ge_u")
                .if(() => k.fail());
              elementAt(k, table, place, bytes, at);
              if (scatter) addRun(k, one, at, 1, x.dtype);
              else k.copy(at, one, bytes);
            },
            scatter ? undefined : () => k.clear(one, bytes),
          );
          k.advance(one, bytes);
          k.advance(index, 4);
        });
      },
    };
  };

/** Rows of zeros with a single 1; classes out of range fail, -1 is none. */
const hot: KernelRow = (node) => {
  const x = type(node, 0);
  const { depth } = node.attrs as { readonly depth: number };
  const { dtype } = node.type;
  const cell = cells[dtype];
  const count = sizeOf(x.shape);
  return {
    write(k) {
      const { code } = k;
      const row = k.pointer(k.outs[0]!);
      const index = k.pointer(k.operands[0]!);
      const [place, at] = [k.local(), k.local()];
      k.clear(row, count * depth * cell.bytes);
      k.repeat(count, () => {
        code.get(index);
        k.whole(x.dtype);
        code.tee(place).int(-1).op("i32.ne");
        code.if(() => {
          code
            .get(place)
            .int(depth)
            .op("i32.ge_u")
            .if(() => k.fail());
          elementAt(k, row, place, cell.bytes, at);
          code.get(at);
          if (cell.store === "f32.store") code.float32(1);
          else if (cell.store === "f64.store") code.float64(1);
          else code.int(1);
          k.put(dtype);
        });
        k.advance(row, depth * cell.bytes);
        k.advance(index, cells[x.dtype].bytes);
      });
    },
  };
};

/** Labels as they are, each a class or -1. */
const labels: KernelRow = (node) => {
  const { dtype, shape } = node.type;
  const { classes } = node.attrs as { readonly classes: number };
  const { bytes } = cells[dtype];
  return {
    write(k) {
      const { code } = k;
      const [from, to] = [k.pointer(k.operands[0]!), k.pointer(k.outs[0]!)];
      k.repeat(sizeOf(shape), () => {
        code.get(from);
        k.whole(dtype);
        code.int(1).op("i32.add").int(classes).op("i32.gt_u");
        code.if(() => k.fail());
        k.copy(from, to, bytes);
        k.advance(from, bytes);
        k.advance(to, bytes);
      });
    },
  };
};

/** Kernels that move elements to or from places which indices name. */
export function gatherKernels(): Readonly<Record<string, KernelRow>> {
  return {
    gather: runs(false),
    scatterAdd: runs(true),
    gatherElements: elements(false),
    scatterElements: elements(true),
    gatherND: tuples(false),
    scatterND: tuples(true),
    pick: flat(false),
    unpick: flat(true),
    oneHot: hot,
    classLabels: labels,
  };
}
