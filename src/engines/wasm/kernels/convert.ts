import { type DType, isFloat } from "../../../ir/dtype.ts";
import { sizeOf } from "../../../ir/shape.ts";
import { f64 } from "../encoder.ts";
import { cells, type KernelRow } from "../kernel.ts";

/** What whole-number dtypes of at most 32 bits hold. */
const ranges: Readonly<Partial<Record<DType, readonly [number, number]>>> = {
  i32: [-(2 ** 31), 2 ** 31 - 1],
  u32: [0, 2 ** 32 - 1],
  i16: [-(2 ** 15), 2 ** 15 - 1],
  u16: [0, 2 ** 16 - 1],
  i8: [-128, 127],
  u8: [0, 255],
};

/** Casts that loops leave: floats to whole numbers, where what is out of range fails, and between whole numbers of different sizes. */
const cast: KernelRow = (node) => {
  const from = node.operands[0]!.type.dtype;
  const to = node.type.dtype;
  const range = ranges[to];
  const cut = (from === "f32" || from === "f64") && range !== undefined;
  const small = ranges[from] !== undefined || from === "bool";
  if (!cut && !(small && (range !== undefined || to === "f32" || to === "f64" || to === "bool"))) return null;
  return {
    write(k) {
      const { code } = k;
      const [x, y] = [k.pointer(k.operands[0]!), k.pointer(k.outs[0]!)];
      const whole = k.local(f64);
      k.repeat(sizeOf(node.type.shape), () => {
        code.get(y).get(x);
        k.take(from);
        if (cut) {
          if (from === "f32") code.op("f64.promote_f32");
          code
            .op("f64.trunc")
            .tee(whole)
            .float64(range[0])
            .op("f64.ge")
            .get(whole)
            .float64(range[1])
            .op("f64.le")
            .op("i32.and")
            .op("i32.eqz");
          code.if(() => k.fail());
          code.get(whole).op(to === "u32" ? "i32.trunc_sat_f64_u" : "i32.trunc_sat_f64_s");
        } else if (to === "bool") code.int(0).op("i32.ne");
        else if (isFloat(to)) code.op(`${to as "f32" | "f64"}.convert_i32_${from === "u32" ? "u" : "s"}`);
        // Stores of fewer bits wrap by themselves.
        k.put(to);
        k.advance(x, cells[from].bytes);
        k.advance(y, cells[to].bytes);
      });
    },
  };
};

/** Kernels of conversions. */
export function convertKernels(): Readonly<Record<string, KernelRow>> {
  return { cast };
}
