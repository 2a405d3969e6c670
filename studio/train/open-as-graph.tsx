import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { faultWords } from "../faults/fault-words.ts";
import { focusPicture } from "../graph/canvas.ts";
import { type Held, hashing, type Learnt, partsOf } from "../graph/held.ts";
import { keepHeld } from "../graph/model.ts";
import { readGraph } from "../graph/state.ts";
import { say } from "../shell/live.tsx";
import { inTurns } from "../shell/turns.ts";
import { change } from "../state/store.ts";
import { grouped } from "../words/words.ts";
import { facts, learntFrom, learnUntil, pause, said, status, take } from "./client.ts";
import { type AsGraph, type BatchAsGraph, batchAsGraph, firstRows, fittingRows, listed, mostWeights } from "./to-graph.ts";
import { words } from "./words.ts";

/** The button that led there goes with its tab, so the focus goes to the picture. */
function goToGraph(): void {
  change("tab", "graph", null);
  focusPicture();
}

/** Goes to the Graph tab with this formula at these numbers. */
export function openGraph({ formula, values, depth }: AsGraph): void {
  pause();
  change("graph", readGraph({ formula, values, depth }));
  goToGraph();
}

/** Goes to the Graph tab with this formula at numbers that stay beside the address. */
async function openBeside({ formula, depth, numbers: tensors }: BatchAsGraph, learnt: Learnt | null, missing: Held | null): Promise<void> {
  pause();
  const key = await inTurns(hashing(tensors));
  void keepHeld({ key, tensors });
  if (missing !== null) {
    goToGraph();
    // The graph that missed them is as it was.
    if (key === missing.key) return;
    say(words.value["learnt other"]);
  }
  change("graph", readGraph({ formula, values: {}, depth, held: { key, parts: partsOf(tensors), ...(learnt !== null && { learnt }) } }));
  goToGraph();
}

/**
 * Opens the next batch as a graph to step through.
 * @param missing what an address named and nobody has: the net was learnt again for it
 * @returns what keeps it from being opened, for people; empty where nothing does
 */
async function openBatch(missing: Held | null = null): Promise<string> {
  const batch = facts.peek()?.batch ?? 1;
  const taken = await take(batch);
  // It was stopped before it was there.
  if (missing !== null && taken.steps !== missing.learnt?.steps) return "";
  const { rows, isListed } = fittingRows(taken);
  if (rows === 0) return words.value["too large"](grouped(mostWeights));
  const whole = batchAsGraph(firstRows(taken, rows));
  const told = words.value[isListed ? "rows of batch" : "rows in time"](grouped(rows), grouped(batch));
  // What was left out stands in the formula, where the graph is, and goes with its address.
  const made = rows < batch ? { ...whole, formula: `# ${told}\n${whole.formula}` } : whole;
  if (isListed) openGraph(listed(made));
  else await openBeside(made, learntFrom(taken), missing);
  if (missing === null) say(told);
  return "";
}

/** Learns a net again whose numbers an address names and nobody has, in the Train tab before the reader's eyes, and goes back to its graph. */
export async function learnAgain(missing: Held): Promise<void> {
  change("tab", "train", null);
  await learnUntil(missing.learnt?.steps ?? 0);
  try {
    said.value = await openBatch(missing);
  } catch (error) {
    said.value = faultWords.value((error as Error).message);
  }
}

/** Pauses, and opens the next batch as a graph to step through. */
export function OpenAsGraph({ id = "take-batch" }: { readonly id?: string }): JSX.Element {
  const w = words.value;
  const trouble = useSignal("");
  const open = async (): Promise<void> => {
    pause();
    trouble.value = "";
    try {
      trouble.value = await openBatch();
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
