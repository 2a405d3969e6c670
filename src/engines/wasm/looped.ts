import type { CompiledLoops } from "../../ir/assembler.ts";
import { type Node, valuesOf } from "../../ir/node.ts";
import { type Blocks, blocksOf, productScratch } from "./gemm.ts";
import type { Kernel } from "./kernel.ts";

/** How the products of a kernel are cut: for the largest that there can be. */
export function cubeOf({ products: n }: CompiledLoops): Blocks {
  return blocksOf(n, n, n, "f64");
}

/** The kernel that an op wrote for a node itself; null where it did not, or dtypes are not computed here. */
export function loopedKernel(node: Node): Kernel | null {
  const floats = [...node.operands, ...valuesOf(node)].every((v) => v === null || v.type.dtype === "f64" || v.type.dtype === "f32");
  const loops = (floats && node.op.facts.loops?.(node)) || null;
  if (loops === null) return null;
  const { temps, products: n } = loops;
  const lengths = n > 0 ? [...temps, productScratch(n, n, n, "f64") / 8] : temps;
  return {
    loops,
    temps: lengths.map((t) => ({ dtype: "f64", ...(typeof t === "number" ? { length: t } : { length: t.length, data: t }) })),
    write: (k) => loops.write(k),
  };
}
