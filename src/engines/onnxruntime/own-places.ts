import { type Held, hold } from "../../ir/tensor.ts";

/** Runs that wait for each other have as many places; few of them are worth keeping. */
const mostFree = 2;

/**
 * Copies of what runs are given. Places that no run reads any more are taken again: making new ones for each run, and clearing them away, costs
 * more than the copying.
 */
export class OwnPlaces {
  readonly #free: Held[][] = [];
  readonly #lent: WeakSet<readonly Held[]> = new WeakSet();
  /** Copies of values, which have the same types each time. Entries that are not there are left alone. */
  take(values: readonly Held[]): Held[] {
    const own = this.#free.pop() ?? new Array<Held>(values.length);
    this.#lent.add(own);
    values.forEach((held, i) => {
      const place = own[i];
      if (typeof held === "number") own[i] = held;
      else if (place === undefined || typeof place === "number") own[i] = hold(held.type, held.data.slice());
      else place.data.set(held.data);
    });
    return own;
  }
  /** Has places back that nothing reads any more. Others than those taken here are none of its business. */
  back(values: readonly Held[]): void {
    if (this.#lent.delete(values) && this.#free.length < mostFree) this.#free.push(values as Held[]);
  }
}
