import { isFloat } from "../ir/dtype.ts";
import { hold, type Tensor } from "../ir/tensor.ts";
import { leaves } from "../ir/tree.ts";
import { tensorType } from "../ir/type.ts";
import type { Ran } from "./programs.ts";

/** Batches taken together. */
export interface Totals {
  /** The mean of the loss over all rows. */
  readonly loss: number;
  /** Means over all rows of the scalar outputs of floating point and truth values, by path. */
  readonly metrics: { readonly [name: string]: number };
  /** Sums of the outputs that are whole numbers, such as a confusion matrix, by path. */
  readonly tables: { readonly [name: string]: Tensor };
  readonly rows: number;
}

/** Adds up what batches of different sizes gave: every batch counts as its rows. Outputs that are neither a number nor counts are left out. */
export class Sums {
  private loss = 0;
  private rows = 0;
  private readonly means: Map<string, number> = new Map();
  private readonly tables: Map<string, Tensor> = new Map();

  add({ loss, outputs }: Pick<Ran, "loss" | "outputs">, rows: number): void {
    this.loss += loss.data[0]! * rows;
    this.rows += rows;
    for (const { path, leaf } of leaves(outputs)) {
      const { type, data } = leaf as Tensor;
      if (type.shape.length === 0 && (isFloat(type.dtype) || type.dtype === "bool"))
        this.means.set(path, (this.means.get(path) ?? 0) + data[0]! * rows);
      else if (!isFloat(type.dtype) && type.dtype !== "bool") this.count(path, leaf as Tensor);
    }
  }

  private count(path: string, { type, data }: Tensor): void {
    const before = this.tables.get(path);
    const total = before?.data ?? new Float64Array(data.length);
    if (total.length !== data.length) return; // one row more or less: labels, not counts
    for (let i = 0; i < data.length; i++) total[i] = total[i]! + data[i]!;
    this.tables.set(path, hold(tensorType("f64", type.shape), total));
  }

  total(): Totals {
    const { rows } = this;
    return {
      loss: this.loss / rows,
      metrics: Object.fromEntries([...this.means].map(([name, sum]) => [name, sum / rows])),
      tables: Object.fromEntries(this.tables),
      rows,
    };
  }
}
