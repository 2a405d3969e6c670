import { signal } from "@preact/signals";
import { faultWords } from "../faults/fault-words.ts";
import { say } from "../shell/live.tsx";
import { saveFile } from "../shell/save-file.ts";
import { language, state } from "../state/store.ts";
import { grouped } from "../words/words.ts";
import { type Client, startWorker } from "./client.ts";
import { lookForEngines, runtimeAddress } from "./engines.ts";
import type { TensorFacts } from "./facts.ts";
import { type GivenInput, InputFault, type InputTrouble } from "./given-input.ts";
import { checked, giveFile, givenOf, inputFiles } from "./inputs.ts";
import type { Drawing, Found, Gradients, ItemFacts, Look, Summary, TakenOver, TensorRow, TuneAsk, TuneState } from "./protocol.ts";
import { short } from "./short.ts";
import { importWords } from "./words.ts";

/** What went wrong: a sentence, or what the page has words for. */
export type Fault = string | InputTrouble | { readonly missing: string };

/** What the tab is doing that takes time; null: nothing. */
export const busy = signal<"read" | "inspect" | "build" | "layout" | "gradients" | "tune" | null>(null);
export const summary = signal<Summary | null>(null);
/** The table that a model is tuned with. */
export const data = signal<Summary | null>(null);
/** What of the model can be trained, in words; it comes after the picture. */
export const inspection = signal<{ readonly text: string; readonly blocked: readonly string[] } | null>(null);
export const drawing = signal<Drawing | null>(null);
export const fault = signal<Fault | null>(null);
export const selected = signal<{ readonly id: string; readonly facts: ItemFacts } | null>(null);
export const inspected = signal<{ readonly row: TensorRow; readonly value: TensorFacts; readonly gradient: TensorFacts | null } | null>(
  null,
);
export const found = signal<readonly Found[]>([]);
export const gradients = signal<Gradients | null>(null);
export const losses = signal<readonly TuneState[]>([]);
export const tuned = signal<"done" | "stopped" | null>(null);
/** That the engine which was chosen gave way, and why. */
export const takenOver = signal<TakenOver | null>(null);

let client: Client | null = null;
let open: readonly string[] = [];
let closed: readonly string[] = [];
/** The item around which a part of the picture is shown. */
export const near = signal<Look["near"]>(null);

function worker(): Client {
  return (client ??= startWorker((message) => {
    if ("tuning" in message) losses.value = [...losses.value, message.tuning].slice(-2000);
    else if ("takenOver" in message) {
      takenOver.value = message.takenOver;
      say(tellTakenOver(message.takenOver));
    } else busy.value = message.progress;
  }));
}

/** What became of the engine that was chosen, in a sentence. */
export function tellTakenOver({ why, step, reason }: TakenOver): string {
  const w = importWords.value;
  return why === "lost" ? w.deviceLost(grouped(step)) : w.engineRefused(faultWords.value(reason));
}

function faultOf(error: unknown): Fault {
  if (error instanceof InputFault) return error.trouble;
  return error instanceof Error ? error.message : String(error);
}

async function during(kind: typeof busy.value, work: () => Promise<void>): Promise<void> {
  busy.value = kind;
  fault.value = null;
  try {
    await work();
  } catch (error) {
    fault.value = faultOf(error);
  } finally {
    busy.value = null;
  }
}

/** Ends whatever the worker does, and what it holds. */
export function cancel(): void {
  client?.end("cancelled");
  client = null;
  busy.value = null;
  summary.value = null;
  drawing.value = null;
}

/**
 * Opens what was dropped or chosen. A table beside an open model is data for it; numbers or an image that are dropped beside one are its first input.
 */
export async function openFiles(files: readonly File[], dropped = false): Promise<void> {
  const [first] = files;
  if (first === undefined) return;
  const model = summary.value?.kind === "model" ? summary.value : null;
  const input = model?.inputs[0]?.name;
  if (dropped && input !== undefined && files.length === 1 && /\.(npy|png|jpe?g|webp)$/i.test(first.name)) return giveFile(input, first);
  if (model !== null && files.length === 1 && /\.(csv|tsv|txt)$/i.test(first.name)) return readData(first, null);
  await during("read", async () => {
    summary.value = drawing.value = selected.value = inspected.value = gradients.value = tuned.value = data.value = inspection.value = null;
    takenOver.value = null;
    losses.value = [];
    found.value = [];
    inputFiles.value = new Map();
    checked.value = new Map();
    open = closed = [];
    near.value = around.value = null;
    const opened = await worker().ask("open", { files });
    if (opened.kind === "model" || opened.kind === "graph") await redraw();
    summary.value = opened;
    const parts = partsDrawn();
    say(parts === null ? importWords.value.openedFile(opened.name) : importWords.value.opened(opened.name, parts));
    if (opened.kind !== "model") return;
    busy.value = "inspect";
    inspection.value = await worker().ask("inspection", {});
  });
}

/** Reads a table to tune with. */
export async function readData(file: File, label: string | null): Promise<void> {
  // Only who is about to tune has the browser look for a graphics card.
  void lookForEngines();
  await during("read", async () => {
    data.value = await worker().ask("data", { file, label });
  });
}

