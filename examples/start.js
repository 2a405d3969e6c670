// `npm start`: the lecture's example step by step, then a linear classifier that learns handwritten digits.
// Options: --seeds 5 (how many splits), --epochs 60, --out FILE (where the picture goes).
import { mkdir } from "node:fs/promises";
import { dirname, relative, resolve } from "node:path";
import { setImmediate } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { add, explain, mul, variable } from "chainrule";
import { drawClassifier } from "./classifier-picture.js";
import { readDigits, recipes, training } from "./linear-classifier.js";
import { progressBar } from "./progress-bar.js";

/**
 * @typedef {import("./linear-classifier.js").Recipe} Recipe
 * @typedef {import("./linear-classifier.js").Digits} Digits
 * @typedef {{ epoch: number, loss: number, accuracy: number, params: { w: import("chainrule").Tensor, b: import("chainrule").Tensor } }} Reached
 */

const stop = new AbortController();
process.once("SIGINT", () => stop.abort());
const bar = progressBar(process.stdout);

/** @param {number} share */
const percent = (share) => `${(100 * share).toFixed(2)} %`;
/** @param {readonly number[]} xs */
const meanOf = (xs) => xs.reduce((a, b) => a + b, 0) / xs.length;

function lecture() {
  const x = variable(-2, "x");
  const y = variable(5, "y");
  const z = variable(-4, "z");
  console.log("f = (x + y) * z at x = -2, y = 5, z = -4, gate by gate\n");
  console.log(explain(mul(add(x, y), z)).text());
}

/**
 * Trains once, with the bar, and keeps a line.
 *
 * @param {Recipe} recipe
 * @param {string} label
 * @param {Digits} train
 * @param {Digits} test
 * @param {number} seed
 * @returns {Promise<Reached | null>} null when it was stopped before the first epoch
 */
async function trainOnce(recipe, label, train, test, seed) {
  /** @type {Reached | null} */
  let reached = null;
  for await (reached of training(recipe, train, test, seed)) {
    const { epoch, loss, accuracy } = reached;
    bar.show(label, epoch / recipe.epochs, `epoch ${epoch}/${recipe.epochs}  L ${loss.toFixed(4)}  accuracy ${percent(accuracy)}`);
    await setImmediate(); // lets Ctrl-C come through
    if (stop.signal.aborted) break;
  }
  if (reached === null) return null;
  const { epoch, loss, accuracy } = reached;
  const epochs = epoch === recipe.epochs ? `${epoch} epochs` : `stopped after ${epoch} of ${recipe.epochs} epochs`;
  bar.keep(`${label}  ${epochs}  L ${loss.toFixed(4)}  held-out accuracy ${percent(accuracy)}`);
  return reached;
}

/**
 * Trains on every split: seeded and stratified ones, then the file's own order.
 *
 * @param {Recipe} recipe
 * @param {Digits} digits
 * @param {number} seeds
 */
async function trainAll(recipe, digits, seeds) {
  const name = recipe.name.padEnd(7);
  /** @type {Reached[]} */
  const reached = [];
  for (let seed = 0; seed < seeds && !stop.signal.aborted; seed++) {
    const [train, test] = digits.split(0.8, { seed, stratify: "y" });
    const one = await trainOnce(recipe, `${name}  seed ${seed}   `, train, test, seed);
    if (one !== null) reached.push(one);
  }
  if (!stop.signal.aborted) {
    const [train, test] = digits.split(0.8);
    const own = await trainOnce(recipe, `${name}  own order`, train, test, 0);
    if (own !== null && !stop.signal.aborted) {
      const mean = percent(meanOf(reached.map(({ accuracy }) => accuracy)));
      console.log(
        `${name}  mean over seeds 0 to ${seeds - 1}: ${mean}; the file's own order, last 20 % held out: ${percent(own.accuracy)}\n`,
      );
    }
  }
  return reached;
}

/**
 * @param {{ seeds: number, epochs: number | null, out: string }} options
 */
async function main({ seeds, epochs, out }) {
  lecture();
  const began = performance.now();
  const digits = await readDigits(fileURLToPath(new URL("../data/digits.csv", import.meta.url)));
  console.log(
    `CS231n's linear classifier: scores x W + b for ${digits.size} handwritten digits of 8 x 8 pixels, a fifth of them held out.`,
  );
  console.log("L = data loss + lambda R(W), by mini-batch stochastic gradient descent.\n");
  /** @type {Reached | undefined} */
  let first;
  for (const recipe of Object.values(recipes)) {
    if (stop.signal.aborted) break;
    const reached = await trainAll({ ...recipe, epochs: epochs ?? recipe.epochs }, digits, seeds);
    first ??= reached[0];
  }
  if (first !== undefined) {
    await mkdir(dirname(out), { recursive: true });
    // Held-out digits: those it learned from are all beyond the margin, and then every gradient of the data loss is 0.
    const [, test] = digits.split(0.8, { seed: 0, stratify: "y" });
    await drawClassifier(recipes.hinge, first.params, test, 4, out);
    console.log(
      `Picture of the hinge classifier's graph, values above and gradients below the wires: ${relative(process.cwd(), out) || out}`,
    );
  }
  if (stop.signal.aborted) {
    console.log("Stopped; the lines above are what was reached.");
    process.exitCode = 130;
    return;
  }
  console.log(`Trained and drawn in ${((performance.now() - began) / 1000).toFixed(1)} s.\n`);
  console.log('Next:  npx --no-install chainrule explain "1 / (1 + exp(-(w * x + b)))" w=2 x=-1 b=-3   any formula, gate by gate');
  console.log('       npx --no-install chainrule check "log(x^2 + y)" x=3 y=2                        gradients against differences');
  console.log("       docs/lecture.md, the lecture with its pictures; docs/your-own-gate.md, a gate of your own in ten lines");
}

/** @param {string} text @param {string} name */
function wholeNumber(text, name) {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new Error(`--${name} is ${text}; it is a whole number, 1 or more`);
  return Number(text);
}

function readOptions() {
  const { values } = parseArgs({ options: { seeds: { type: "string" }, epochs: { type: "string" }, out: { type: "string" } } });
  return {
    seeds: wholeNumber(values.seeds ?? "5", "seeds"),
    epochs: values.epochs === undefined ? null : wholeNumber(values.epochs, "epochs"),
    out: values.out === undefined ? fileURLToPath(new URL("../out/linear-classifier.svg", import.meta.url)) : resolve(values.out),
  };
}

/** @type {ReturnType<typeof readOptions> | null} */
let options = null;
try {
  options = readOptions();
} catch (error) {
  console.error(`start: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 2;
}
if (options !== null) await main(options);
