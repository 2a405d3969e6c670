/** What the messages of a step cost the ranks. Times are in milliseconds, the same on all of them. */
export interface Communication {
  readonly ranks: number;
  /** Bytes of gradients that are summed in a step, and in how many buckets they are sent. */
  readonly bytes: number;
  readonly buckets: number;
  /** What the messages take while nothing else is done: the least of the first steps, which send nothing before all is computed, to measure it. */
  readonly alone: number;
  /** What later steps wait for messages, on the mean: the wait of the rank that came last, for which all others were there. */
  readonly waited: number;
  /** What later steps wait for ranks that are late, on the mean of steps and ranks: what the others wait for longer than the last one does. */
  readonly late: number;
  /** The part of the messages that is hidden behind the backward pass: 1 - waited / alone, and 0 where steps wait for longer than messages take. */
  readonly hidden: number;
}

/** Steps that measure what messages take by themselves. */
const apart = 3;

const nothing = { summed: 0, followed: 0, sums: 0, follows: 0 } as const;

/**
 * Measures how much of the communication is hidden. It needs steps of both kinds: the first ones overlap nothing. Ranks have no clock in common, and need none: of those that wait
 * for the same sums, the last one to come waits for messages alone. So all tell what they have waited.
 */
export class Meter {
  private steps = 0;
  /** What this rank has waited since the ranks have last told each other: for sums, and for what follows the update. */
  private own: { summed: number; followed: number; sums: number; follows: number } = { ...nothing };
  /** Whether the sums that were waited for last overlapped nothing. */
  private wasApart = true;
  private alone = Number.POSITIVE_INFINITY;
  private leastFollowed = Number.POSITIVE_INFINITY;
  private told = 0;
  private waited = 0;
  private late = 0;

  /** Whether the step that is made now overlaps nothing: all ranks count the same steps. */
  get isApart(): boolean {
    return this.steps < apart;
  }

  /** A step has waited so long for its sums. */
  summed(milliseconds: number): void {
    this.own.summed += milliseconds;
    this.own.sums++;
    this.wasApart = this.isApart;
    this.steps++;
  }

  /** A step has waited so long for the new weights, and what else follows the backward pass. */
  followed(milliseconds: number): void {
    this.own.followed += milliseconds;
    this.own.follows++;
  }

  /** What this rank has to tell the others; each of them hears it. */
  tell(): readonly [number, number] {
    return [this.own.summed, this.own.followed];
  }

  /** What all ranks have told, in their order. */
  hear(summed: readonly number[], followed: readonly number[]): void {
    const [sums, others] = [parted(summed), parted(followed)];
    if (this.own.sums > 0) {
      if (this.wasApart) this.alone = Math.min(this.alone, sums.least);
      else {
        this.told++;
        this.waited += sums.least;
        this.late += sums.late;
      }
    }
    if (this.own.follows > 0) {
      this.leastFollowed = Math.min(this.leastFollowed, others.least);
      if (this.told > 0) {
        this.waited += others.least;
        this.late += others.late;
      }
    }
    this.own = { ...nothing };
  }

  /** What was measured, once there were steps of both kinds. */
  result(ranks: number, buckets: readonly number[]): Communication | null {
    const { told } = this;
    if (told === 0) return null;
    const alone = this.alone + (this.leastFollowed === Number.POSITIVE_INFINITY ? 0 : this.leastFollowed);
    const waited = this.waited / told;
    const bytes = buckets.reduce((a, b) => a + b, 0);
    const hidden = ranks === 1 ? 1 : Math.max(0, 1 - waited / alone);
    return { ranks, bytes, buckets: buckets.length, alone, waited, late: this.late / told, hidden };
  }
}

/** What was waited for messages, and on the mean for ranks that were late. */
function parted(waits: readonly number[]): { readonly least: number; readonly late: number } {
  const least = Math.min(...waits);
  return { least, late: waits.reduce((sum, w) => sum + w - least, 0) / waits.length };
}
