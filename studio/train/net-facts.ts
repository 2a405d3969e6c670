import type { Tensor } from "chainrule";
import type { Problem } from "./data-sets.ts";
import type { LayerParams, NetShape } from "./net.ts";
import type { Initial, TrainState } from "./state.ts";

/** What every export is made of. */
export interface NetFacts {
  readonly settings: TrainState;
  readonly problem: Problem;
  readonly shape: NetShape;
  readonly params: Readonly<Record<string, LayerParams<Tensor>>>;
  readonly steps: number;
  readonly epoch: number;
  /** Rows that show what the net says: raw, as a reader would give them. */
  readonly sample: readonly (readonly number[])[];
}

export type { Initial };

/** A number of f32, as short as it can be said. */
export function shortest(v: number): string {
  if (!Number.isFinite(v)) return Number.isNaN(v) ? "NaN" : v > 0 ? "Infinity" : "-Infinity";
  for (let digits = 1; digits < 9; digits++) {
    const text = Number(v.toPrecision(digits));
    if (Math.fround(text) === Math.fround(v)) return String(text);
  }
  return String(Number(v.toPrecision(9)));
}

/** A tensor as nested lists. */
export function nested({ data, type: { shape } }: Tensor): string {
  const text = (from: number, axis: number): string => {
    if (axis === shape.length) return shortest(data[from] as number);
    const size = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
    return `[${Array.from({ length: shape[axis]! }, (_, i) => text(from + i * size, axis + 1)).join(", ")}]`;
  };
  return text(0, 0);
}

/** A text of the reader's for a comment: on one line, and no end of anything. */
export const quoted = (text: string): string => JSON.stringify(text.slice(0, 200)).replace(/[\u2028\u2029]/g, " ");

/** What is learnt, in one line. */
export function described({ settings, problem, epoch }: NetFacts): string {
  const { data, formula, seed, noise } = settings;
  const what = data === "formula" ? `formula ${quoted(formula)}` : data;
  return `${what}, ${problem.train.rows} rows, noise ${noise} %, seed ${seed}, after ${Math.round(epoch * 100) / 100} epochs`;
}
