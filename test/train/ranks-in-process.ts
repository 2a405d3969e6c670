import { allocate } from "../../src/ir/dtype.ts";
import { sizeOf } from "../../src/ir/shape.ts";
import { hold, type Tensor } from "../../src/ir/tensor.ts";
import type { Ranks } from "../../src/mpi.ts";

interface Meeting {
  readonly given: (Tensor | null)[];
  readonly finish: (() => void)[];
}

/** What a test sees of what ranks did. */
export interface Seen {
  /** Messages of ranks that failed alone. */
  readonly fails: string[];
  /** Errors that all have: how often somebody held one back. */
  quiet: number;
  /** Elements in each sum that was begun, of rank 0. */
  readonly sums: number[];
}

/** Ranks that live in one process and meet at promises: for what does not depend on MPI. A rank that fails rejects what it does next. */
export function ranksInProcess(size: number): { readonly ranks: readonly Ranks[]; readonly seen: Seen } {
  const meetings: Meeting[] = [];
  const seen: Seen = { fails: [], quiet: 0, sums: [] };
  const names = Array.from({ length: size }, (_, i) => `here, process ${i}`);
  const make = (rank: number): Ranks => {
    let turn = 0;
    /** Gives a tensor to the next meeting; when all have, each is called with what all gave. */
    const meet = (x: Tensor | null, then: (all: readonly (Tensor | null)[]) => void): { done: () => boolean; promise: Promise<void> } => {
      const at = turn++;
      meetings[at] ??= { given: [], finish: [] };
      const { given, finish } = meetings[at];
      let over = false;
      const promise = new Promise<void>((resolve) => {
        given[rank] = x;
        finish.push(() => {
          then(given);
          over = true;
          resolve();
        });
      });
      if (finish.length === size) {
        // What was given in place is changed by the first that finishes.
        const copies = given.map((t) => (t === null ? null : hold(t.type, t.data.slice())));
        given.splice(0, size, ...copies);
        for (const f of finish) f();
      }
      return { done: () => over, promise };
    };
    const summed = (all: readonly (Tensor | null)[], out: Tensor["data"]): void => {
      for (let i = 0; i < out.length; i++) {
        let sum = 0;
        for (const t of all) sum += t!.data[i]!;
        out[i] = sum;
      }
    };
    const joined = (all: readonly (Tensor | null)[], out: Tensor["data"]): void => {
      let at = 0;
      for (const t of all) {
        out.set(t!.data, at);
        at += t!.data.length;
      }
    };
    const fresh = (x: Tensor): Tensor => hold(x.type, allocate(x.type.dtype, sizeOf(x.type.shape)));
    return {
      rank,
      size,
      names,
      barrier: () => meet(null, () => undefined).promise,
      allReduce: async (x, { into = fresh(x) } = {}) => {
        await meet(x, (all) => summed(all, into.data)).promise;
        return into;
      },
      broadcast: async (x, { root = 0 } = {}) => {
        const out = fresh(x);
        await meet(x, (all) => out.data.set(all[root]!.data)).promise;
        return out;
      },
      allGather: async (x, { rows } = {}) => {
        let out: Tensor = x;
        await meet(x, (all) => {
          const total = all.reduce((n, t) => n + t!.type.shape[0]!, 0);
          out = fresh({ ...x, type: { ...x.type, shape: [total, ...x.type.shape.slice(1)] } });
          joined(all, out.data);
          if (rows?.some((n, i) => n !== all[i]!.type.shape[0])) throw new Error("rows are not what was given");
        }).promise;
        return out;
      },
      reduceScatter: () => Promise.reject(new Error("no test needs it")),
      startAllReduce: (x) => {
        if (rank === 0) seen.sums.push(x.data.length);
        const { done, promise } = meet(x, (all) => summed(all, x.data));
        return { done, wait: () => promise };
      },
      startReduceScatter: (x, rows) => {
        const width = sizeOf(x.type.shape.slice(1));
        const from = rows.slice(0, rank).reduce((a, b) => a + b, 0) * width;
        const { done, promise } = meet(x, (all) => {
          const out = x.data.slice();
          summed(all, out);
          // The rows of others are nobody's business: what is left there must not matter.
          x.data.fill(Number.NaN);
          x.data.set(out.subarray(from, from + rows[rank]! * width), from);
        });
        return { done, wait: () => promise };
      },
      startAllGather: (x, rows) => {
        const width = sizeOf(x.type.shape.slice(1));
        const { done, promise } = meet(x, (all) => {
          let at = 0;
          rows.forEach((n, i) => {
            x.data.set(all[i]!.data.subarray(at, at + n * width), at);
            at += n * width;
          });
        });
        return { done, wait: () => promise };
      },
      sumNow: (numbers) => {
        // Ranks that share one thread cannot wait for each other in the middle of a program.
        if (size > 1) throw new Error("no test needs it");
        return numbers.slice();
      },
      fail: (message) => {
        seen.fails.push(`rank ${rank}: ${message}`);
      },
      quiet: async () => {
        seen.quiet++;
      },
    };
  };
  return { ranks: names.map((_, rank) => make(rank)), seen };
}
