import { DomainError } from "../../ir/errors.ts";
import type { Value } from "../../ir/node.ts";
import type { Operand } from "../../ir/op.ts";
import { declare, type Op } from "../define.ts";
import { placeText } from "../linear/indices.ts";

/** How many classes there are, and which loss (or layer) asks. */
export interface ClassLabelsAttrs {
  readonly classes: number;
  readonly loss: string;
  /** The label that is ignored; -1 when left out. */
  readonly ignoreIndex?: number;
  /** "id": what is checked are the rows of a table, of which none is ignored. */
  readonly what?: "label" | "id";
}

type ClassLabels = (labels: Operand, attrs: ClassLabelsAttrs) => Value;

/**
 * Integer labels as they are, checked: each is a class 0 .. classes - 1, or the one that is ignored. Without it an index counted from the end would pass.
 * @throws DomainError when evaluated, which names the first label that is neither and its position
 */
export const classLabels: Op<ClassLabels> = declare<ClassLabels, readonly ["labels"]>("classLabels", ["labels"], {
  family: "unary",
  dtypes: { labels: "i32" },
  type: ({ labels }) => labels,
  eval: ({ labels, classes, loss, ignoreIndex = -1, what = "label" }) => {
    const { data } = labels;
    const ids = what === "id";
    for (let i = 0; i < data.length; i++) {
      const label = data[i]!;
      if ((label >= 0 && label < classes) || (!ids && label === ignoreIndex)) continue;
      const at = placeText(labels.type.shape, i);
      if (ids)
        throw new DomainError(
          `${loss}: ids${at} is ${label} and the table has ${classes} ${classes === 1 ? "row" : "rows"}; ids are 0..${classes - 1}`,
          { op: loss },
        );
      const other = ignoreIndex >= 0 && ignoreIndex < classes ? "" : `, or ${ignoreIndex} to be ignored`;
      const there = classes === 1 ? "is 1 class" : `are ${classes} classes`;
      throw new DomainError(`${loss}: labels${at} is ${label} and there ${there}; labels are 0..${classes - 1}${other}`, { op: loss });
    }
    return data;
  },
  batch: "elementwise",
  vjp: null,
});
