/** The empty set. */
export const none = 0;

/** Pairs of numbers below this are one number. */
const base = 2 ** 26;

/**
 * Sets of columns, each kept once and known by its number, 0 being the empty one. An array of such numbers says what every element of a tensor depends
 * on; tensors that are moved about move the numbers.
 */
export class ColumnSets {
  private readonly sets: Int32Array[] = [new Int32Array(0)];
  /** The newest set of each hash, and for each set the one before it with the same hash. */
  private readonly byHash = new Map<number, number>();
  private readonly before: number[] = [none];
  private readonly pairs = new Map<number, number>();
  private mark: Int32Array = new Int32Array(0);
  private turn = 0;

  /** The columns of a set, in order. */
  columns(id: number): Int32Array {
    return this.sets[id]!;
  }

  /** The set of one column. */
  single(column: number): number {
    return this.keep(Int32Array.of(column));
  }

  union(a: number, b: number): number {
    if (a === b || b === none) return a;
    if (a === none) return b;
    const key = a < b ? a * base + b : b * base + a;
    let id = this.pairs.get(key);
    if (id === undefined) {
      id = this.keep(merged(this.sets[a]!, this.sets[b]!));
      this.pairs.set(key, id);
    }
    return id;
  }

  /** The union of many sets at once: pair by pair, a long sum would leave every partial union behind. */
  join(ids: ArrayLike<number>, from = 0, to: number = ids.length, step = 1): number {
    let first: number = none;
    let second: number = none;
    let more = false;
    for (let i = from; i < to; i += step) {
      const id = ids[i]!;
      if (id === none || id === first || id === second) continue;
      if (first === none) first = id;
      else if (second === none) second = id;
      else {
        more = true;
        break;
      }
    }
    if (!more) return this.union(first, second);
    const seen = new Set<number>();
    const columns: number[] = [];
    this.turn++;
    for (let i = from; i < to; i += step) {
      const id = ids[i]!;
      if (id === none || seen.has(id)) continue;
      seen.add(id);
      const set = this.sets[id]!;
      for (let k = 0; k < set.length; k++) {
        const c = set[k]!;
        if (c >= this.mark.length) this.grow(c);
        if (this.mark[c] === this.turn) continue;
        this.mark[c] = this.turn;
        columns.push(c);
      }
    }
    return this.keep(Int32Array.from(columns).sort());
  }

  private grow(column: number): void {
    const wider = new Int32Array(Math.max(1024, 2 * column));
    wider.set(this.mark);
    this.mark = wider;
  }

  private keep(set: Int32Array): number {
    if (set.length === 0) return none;
    let hash = set.length;
    for (let i = 0; i < set.length; i++) hash = (Math.imul(hash ^ set[i]!, 0x01000193) ^ (hash >>> 15)) | 0;
    const newest = this.byHash.get(hash) ?? none;
    for (let id = newest; id !== none; id = this.before[id]!) if (same(this.sets[id]!, set)) return id;
    const id = this.sets.length;
    this.sets.push(set);
    this.before.push(newest);
    this.byHash.set(hash, id);
    return id;
  }
}

function same(a: Int32Array, b: Int32Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

function merged(a: Int32Array, b: Int32Array): Int32Array {
  const out = new Int32Array(a.length + b.length);
  let n = 0;
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    const x = i < a.length ? a[i]! : Number.POSITIVE_INFINITY;
    const y = j < b.length ? b[j]! : Number.POSITIVE_INFINITY;
    out[n++] = Math.min(x, y);
    if (x <= y) i++;
    if (y <= x) j++;
  }
  return out.slice(0, n);
}
