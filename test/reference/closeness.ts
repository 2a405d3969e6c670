import type { Tensor } from "../../src/index.ts";

/**
 * The largest error of `got` over `want`: |got - want| over max(|want|, floor). Infinity for another dtype or shape, and where only one of the
 * two is NaN or infinite.
 */
export function worstError(got: Tensor, want: Tensor, floor: number): number {
  const same = got.type.dtype === want.type.dtype && got.type.shape.join() === want.type.shape.join();
  if (!same || got.data.length !== want.data.length) return Number.POSITIVE_INFINITY;
  let worst = 0;
  for (let i = 0; i < want.data.length; i++) {
    const [a, b] = [got.data[i]!, want.data[i]!];
    if (Object.is(a, b) || a === b) continue;
    const error = Math.abs(a - b) / Math.max(Math.abs(b), floor);
    worst = Number.isFinite(error) ? Math.max(worst, error) : Number.POSITIVE_INFINITY;
  }
  return worst;
}

/** The largest magnitude in a tensor, leaving out what is not finite. */
export function magnitude({ data }: Tensor): number {
  let most = 0;
  for (const x of data) if (Number.isFinite(x)) most = Math.max(most, Math.abs(x));
  return most;
}
