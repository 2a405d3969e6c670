import { isFloat } from "../ir/dtype.ts";
import { hold, type Tensor } from "../ir/tensor.ts";
import { leaves } from "../ir/tree.ts";
import { tensorType } from "../ir/type.ts";
import type { Ranks } from "../mpi/ranks.ts";
import type { Ran } from "./programs.ts";
import { texts } from "./ranks/exchange.ts";

/** Batches taken together. */
export interface Totals {
  /** The mean of the loss over all rows, or over what the model's `counts` counts. */
  readonly loss: number;
  /** Means, in the same way, of the scalar outputs of floating point and truth values, by path. */
  readonly metrics: { readonly [name: string]: number };
  /** Sums of the outputs that are whole numbers, such as a confusion matrix, by path. */
  readonly tables: { readonly [name: string]: Tensor };
  readonly rows: number;
}

/** What a rank tells of its rows. */
interface Said {
  readonly loss: number;
  readonly rows: number;
  readonly counted: number;
  readonly means: readonly (readonly [string, number])[];
  readonly tables: readonly { readonly name: string; readonly shape: readonly number[]; readonly data: readonly number[] }[];
}

/** JSON has no NaN and no infinity. */
function numbersAsTexts(_: string, x: unknown): unknown {
  return typeof x === "number" && !Number.isFinite(x) ? `number ${x}` : x;
}

function numbersAgain(_: string, x: unknown): unknown {
  return typeof x === "string" && x.startsWith("number ") ? Number(x.slice(7)) : x;
}

/** Adds up what batches of different sizes gave: every batch counts as its rows, or as much as the model says. Outputs that are neither a number nor counts are left out. */
export class Sums {
  private loss = 0;
  private rows = 0;
  private counted = 0;
  private readonly means: Map<string, number> = new Map();
  private readonly tables: Map<string, Tensor> = new Map();

  add({ loss, outputs }: Pick<Ran, "loss" | "outputs">, rows: number, counts: number = rows): void {
    this.loss += loss.data[0]! * counts;
    this.rows += rows;
    this.counted += counts;
    for (const { path, leaf } of leaves(outputs)) {
      const { type, data } = leaf as Tensor;
      if (type.shape.length === 0 && (isFloat(type.dtype) || type.dtype === "bool"))
        this.means.set(path, (this.means.get(path) ?? 0) + data[0]! * counts);
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

  /** What all ranks have added up, the same on each: summed in their order. */
  async overRanks(ranks: Ranks): Promise<Sums> {
    const tables = [...this.tables].map(([name, { type, data }]) => ({ name, shape: type.shape, data: [...data] }));
    const own: Said = { loss: this.loss, rows: this.rows, counted: this.counted, means: [...this.means], tables };
    const sum = new Sums();
    for (const text of await texts(ranks, JSON.stringify(own, numbersAsTexts))) {
      const { loss, rows, counted, means, tables: others } = JSON.parse(text, numbersAgain) as Said;
      sum.loss += loss;
      sum.rows += rows;
      sum.counted += counted;
      for (const [name, x] of means) sum.means.set(name, (sum.means.get(name) ?? 0) + x);
      for (const { name, shape, data } of others) sum.count(name, hold(tensorType("f64", shape), Float64Array.from(data)));
    }
    return sum;
  }

  total(): Totals {
    const { rows, counted } = this;
    // Where nothing counts the losses are 0.
    const number = rows > 0 ? counted || 1 : rows;
    return {
      loss: this.loss / number,
      metrics: Object.fromEntries([...this.means].map(([name, sum]) => [name, sum / number])),
      tables: Object.fromEntries(this.tables),
      rows,
    };
  }
}
