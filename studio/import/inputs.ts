import { signal } from "@preact/signals";
import type { GivenInput } from "./given-input.ts";
import type { InputFacts } from "./protocol.ts";
import { drawn, type InputChoice } from "./state.ts";
import { set, view } from "./view.ts";

/** The files that were given as inputs, by the inputs' names. */
export const inputFiles = signal<ReadonlyMap<string, File>>(new Map());
/** What became of each input that was given. */
export const checked = signal<ReadonlyMap<string, InputFacts>>(new Map());

/** How an input is chosen now. */
export function choiceOf(name: string): InputChoice {
  const { inputs } = view.value;
  return Object.hasOwn(inputs, name) ? inputs[name]! : drawn;
}

/** Changes how an input is chosen. */
export function choose(name: string, part: Partial<InputChoice>): void {
  const { inputs } = view.peek();
  const typed = Object.keys(part).join();
  set({ inputs: { ...inputs, [name]: { ...choiceOf(name), ...part } } }, typed === "from" ? "" : `input ${name} ${typed}`);
}

/** Takes a file as an input: of a table the first row at first, of another file all that is in it. */
export function giveFile(name: string, file: File): void {
  inputFiles.value = new Map(inputFiles.value).set(name, file);
  choose(name, { from: "file", file: file.name, entry: null, row: /\.(csv|tsv|txt)$/i.test(file.name) ? 1 : null });
}

/** An input as the worker takes it; null: drawn from the seed; `missing`: its file is not there. */
export function givenOf(name: string): GivenInput | "missing" | null {
  const { from, text, entry, row, scale, file: wanted } = choiceOf(name);
  if (from === "seed") return null;
  if (from === "text") return { kind: "text", text };
  const file = inputFiles.value.get(name);
  return file === undefined || file.name !== wanted ? "missing" : { kind: "file", file, entry, row, scale };
}
