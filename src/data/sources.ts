import { DomainError } from "../ir/errors.ts";
import type { Batches } from "./batches.ts";

/** The batches of another source, each through a function: to scale, to augment, to choose columns. Its result may come later. */
export function mapBatches<A, B>(source: Batches<A>, f: (batch: A) => B | Promise<B>): Batches<B> {
  return {
    ...source,
    pass: async function* (n, from) {
      for await (const batch of source.pass(n, from)) yield await f(batch);
    },
  };
}

/**
 * The batches of a source that answers later, `ahead` of them asked for before they are needed, so that reading and computing overlap.
 * @throws DomainError for a number that is not whole and above 0
 */
export function prefetch<B>(source: Batches<B>, { ahead = 2 }: { readonly ahead?: number } = {}): Batches<B> {
  if (!Number.isInteger(ahead) || ahead < 1) throw new DomainError(`prefetch: ahead is ${ahead}; it is a whole number, 1 or more`);
  return {
    ...source,
    pass: async function* (n, from) {
      const batches = source.pass(n, from);
      const iterator = Symbol.asyncIterator in batches ? batches[Symbol.asyncIterator]() : batches[Symbol.iterator]();
      const asked: Promise<IteratorResult<B>>[] = [];
      const ask = (): void => {
        const next = Promise.resolve(iterator.next());
        next.catch(() => undefined); // it is thrown when its turn comes
        asked.push(next);
      };
      try {
        for (let i = 0; i < ahead; i++) ask();
        for (let next = await asked.shift()!; next.done !== true; next = await asked.shift()!) {
          ask();
          yield next.value;
        }
      } finally {
        await iterator.return?.();
      }
    },
  };
}
