/** Facts that fix which rows come when: two sources with the same facts over the same data give the same batches. */
export interface BatchOrder {
  readonly [fact: string]: number | string | null;
}

/** Where batches come from, pass by pass: a {@link Loader}, or anything of this shape, such as rows read from a file. */
export interface Batches<B> {
  /** Rows in a batch; the last one of a pass may have fewer. */
  readonly batch: number;
  /** Batches in a pass; null where nobody knows before the pass is over. */
  readonly length: number | null;
  /** What a checkpoint remembers, so that a run goes on with the batches it would have had. */
  readonly order: BatchOrder;
  /**
   * The batches of one pass, counted from 0, whatever was read before; `from` leaves out the first ones. `spare` gives a batch of this source that
   * nobody needs any more, if there is one: the next one may be written into its memory.
   */
  pass(n: number, from?: number, spare?: () => B | null): Iterable<B> | AsyncIterable<B>;
  /** The rows of the data in one batch of a pass, where they are known: what messages about bad data name. */
  rows?(n: number, batch: number): Int32Array;
}
