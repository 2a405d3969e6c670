import { signal } from "@preact/signals";
import { faultWords } from "../faults/fault-words.ts";
import { afterFrame } from "../shell/after-frame.ts";
import { say } from "../shell/live.tsx";
import type { TabPicture } from "../shell/picture-of-tab.ts";
import { saveFile } from "../shell/save-file.ts";
import { change, language, state } from "../state/store.ts";
import { grouped } from "../words/words.ts";
import { type Client, startWorker } from "./client.ts";
import { lookForEngines, runtimeAddress } from "./engines.ts";
import type { TensorFacts } from "./facts.ts";
import { type GivenInput, InputFault, type InputTrouble } from "./given-input.ts";
import { checked, giveFile, givenOf, inputFiles } from "./inputs.ts";
import type { Amount, Asks, Drawing, Found, Gradients, ItemFacts, Look, Summary, TakenOver, TuneAsk, TuneState, Work } from "./protocol.ts";
import { short } from "./short.ts";
import { defaultImport, type FileMark, type ImportState } from "./state.ts";
import { isSameFile, markOf, openedFile, set, view } from "./view.ts";
import { viewer } from "./viewer.tsx";
import { importWords } from "./words.ts";

/** What went wrong: a sentence, or what the page has words for. */
export type Fault = string | InputTrouble | { readonly missing: string };

/** What the tab is doing that takes time; null: nothing. */
export const busy = signal<Work | null>(null);
/** How much of it is done; null where that is not known. */
export const amount = signal<Amount | null>(null);
export const summary = signal<Summary | null>(null);
/** The table that a model is tuned with. */
export const data = signal<Summary | null>(null);
/** What of the model can be trained, in words; it comes after the picture. */
export const inspection = signal<Asks["inspection"]["answer"] | null>(null);
export const drawing = signal<Drawing | null>(null);
export const fault = signal<Fault | null>(null);
/** Whether the last thing that took time was given up by the reader. */
export const isCancelled = signal(false);
export const selected = signal<{ readonly id: string; readonly facts: ItemFacts } | null>(null);
export const inspected = signal<{ readonly name: string; readonly value: TensorFacts; readonly gradient: TensorFacts | null } | null>(null);
export const found = signal<readonly Found[]>([]);
export const gradients = signal<Gradients | null>(null);
export const losses = signal<readonly TuneState[]>([]);
export const tuned = signal<"done" | "stopped" | null>(null);
/** That the engine which was chosen gave way, and why. */
export const takenOver = signal<TakenOver | null>(null);

let client: Client | null = null;
/** The tuned model as a file, and the table that was read: for a worker that begins anew. */
let tunedFiles: readonly File[] | undefined;
let table: { readonly file: File; readonly label: string | null } | null = null;
/** The selected item of which the facts were asked for last. */
let asked: string | null = null;

