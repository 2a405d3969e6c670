/**
 * Work that waits only where it has to: what it yields is waited for and comes back. A step on an engine that answers at once, of batches that are there, is
 * then done without a promise; with `async` functions it would make some fifteen of them.
 */
export type Work<T> = Generator<unknown, T, unknown>;

/** Does work: at once as far as that goes. @throws what it throws before it waits; after that the promise rejects */
export function doing<T>(work: Work<T>): T | Promise<T> {
  const { done, value } = work.next();
  return done === true ? value : waiting(work, value);
}

async function waiting<T>(work: Work<T>, first: unknown): Promise<T> {
  let awaited = first;
  for (;;) {
    let next: IteratorResult<unknown, T>;
    try {
      awaited = await awaited;
    } catch (error) {
      next = work.throw(error);
      if (next.done === true) return next.value;
      awaited = next.value;
      continue;
    }
    next = work.next(awaited);
    if (next.done === true) return next.value;
    awaited = next.value;
  }
}
