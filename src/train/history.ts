/** A point of a curve: the mean over the steps up to and with `step`. */
export interface CurvePoint {
  readonly step: number;
  readonly loss: number;
}

const most = 1024;

/** The losses of a run in bounded memory: when there are too many points, neighbours become their mean. */
export class History {
  private steps: number[] = [];
  private losses: number[] = [];
  /** Steps that one point stands for. */
  private width = 1;
  private sum = 0;
  private count = 0;

  add(step: number, loss: number): void {
    this.sum += loss;
    if (++this.count < this.width) return;
    this.steps.push(step);
    this.losses.push(this.sum / this.count);
    this.sum = 0;
    this.count = 0;
    if (this.steps.length < 2 * most) return;
    const { steps, losses } = this;
    this.steps = steps.filter((_, i) => i % 2 === 1);
    this.losses = this.steps.map((_, i) => (losses[2 * i]! + losses[2 * i + 1]!) / 2);
    this.width *= 2;
  }

  points(): CurvePoint[] {
    return this.steps.map((step, i) => ({ step, loss: this.losses[i]! }));
  }

  /** All of it as numbers for a checkpoint. */
  save(): HistoryFacts {
    const { steps, losses, width, sum, count } = this;
    return { steps: [...steps], losses: [...losses], width, sum, count };
  }

  load(facts: HistoryFacts): void {
    this.steps = [...facts.steps];
    this.losses = [...facts.losses];
    ({ width: this.width, sum: this.sum, count: this.count } = facts);
  }
}

/** A {@link History} as JSON has it. */
export interface HistoryFacts {
  readonly steps: readonly number[];
  readonly losses: readonly number[];
  readonly width: number;
  readonly sum: number;
  readonly count: number;
}
