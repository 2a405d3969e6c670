/** Random choices that a seed determines. */
export interface Draw {
  /** A whole number from `min` to `max`, both included. */
  whole(min: number, max: number): number;
  /** A number from 0 (included) to 1 (excluded). */
  fraction(): number;
}

/** Choices by a 32-bit generator: enough for directions and samples, not for statistics. Source: T. Ettinger, "mulberry32". */
export function drawsFrom(seed: number): Draw {
  let state = seed >>> 0;
  const fraction = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return { fraction, whole: (min, max) => min + Math.floor(fraction() * (max - min + 1)) };
}

/** A weight in -1..-0.25 or 0.25..1: never so small that an error in its element would not be seen. */
export function weight(draw: Draw): number {
  const size = 0.25 + 0.75 * draw.fraction();
  return draw.fraction() < 0.5 ? -size : size;
}
