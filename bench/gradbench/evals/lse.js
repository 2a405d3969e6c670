// lse: log Σ exp x, shifted by the greatest element so that nothing overflows. The derivative passes through the shift, and cancels there.
import { add, exp, grad, jit, log, max, sub, sum } from "chainrule";
import { array, engine, list, number } from "../engine.js";

/** @param {import("chainrule").Value} x */
function logSumExp(x) {
  const top = max(x);
  return add(top, log(sum(exp(sub(x, top)))));
}

/** @param {{ x: number[] }} input */
const prepare = ({ x }) => array(x, x.length);

export const lse = {
  primal: { prepare, run: jit(logSumExp, engine), answer: number },
  gradient: { prepare, run: jit(grad(logSumExp), engine), answer: list },
};
