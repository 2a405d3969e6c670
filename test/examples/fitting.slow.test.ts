// The examples of fitting, run as users run them, on the built package.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const run = (name: string, ...args: readonly string[]): string =>
  execFileSync(process.execPath, [`examples/${name}.js`, ...args], { cwd: root, encoding: "utf8" });

beforeAll(() => {
  execFileSync(process.execPath, ["scripts/ensure-built.js"], { cwd: root });
});

/** What a table says of each name: the truth, the estimates, and the standard error. */
function rows(out: string): { readonly name: string; readonly truth: number; readonly found: readonly number[]; readonly error: number }[] {
  return [...out.matchAll(/^(\w+) +(-?\d+\.\d+) +(.*) \+- (\d+\.\d+)$/gm)].map(([, name, truth, found, error]) => ({
    name: name!,
    truth: Number(truth),
    found: found!.split(/ +/).map(Number),
    error: Number(error),
  }));
}

test("curve fitting: L-BFGS and Levenberg-Marquardt agree, within three standard errors of the truth", () => {
  const out = run("curve-fitting");
  expect(out).toMatch(/L-BFGS: \d+ rounds, ended by gradient/);
  const table = rows(out);
  expect(table.map(({ name }) => name)).toEqual(["height", "decay", "speed", "phase"]);
  for (const { truth, found, error } of table) {
    expect(found[0]).toBeCloseTo(found[1]!, 3);
    expect(Math.abs(found[1]! - truth)).toBeLessThan(3 * error);
  }
  for (const { truth, found } of rows(run("curve-fitting", "--noise", "0"))) expect(found[1]).toBeCloseTo(truth, 4);
});

test("logistic regression by Newton's step: each round squares what is left of the gradient, and the digits are told apart", () => {
  const out = run("newton-logistic");
  const sizes = [...out.matchAll(/\|gradient\| (\S+)/g)].map(([, x]) => Number(x));
  expect(sizes.length).toBeLessThan(12);
  expect(sizes.at(-1)).toBeLessThan(1e-12);
  // Quadratic at the end: the exponent about doubles.
  const [before, after] = sizes.slice(-3) as [number, number, number];
  expect(after).toBeLessThan(before ** 1.6);
  expect(Number(/([\d.]+) % on \d+ held out/.exec(out)?.[1])).toBeGreaterThan(95);
});

test("the pendulum: length, friction and start are found through every step of the equation", () => {
  const table = rows(run("pendulum"));
  expect(table.map(({ name }) => name)).toEqual(["length", "friction", "angle", "speed"]);
  for (const { truth, found, error } of table) expect(Math.abs(found[0]! - truth)).toBeLessThan(3 * error);
  for (const { truth, found } of rows(run("pendulum", "--noise", "0", "--steps", "200"))) expect(found[0]).toBeCloseTo(truth, 3);
});
