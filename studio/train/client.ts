import { batch, computed, effect, type ReadonlySignal, signal } from "@preact/signals";
import { faultWords } from "../faults/fault-words.ts";
import { hashOf, type Learnt } from "../graph/held.ts";
import { language, state } from "../state/store.ts";
import { grouped } from "../words/words.ts";
import { CurveHistory } from "./curve-history.ts";
import type { FaultKey } from "./data-sets.ts";
import type { Asked, Exported, Facts, Format, Look, Places, Snapshot, Taken, Told } from "./messages.ts";
import { identityOf, type TrainState } from "./state.ts";
import { share, short, words } from "./words.ts";

/*
 * The page's side of the worker. There is one worker; what changes the net or the data begins anew, what changes a rate is told to it.
 */

/** How things stand with the worker. */
export type Status =
  | { readonly kind: "idle" }
  | { readonly kind: "preparing"; readonly long: boolean }
  | { readonly kind: "ready" }
  | { readonly kind: "fault"; readonly key: FaultKey | "failed"; readonly detail: string }
  | { readonly kind: "dead"; readonly why: "worker died" | "was stopped" | "no worker" };

export const facts = signal<Facts | null>(null);
export const shot = signal<Snapshot | null>(null);
/** The same for what people read, tables and curves: a few times a second while it learns. */
export const calm = signal<Snapshot | null>(null);
export const playing = signal(false);
export const status = signal<Status>({ kind: "idle" });
/** Why it stopped by itself, as the worker tells it: in the reader's language, or as the library does. */
const stopReason = signal("");
/** Why it stopped by itself, for people. */
export const stopped: ReadonlySignal<string> = computed(() =>
  stopReason.value.trim() === "" || /[가-힣]\.\s*$/m.test(stopReason.value) ? stopReason.value : faultWords.value(stopReason.value),
);
/** The latest sentence for screen readers. */
export const said = signal("");
export const curve = signal(new CurveHistory());
/** The browser lets no WebAssembly be compiled, so the readable engine learns. */
export const isSlow = signal(false);
/** A table too long for the address. */
export const longCsv = signal<string | null>(null);

/** Whether the worker draws the pictures of this net, on canvases that were handed to it; and which worker, because a canvas is handed over once. */
export const draws = signal(false);
export const generation = signal(0);
const hands = typeof OffscreenCanvas !== "undefined" && "transferControlToOffscreen" in HTMLCanvasElement.prototype;

let worker: Worker | null = null;
let id = 0;
let prepared = "";
let told = "";
let asking = 0;
let began = 0;
/** A setup was asked for and has not been answered. */
let busy = false;
let slow: ReturnType<typeof setTimeout> | undefined;
let later: ReturnType<typeof setTimeout> | undefined;
let playAfter = false;
const waiting = new Map<number, { resolve: (value: Taken | Exported) => void; reject: (error: Error) => void }>();

/** How a net that was taken can be learnt again, as the address says it; null where its table is too long for the address. */
export function learntFrom({ steps }: Taken): Learnt | null {
  return longCsv.peek() === null || state.peek().train.data !== "csv" ? { steps, settings: hashOf(identityOf(state.peek().train)) } : null;
}

/** What keeps these settings from being learnt, in the reader's language. */
export function faultText({ key, detail }: { readonly key: FaultKey | "failed"; readonly detail: string }): string {
  const sentence = words.value[`fault ${key}`];
  if (typeof sentence === "string") return sentence;
  // A count, or what the library said.
  return sentence(/^\d*$/.test(detail) ? grouped(Number(detail)) : faultWords.value(detail));
}

function start(): Worker | null {
  if (worker !== null) return worker;
  try {
    worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "train" });
  } catch {
    status.value = { kind: "dead", why: "no worker" };
    return null;
  }
  generation.value++;
  worker.onmessage = ({ data }: MessageEvent<Told>) => hear(data);
  worker.onerror = (event) => {
    event.preventDefault();
    end("worker died");
  };
  worker.onmessageerror = () => end("worker died");
  return worker;
}

