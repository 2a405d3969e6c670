/** Milliseconds of a turn, if its last piece takes no longer. */
const turn = 16;

/**
 * What is waited for between two pieces of long work, so that the page goes on meanwhile: nothing while the turn lasts, then the next one. The first piece waits for a turn
 * of its own.
 * @param isOff whether nobody wants the rest any more, which then never comes
 */
export function turns(isOff: () => boolean = () => false): () => Promise<void> | undefined {
  let began = Number.NEGATIVE_INFINITY;
  return () =>
    performance.now() - began < turn
      ? undefined
      : new Promise((goOn) => {
          setTimeout(() => {
            began = performance.now();
            if (!isOff()) goOn();
          });
        });
}

/** Does all pieces of some work at once. */
export function atOnce<T>(work: Iterator<void, T>): T {
  for (let piece = work.next(); ; piece = work.next()) if (piece.done) return piece.value;
}

/** Does some work piece by piece, in turns. */
export async function inTurns<T>(work: Iterator<void, T>): Promise<T> {
  const pause = turns();
  for (;;) {
    const wait = pause();
    if (wait !== undefined) await wait;
    const piece = work.next();
    if (piece.done) return piece.value;
  }
}
