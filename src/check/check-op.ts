import { GraphError } from "../ir/errors.ts";
import type { AnyOp } from "../ir/op.ts";
import { kindText } from "../notation/given.ts";
import { type Case, caseOf } from "./case.ts";
import { type Draw, drawsFrom } from "./draws.ts";
import { type Law, laws } from "./laws.ts";
import { pointAt } from "./point.ts";

/** A law that does not hold, at which sample, and how. */
export interface LawFault {
  readonly law: string;
  readonly sample: number;
  readonly message: string;
}

/** What `checkOp` found. */
export interface OpReport {
  readonly op: string;
  readonly passed: boolean;
  /** How often each law was checked, and how often it had nothing to say at a sample. */
  readonly checked: Readonly<Record<string, number>>;
  readonly faults: readonly LawFault[];
  text(): string;
}

/** Options of `checkOp`. */
export interface CheckOpOptions {
  /** Determines directions and weights; 0 when left out. */
  readonly seed?: number;
}

/** A fault in words, null where the law holds or says nothing. An error thrown on the way is a fault too. */
export function breach(law: Law, c: Case, draw: Draw): string | null | undefined {
  try {
    return law(pointAt(c, draw));
  } catch (e) {
    return e instanceof Error ? `${e.name}: ${e.message}` : String(e);
  }
}

/**
 * Checks that an op of your own keeps the laws: the inferred type is the computed one, operands stay untouched, the reverse rule agrees with
 * central differences, forward and reverse mode are transposes, second derivatives agree four ways, f32 agrees with f64, `lower` computes what
 * `eval` computes, and more (`checked` in the report names them).
 * @param samples argument lists of calls: `checkOp(cube, [[tensor([-1, 0.5])], [3]])`. Choose points away from kinks and poles, both signs,
 *   several ranks, and every value of the attributes; f64 data, so that differences are exact enough.
 * @throws GraphError for what is no op, and for samples that are no lists
 */
export function checkOp(op: AnyOp, samples: readonly (readonly unknown[])[], { seed = 0 }: CheckOpOptions = {}): OpReport {
  if (typeof (op as unknown) !== "function") throw new GraphError(`checkOp: the op is ${kindText(op)}; it is what op(...) declared`);
  if (!Array.isArray(samples as unknown))
    throw new GraphError(`checkOp: the samples are ${kindText(samples)}; they are lists of arguments: checkOp(cube, [[2], [-1]])`);
  const faults: LawFault[] = [];
  const checked: Record<string, number> = {};
  samples.forEach((args, sample) => {
    const c = caseOf(op, args);
    for (const [name, law] of Object.entries(laws)) {
      const message = breach(law, c, drawsFrom(seed + 7919 * sample));
      checked[name] = (checked[name] ?? 0) + (message === undefined ? 0 : 1);
      if (message != null) faults.push({ law: name, sample, message });
    }
  });
  const passed = faults.length === 0;
  const text = (): string =>
    [
      `${op.name}: ${passed ? "passed" : "FAILED"}, ${samples.length} samples, ${Object.values(checked).reduce((a, b) => a + b, 0)} checks`,
      ...faults.map(({ law, sample, message }) => `  sample ${sample}, ${law}: ${message}`),
    ].join("\n");
  return { op: op.name, passed, checked, faults, text };
}
