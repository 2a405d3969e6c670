// lstm: a language model of diagonal LSTM layers that predicts the next character's bits. The text is read by `scan`, one node whatever its length.
// The normaliser is log(2 + Σ exp ŷ): ADBench's first version summed along dimension 2, and its translations into other languages kept the 2 as a
// number. GradBench's definition has it; without it the model is the one that was meant. Both are here, GradBench's is the eval.
import {
  add,
  concat,
  div,
  exp,
  expr,
  grad,
  jit,
  log,
  mul,
  neg,
  reshape,
  scan,
  sigmoid,
  slice,
  split,
  sub,
  sum,
  tanh,
  unstack,
} from "chainrule";
import { array, engine, list, number } from "../engine.js";

/**
 * @typedef {import("chainrule").Value} Value
 * @typedef {{ hidden: Value, cell: Value }} Layer
 * @typedef {{ main: Value, extra: Value }} Params
 */

/**
 * @param {Layer} layer
 * @param {Value} input
 * @param {Value} weight [4 b]: forget, in, out, change
 * @param {Value} bias [4 b]
 * @returns {Layer}
 */
function step({ hidden, cell }, input, weight, bias) {
  const [wf, wi, wo, wg] = /** @type {[Value, Value, Value, Value]} */ (split(weight, { parts: 4 }));
  const [bf, bi, bo, bg] = /** @type {[Value, Value, Value, Value]} */ (split(bias, { parts: 4 }));
  const next = expr`${cell} * sigmoid(${input} * ${wf} + ${bf}) + sigmoid(${hidden} * ${wi} + ${bi}) * tanh(${hidden} * ${wg} + ${bg})`;
  return { hidden: mul(sigmoid(add(mul(input, wo), bo)), tanh(next)), cell: next };
}

/**
 * @param {"GradBench" | "meant"} normaliser
 * @returns {(p: Params, state: Value, sequence: Value) => Value}
 */
export function objectiveOf(normaliser) {
  const extra = normaliser === "GradBench" ? 2 : 0;
  return (params, state, sequence) => {
    const [c = 0, b = 0] = sequence.type.shape;
    const rows = unstack(params.main);
    const [wIn, wOut, bOut] = /** @type {[Value, Value, Value]} */ (unstack(params.extra));
    const start = unstack(reshape(state, { shape: [-1, 2, b] })).map((layer) => {
      const [hidden, cell] = /** @type {[Value, Value]} */ (unstack(layer));
      return { hidden, cell };
    });
    const { out } = scan(
      (/** @type {Layer[]} */ layers, /** @type {Value} */ character) => {
        let z = mul(character, wIn);
        const carry = layers.map((layer, i) => {
          const next = step(layer, z, /** @type {Value} */ (rows[2 * i]), /** @type {Value} */ (rows[2 * i + 1]));
          z = next.hidden;
          return next;
        });
        return { carry, out: add(mul(z, wOut), bOut) };
      },
      start,
      slice(sequence, { end: c - 1 }),
    );
    const norm = log(add(extra, sum(exp(out), { axis: 1, keepDims: true })));
    return neg(div(sum(mul(slice(sequence, { start: 1 }), sub(out, norm))), b * (c - 1)));
  };
}

/** @param {{ main_params: number[][], extra_params: number[][], state: number[][], sequence: number[][] }} input */
const prepare = ({ main_params: main, extra_params: extra, state, sequence }) => {
  const b = /** @type {number[]} */ (extra[0]).length;
  return /** @type {const} */ ([
    { main: array(main, main.length, 4 * b), extra: array(extra, 3, b) },
    array(state, state.length, b),
    array(sequence, sequence.length, b),
  ]);
};

/** @typedef {ReturnType<typeof prepare>} Prepared */

const objective = objectiveOf("GradBench");
const primal = jit(objective, engine);
const gradient = jit((/** @type {Params} */ params, /** @type {Value} */ state, /** @type {Value} */ sequence) => {
  const { main, extra } = grad(objective)(params, state, sequence);
  return concat([main, extra].map((x) => reshape(x, { shape: [-1] })));
}, engine);

export const lstm = {
  objective: { prepare, run: (/** @type {Prepared} */ at) => primal(...at), answer: number },
  jacobian: { prepare, run: (/** @type {Prepared} */ at) => gradient(...at), answer: list },
};
