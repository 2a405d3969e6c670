import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { faultWords } from "../faults/fault-words.ts";
import { readGraph } from "../graph/state.ts";
import { say } from "../shell/live.tsx";
import { change } from "../state/store.ts";
import { grouped } from "../words/words.ts";
import { facts, pause, said, status, take } from "./client.ts";
import { type AsGraph, batchAsGraph, firstRows, fittingRows, mostWeights } from "./to-graph.ts";
import { words } from "./words.ts";

/** Goes to the Graph tab with this formula at these numbers. */
export function openGraph({ formula, values, depth }: AsGraph): void {
  pause();
  change("graph", readGraph({ formula, values, depth }));
  change("tab", "graph", null);
}

/** Pauses, and opens the next batch as a graph to step through. */
export function OpenAsGraph({ id = "take-batch" }: { readonly id?: string }): JSX.Element {
  const w = words.value;
  const trouble = useSignal("");
  const open = async (): Promise<void> => {
    pause();
    trouble.value = "";
    try {
      const batch = facts.peek()?.batch ?? 1;
      const taken = await take(batch);
      const rows = fittingRows(taken);
      if (rows === 0) trouble.value = words.value["too large"](grouped(mostWeights));
      else {
        const made = batchAsGraph(firstRows(taken, rows));
        const told = words.value["rows of batch"](grouped(rows), grouped(batch));
        // What was left out stands in the formula, where the graph is, and goes with its address.
        openGraph(rows < batch ? { ...made, formula: `# ${told}\n${made.formula}` } : made);
        say(told);
      }
    } catch (error) {
      trouble.value = faultWords.value((error as Error).message);
    }
    if (trouble.value !== "") said.value = trouble.value;
  };
  return (
    <>
      <button
        type="button"
        id={id}
        class="main"
        disabled={status.value.kind !== "ready"}
        title={w["take hint"]}
        onClick={() => void open()}
      >
        {w["take batch"]}
      </button>
      {trouble.value !== "" && <span class="train-bad">{trouble.value}</span>}
    </>
  );
}
