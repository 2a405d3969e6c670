/** Where no frame comes, as in a page that is not seen, what waits for one goes on after this many milliseconds. */
const patience = 120;

/**
 * Runs something in the task after the next frame: what is to be seen at once is painted before it.
 * @returns what calls it off
 */
export function afterFrame(run: () => void): () => void {
  let waits = true;
  const go = (): void => {
    if (!waits) return;
    waits = false;
    clearTimeout(late);
    run();
  };
  const late = setTimeout(go, patience);
  requestAnimationFrame(() => {
    // A channel has its turn at once, a timer after some milliseconds.
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      go();
    };
    port2.postMessage(null);
  });
  return () => {
    waits = false;
    clearTimeout(late);
  };
}
