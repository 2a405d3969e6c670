import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { faultWords } from "../faults/fault-words.ts";
import { saveFile } from "../shell/save-file.ts";
import { change, state } from "../state/store.ts";
import { identityOf } from "../train/state.ts";
import { grouped, kept } from "../words/words.ts";
import { focusPicture } from "./canvas.ts";
import { bytesOf, countOf, type Held, hashOf, recall } from "./held.ts";
import { heldAsked, heldNow, isStored, keepHeld, set } from "./model.ts";
import { graphWords } from "./words.ts";

/** What came of a file, and of which graph's numbers that is said. */
const outcome = signal({ text: "", key: "" });

const tell = (text: string): void => {
  outcome.value = { text, key: heldAsked.peek()?.key ?? "" };
};

const megabytes = (bytes: number): string => `${grouped(Math.max(0.1, Math.round(bytes / 1e5) / 10))} MB`;
const namesIn = ({ parts }: Held): string => {
  const names = Object.keys(parts);
  return names.length > 12 ? `${names.slice(0, 12).join(", ")}, …` : names.join(", ");
};

/** Saves the graph that is shown with its numbers. */
export async function saveHeld(): Promise<boolean> {
  const { graph } = state.peek();
  const numbers = graph.held === undefined || graph.held.drawn !== undefined ? undefined : recall(graph.held.key);
  if (numbers === undefined) return false;
  const { fileOf } = await import("./held-file.ts");
  saveFile("graph.safetensors", new Blob([fileOf(graph, numbers)]));
  return true;
}

/** Takes the numbers of the graph that is shown from a file, or the graph with its numbers that the file holds. */
export async function openHeld(file: Blob): Promise<void> {
  tell(graphWords.peek().working);
  try {
    const [{ broughtBy }, bytes] = await Promise.all([import("./held-file.ts"), file.arrayBuffer()]);
    const now = state.peek().graph;
    const brought = broughtBy(new Uint8Array(bytes), now);
    if (brought === null) {
      tell(graphWords.peek().heldOther);
      return;
    }
    const { graph, numbers } = brought;
    const isSame = now.held !== undefined && now.held.drawn === undefined && now.held.key === numbers.key;
    const isOther = now.held !== undefined && now.held.key !== numbers.key && graph.formula === now.formula;
    void keepHeld(numbers);
    if (!isSame) change("graph", graph);
    tell(isOther ? graphWords.peek().heldChanged : "");
  } catch (error) {
    tell(faultWords.peek()((error as Error).message));
  }
}

/** Lets the reader choose a file with numbers. */
function OpenFile({ id }: { readonly id: string }): JSX.Element {
  const w = graphWords.value;
  return (
    <>
      <input
        type="file"
        id={id}
        class="unseen"
        tabIndex={-1}
        accept=".safetensors"
        aria-label={w.openHeld}
        onChange={(event) => {
          const [file] = event.currentTarget.files ?? [];
          if (file !== undefined) void openHeld(file);
          event.currentTarget.value = "";
        }}
      />
      <button type="button" class="small" onClick={() => document.getElementById(id)?.click()}>
        {w.openHeld}
      </button>
    </>
  );
}

function Outcome(): JSX.Element {
  const { text, key } = outcome.value;
  return (
    <p class="fault" role="status" id="held-outcome">
      {key === heldAsked.value?.key ? kept(text) : ""}
    </p>
  );
}

/** Lets the reader choose a file from anywhere. */
export function chooseHeld(): void {
  const input = document.createElement("input");
  input.type = "file";
  input.accept = ".safetensors";
  input.onchange = () => {
    const [file] = input.files ?? [];
    if (file !== undefined) void openHeld(file);
  };
  input.click();
}

/** Takes a dropped file, where numbers are missing and it may have them. @returns whether it does */
export function dropHeld(files: readonly File[]): boolean {
  const [file] = files;
  if (heldNow.peek().kind !== "missing" || file === undefined || !file.name.endsWith(".safetensors")) return false;
  void openHeld(file);
  return true;
}

/** In the window that shares: what the address does not say, and the file that does. */
export function HeldShare(): JSX.Element | null {
  const w = graphWords.value;
  const asked = heldAsked.value;
  if (asked === undefined || state.value.tab !== "graph") return null;
  return (
    <div id="share-held">
      <p>{kept(w.heldShare(grouped(countOf(asked.parts)), megabytes(bytesOf(asked.parts))))}</p>
      {asked.drawn === undefined && heldNow.value.kind === "here" && (
        <p>
          <button type="button" id="share-save-held" onClick={() => void saveHeld()}>
            {w.saveHeld}
          </button>
        </p>
      )}
    </div>
  );
}

/** Beside the variables: where numbers are that the address does not hold. */
export function HeldNote(): JSX.Element | null {
  const w = graphWords.value;
  const asked = heldAsked.value;
  const now = heldNow.value;
  if (asked === undefined || now.kind !== "here") return null;
  const size = megabytes(bytesOf(asked.parts));
  const isDrawn = asked.drawn !== undefined;
  return (
    <div class="held-note" id="held-note">
      <p class="quiet">
        {kept(
          isDrawn
            ? w.heldDrawn(grouped(asked.drawn))
            : `${w.heldBeside(grouped(countOf(asked.parts)), size)} ${isStored.value === false ? w.heldInTab : w.heldInBrowser}`,
        )}
      </p>
      <p>
        {!isDrawn && (
          <button type="button" class="small" id="save-held" onClick={() => void saveHeld()}>
            {w.saveHeld}
          </button>
        )}{" "}
        <OpenFile id="open-held" />
      </p>
      <Outcome />
    </div>
  );
}

/** Over the picture: numbers that the address names and this browser does not have, and what to do. */
export function HeldMissing(): JSX.Element | null {
  const asked = heldAsked.value;
  return asked === undefined || heldNow.value.kind !== "missing" ? null : <Missing asked={asked} />;
}

function Missing({ asked }: { readonly asked: Held }): JSX.Element {
  const w = graphWords.value;
  const { seed } = state.value.train;
  const card = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = card.current!;
    return () => {
      if (element.contains(document.activeElement)) focusPicture();
    };
  }, []);
  return (
    <div class="held-missing" id="held-missing" role="status" ref={card}>
      <h2>{kept(w.heldMissing)}</h2>
      <p>{kept(w.heldMissingWhy(grouped(countOf(asked.parts)), namesIn(asked), megabytes(bytesOf(asked.parts))))}</p>
      <p>{kept(w.heldMissingDo)}</p>
      <p class="row">
        <OpenFile id="find-held" />
        {asked.learnt !== undefined && asked.learnt.settings === hashOf(identityOf(state.value.train)) && (
          <button
            type="button"
            class="small"
            id="learn-held"
            onClick={() => void import("../train/open-as-graph.tsx").then(({ learnAgain }) => learnAgain(asked))}
          >
            {w.learnHeld(grouped(asked.learnt.steps))}
          </button>
        )}
        <button type="button" class="small" id="draw-held" onClick={() => set({ held: { ...asked, drawn: seed } })}>
          {w.drawHeld(grouped(seed))}
        </button>
      </p>
      <Outcome />
    </div>
  );
}
