import type { Checkup } from "./checkpoint.ts";

/**
 * The checkups of a run, a list for each of their fields: there may be hundreds of thousands, one for each pass over a small data set, and objects that stay are what costs the
 * collector of garbage its time.
 */
export class Checkups {
  private readonly steps: number[] = [];
  private readonly epochs: number[] = [];
  private readonly losses: number[] = [];
  private readonly metrics: Checkup["metrics"][] = [];

  add(step: number, epoch: number, loss: number, metrics: Checkup["metrics"]): void {
    this.steps.push(step);
    this.epochs.push(epoch);
    this.losses.push(loss);
    this.metrics.push(metrics);
  }

  /** Those of a checkpoint. */
  load(checkups: readonly Checkup[]): void {
    for (const list of [this.steps, this.epochs, this.losses, this.metrics]) list.length = 0;
    for (const { step, epoch, loss, metrics } of checkups) this.add(step, epoch, loss, metrics);
  }

  all(): Checkup[] {
    return this.steps.map((step, i) => ({ step, epoch: this.epochs[i]!, loss: this.losses[i]!, metrics: this.metrics[i]! }));
  }
}
