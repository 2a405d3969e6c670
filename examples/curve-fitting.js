// Fits a damped oscillation to noisy measurements: by L-BFGS on the mean squared error, and by Levenberg-Marquardt, which also says how sure it is.
//   node examples/curve-fitting.js [--noise 0.05] [--points 60]
import { parseArgs } from "node:util";
import { cos, evaluate, exp, f64, mean, mul, neg, random, read, square, sub, tensor } from "chainrule";
import { leastSquares, minimize } from "chainrule/optim";

/**
 * @typedef {import("chainrule").Value} Value
 * @typedef {{ readonly height: Value, readonly decay: Value, readonly speed: Value, readonly phase: Value }} Curve
 */

const { values: given } = parseArgs({ options: { noise: { type: "string", default: "0.05" }, points: { type: "string", default: "60" } } });
const [noise, points] = [Number(given.noise), Number(given.points)];

const names = /** @type {const} */ (["height", "decay", "speed", "phase"]);
const truth = { height: 2, decay: 0.3, speed: 2.5, phase: 0.4 };
const t = tensor(Float64Array.from({ length: points }, (_, i) => (10 * i) / (points - 1)));

/**
 * height exp(-decay t) cos(speed t + phase)
 *
 * @param {Curve} curve
 */
const curve = ({ height, decay, speed, phase }) => mul(mul(height, exp(neg(mul(decay, t)))), cos(sub(mul(speed, t), neg(phase))));

const clean = evaluate(
  curve({ height: mul(1, truth.height), decay: mul(1, truth.decay), speed: mul(1, truth.speed), phase: mul(1, truth.phase) }),
);
const drawn = evaluate(mul(noise, random.normal(random.key(1), f64(points))));
const measured = tensor(clean.data.map((y, i) => y + drawn.data[i]));

const start = { height: 1, decay: 0.1, speed: 2.2, phase: 0 };
const lowest = minimize((p) => mean(square(sub(curve(p), measured))), start, { method: "lbfgs" });
const fit = leastSquares((p) => sub(curve(p), measured), start);

console.log(`${points} points, noise ${noise}`);
console.log(`L-BFGS: ${lowest.rounds} rounds, ended by ${lowest.reason}, root mean square error ${Math.sqrt(lowest.value).toFixed(4)}`);
console.log(`Levenberg-Marquardt: ${fit.rounds} rounds, ended by ${fit.reason}\n`);
console.log("           truth   L-BFGS   Levenberg-Marquardt");
for (const [i, name] of names.entries()) {
  const error = fit.covariance === null ? Number.NaN : Math.sqrt(fit.covariance.data[5 * i]);
  const cells = [truth[name].toFixed(4), read(lowest.at[name]).toFixed(4), `${read(fit.at[name]).toFixed(4)} +- ${error.toFixed(4)}`];
  console.log(`${name.padEnd(8)} ${cells.join("   ")}`);
}
