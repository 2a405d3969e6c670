import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { readGraph } from "../graph/state.ts";
import { change, state } from "../state/store.ts";
import { pause, said, status, take } from "./client.ts";
import { type AsGraph, batchAsGraph, mostNumbers, numbersIn } from "./to-graph.ts";
import { words } from "./words.ts";

/** Rows of a batch that a graph is made of: enough to see the sum over a batch, few enough to read. */
const mostRows = 16;

/** Goes to the Graph tab with this formula at these numbers. */
export function openGraph({ formula, values }: AsGraph): void {
  pause();
  change("graph", readGraph({ formula, values }));
  change("tab", "graph", null);
}

/** Pauses, and opens the next batch as a graph to step through. */
export function OpenAsGraph(): JSX.Element {
  const w = words.value;
  const trouble = useSignal("");
  const conv = state.value.train.data === "digits" && state.value.train.kind === "conv" && state.value.train.layers.length > 0;
  const open = async (): Promise<void> => {
    pause();
    trouble.value = "";
    try {
      const taken = await take(mostRows);
      if (numbersIn(taken) > mostNumbers) trouble.value = words.value["too large"](mostNumbers);
      else openGraph(batchAsGraph(taken));
    } catch (error) {
      trouble.value = (error as Error).message;
    }
    if (trouble.value !== "") said.value = trouble.value;
  };
  return (
    <>
      <button
        type="button"
        id="take-batch"
        class="main"
        disabled={status.value.kind !== "ready" || conv}
        title={w["take hint"]}
        onClick={() => void open()}
      >
        {w["take batch"]}
      </button>
      {trouble.value !== "" && <span class="train-bad">{trouble.value}</span>}
      {conv && <span class="muted">{w["conv graph"]}</span>}
    </>
  );
}
