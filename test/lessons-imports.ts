import { dtypeOf } from "../src/ir/dtype.ts";

export { compile, f64, graph, random, reference, tensor, variable } from "../src/index.ts";

/** Asks for the dtype of what has none. */
export function dtypeLesson(): string {
  return dtypeOf(new Uint8ClampedArray(2) as never);
}
