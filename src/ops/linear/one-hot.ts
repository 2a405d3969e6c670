import { allocate, type DType, isInteger } from "../../ir/dtype.ts";
import { DomainError, DTypeError } from "../../ir/errors.ts";
import type { Value } from "../../ir/node.ts";
import type { Operand } from "../../ir/op.ts";
import { sizeOf } from "../../ir/shape.ts";
import { tensorType, typeText } from "../../ir/type.ts";
import { declare, type Op } from "../define.ts";
import { placeText } from "./indices.ts";

/** Attributes of `oneHot`. */
export interface OneHotAttrs {
  /** How many classes there are: the size of the new last axis. */
  readonly depth: number;
  /** f32 when left out. */
  readonly dtype?: DType;
}

/**
 * Classes as rows with a single 1: a new last axis of size `depth`. -1, which marks "no class" in the losses too, gives a row of zeros. No derivative.
 * @throws DTypeError for classes that are not whole numbers; DomainError for a depth that is no whole number, and when evaluated for a class that is
 *   neither -1 nor 0..depth-1 (PyTorch refuses it and -1 too; JAX gives zeros; ONNX counts negative ones from the end)
 */
export const oneHot: Op<(x: Operand, attrs: OneHotAttrs) => Value> = declare<
  (x: Operand, attrs: OneHotAttrs) => Value,
  readonly ["x"],
  Required<OneHotAttrs>
>("oneHot", ["x"], {
  family: "linear",
  dtypes: { x: "i32" },
  attrs: ({ depth, dtype = "f32" }) => {
    if (!Number.isInteger(depth) || depth < 0)
      throw new DomainError(`oneHot: depth is ${depth}; it is the number of classes, a whole number`, { op: "oneHot" });
    return { depth, dtype };
  },
  type: ({ x, depth, dtype }) => {
    if (!isInteger(x.dtype))
      throw new DTypeError(`oneHot: x is ${typeText(x)}; classes are whole numbers; write cast(x, "i32")`, { op: "oneHot" });
    return tensorType(dtype, [...x.shape, depth]);
  },
  eval: ({ x, depth }, out) => {
    const y = allocate(out.dtype, sizeOf(out.shape));
    for (let i = 0; i < x.data.length; i++) {
      const place = x.data[i]!;
      if (place < -1 || place >= depth)
        throw new DomainError(
          `oneHot: x${placeText(x.type.shape, i)} is ${place} and depth is ${depth}; classes are 0..${depth - 1}, or -1 for none`,
          { op: "oneHot" },
        );
      if (place >= 0) y[i * depth + place] = 1;
    }
    return y;
  },
  batch: ({ x, depth, dtype }) => oneHot(x, { depth, dtype }),
  vjp: null,
});
