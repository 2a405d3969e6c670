// The worker of the Import tab: it holds what was opened, so that a file of any size never stops the page.
import { InputFault } from "./given-input.ts";
import { Held } from "./held.ts";
import type { AskName, Asks, FromWorker, ToWorker } from "./protocol.ts";

const scope = globalThis as unknown as {
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
  postMessage(message: FromWorker): void;
};

const held = new Held((progress) => scope.postMessage(progress));

async function answer<K extends AskName>(kind: K, ask: Asks[K]["ask"]): Promise<Asks[K]["answer"]> {
  const method = held[kind] as (ask: Asks[K]["ask"]) => Promise<Asks[K]["answer"]> | Asks[K]["answer"];
  return method.call(held, ask);
}

scope.onmessage = async ({ data: { id, kind, ask } }) => {
  try {
    scope.postMessage({ id, answer: await answer(kind, ask as never) });
  } catch (error) {
    const trouble = error instanceof InputFault ? { trouble: error.trouble } : {};
    scope.postMessage({ id, error: error instanceof Error ? error.message : String(error), ...trouble });
  }
};
