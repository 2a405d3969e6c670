import { computed, type ReadonlySignal } from "@preact/signals";
import type { JSX } from "preact";
import { engine, tint, written } from "./model.ts";
import { graphWords } from "./words.ts";

/** Viridis at equal distances. Source: van der Walt and Smith, 2015 (matplotlib). */
const stops = [
  [68, 1, 84],
  [71, 44, 122],
  [59, 81, 139],
  [44, 113, 142],
  [33, 144, 141],
  [39, 173, 129],
  [92, 200, 99],
  [170, 220, 50],
  [253, 231, 37],
] as const;

/** A colour of the ramp, dark for 0, bright for 1. */
export function viridis(share: number): string {
  const at = Math.min(1, Math.max(0, share)) * (stops.length - 1);
  const low = Math.min(stops.length - 2, Math.floor(at));
  const mixed = stops[low]!.map((x, i) => Math.round(x + (stops[low + 1]![i]! - x) * (at - low)));
  return `rgb(${mixed.join(" ")})`;
}

/** The decades from the smallest to the largest gradient, at least one. */
export function decades(sizes: Iterable<number>): { readonly low: number; readonly high: number } {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const size of sizes) {
    if (!(size > 0 && Number.isFinite(size))) continue;
    low = Math.min(low, Math.floor(Math.log10(size)));
    high = Math.max(high, Math.ceil(Math.log10(size)));
  }
  if (low > high) return { low: 0, high: 1 };
  return { low, high: Math.max(high, low + 1) };
}

export interface Tints {
  readonly low: number;
  readonly high: number;
  readonly of: ReadonlyMap<string, { readonly colour: string | null; readonly title: string }>;
}

/** What colours the items have, as far as the walk has come: by the logarithm of the gradient; null where it is not finite, none where it is 0 or not known. */
export const tints: ReadonlySignal<Tints | null> = computed(() => {
  const { made, at } = written.value;
  const library = engine.value;
  if (!tint.value || made === null || library === null) return null;
  const sizes = library.gradientSizes(made, at.t);
  // The scale is that of the whole walk, so that a step changes no colour.
  const { low, high } = decades(library.gradientSizes(made, made.walk.steps.length).values());
  const of = new Map<string, { colour: string | null; title: string }>();
  for (const [id, size] of sizes) {
    if (size === 0) continue;
    const colour = Number.isFinite(size) ? viridis((Math.log10(size) - low) / (high - low)) : null;
    of.set(id, { colour, title: library.formatNumber(size) });
  }
  return { low, high, of };
});

const digits = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** `10⁻³`. */
export function power(exponent: number): string {
  return `10${[...String(exponent)].map((c) => (c === "-" ? "⁻" : digits[Number(c)]!)).join("")}`;
}

/** What the colours mean. */
export function TintLegend(): JSX.Element | null {
  const w = graphWords.value;
  const found = tints.value;
  if (found === null) return null;
  const { low, high, of } = found;
  const bad = [...of.values()].some(({ colour }) => colour === null);
  const cells = 24;
  return (
    <p class="tint-legend" id="tint-legend">
      <span>‖∇‖ᵣₘₛ</span> <span>{power(low)}</span>{" "}
      <svg viewBox={`0 0 ${cells} 1`} preserveAspectRatio="none" role="img" aria-label={w.tintScale(power(low), power(high))}>
        {Array.from({ length: cells }, (_, i) => (
          <rect key={i} x={i} y={0} width={1.05} height={1} fill={viridis(i / (cells - 1))} />
        ))}
      </svg>{" "}
      <span>{power(high)}</span>
      {bad && <span class="tint-bad">{w.notFinite}</span>}
    </p>
  );
}
