/** What the messages of a step cost one rank. Times are in milliseconds. */
export interface Communication {
  readonly ranks: number;
  /** Bytes of gradients that are summed in a step, and in how many buckets they are sent. */
  readonly bytes: number;
  readonly buckets: number;
  /** What the messages take while nothing else is done: the least of the first steps, which send nothing before all is computed, to measure it. */
  readonly alone: number;
  /** What later steps wait for messages, on the mean; ranks that are late are waited for too. */
  readonly waited: number;
  /** The part of the messages that is hidden behind the backward pass: 1 - waited / alone, and 0 where steps wait for longer than messages take. */
  readonly hidden: number;
}

/** Steps that measure what messages take by themselves. */
const apart = 3;

/** Measures how much of the communication is hidden. It needs steps of both kinds: the first ones overlap nothing. */
export class Meter {
  private steps = 0;
  private alone = Number.POSITIVE_INFINITY;
  private waited = 0;
  private gathered = 0;
  private leastGathered = Number.POSITIVE_INFINITY;

  /** Whether the step that is made now overlaps nothing: all ranks count the same steps. */
  get isApart(): boolean {
    return this.steps < apart;
  }

  /** A step has waited so long for its sums. */
  summed(milliseconds: number): void {
    if (this.isApart) this.alone = Math.min(this.alone, milliseconds);
    else this.waited += milliseconds;
    this.steps++;
  }

  /** A step has waited so long for the new weights, and what else follows the backward pass. */
  followed(milliseconds: number): void {
    this.leastGathered = Math.min(this.leastGathered, milliseconds);
    if (this.steps > apart) this.gathered += milliseconds;
  }

  /** What was measured, once there were steps of both kinds. */
  result(ranks: number, buckets: readonly number[]): Communication | null {
    const steps = this.steps - apart;
    if (steps < 1) return null;
    const alone = this.alone + (this.leastGathered === Number.POSITIVE_INFINITY ? 0 : this.leastGathered);
    const waited = (this.waited + this.gathered) / steps;
    const bytes = buckets.reduce((a, b) => a + b, 0);
    const hidden = ranks === 1 ? 1 : Math.max(0, 1 - waited / alone);
    return { ranks, bytes, buckets: buckets.length, alone, waited, hidden };
  }
}
