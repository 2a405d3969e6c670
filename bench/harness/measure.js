// Measures contestants against each other in one process: every round runs each of them once, in turn, so that what else the machine does
// meanwhile falls on all alike. Only ratios of one run mean anything.

/**
 * @typedef {object} Contestant
 * @property {string} name
 * @property {(times: number) => unknown} run does the work `times` times; the last result goes to `check`
 * @property {() => number | Promise<number>} [sample] measures itself, in another process: nanoseconds for one time
 * @property {() => void} [close] lets go of what would keep this process alive
 * @property {number} [most] never more than this many times in a batch, for what is very slow
 * @property {string} [left] why it is not run: a reason for the table
 */

/**
 * @typedef {object} Measured
 * @property {string} name
 * @property {number[]} samples nanoseconds for one time, one a round; empty when it failed
 * @property {string | null} failed why there are none
 */

/**
 * @typedef {object} Options
 * @property {(result: unknown) => void} check throws when a result is wrong: a wrong answer is not timed
 * @property {number} [rounds] 21 when left out
 * @property {number} [batchMs] how long a batch should take; 20 when left out
 * @property {number} [warmMs] how long each runs before it is measured, so that its code is compiled; 300 when left out
 * @property {boolean} [settled] whether each batch is done once more before the one that is timed. What others did meanwhile has its price: their garbage is collected in our
 *   turn, and collections make the host forget code that it compiled, for work that nobody does now. Who trains does that alone, for long
 * @property {() => number} [now] nanoseconds
 */

/**
 * @param {readonly Contestant[]} contestants
 * @param {Options} options
 * @returns {Promise<Measured[]>}
 */
export async function measure(contestants, { check, rounds = 21, batchMs = 20, warmMs = 300, settled = false, now = nanoseconds }) {
  const runners = [];
  for (const { name, run, sample, most = Number.POSITIVE_INFINITY, left } of contestants) {
    /** @type {Measured} */
    const measured = { name, samples: [], failed: left ?? null };
    let times = 1;
    try {
      if (left === undefined) check(await run(1));
      while (sample === undefined && left === undefined) {
        const from = now();
        await run(times);
        const took = now() - from;
        if (took >= (batchMs * 1e6) / 2 || times * 2 > most) break;
        times *= 2;
      }
      for (const from = now(); sample === undefined && left === undefined && now() - from < warmMs * 1e6; ) await run(times);
    } catch (error) {
      measured.failed = error instanceof Error ? `${error.name}: ${error.message}`.slice(0, 120) : String(error);
    }
    runners.push({ measured, run, sample, times });
  }
  for (let round = 0; round < rounds; round++)
    // Who goes first changes from round to round.
    for (const { measured, run, sample, times } of [
      ...runners.slice(round % runners.length),
      ...runners.slice(0, round % runners.length),
    ]) {
      if (measured.failed !== null) continue;
      if (sample !== undefined) {
        measured.samples.push(await sample());
        continue;
      }
      if (settled) await run(times);
      const from = now();
      await run(times);
      measured.samples.push((now() - from) / times);
    }
  for (const { close } of contestants) close?.();
  return runners.map(({ measured }) => measured);
}

/** Elapsed time. @returns {number} */
export function nanoseconds() {
  return Number(process.hrtime.bigint());
}

/**
 * Time that this process had the processor, collecting garbage too: on a busy machine steadier than elapsed time, and no measure for what waits
 * or computes in several threads.
 *
 * @returns {number}
 */
export function processorNanoseconds() {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1000;
}
