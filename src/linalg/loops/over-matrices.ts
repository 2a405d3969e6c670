import { type Node, valuesOf } from "../../ir/node.ts";
import { sizeOf } from "../../ir/shape.ts";
import type { Block, LoopWriter } from "../../loops/language.ts";
import { matricesIn } from "../matrices.ts";

/** Each matrix of the only operand, with what is its own of the results: a matrix, a vector or a number. */
export function overMatrices(w: LoopWriter, node: Node, body: (a: Block, results: readonly Block[]) => void): void {
  const { type } = node.operands[0]!;
  const count = matricesIn(type);
  if (count === 0) return;
  const a = w.operand(0, type.shape.at(-1)!);
  const moved = [{ block: a, steps: [sizeOf(type.shape) / count] }];
  const results = valuesOf(node).map(({ type: { shape } }, i) => {
    const block = w.result(i, shape.length === type.shape.length ? shape.at(-1)! : 1);
    moved.push({ block, steps: [sizeOf(shape) / count] });
    return block;
  });
  w.each([count], moved, () => body(a, results));
}
