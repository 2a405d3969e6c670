import { DomainError } from "../../ir/errors.ts";
import type { Value } from "../../ir/node.ts";
import type { Operand } from "../../ir/op.ts";
import { declare, type Op } from "../define.ts";

/** How many classes there are, and which loss asks. */
export interface ClassLabelsAttrs {
  readonly classes: number;
  readonly loss: string;
}

type ClassLabels = (labels: Operand, attrs: ClassLabelsAttrs) => Value;

/**
 * Integer labels as they are, checked: each is a class 0 .. classes - 1, or -1 for "ignored". Without it an index counted from the end would pass.
 * @throws DomainError when evaluated, which names the first label that is neither and its position
 */
export const classLabels: Op<ClassLabels> = declare<ClassLabels, readonly ["labels"]>("classLabels", ["labels"], {
  family: "unary",
  dtypes: { labels: "i32" },
  type: ({ labels }) => labels,
  eval: ({ labels, classes, loss }) => {
    const { data } = labels;
    for (let i = 0; i < data.length; i++)
      if (data[i]! < -1 || data[i]! >= classes)
        throw new DomainError(`${loss}: label ${i} is ${data[i]}; labels are classes 0..${classes - 1}, or -1 to be ignored`, { op: loss });
    return data;
  },
  batch: "elementwise",
  vjp: null,
});
