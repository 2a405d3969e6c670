/** Where the platform has it: a turn of the event loop without delay. */
const immediate = (): ((f: () => void) => void) | undefined =>
  (globalThis as { readonly setImmediate?: (f: () => void) => void }).setImmediate;

/**
 * Lets everything else that waits have its turn: a loop over a synchronous engine would else keep signals, timers and a page's events out for ever.
 * Timers wait a millisecond at least, so they are the last resort.
 */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    const now = immediate();
    if (now !== undefined) now(resolve);
    else if (typeof MessageChannel === "function") {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => {
        port1.close();
        resolve();
      };
      port2.postMessage(null);
    } else setTimeout(resolve, 0);
  });
}
