// hello: the square of a number, and its derivative.
import { grad, read, square } from "chainrule";

export const hello = {
  square: { prepare: Number, run: (/** @type {number} */ x) => square(x), answer: read },
  double: { prepare: Number, run: (/** @type {number} */ x) => grad(square)(x), answer: read },
};
