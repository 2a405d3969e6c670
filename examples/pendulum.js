// Finds the length and the friction of a pendulum, and how it was let go, from noisy measurements of its angle: derivatives go through every step of
// the differential equation, which is a scan in the graph.
//   node examples/pendulum.js [--steps 400] [--noise 0.02]
import { parseArgs } from "node:util";
import { add, div, evaluate, f64, mul, neg, random, read, scan, sin, slice, sub, tensor } from "chainrule";
import { leastSquares } from "chainrule/optim";
import { wasm } from "chainrule/wasm";

/**
 * @typedef {import("chainrule").Value} Value
 * @typedef {{ readonly length: Value, readonly friction: Value, readonly angle: Value, readonly speed: Value }} Pendulum
 * @typedef {{ readonly angle: Value, readonly speed: Value }} State
 */

const { values: given } = parseArgs({ options: { steps: { type: "string", default: "400" }, noise: { type: "string", default: "0.02" } } });
const [steps, noise] = [Number(given.steps), Number(given.noise)];
const every = 10;
const dt = tensor(new Float64Array(steps).fill(10 / steps));

/**
 * angle'' = -9.81 / length * sin(angle) - friction * angle'
 *
 * @param {Pendulum} p
 * @param {State} s
 * @returns {State}
 */
const motion = (p, { angle, speed }) => ({ angle: speed, speed: sub(neg(mul(div(9.81, p.length), sin(angle))), mul(p.friction, speed)) });

/**
 * @param {State} s
 * @param {State} d
 * @param {import("chainrule").Operand} by
 * @returns {State}
 */
const moved = (s, d, by) => ({ angle: add(s.angle, mul(by, d.angle)), speed: add(s.speed, mul(by, d.speed)) });

/**
 * The angle at every tenth of the steps: the classical Runge-Kutta method.
 *
 * @param {Pendulum} p
 */
function swing(p) {
  const { out } = scan(
    (/** @type {State} */ s, /** @type {Value} */ h) => {
      const a = motion(p, s);
      const b = motion(p, moved(s, a, mul(0.5, h)));
      const c = motion(p, moved(s, b, mul(0.5, h)));
      const d = motion(p, moved(s, c, h));
      const next = moved(moved(s, moved(a, d, 1), div(h, 6)), moved(b, c, 1), div(h, 3));
      return { carry: next, out: next.angle };
    },
    { angle: p.angle, speed: p.speed },
    dt,
  );
  return slice(out, { axis: 0, start: every - 1, step: every });
}

const names = /** @type {const} */ (["length", "friction", "angle", "speed"]);
const truth = { length: 1.3, friction: 0.15, angle: 2.1, speed: -0.5 };
const clean = evaluate(
  swing({ length: mul(1, truth.length), friction: mul(1, truth.friction), angle: mul(1, truth.angle), speed: mul(1, truth.speed) }),
);
const drawn = evaluate(mul(noise, random.normal(random.key(3), f64(clean.data.length))));
const measured = tensor(clean.data.map((x, i) => x + drawn.data[i]));

const fit = leastSquares((p) => sub(swing(p), measured), { length: 1, friction: 0.05, angle: 1.8, speed: 0 }, { engine: wasm() });

console.log(`${measured.data.length} measurements over 10 s, ${steps} steps of the equation, noise ${noise}`);
console.log(
  `${fit.rounds} rounds, ended by ${fit.reason}, root mean square error ${Math.sqrt(fit.value / measured.data.length).toFixed(4)}\n`,
);
console.log("           truth   found");
for (const [i, name] of names.entries()) {
  const error = fit.covariance === null ? Number.NaN : Math.sqrt(fit.covariance.data[5 * i]);
  console.log(`${name.padEnd(8)} ${truth[name].toFixed(4).padStart(7)}   ${read(fit.at[name]).toFixed(4)} +- ${error.toFixed(4)}`);
}
