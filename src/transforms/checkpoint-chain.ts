/** A link of a chain of computations. */
export interface Stage {
  /** What it computes that the backward pass uses. */
  readonly bytes: number;
  /** What later stages use of it and of those before. */
  readonly boundary: number;
  readonly flops: number;
}

/** Stages `from` up to `to`, kept whole (one at a time) or computed again from where they begin. */
export interface Choice {
  readonly from: number;
  readonly to: number;
  readonly recomputed: boolean;
}

/** What to do with a chain. */
export interface ChainPlan {
  readonly choices: readonly Choice[];
  /** What is kept, and the largest inside that is computed again. */
  readonly peak: number;
  /** Operations done once more. */
  readonly extra: number;
}

interface State {
  readonly stored: number;
  readonly inside: number;
  readonly extra: number;
  readonly choice: Choice | null;
  readonly before: State | null;
}

/** More states than this at one place are thinned; plans of longer chains may then miss the best by a little. */
const most = 4000;

/**
 * The plan with the least extra work whose peak fits the budget, or, with `aim` "least", the one with the least peak; null when none fits. A state is what
 * the stages so far store, the largest inside among those recomputed, and the extra work; one that another beats in all three is dropped.
 */
export function choose(stages: readonly Stage[], budget: number, aim: "cheapest" | "least" = "cheapest"): ChainPlan | null {
  const n = stages.length;
  const at: State[][] = Array.from({ length: n + 1 }, () => []);
  at[0] = [{ stored: 0, inside: 0, extra: 0, choice: null, before: null }];
  for (let i = 0; i < n; i++) {
    at[i] = undominated(at[i]!);
    for (const s of at[i]!) {
      const kept = s.stored + stages[i]!.bytes;
      if (kept + s.inside <= budget) at[i + 1]!.push({ ...s, stored: kept, choice: { from: i, to: i + 1, recomputed: false }, before: s });
      let bytes = 0;
      let flops = 0;
      for (let j = i; j < n; j++) {
        bytes += stages[j]!.bytes;
        flops += stages[j]!.flops;
        const stored = s.stored + stages[j]!.boundary;
        const inside = Math.max(s.inside, bytes);
        if (s.stored + inside > budget) break;
        if (stored + inside <= budget)
          at[j + 1]!.push({ stored, inside, extra: s.extra + flops, choice: { from: i, to: j + 1, recomputed: true }, before: s });
      }
    }
  }
  const measure = (s: State): readonly [number, number] =>
    aim === "least" ? [s.stored + s.inside, s.extra] : [s.extra, s.stored + s.inside];
  let best: State | null = null;
  for (const s of at[n]!) {
    const [a, b] = measure(s);
    const [c, d] = best === null ? [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY] : measure(best);
    if (a < c || (a === c && b < d)) best = s;
  }
  if (best === null) return null;
  const choices: Choice[] = [];
  for (let s: State | null = best; s?.choice != null; s = s.before) choices.unshift(s.choice);
  return { choices, peak: best.stored + best.inside, extra: best.extra };
}

/** States that no other beats in storage, inside and extra work at once. */
function undominated(states: readonly State[]): State[] {
  const sorted = [...states].sort((a, b) => a.extra - b.extra || a.stored - b.stored || a.inside - b.inside);
  const kept: State[] = [];
  for (const s of sorted) if (!kept.some((k) => k.stored <= s.stored && k.inside <= s.inside)) kept.push(s);
  if (kept.length <= most) return kept;
  const step = kept.length / most;
  return Array.from({ length: most }, (_, i) => kept[Math.floor(i * step)]!);
}