function worker(): Client {
  return (client ??= startWorker((message) => {
    if ("tuning" in message) {
      amount.value = { done: message.tuning.step, of: message.tuning.steps, unit: "steps" };
      losses.value = [...losses.value, message.tuning].slice(-2000);
    } else if ("takenOver" in message) {
      takenOver.value = message.takenOver;
      say(tellTakenOver(message.takenOver));
    } else if (busy.value !== null) {
      // What is said after the work has ended is too late.
      busy.value = message.progress;
      amount.value = message.amount ?? null;
    }
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

/** How often the reader has cancelled: what was begun before says nothing any more. */
let cancels = 0;

async function during(kind: typeof busy.value, work: (isGivenUp: () => boolean) => Promise<void>): Promise<void> {
  const before = cancels;
  const isGivenUp = (): boolean => cancels > before;
  busy.value = kind;
  amount.value = null;
  fault.value = null;
  isCancelled.value = false;
  try {
    await work(isGivenUp);
  } catch (error) {
    if (!isGivenUp()) fault.value = faultOf(error);
  } finally {
    if (!isGivenUp()) busy.value = null;
  }
}

/** Whether what was open before is being opened anew, after something else was given up. */
let isComingBack = false;

/** Ends whatever the worker does, which then says nothing any more. */
function giveUp(): void {
  cancels++;
  client?.end();
  client = null;
  busy.value = null;
}

/** Gives up what is being done. What is open stays so, for another worker; what was being opened can be opened again. */
export function cancel(): void {
  giveUp();
  isCancelled.value = true;
  const mark = openedFile.peek()?.mark;
  const files = tuned.peek() === null ? seen.get(mark ?? "") : tunedFiles;
  if (summary.peek() === null || files === undefined || isComingBack) forget();
  else void comeBack(files);
}

/** Opens in a new worker what the last one held, as it was shown before the step that was given up. */
async function comeBack(files: readonly File[]): Promise<void> {
  isComingBack = true;
  await during("build", async (isGivenUp) => {
    gradients.value = null;
    await worker().ask("open", { files });
    if (table !== null && data.peek() !== null) await worker().ask("data", table);
    if (drawing.peek() !== null) {
      around.value = "as before";
      change("import", { ...view.peek(), ...drawn }, null);
      await redraw();
    }
    if (isGivenUp()) return;
    isCancelled.value = true;
    say(importWords.value.cancelled);
    void followTensor(true);
  });
  isComingBack = false;
}

/** Nothing is open any more. */
function forget(): void {
  summary.value = drawing.value = selected.value = inspected.value = gradients.value = tuned.value = data.value = inspection.value = null;
  takenOver.value = null;
  losses.value = [];
  found.value = [];
  inputFiles.value = new Map();
  checked.value = new Map();
  around.value = null;
  openedFile.value = null;
  asked = null;
  isComingBack = false;
  tunedFiles = undefined;
  table = null;
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
  // What is still looked for in the file before would be told of this one.
  if (busy.peek() !== null) giveUp();
  await during("read", async (isGivenUp) => {
    forget();
    const main = files.find(({ name }) => /\.(onnx|graph)$/i.test(name)) ?? first;
    // It starts while the file is looked at.
    const to = worker();
    const mark = await markOf(main);
    if (isGivenUp()) return;
    const opened = await to.ask("open", { files });
    seen.set(mark.mark, files);
    openedFile.value = mark;
    // The view that the address has of this file, or a new one.
    if (!isSameFile(state.peek().import.file, mark)) change("import", { ...defaultImport, depth: state.peek().import.depth, file: mark });
    if (opened.kind === "model" || opened.kind === "graph") await redraw();
    summary.value = opened;
    const parts = partsDrawn();
    say(parts === null ? importWords.value.openedFile(opened.name) : importWords.value.opened(opened.name, parts));
    if (opened.kind !== "model") return;
    busy.value = "inspect";
    // The picture, which is put in its place in the frame after this one, is painted before the worker has the processor for all of the weights.
    for (let frame = 0; frame < 2; frame++) await new Promise<void>((done) => void afterFrame(done));
    if (isGivenUp()) return;
    inspection.value = await worker().ask("inspection", {});
  });
}

/** Files that were open before on this page, by their marks: an undone step may want them again. */
const seen = new Map<string, readonly File[]>();

/** Whether a file can be opened again without being chosen. */
export function canOpenAgain({ mark }: FileMark): boolean {
  return seen.has(mark);
}

export function openAgain({ mark }: FileMark): void {
  void openFiles(seen.get(mark) ?? []);
}

/** Reads a table to tune with. */
export async function readData(file: File, label: string | null): Promise<void> {
  // Only who is about to tune has the browser look for a graphics card.
  void lookForEngines();
  await during("read", async () => {
    data.value = await worker().ask("data", { file, label });
    table = { file, label };
  });
}

type Shown = Pick<ImportState, "depth" | "open" | "closed" | "near">;

/** What the last picture that was asked for shows. */
let shown: Shown = defaultImport;
/** What the picture on the page shows. */
let drawn: Shown = defaultImport;

async function redraw(): Promise<void> {
  const { depth, open, closed, near } = view.peek();
  shown = { depth, open, closed, near };
  const look: Look = {
    ...shown,
    theme: (document.documentElement.dataset["theme"] ?? "light") as Look["theme"],
    language: language.peek(),
  };
  const now = shown;
  drawing.value = await worker().ask("draw", look);
  drawn = now;
}

/** The picture as a file. */
export function pictureShown(): TabPicture | null {
  const opened = summary.value;
  if (drawing.value === null || opened === null) return null;
  const theme = (document.documentElement.dataset["theme"] ?? "light") as Look["theme"];
  const file = (kind: "svg" | "page"): Promise<string | null> => worker().ask("file", { kind, theme, language: language.peek() });
  return {
    name: opened.name.replace(/\.(onnx|graph)$/i, ""),
    box: () => viewer.value?.box() ?? null,
    svg: async () => (await file("svg")) ?? "",
    page: () => file("page"),
  };
}

/** Draws again in another language or theme. */
export async function drawAgain(): Promise<void> {
  if (drawing.value === null) return;
  around.value = "as before";
  await during("layout", redraw);
}

/** What the picture keeps its place around: the module that was opened or closed; `as before` where only its looks change; null: a new picture. */
export const around = signal<{ readonly module: string } | "as before" | null>(null);

const differing = (a: readonly string[], b: readonly string[]): string[] => [
  ...a.filter((one) => !b.includes(one)),
  ...b.filter((one) => !a.includes(one)),
];

function aroundOf(before: Shown, now: Shown): typeof around.value {
  if (before.depth !== now.depth || JSON.stringify(before.near) !== JSON.stringify(now.near)) return null;
  const modules = new Set([...differing(before.open, now.open), ...differing(before.closed, now.closed)]);
  const [module] = modules;
  return module === undefined ? "as before" : modules.size === 1 ? { module } : null;
}

/** Draws what the state shows now, if the picture shows something else: a step was made, undone or redone. */
export async function follow(): Promise<void> {
  const { depth, open, closed, near } = view.peek();
  if (
    drawing.peek() === null ||
    JSON.stringify([depth, open, closed, near]) === JSON.stringify([shown.depth, shown.open, shown.closed, shown.near])
  )
    return;
  around.value = aroundOf(shown, view.peek());
  await during("layout", redraw);
  sayDrawn();
  around.value = "as before";
}

/** Shows what feeds the selected item or lies near it; null: all. */
export function showNear(steps: number | "feeds" | null): void {
  const item = view.peek().near?.item ?? view.peek().selected;
  set({ near: steps === null || item === null ? null : { item, steps } });
}

/** Opens or closes a module of the picture. */
export function toggle(id: string, isOpen: boolean): void {
  const { open, closed } = view.peek();
  set({
    open: isOpen ? open.filter((other) => other !== id) : [...open, id],
    closed: isOpen ? [...closed, id] : closed.filter((other) => other !== id),
  });
}

function partsDrawn(): number | null {
  return drawing.value === null ? null : drawing.value.items.length;
}

function sayDrawn(): void {
  const parts = partsDrawn();
  if (parts !== null && fault.value === null) say(importWords.value.drawn(parts));
}

/** Selects an item. */
export function select(id: string): void {
  set({ selected: id }, "selected");
  void followSelected();
}

/** Asks what stands behind the selected item, if that is not known. */
export async function followSelected(): Promise<void> {
  const id = view.peek().selected;
  if (id === null || drawing.peek() === null) {
    asked = null;
    selected.value = null;
    return;
  }
  if (id === asked) return;
  asked = id;
  try {
    const facts = await worker().ask("item", { id });
    // Another may have been selected meanwhile.
    if (asked !== id) return;
    selected.value = { id, facts };
    const part = drawing.value?.items.find((item) => item.id === id);
    const w = importWords.value;
    if (part !== undefined) say(w.saySelected(part.title, part.value, part.gradient === "none" ? w.noGradient : part.gradient));
  } catch {
    // An address, or a step that was undone, may name a part that is inside a closed module now.
    if (asked !== id) return;
    asked = null;
    selected.value = null;
  }
}

/** Shows a tensor with its numbers. */
export function inspect(name: string): void {
  set({ tensor: name }, "tensor");
  void followTensor(true);
}

/** Asks for the numbers of the tensor that is shown, if they are not there. @param anew they may have changed */
export async function followTensor(anew = false): Promise<void> {
  const name = view.peek().tensor;
  if (name === null || summary.peek() === null) {
    inspected.value = null;
    return;
  }
  if (!anew && inspected.peek()?.name === name) return;
  try {
    const value = await worker().ask("tensor", { name });
    const gradient = gradients.value?.rows.some((other) => other.name === name)
      ? await worker().ask("tensor", { name: `gradient:${name}` })
      : null;
    if (view.peek().tensor !== name) return;
    inspected.value = { name, value, gradient };
    say(importWords.value.sayTensor(name, short(value.min), short(value.max), value.nan + value.above + value.below));
  } catch (error) {
    if (anew) fault.value = faultOf(error);
  }
}

/** Searches the picture for what stands in the box. */
export async function followSearch(): Promise<void> {
  const { search: text } = view.peek();
  const isEmpty = text.trim() === "" || drawing.peek() === null;
  const now = isEmpty ? [] : await worker().ask("find", { text });
  if (view.peek().search !== text) return;
  found.value = now;
  if (!isEmpty) say(importWords.value.foundSome(now.length));
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
  const { output, loss, target, seed } = view.peek();
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
    void followTensor(true);
  });
}

export async function tune(ask: Omit<TuneAsk, "runtime">): Promise<void> {
  tuned.value = null;
  takenOver.value = null;
  losses.value = [];
  await during("tune", async () => {
    const { stopped } = await worker().ask("tune", { ...ask, runtime: runtimeAddress() });
    // For Cancel: the new weights are in the worker alone.
    const blob = await worker()
      .ask("save", {})
      .catch(() => null);
    tunedFiles = blob === null ? undefined : [new File([blob], summary.peek()?.name ?? "model.onnx")];
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
