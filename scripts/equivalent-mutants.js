// Mutants that change no result, reviewed one by one. `npm run mutate` counts them apart, and complains about entries that it kills or does not plant.

/** @typedef {import("./mutants.js").Mutant} Mutant */
/** @typedef {{ file: string, line: string, at: number, original: string, text: string, reason: string }} Equivalent */

/** @type {readonly Equivalent[]} */
export const equivalents = [
  {
    file: "src/ops/contract/pool.ts",
    line: "return dilation.every((d) => d === 1) ? {} : { dilation };",
    at: 35,
    original: "1",
    text: "2",
    reason: "the dilation of an average pooling is 1 on every axis, and to say so is the same as to leave it out",
  },
  {
    file: "src/ops/contract/pool.ts",
    line: "return dilation.every((d) => d === 1) ? {} : { dilation };",
    at: 35,
    original: "1",
    text: "(-1)",
    reason: "the dilation of an average pooling is 1 on every axis, and to say so is the same as to leave it out",
  },
  {
    file: "src/ops/elementwise/power.ts",
    line: "return mul(y, pow(x, sub(where(corner, lift(1, y.type.dtype), y), 1)));",
    at: 44,
    original: "1",
    text: "2",
    reason: "at the corner x and y are 0, and y times any finite power of x is 0; the derivative through the choice is masked there",
  },
  {
    file: "src/ops/elementwise/power.ts",
    line: "if (base !== null && base > 0) return mul(out, Math.log(base));",
    at: 28,
    original: "0",
    text: "1",
    reason: "a literal base from 0 to 1 then takes the general formula below, which is the same product without the shortcut",
  },
  {
    file: "src/ops/elementwise/power.ts",
    line: "return where(flat, lift(0, x.type.dtype), mul(out, log(where(flat, lift(1, x.type.dtype), x))));",
    at: 72,
    original: "1",
    text: "2",
    reason: "the logarithm of any positive number stands in where the other branch is taken, so that it is finite; its value is not used",
  },
  {
    file: "src/ops/linear/tile.ts",
    line: "x: sum(reshape(ct, { shape: copies(x.type.shape, repeats) }), { axis: x.type.shape.map((_, i) => 2 * i) }),",
    at: 97,
    original: "2",
    text: "(-2)",
    reason: "counted from the end of an even number of axes, 0, -2, -4 ... are the same even axes",
  },
  {
    file: "src/ops/reduce/log-sum-exp.ts",
    line: "return exp(sub(x, where(equal(whole, Number.NEGATIVE_INFINITY), 0, whole)));",
    at: 64,
    original: "0",
    text: "1",
    reason: "in a row of -Infinity alone x is -Infinity, and exp(x - any finite number) is 0",
  },
  {
    file: "src/ops/reduce/norm.ts",
    line: "if (ord === 1) return sign(x);",
    at: 12,
    original: "1",
    text: "(-1)",
    reason: "ord is above 0, and for 1 the general formula below is sign(x) times a power of exponent 0, which is 1",
  },
  {
    file: "src/ops/reduce/norm.ts",
    line: "const safe = where(equal(whole, 0), 1, whole);",
    at: 36,
    original: "1",
    text: "2",
    reason: "any number but 0 stands in for a norm of 0; what is divided by it is 0, or not used",
  },
  {
    file: "src/ops/reduce/norm.ts",
    line: "const safe = where(equal(whole, 0), 1, whole);",
    at: 36,
    original: "1",
    text: "(-1)",
    reason: "any number but 0 stands in for a norm of 0; what is divided by it is 0, or not used",
  },
  {
    file: "src/ops/reduce/norm.ts",
    line: "const ratio = where(equal(x, 0), 1, div(abs(x), safe));",
    at: 33,
    original: "1",
    text: "2",
    reason: "the ratio stands in at x = 0, where the power of it is multiplied by sign(x) = 0",
  },
  {
    file: "src/ops/reduce/sort.ts",
    line: 'return ct && scatterElements(zeros(x.type), indices, ct, { axis, reduction: "add" });',
    at: 76,
    original: '"add"',
    text: "undefined",
    reason: "the places are distinct, so that putting and adding into zeros are the same",
  },
];

/**
 * Sorts survivors into faults that nothing noticed and mutants of the list.
 *
 * @param {readonly Mutant[]} survivors
 * @param {readonly Mutant[]} all
 */
export function equivalent(survivors, all) {
  /** @type {(e: Equivalent, m: Mutant) => boolean} */
  const same = (e, m) => e.file === m.file && e.line === m.line && e.at === m.at && e.original === m.original && e.text === m.text;
  const listed = survivors.flatMap((mutant) => {
    const entry = equivalents.find((e) => same(e, mutant));
    return entry === undefined ? [] : [{ mutant, reason: entry.reason }];
  });
  return {
    survivors: survivors.filter((m) => !listed.some((l) => l.mutant === m)),
    listed,
    stale: equivalents
      .filter((e) => !survivors.some((m) => same(e, m)))
      .map((e) => `${e.file} ${e.original} -> ${e.text}${all.some((m) => same(e, m)) ? "" : " (not planted)"}`),
  };
}
