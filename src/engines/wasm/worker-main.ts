// What an engine's worker runs: the compiling engine behind messages. Built into a file of its own, dist/wasm-worker.js.
import { serve } from "./serve.ts";
import { nodeWorkers } from "./threads.ts";
import { wasm } from "./wasm.ts";
import type { Answer, Request } from "./wire.ts";

interface Port {
  on(event: "message", take: (message: Request) => void): unknown;
  postMessage(message: Answer, handed: ArrayBuffer[]): void;
}

const node = nodeWorkers();
if (node !== null) {
  const port = node.parentPort as Port;
  const take = serve(wasm(node.workerData as object), (message, handed) => port.postMessage(message, handed));
  port.on("message", take);
} else {
  const scope = globalThis as unknown as {
    onmessage: ((event: { readonly data: unknown }) => void) | null;
    postMessage(message: Answer, handed: ArrayBuffer[]): void;
  };
  // The first message has the options of the engine.
  scope.onmessage = ({ data }) => {
    const take = serve(wasm(data as object), (message, handed) => scope.postMessage(message, handed));
    scope.onmessage = ({ data: message }) => take(message as Request);
  };
}
