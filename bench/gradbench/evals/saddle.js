// saddle: the saddle point of ‖a‖² - ‖b‖² by two nested searches; the outer derivative goes through the whole inner search.
import { concat, constant, evaluate, square, sub, sum } from "chainrule";
import { list } from "../engine.js";
import { argmax, argmin, pairs } from "./descent.js";

/** @typedef {import("chainrule").Value} Value */

/** @param {Value} a @param {Value} b */
const f = (a, b) => sub(sum(square(a)), sum(square(b)));

export const saddle = pairs((outer, inner) => ({
  prepare: (/** @type {{ start: number[] }} */ { start }) => constant(start),
  run: (/** @type {Value} */ start) => {
    const best = (/** @type {Value} */ a) => argmax((b) => f(a, b), start, inner);
    const a = argmin((a) => f(a, best(a)), start, outer);
    return evaluate(concat([a, argmax((b) => f(a, b), start, inner)]));
  },
  answer: list,
}));
