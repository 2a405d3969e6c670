import type { CurvePoint } from "./messages.ts";

/**
 * A curve of any length in memory that does not grow: when it is full every second point goes, and from then on only every second epoch is kept.
 * Which points are there depends on the number of epochs alone, so one seed gives one curve.
 */
export class CurveHistory {
  readonly most: number;
  points: CurvePoint[] = [];
  stride = 1;
  /** The newest point, kept or not: where the curve ends. */
  last: CurvePoint | null = null;
  constructor(most = 1000) {
    this.most = most;
  }
  add(point: CurvePoint): void {
    this.last = point;
    if (point.epoch % this.stride !== 0) return;
    this.points.push(point);
    if (this.points.length < this.most) return;
    this.stride *= 2;
    this.points = this.points.filter(({ epoch }) => epoch % this.stride === 0);
  }
}