/** Ends the worker; what waits for it is refused. */
export function end(why: "worker died" | "was stopped"): void {
  worker?.terminate();
  worker = null;
  playing.value = false;
  clearTimeout(slow);
  busy = false;
  prepared = "";
  status.value = { kind: "dead", why };
  said.value = words.value[why];
  for (const { reject } of waiting.values()) reject(new Error(words.value[why]));
  waiting.clear();
}

function ask(asked: Asked, transfer: Transferable[] = []): void {
  worker?.postMessage(asked, transfer);
}

/** Begins anew with the settings as they are. */
export function setup(): void {
  clearTimeout(later);
  // A worker that is still busy with older settings after this long is ended, not waited for.
  if (busy && performance.now() - began > 1500) {
    worker?.terminate();
    worker = null;
  }
  if (start() === null) return;
  const settings = state.value.train;
  prepared = wanted();
  told = liveOf(settings);
  id++;
  began = performance.now();
  busy = true;
  playing.value = false;
  stopReason.value = "";
  status.value = { kind: "preparing", long: false };
  clearTimeout(slow);
  slow = setTimeout(() => {
    if (status.value.kind === "preparing") status.value = { kind: "preparing", long: true };
  }, 800);
  const csv = longCsv.value;
  ask({ kind: "setup", id, settings, language: language.value, hands, ...(csv === null || settings.data !== "csv" ? {} : { csv }) });
}

/** What tells one net to prepare from another. */
const wanted = (): string => identityOf(state.value.train) + String(longCsv.value?.length ?? "");

const liveOf = ({ rate, penaltyRate, stop, pace }: TrainState): string => JSON.stringify([rate, penaltyRate, stop, pace, language.value]);

/** Follows the settings from now on; gives back what stops following. */
export function follow(): () => void {
  if (worker === null) prepared = "";
  return effect(() => {
    const settings = state.value.train;
    const now = wanted();
    const live = liveOf(settings);
    if (now !== prepared) {
      clearTimeout(later);
      // A slider that moves asks for one net, not for thirty.
      if (prepared === "") setup();
      else {
        // Meanwhile nothing can be started that would end at once.
        if (status.peek().kind === "ready") {
          pause();
          status.value = { kind: "preparing", long: false };
        }
        later = setTimeout(setup, 120);
      }
    } else if (live !== told) {
      told = live;
      ask({ kind: "live", settings, language: language.value });
    }
  });
}

export function play(): void {
  if (status.value.kind === "preparing") {
    playAfter = true;
    return;
  }
  if (status.value.kind !== "ready") return;
  playing.value = true;
  stopReason.value = "";
  said.value = words.value.started;
  heard = performance.now();
  ask({ kind: "play" });
}

export function pause(): void {
  playAfter = false;
  ask({ kind: "pause" });
}

export function step(unit: "batch" | "epoch"): void {
  stopReason.value = "";
  ask({ kind: "step", unit });
}

/** Begins anew and learns until so many steps are done, or until it stops. */
export async function learnUntil(steps: number): Promise<void> {
  setup();
  await until(() => status.value.kind !== "idle" && status.value.kind !== "preparing");
  if (status.peek().kind !== "ready" || steps === 0) return;
  playing.value = true;
  heard = performance.now();
  ask({ kind: "play", until: steps });
  await until(() => !playing.value);
}

/** Waits until signals say so. */
function until(is: () => boolean): Promise<void> {
  return new Promise((done) => {
    const leave = effect(() => {
      if (!is()) return;
      // Not from within the effect, which may be its first run.
      queueMicrotask(() => leave());
      done();
    });
  });
}

/** Hands a canvas to the worker, or tells it that one is gone. */
export function giveCanvas(name: string, canvas: OffscreenCanvas | null): void {
  ask({ kind: "canvas", name, canvas }, canvas === null ? [] : [canvas]);
}

export function sendLook(look: Look): void {
  ask({ kind: "look", look });
}

