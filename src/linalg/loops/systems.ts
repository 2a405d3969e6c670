import type { Node } from "../../ir/node.ts";
import { broadcastStrides, type Shape, sizeOf, stridesOf } from "../../ir/shape.ts";
import type { Block, LoopWriter, Whole } from "../../loops/language.ts";
import { batchOf, systemOf } from "../matrices.ts";

/** The systems of a node with operands a and b, as loops walk them. */
export interface Systems {
  readonly n: number;
  readonly columns: number;
  /** How many there are. */
  readonly count: number;
  /** Dtypes are f64, so that what is read and written can be worked with where it is. */
  readonly doubles: boolean;
  /** Axes with matrices of their own, and those after them, along which one matrix has many right sides. */
  readonly outer: Shape;
  readonly inner: Shape;
  /** Elements of a, b and the solution from place to place. */
  readonly steps: { readonly a: readonly number[]; readonly b: readonly number[]; readonly y: readonly number[] };
}

export function systemsOf(node: Node): Systems {
  const [a, b] = [node.operands[0]!.type, node.operands[1]!.type];
  const { batch, n, columns, vector } = systemOf(node.op.name, a, b);
  const stepsOf = (shape: Shape, size: number): number[] => broadcastStrides(shape, batch).map((step) => step * size);
  const steps = {
    a: stepsOf(batchOf(a), n * n),
    b: stepsOf(vector ? [] : batchOf(b), n * columns),
    y: stridesOf(batch).map((step) => step * n * columns),
  };
  let own = batch.length;
  while (own > 0 && (steps.a[own - 1] === 0 || batch[own - 1] === 1)) own--;
  return {
    n,
    columns,
    count: sizeOf(batch),
    doubles: node.type.dtype === "f64",
    outer: batch.slice(0, own),
    inner: batch.slice(own),
    steps,
  };
}

/** Each matrix once, with what `prepared` makes of it, and each of its right sides after that. */
export function overSystems<T>(
  w: LoopWriter,
  { n, columns, outer, inner, steps }: Systems,
  prepared: (a: Block) => T,
  body: (matrix: T, b: Block, y: Block) => void,
): void {
  const [a, b, y] = [w.operand(0, n), w.operand(1, columns), w.result(0, columns)];
  const depth = outer.length;
  w.each(
    outer,
    [
      { block: a, steps: steps.a.slice(0, depth) },
      { block: b, steps: steps.b.slice(0, depth) },
      { block: y, steps: steps.y.slice(0, depth) },
    ],
    () => {
      const matrix = prepared(a);
      w.each(
        inner,
        [
          { block: b, steps: steps.b.slice(depth) },
          { block: y, steps: steps.y.slice(depth) },
        ],
        () => body(matrix, b, y),
      );
    },
  );
}

/** Rows of a block, to another. */
export function copyRows(w: LoopWriter, from: Block, to: Block, rows: Whole | number, columns: number): void {
  w.for(0, rows, (i) => w.sweep(columns, [w.part(to, i, 0), w.part(from, i, 0)], [], ([, x]) => [x!, null]));
}
