// Mutants that change no result, reviewed one by one. `npm run mutate` counts them apart, and complains about entries that it kills or does not plant.

/** @typedef {import("./mutants.js").Mutant} Mutant */
/** @typedef {{ file: string, line: string, original: string, text: string, reason: string }} Equivalent */

/** @type {readonly Equivalent[]} */
export const equivalents = [];

/**
 * Sorts survivors into faults that nothing noticed and mutants of the list.
 *
 * @param {readonly Mutant[]} survivors
 * @param {readonly Mutant[]} all
 */
export function equivalent(survivors, all) {
  /** @type {(e: Equivalent, m: Mutant) => boolean} */
  const same = (e, m) => e.file === m.file && e.line === m.line && e.original === m.original && e.text === m.text;
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
