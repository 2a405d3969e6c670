import { DomainError, ShapeError } from "../../ir/errors.ts";
import type { Value } from "../../ir/node.ts";
import type { Operand } from "../../ir/op.ts";
import { typeText } from "../../ir/type.ts";
import { declare, type Op } from "../define.ts";

/** Which diagonal: 0 the main one, above it positive, below it negative. 0 when left out. */
export interface DiagonalAttrs {
  readonly offset?: number;
}

/** @throws DomainError for an offset that is not whole */
export function offsetOf(op: string, { offset = 0 }: DiagonalAttrs): Required<DiagonalAttrs> {
  if (!Number.isInteger(offset)) throw new DomainError(`${op}: offset is ${offset}; it is a whole number`, { op });
  return { offset };
}

/* @__NO_SIDE_EFFECTS__ */
function triangle(
  name: "triu" | "tril",
  keeps: (column: number, diagonal: number) => boolean,
): Op<(x: Operand, attrs?: DiagonalAttrs) => Value> {
  const made: Op<(x: Operand, attrs?: DiagonalAttrs) => Value> = declare<
    (x: Operand, attrs?: DiagonalAttrs) => Value,
    readonly ["x"],
    Required<DiagonalAttrs>
  >(name, ["x"], {
    family: "linear",
    attrs: (given) => offsetOf(name, given),
    type: ({ x }) => {
      if (x.shape.length < 2) throw new ShapeError(`${name}: x is ${typeText(x)}; a triangle needs two axes or more`, { op: name });
      return x;
    },
    eval: ({ x, offset }) => {
      const y = x.data.slice();
      const { shape } = x.type;
      const rows = shape.at(-2)!;
      const columns = shape.at(-1)!;
      for (let at = 0, row = 0; at < y.length; at += columns, row = (row + 1) % rows)
        for (let column = 0; column < columns; column++) if (!keeps(column, row + offset)) y[at + column] = 0;
      return y;
    },
    linear: ["x"],
    reach: "moves",
    batch: ({ x, offset }) => made(x, { offset }),
    formula: { x: `dX = ${name}(dY)` },
    vjp: ({ ct, offset }) => ({ x: made(ct, { offset }) }),
  });
  return made;
}

/** The upper triangle of the last two axes: zero below the diagonal `offset`. Backward: the upper triangle of the gradient. @throws ShapeError below two axes */
export const triu: Op<(x: Operand, attrs?: DiagonalAttrs) => Value> = /* @__PURE__ */ triangle(
  "triu",
  (column, diagonal) => column >= diagonal,
);

/** The lower triangle of the last two axes: zero above the diagonal `offset`. Backward: the lower triangle of the gradient. @throws ShapeError below two axes */
export const tril: Op<(x: Operand, attrs?: DiagonalAttrs) => Value> = /* @__PURE__ */ triangle(
  "tril",
  (column, diagonal) => column <= diagonal,
);
