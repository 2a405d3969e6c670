import { InputFault } from "./given-input.ts";
import type { AskName, Asks, FromWorker } from "./protocol.ts";

/** The page's end of the worker: questions and their answers. */
export interface Client {
  ask<K extends AskName>(kind: K, ask: Asks[K]["ask"]): Promise<Asks[K]["answer"]>;
  /** Ends the worker and all it holds; questions that wait get no answer any more. */
  end(): void;
}

type Heard = (message: Exclude<FromWorker, { readonly id: number }>) => void;

/** Starts a worker. @param heard what it says unasked: how far it is */
export function startWorker(heard: Heard): Client {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  const waiting = new Map<number, { readonly done: (answer: never) => void; readonly failed: (error: Error) => void }>();
  let next = 0;
  const fail = (reason: string): void => {
    for (const { failed } of waiting.values()) failed(new Error(reason));
    waiting.clear();
  };
  worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
    if (!("id" in data)) return heard(data);
    const question = waiting.get(data.id);
    waiting.delete(data.id);
    if ("error" in data) question?.failed(data.trouble === undefined ? new Error(data.error) : new InputFault(data.trouble));
    else question?.done(data.answer as never);
  };
  worker.onerror = (event) => {
    event.preventDefault();
    fail(event.message || "the worker died, perhaps for want of memory");
  };
  return {
    ask: (kind, ask) =>
      new Promise((done, failed) => {
        const id = next++;
        waiting.set(id, { done, failed });
        worker.postMessage({ id, kind, ask });
      }),
    end: () => {
      worker.terminate();
      waiting.clear();
    },
  };
}
