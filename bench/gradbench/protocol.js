// GradBench's protocol without its transport: a message in, an answer out. Nothing here knows an eval.

/**
 * A function of an eval. `prepare` turns the message's lists into the library's arrays and `answer` turns results into lists, both outside the
 * clock; `run` is the whole computation, from arrays to complete results.
 *
 * @template P, R
 * @typedef {object} Evaluated
 * @property {(input: never) => P} prepare
 * @property {(prepared: P) => R} run
 * @property {(result: R, input: never) => unknown} answer
 */

/** @typedef {Record<string, Evaluated<unknown, unknown>>} Eval */

/**
 * @param {Record<string, Eval>} evals
 * @param {() => bigint} now nanoseconds
 */
export function protocol(evals, now = process.hrtime.bigint) {
  /**
   * @param {Record<string, unknown>} message
   * @returns {Record<string, unknown>}
   */
  function evaluate(message) {
    const { module, function: name, input } = message;
    const known = find(evals, module);
    if (known === undefined) return failure(`there is no module ${text(module)}; there are ${Object.keys(evals).join(", ")}`);
    const evaluated = find(known, name);
    if (evaluated === undefined) return failure(`${text(module)} has no function ${text(name)}; it has ${Object.keys(known).join(", ")}`);
    const { prepare, run, answer } = evaluated;
    const { min_runs: runs = 1, min_seconds: seconds = 0 } = /** @type {{ min_runs?: number, min_seconds?: number }} */ (input ?? {});
    const prepared = prepare(/** @type {never} */ (input));
    const timings = [];
    let spent = 0;
    let result;
    do {
      const start = now();
      result = run(prepared);
      const nanoseconds = Number(now() - start);
      timings.push({ name: "evaluate", nanoseconds });
      spent += nanoseconds;
    } while (timings.length < runs || spent < seconds * 1e9);
    const output = answer(result, /** @type {never} */ (input));
    const bad = firstBad(output);
    // JSON would say null, which the benchmark takes for a wrong type: say what it is instead.
    return bad === null ? { success: true, output, timings } : failure(`the output has ${bad}, which JSON cannot carry`);
  }

  /** @type {Record<string, (message: Record<string, unknown>) => Record<string, unknown>>} */
  const kinds = {
    start: () => ({ tool: "chainrule" }),
    define: ({ module }) => ({ success: find(evals, module) !== undefined }),
    evaluate,
    analysis: () => ({}),
  };

  /**
   * The answer to one line.
   *
   * @param {string} line
   * @returns {string}
   */
  return function answer(line) {
    /** @type {unknown} */
    let id = null;
    /** @type {Record<string, unknown>} */
    let reply;
    try {
      const message = JSON.parse(line);
      if (typeof message !== "object" || message === null || Array.isArray(message)) throw new Error("a message is a JSON object");
      id = message.id ?? null;
      reply = find(kinds, message.kind)?.(message) ?? {};
    } catch (error) {
      reply = failure(error instanceof Error ? error.message : String(error));
    }
    return JSON.stringify({ id, ...reply });
  };
}

/** @param {string} error */
function failure(error) {
  return { success: false, error };
}

/**
 * @template T
 * @param {Record<string, T>} record
 * @param {unknown} name
 * @returns {T | undefined}
 */
function find(record, name) {
  return typeof name === "string" && Object.hasOwn(record, name) ? record[name] : undefined;
}

/** @param {unknown} x */
function text(x) {
  return typeof x === "string" ? JSON.stringify(x.length > 60 ? `${x.slice(0, 60)}...` : x) : String(x);
}

/**
 * The first number that is not finite, as text.
 *
 * @param {unknown} output
 * @returns {string | null}
 */
function firstBad(output) {
  /** @type {unknown[]} */
  const open = [output];
  while (open.length > 0) {
    const x = open.pop();
    if (typeof x === "number" && !Number.isFinite(x)) return String(x);
    if (typeof x === "object" && x !== null) for (const item of Object.values(x)) open.push(item);
  }
  return null;
}