function look(): Look {
  const theme = (document.documentElement.dataset["theme"] ?? "light") as Look["theme"];
  return { depth: state.value.import.depth, open, closed, near: near.value, theme, language: language.value };
}

async function redraw(): Promise<void> {
  drawing.value = await worker().ask("draw", look());
}

/** Draws again: another depth, language or theme. */
export async function drawAgain(): Promise<void> {
  if (drawing.value !== null) await during("layout", redraw);
}

/** Shows what feeds the selected item or lies near it; null: all. */
export async function showNear(steps: number | "feeds" | null): Promise<void> {
  const item = near.value?.item ?? selected.value?.id ?? null;
  around.value = null;
  near.value = steps === null || item === null ? null : { item, steps };
  await drawAgain();
  sayDrawn();
}

/** The module that was opened or closed last, around which the picture keeps its place; `as before` where only its looks change; null: a new picture. */
export const around = signal<{ readonly module: string } | "as before" | null>(null);

/** Opens or closes a module of the picture. */
export async function toggle(id: string, isOpen: boolean): Promise<void> {
  around.value = { module: id };
  open = isOpen ? open.filter((other) => other !== id) : [...open, id];
  closed = isOpen ? [...closed, id] : closed.filter((other) => other !== id);
  await drawAgain();
  sayDrawn();
  around.value = "as before";
}

function partsDrawn(): number | null {
  return drawing.value === null ? null : drawing.value.items.length;
}

function sayDrawn(): void {
  const parts = partsDrawn();
  if (parts !== null && fault.value === null) say(importWords.value.drawn(parts));
}

/** Selects an item and asks what stands behind it. */
export async function select(id: string): Promise<void> {
  try {
    selected.value = { id, facts: await worker().ask("item", { id }) };
    const part = drawing.value?.items.find((item) => item.id === id);
    const w = importWords.value;
    if (part !== undefined) say(w.saySelected(part.title, part.value, part.gradient === "none" ? w.noGradient : part.gradient));
  } catch (error) {
    fault.value = faultOf(error);
  }
}

/** Shows a tensor with its numbers. */
export async function inspect(row: TensorRow): Promise<void> {
  try {
    const value = await worker().ask("tensor", { name: row.name });
    const gradient = gradients.value?.rows.some((other) => other.name === row.name)
      ? await worker().ask("tensor", { name: `gradient:${row.name}` })
      : null;
    inspected.value = { row, value, gradient };
    say(importWords.value.sayTensor(row.name, short(value.min), short(value.max), value.nan + value.infinite));
  } catch (error) {
    fault.value = faultOf(error);
  }
}

/** Searches the picture. */
export async function search(text: string): Promise<void> {
  found.value = text.trim() === "" ? [] : await worker().ask("find", { text });
  if (text.trim() !== "") say(importWords.value.foundSome(found.value.length));
}

/** Looks whether an input that was given fits. */
export async function check(name: string): Promise<void> {
  const given = givenOf(name);
  const others = new Map(checked.value);
  others.delete(name);
  if (given === null || given === "missing" || summary.value?.kind !== "model") {
    if (checked.value.has(name)) checked.value = others;
    return;
  }
  const facts = await worker().ask("input", { name, given });
  // Something else may have been given meanwhile.
  if (sameInput(givenOf(name), given)) checked.value = new Map(checked.value).set(name, facts);
}

function sameInput(a: ReturnType<typeof givenOf>, b: GivenInput): boolean {
  if (a === null || a === "missing" || a.kind !== b.kind) return false;
  return Object.entries(a).every(([key, value]) => (b as unknown as Record<string, unknown>)[key] === value);
}

/** Computes the gradients of the output and loss that the form has, for its inputs. */
export async function computeGradients(): Promise<void> {
  const opened = summary.value;
  if (opened?.kind !== "model") return;
  const { output, loss, target, seed } = state.value.import;
  const inputs: [string, GivenInput][] = [];
  for (const { name } of opened.inputs) {
    const given = givenOf(name);
    if (given === "missing") {
      fault.value = { missing: name };
      return;
    }
    if (given !== null) inputs.push([name, given]);
  }
  const of = output !== null && opened.outputs.includes(output) ? output : (opened.outputs[0] ?? "");
  // What is shown is of what is asked for now, or nothing.
  gradients.value = null;
  await during("gradients", async () => {
    gradients.value = await worker().ask("gradients", { output: of, loss, target, seed, inputs: Object.fromEntries(inputs) });
    around.value = null;
    await redraw();
  });
}

export async function tune(ask: Omit<TuneAsk, "runtime">): Promise<void> {
  tuned.value = null;
  takenOver.value = null;
  losses.value = [];
  await during("tune", async () => {
    const { stopped } = await worker().ask("tune", { ...ask, runtime: runtimeAddress() });
    tuned.value = stopped ? "stopped" : "done";
  });
}

/** Asks the tuning that runs to stop after its step; its weights are kept. */
export function stopTuning(): void {
  void worker().ask("stop", {});
}

/** Downloads the model as it is now. */
export async function download(): Promise<void> {
  await during("read", async () => {
    const blob = await worker().ask("save", {});
    saveFile(`${(summary.value?.name ?? "model").replace(/\.onnx$/i, "")}-tuned.onnx`, blob);
  });
}
