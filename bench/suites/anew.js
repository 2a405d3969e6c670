// A scalar graph of n nodes, built, evaluated and differentiated anew: chains of at most 1,000 nodes (peers recurse), added up at the end.
// Twenty variables take part everywhere; every third node is a tanh.
import { add, gradients, mul, read, tanh, variable } from "../../dist/index.js";
import { peer } from "../harness/peers.js";

const inputs = Array.from({ length: 20 }, (_, i) => 0.3 + 0.03 * i);
const depth = 999;

/**
 * The same graph in any library: `ops` makes its nodes.
 *
 * @template V
 * @param {{ add(a: V, b: V): V, mul(a: V, b: V): V, tanh(a: V): V }} ops
 * @param {readonly V[]} xs
 * @param {number} nodes
 * @returns {V}
 */
function build(ops, xs, nodes) {
  let total = null;
  for (let made = 0, chain = 0; made < nodes; chain++) {
    let v = xs[chain % xs.length];
    for (let k = 0; k < depth && made < nodes; k += 3, made += 3) {
      v = ops.mul(v, xs[(chain + k) % xs.length]);
      v = ops.add(v, xs[(chain + k + 7) % xs.length]);
      v = ops.tanh(v);
    }
    total = total === null ? v : ops.add(total, v);
  }
  return total;
}

/** The truth, by hand: one pass of numbers forward and one back. */
function expected(nodes) {
  const tape = [];
  const leaf = (value) => {
    tape.push({ value, a: -1, da: 0, b: -1, db: 0 });
    return tape.length - 1;
  };
  const node = (value, a, da, b = -1, db = 0) => {
    tape.push({ value, a, da, b, db });
    return tape.length - 1;
  };
  const at = (i) => tape[i].value;
  const ops = {
    add: (a, b) => node(at(a) + at(b), a, 1, b, 1),
    mul: (a, b) => node(at(a) * at(b), a, at(b), b, at(a)),
    tanh: (a) => node(Math.tanh(at(a)), a, 1 - Math.tanh(at(a)) ** 2),
  };
  const xs = inputs.map(leaf);
  const end = build(ops, xs, nodes);
  const grad = new Float64Array(tape.length);
  grad[end] = 1;
  for (let i = end; i >= 0; i--) {
    const { a, da, b, db } = tape[i];
    if (a >= 0) grad[a] += da * grad[i];
    if (b >= 0) grad[b] += db * grad[i];
  }
  return [at(end), ...xs.map((x) => grad[x])];
}

/** @param {number} nodes */
export function anew(nodes) {
  const truth = expected(nodes);
  return {
    title: `A scalar graph of ${nodes.toLocaleString("en")} nodes, built and differentiated anew`,
    unit: "ns of processor time a node",
    scale: 1 / nodes,
    rounds: nodes > 10_000 ? 11 : 21,
    /** @param {unknown} result */
    check(result) {
      /** @type {number[]} */ (result).forEach((x, i) => {
        if (!(Math.abs(x - truth[i]) <= 1e-9 * Math.max(1, Math.abs(truth[i])))) throw new Error(`result ${i} is ${x}, not ${truth[i]}`);
      });
    },
    /** @returns {Promise<import("../harness/measure.js").Contestant[]>} */
    async contestants() {
      const repeat = (once) => (times) => {
        let out;
        for (let i = 0; i < times; i++) out = once();
        return out;
      };
      const found = [
        {
          name: "chainrule",
          run: repeat(() => {
            const xs = inputs.map((x) => variable(x));
            const f = build({ add, mul, tanh }, xs, nodes);
            const found = gradients(f, Object.fromEntries(xs.map((x, i) => [i, x])));
            return [read(f), ...xs.map((_, i) => read(found[i]))];
          }),
        },
      ];
      const scalar = await peer("scalar-autograd");
      if (scalar) {
        const { V } = scalar;
        found.push({
          name: "scalar-autograd",
          run: repeat(() => {
            const xs = inputs.map((x) => V.W(x));
            const f = build(V, xs, nodes);
            f.backward();
            return [f.data, ...xs.map((x) => x.grad)];
          }),
        });
      }
      const micro = await peer("micrograd-ts");
      if (micro) {
        const ops = { add: (a, b) => a.add(b), mul: (a, b) => a.mul(b), tanh: (a) => a.tanh() };
        found.push({
          name: "micrograd-ts",
          run: repeat(() => {
            const xs = inputs.map((x) => new micro.Value(x));
            const f = build(ops, xs, nodes);
            f.backward();
            return [f.data, ...xs.map((x) => x.grad)];
          }),
        });
      }
      return found;
    },
  };
}
