import { DomainError } from "../ir/errors.ts";
import type { Batches } from "./batches.ts";
import { partsOf, withParts } from "./share.ts";

/** Options of {@link mapBatches}. */
export interface MapBatchesOptions {
  /** The function treats each row by itself and gives as many rows: then a rank, of training on several, reads and maps its own rows of a batch alone. */
  readonly byRows?: boolean;
}

/**
 * The batches of another source, each through a function: to scale, to augment, to choose columns. Its result may come later. On ranks every rank maps whole batches, of which it
 * keeps its rows: what a function makes of a batch may depend on all of it, unless `byRows` says otherwise.
 */
export function mapBatches<A, B>(
  source: Batches<A>,
  f: (batch: A) => B | Promise<B>,
  { byRows = false }: MapBatchesOptions = {},
): Batches<B> {
  const made: Batches<B> = {
    ...source,
    pass: async function* (n, from) {
      for await (const batch of source.pass(n, from)) yield await f(batch);
    },
  };
  const parts = byRows ? partsOf(source) : null;
  if (parts === null) return made;
  return withParts<Batches<B>, B>(made, async function* (n, from, cut) {
    for await (const { batch, rows } of parts(n, from, cut)) yield { batch: await f(batch), rows };
  });
}

/**
 * The batches of a source that answers later, `ahead` of them asked for before they are needed, so that reading and computing overlap.
 * @throws DomainError for a number that is not whole and above 0
 */
export function prefetch<B>(source: Batches<B>, { ahead = 2 }: { readonly ahead?: number } = {}): Batches<B> {
  if (!Number.isInteger(ahead) || ahead < 1) throw new DomainError(`prefetch: ahead is ${ahead}; it is a whole number, 1 or more`);
  const made: Batches<B> = { ...source, pass: (n, from) => readAhead(source.pass(n, from), ahead) };
  const parts = partsOf(source);
  return parts === null ? made : withParts(made, (n, from, cut) => readAhead(parts(n, from, cut), ahead));
}

async function* readAhead<T>(batches: Iterable<T> | AsyncIterable<T>, ahead: number): AsyncGenerator<T, void, undefined> {
  const iterator = Symbol.asyncIterator in batches ? batches[Symbol.asyncIterator]() : batches[Symbol.iterator]();
  const asked: Promise<IteratorResult<T>>[] = [];
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
}
