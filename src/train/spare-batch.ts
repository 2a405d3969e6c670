import type { Engine } from "../engines/engine.ts";
import type { Tensor } from "../ir/tensor.ts";
import { isLeaf, leaves, rebuild } from "../ir/tree.ts";
import type { Fed } from "./feed.ts";

/** Batches whose memory goes round: the one that trains, and the one that is read ahead. */
const most = 2;

/**
 * The memory of batches that are done with, for those that come. Where the engine has memory of its own that is what they are read into, and nothing is
 * copied on the way. Batches of the usual size alone are kept.
 */
export class SpareBatch {
  private readonly tensor: Engine["tensor"];
  private readonly rows: number;
  private readonly free: unknown[] = [];
  private lent: unknown = null;
  private readonly own: WeakSet<Tensor> = new WeakSet();
  /** Batches of the engine's memory, as they were made. */
  private readonly whole: unknown[] = [];

  constructor(tensor: Engine["tensor"], rows: number) {
    this.tensor = tensor;
    this.rows = rows;
  }

  /** A batch that nobody will ask for again. */
  give({ batch, rows }: Fed): void {
    if (rows !== this.rows) return;
    const { tensor } = this;
    if (tensor === undefined) {
      if (this.free.length < most) this.free.push(batch);
    } else if (this.whole.includes(batch) || this.isOwn(batch)) this.free.push(batch);
    else if (this.whole.length < most) {
      const made = rebuild(batch, (leaf) => {
        const memory = tensor((leaf as Tensor).type);
        this.own.add(memory);
        return memory;
      });
      this.whole.push(made);
      this.free.push(made);
    }
  }

  private isOwn(batch: unknown): boolean {
    if (isLeaf(batch)) return this.own.has(batch as Tensor);
    for (const key of Object.keys(batch as object)) if (!this.isOwn((batch as Record<string, unknown>)[key])) return false;
    return true;
  }

  /** Memory for the next batch, if there is some. */
  take(): unknown {
    this.lent = this.free.pop() ?? null;
    return this.lent;
  }

  /** The batch that was read. Memory that it had no use for is kept. */
  took(fed: Fed | null): void {
    const { lent } = this;
    this.lent = null;
    if (lent === null || fed?.batch === lent) return;
    const used = new Set(fed === null ? [] : leaves(fed.batch).map(({ leaf }) => (leaf as Tensor).data));
    if (!leaves(lent).some(({ leaf }) => used.has((leaf as Tensor).data))) this.free.push(lent);
  }
}