export function sendPlaces(places: Places, width: number, height: number, fine: number): void {
  ask({ kind: "places", places, width, height, fine });
}

export function sendDigit(pixels: Float32Array | null): void {
  ask({ kind: "digit", pixels });
}

function request<T extends Taken | Exported>(asked: (own: number) => Asked): Promise<T> {
  const own = ++asking;
  return new Promise<T>((resolve, reject) => {
    waiting.set(own, { resolve: resolve as (value: Taken | Exported) => void, reject });
    ask(asked(own));
  });
}

/** The net and its next rows as plain numbers. */
export const take = (rows: number): Promise<Taken> => request<Taken>((own) => ({ kind: "take", id: own, rows }));
/** The net as a file. */
export const exportAs = (format: Format): Promise<Exported> => request<Exported>((own) => ({ kind: "export", id: own, format }));

/** The sentence about where the training stands. */
export function standing(): string {
  const { last } = curve.value;
  if (last === null || shot.value === null) return "";
  const right = facts.value?.problem.task.kind === "number" ? null : share(last.testRight);
  return words.value.paused(short(shot.value.epoch), short(last.train), short(last.test), right);
}

let pending: Snapshot | null = null;
let pendingPlays = false;
let announce = false;
let calmed = 0;

function show(): void {
  if (pending === null) return;
  const { value: history } = curve;
  for (const point of pending.curve) history.add(point);
  const now = performance.now();
  batch(() => {
    shot.value = pending;
    if (!playing.value || now - calmed > 180) {
      calm.value = pending;
      calmed = now;
    }
  });
  pending = null;
  ask({ kind: "shown" });
  // A picture from before it stopped may come first.
  if (!announce || pendingPlays) return;
  said.value = stopped.value === "" ? standing() : `${words.value["not finite"]} ${stopped.value}`;
  announce = false;
}

/** Leaves how many pictures the worker has drawn where the benchmark finds it. */
function notePictures(count: number): void {
  performance.clearMarks("pictures");
  performance.mark("pictures", { detail: count });
}

/** A worker that plays and says nothing for this long, to a page that is seen, has ended without a word. */
const silence = 10_000;
let heard = 0;
setInterval(() => {
  if (playing.value && document.visibilityState === "visible" && performance.now() - heard > silence) end("worker died");
}, 2000);
document.addEventListener("visibilitychange", () => {
  heard = performance.now();
});

function hear(message: Told): void {
  heard = performance.now();
  if (message.kind === "taken" || message.kind === "exported" || message.kind === "refused") {
    const waits = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.kind === "refused") waits?.reject(new Error(message.reason));
    else waits?.resolve(message.kind === "taken" ? message.taken : message.file);
    return;
  }
  if (message.id !== id) return;
  switch (message.kind) {
    case "ready":
      busy = false;
      clearTimeout(slow);
      // The settings have changed since, and the net that they ask for is about to be prepared.
      if (wanted() !== prepared) return;
      pending = null;
      announce = false;
      curve.value = new CurveHistory();
      shot.value = null;
      calm.value = null;
      draws.value = message.draws;
      facts.value = message.facts;
      isSlow.value = message.isSlow;
      status.value = { kind: "ready" };
      said.value = words.value.ready(message.facts.points.train.rows, message.facts.points.test.rows);
      if (playAfter) {
        playAfter = false;
        play();
      }
      return;
    case "snapshot": {
      const first = pending === null;
      pendingPlays = message.playing;
      notePictures(message.pictures);
      pending = pending === null ? message.snapshot : { ...message.snapshot, curve: [...pending.curve, ...message.snapshot.curve] };
      if (first) requestAnimationFrame(show);
      return;
    }
    case "paused":
      playing.value = false;
      if (message.why === "not finite") stopReason.value = message.reason || " ";
      // The picture of where it stopped comes next.
      announce = true;
      return;
    case "fault": {
      busy = false;
      clearTimeout(slow);
      playing.value = false;
      status.value = { kind: "fault", key: message.key, detail: message.detail };
      said.value = faultText(message);
    }
  }
}
