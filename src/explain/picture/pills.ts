import { thresholds } from "../../check/thresholds.ts";
import { formatNumber } from "../../draw/format-number.ts";
import type { Node, Value } from "../../ir/node.ts";
import type { Tensor } from "../../ir/tensor.ts";
import { offShare, reluInput, saturatedShare } from "../health/gate-shares.ts";
import { measuresOf } from "../health/measures.ts";
import type { HealthPills } from "./words.ts";

/** A remark on a node: in a few characters for its pill, and as a sentence for its tooltip and accessible name. */
export interface Pill {
  readonly short: string;
  readonly told: string;
}

/** Of fewer elements the values themselves are in sight, and a share says nothing. */
const fewest = 8;

/** Of a gate whose elements are off or saturated beyond the share in `thresholds`, from which `health` warns too. */
export function gatePill(node: Node, tensorOf: (v: Value) => Tensor, words: HealthPills): Pill | null {
  const x = reluInput(node);
  if (x !== null) {
    const t = tensorOf(x);
    const share = offShare(t);
    if (t.data.length < fewest || !(share > thresholds.deadUnits)) return null;
    return { short: `▲ ${words.off(percent(share))}`, told: words.toldOff(percent(share), t.data.length) };
  }
  if (node.op.name !== "sigmoid" && node.op.name !== "tanh") return null;
  const t = tensorOf(node);
  const share = saturatedShare(node, t, thresholds.saturation.slope) ?? 0;
  if (t.data.length < fewest || !(share > thresholds.saturation.share)) return null;
  return { short: `▲ ${words.flat(percent(share))}`, told: words.toldFlat(percent(share), t.data.length) };
}

/** Of a parameter whose gradient is not 0 but so small that `health` calls it vanishing. */
export function gradientPill(gradient: Tensor, words: HealthPills): Pill | null {
  const { rms, nans, infinities } = measuresOf(gradient);
  if (nans + infinities > 0 || rms === 0 || rms >= thresholds.gradient.vanishing) return null;
  const size = formatNumber(Number(rms.toPrecision(1)));
  return { short: `∇ ${size}`, told: words.toldTiny(size) };
}

/** Whole percents; all is all only if none is missing. */
function percent(share: number): string {
  return `${share < 1 ? Math.min(99, Math.round(100 * share)) : 100}%`;
}
