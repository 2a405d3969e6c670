import { frameUrl, preludeUrl } from "virtual:code-sandbox";
import { signal } from "@preact/signals";
import { language } from "../state/store.ts";
import { compileProgram } from "./compile.ts";
import type { ProgramMessage } from "./messages.ts";
import { type Ended, type Running, runProgram } from "./sandbox.ts";

/** A line of output: what the program said, or how it ended. */
export type OutputLine =
  | { readonly kind: "log" | "warn" | "error"; readonly text: string }
  | { readonly kind: "fault"; readonly text: string; readonly line: number | null }
  | { readonly kind: "end"; readonly why: "done" | Ended };

/** A picture that the program drew: an image's address, which scripts in it cannot leave. */
export interface Drawn {
  readonly url: string;
  readonly title: string;
  /** The same in words; empty where it is too long to be told. */
  readonly text: string;
}

export const lines = signal<readonly OutputLine[]>([]);
export const drawn = signal<readonly Drawn[]>([]);
/** How many older lines were dropped. */
export const cut = signal(0);
export const isRunning = signal(false);

/** What is kept of what was said, the newest: lines, characters of them all, pictures, and characters of those. */
const mostLines = 1000;
const mostCharacters = 500_000;
const mostPictures = 20;
const mostDrawn = 40_000_000;
let running: Running | null = null;
/** Each run has a number, counted up when one is ended too, so that one that was overtaken while its text was being compiled says nothing. */
export const turn = signal(0);

/** What was said and is not shown yet: a program may speak faster than a page can be drawn. */
let waiting: OutputLine[] = [];
let waitingPictures: Drawn[] = [];
let flushing: ReturnType<typeof setTimeout> | undefined;

function put(line: OutputLine): void {
  waiting.push(line);
  flushing ??= setTimeout(flush, 50);
}

function flush(): void {
  clearTimeout(flushing);
  flushing = undefined;
  if (waiting.length > 0) {
    const all = lines.value.concat(waiting);
    const kept = newest(all, mostLines, mostCharacters, (line) => (line.kind === "end" ? 0 : line.text.length));
    cut.value += all.length - kept.length;
    lines.value = kept;
  }
  if (waitingPictures.length > 0)
    drawn.value = newest(drawn.value.concat(waitingPictures), mostPictures, mostDrawn, ({ url, text }) => url.length + text.length);
  waiting = [];
  waitingPictures = [];
}

/** The last items that are not too many nor too large together; the last of all in any case. */
function newest<T>(all: readonly T[], most: number, mostSize: number, sizeOf: (item: T) => number): readonly T[] {
  let first = all.length;
  let size = 0;
  while (first > 0 && all.length - first < most) {
    size += sizeOf(all[first - 1]!);
    if (size > mostSize && first < all.length) break;
    first--;
  }
  return all.slice(first);
}

/** The run is over: all it said is shown. */
function close(): void {
  flush();
  isRunning.value = false;
}

function take(message: ProgramMessage): void {
  switch (message.kind) {
    case "log":
      put({ kind: message.level, text: message.text });
      return;
    case "picture": {
      // Not a blob: an image of a blob has this page's policy, which would take the picture's styles from it.
      const url = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(message.svg)}`;
      waitingPictures.push({ url, title: message.title, text: message.text });
      if (waitingPictures.length > mostPictures) waitingPictures.shift();
      flushing ??= setTimeout(flush, 50);
      return;
    }
    case "fault":
      put(message);
      break;
    case "done":
      put({ kind: "end", why: "done" });
  }
  close();
}

/** Runs a program anew; what the one before said goes. */
export async function run(source: string): Promise<void> {
  stop();
  const mine = ++turn.value;
  waiting = [];
  waitingPictures = [];
  lines.value = [];
  drawn.value = [];
  cut.value = 0;
  isRunning.value = true;
  const compiled = await compileProgram(source);
  if (mine !== turn.value) return;
  if ("fault" in compiled) {
    put({ kind: "fault", text: compiled.fault, line: compiled.line });
    close();
    return;
  }
  const look = { theme: document.documentElement.dataset["theme"] ?? "light", language: language.value };
  running = runProgram({ code: compiled.code, ...look }, preludeUrl, frameUrl, take, (why) => {
    put({ kind: "end", why });
    close();
  });
}

/** Ends the program that runs, if one does. */
export function stop(): void {
  turn.value++;
  running?.stop();
  running = null;
  isRunning.value = false;
}
