import { type DType, isFloat, wholeRanges } from "../../../ir/dtype.ts";
import { broadcastStrides, sizeOf } from "../../../ir/shape.ts";
import { f64, i32 } from "../encoder.ts";
import { cells, type KernelCode, type KernelRow } from "../kernel.ts";

/** The body for each element of an operand and a result that lie in order, with their addresses. */
function each(k: KernelCode, count: number, from: DType, to: DType, body: (x: number, y: number) => void): void {
  const [x, y] = [k.pointer(k.operands[0]!), k.pointer(k.outs[0]!)];
  k.repeat(count, () => {
    body(x, y);
    k.advance(x, cells[from].bytes);
    k.advance(y, cells[to].bytes);
  });
}

/** Casts that loops leave: to whole numbers from floats, where what is out of range fails, and between whole numbers of different sizes. */
const cast: KernelRow = (node) => {
  const from = node.operands[0]!.type.dtype;
  const { dtype: to, shape } = node.type;
  const range = wholeRanges[to];
  const long = to === "i64" || to === "u64";
  const cut = range !== undefined && (isFloat(from) || long);
  return {
    write(k) {
      const { code } = k;
      const whole = k.local(f64);
      each(k, sizeOf(shape), from, to, (x, y) => {
        code.get(y).get(x);
        k.take(from);
        const { store, type } = cells[from];
        if (cut) {
          if (store === "f32.store") code.op("f64.promote_f32");
          else if (type === i32) code.op(from === "u32" ? "f64.convert_i32_u" : "f64.convert_i32_s");
          code.op("f64.trunc").tee(whole).float64(range[0]).op("f64.ge").get(whole).float64(range[1]).op("f64.le").op("i32.and");
          code.op("i32.eqz").if(() => k.fail());
          // Whole numbers have no -0.
          code.get(whole).float64(0).op("f64.add");
          if (!long) code.op(to === "u32" ? "i32.trunc_sat_f64_u" : "i32.trunc_sat_f64_s");
        } else if (type === f64) code.op("i64.trunc_sat_f64_s").op("i32.wrap_i64");
        else if (to === "bool") code.int(0).op("i32.ne");
        else if (isFloat(to)) code.op(`${to as "f32" | "f64"}.convert_i32_${from === "u32" ? "u" : "s"}`);
        // Stores of fewer bits wrap by themselves.
        k.put(to);
      });
    },
  };
};

/** Whole numbers of the doubles that were found for them: exact ones, of which 32 bits or fewer wrap. */
const settled: KernelRow = ({ type: { dtype, shape }, attrs, operands }) => {
  const { cut } = attrs as { readonly cut: boolean };
  const long = cells[dtype].type === f64;
  return {
    views: operands.map((_, i) => i).slice(1),
    write(k) {
      const { code } = k;
      const found = k.local(f64);
      each(k, sizeOf(shape), "f64", dtype, (x, y) => {
        code.get(x);
        k.take("f64");
        if (cut) code.op("f64.trunc");
        // A sum or product that rounding brought to 2^53 is not exact.
        code
          .tee(found)
          .op("f64.abs")
          .float64(2 ** 53)
          .op("f64.lt");
        if (long) code.get(found).op("f64.trunc").get(found).op("f64.eq").op("i32.and");
        if (dtype === "u64") code.get(found).float64(0).op("f64.ge").op("i32.and");
        code.op("i32.eqz").if(() => k.fail());
        code.get(y).get(found);
        if (long) code.float64(0).op("f64.add");
        else code.op("i64.trunc_sat_f64_s").op("i32.wrap_i64");
        k.put(dtype);
      });
    },
  };
};

/** Whole powers by squaring. */
const pow: KernelRow = ({ type: { dtype, shape }, operands }) => {
  const { bytes, type } = cells[dtype];
  if (isFloat(dtype) || bytes < 4) return null;
  const kind = type === f64 ? "f64" : "i32";
  const [a, b] = operands.map((v) => broadcastStrides(v!.type.shape, shape).map((s) => s * bytes));
  return {
    write(k) {
      const { code } = k;
      const [x, y, out] = [k.pointer(k.operands[0]!), k.pointer(k.operands[1]!), k.pointer(k.outs[0]!)];
      const [factor, result] = [k.local(type), k.local(type)];
      const n = k.local();
      const pointers = [
        { pointer: x, strides: a! },
        { pointer: y, strides: b! },
      ];
      k.walk(shape, pointers, () => {
        code.get(y);
        k.whole(dtype);
        code
          .tee(n)
          // Below 0, and where more than 32 bits end.
          .int(1)
          .op("i32.add")
          .int(1)
          .op("i32.lt_s")
          .if(() => k.fail());
        code.get(x);
        k.take(dtype);
        code.set(factor);
        if (kind === "f64") code.float64(1);
        else code.int(1);
        code.set(result);
        code.get(n).if(() =>
          code.loop(() => {
            code
              .get(n)
              .int(1)
              .op("i32.and")
              .if(() => code.get(result).get(factor).op(`${kind}.mul`).set(result));
            code.get(factor).get(factor).op(`${kind}.mul`).set(factor);
            code.get(n).int(1).op("i32.shr_u").tee(n).brIf(0);
          }),
        );
        if (kind === "f64")
          code
            .get(result)
            .op("f64.abs")
            .float64(2 ** 53)
            .op("f64.lt")
            .op("i32.eqz")
            .if(() => k.fail());
        code.get(out).get(result);
        k.put(dtype);
        k.advance(out, bytes);
      });
    },
  };
};

/** Kernels of conversions, and of what whole numbers have of their own. */
export function convertKernels(): Readonly<Record<string, KernelRow>> {
  return { cast, settled, pow };
}
