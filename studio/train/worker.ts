import { add, compile, type Engine, f32, graph, NumericError, reference } from "chainrule";
import { wasm } from "chainrule/wasm";
import { DataFault } from "./data-sets.ts";
import { exportedAs } from "./exported.ts";
import type { Asked, Told, Why } from "./messages.ts";
import type { TrainState } from "./state.ts";
import { makeTrainer, type Trainer } from "./trainer.ts";

/*
 * The worker that learns. It works in short turns, so that what the page asks is heard within some milliseconds; it tells how things stand at most 30
 * times a second, only when the page has shown what it was told last, and spends at most a quarter of its time on telling.
 */

/** Whether the readable engine learns, because the browser lets no WebAssembly be compiled. */
let isSlow = false;

/** The compiling engine; where the browser refuses it (a policy, a locked-down device, a host without SIMD), the readable one. */
async function chooseEngine(): Promise<Engine<"sync">> {
  try {
    const engine = wasm();
    await compile(
      graph({ x: f32() }, ({ x }) => ({ y: add(x, 1) })),
      engine,
    );
    return engine;
  } catch {
    isSlow = true;
    return reference();
  }
}

const choosing = chooseEngine();
const turn = 8;
const between = 1000 / 30;

let trainer: Trainer | null = null;
let settings: TrainState | null = null;
let language: "en" | "ko" = "en";
let id = 0;
let playing = false;
let shown = true;
let lastTold = 0;
let costOfTelling = 0;
let stale = false;
let digits: Promise<string> | null = null;

/** What the worker is asked waits in a line; a channel to itself gives other messages their turn without the timers' four milliseconds. */
const channel = new MessageChannel();
let waiting = false;
channel.port1.onmessage = () => {
  waiting = false;
  work();
};
function again(): void {
  if (waiting) return;
  waiting = true;
  channel.port2.postMessage(null);
}

function tell(told: Told, transfer: Transferable[] = []): void {
  postMessage(told, { transfer });
}

let counted = 0;
let countedFrom = 0;
let speed = 0;

function work(): void {
  if (trainer === null || !playing || settings === null) return;
  const began = performance.now();
  const { pace, stop } = settings;
  try {
    if (pace === "full") while (performance.now() - began < turn && playing) forwardOne(stop);
    else if (shown && began - lastTold >= between) {
      const until = pace === "batch" ? trainer.steps + 1 : trainer.steps + trainer.facts.batches;
      while (trainer.steps < until && playing && performance.now() - began < 4 * turn) forwardOne(stop);
    }
  } catch (error) {
    stumble(error);
  }
  const now = performance.now();
  if (now - countedFrom > 500) {
    speed = (counted * 1000) / (now - countedFrom);
    counted = 0;
    countedFrom = now;
  }
  // Where it stopped is always told, whatever was told last.
  if (!playing) {
    tellNow();
    return;
  }
  if (shown && now - lastTold >= Math.max(between, 4 * costOfTelling)) tellNow();
  if (pace === "full") again();
  else setTimeout(work, shown ? Math.max(0, between - (performance.now() - lastTold)) : 10);
}

function forwardOne(stop: number): void {
  trainer!.step();
  counted += trainer!.facts.batch;
  stale = true;
  if (stop > 0 && trainer!.epoch >= stop) pause("stop");
}

function pause(why: Why, reason = ""): void {
  playing = false;
  tell({ kind: "paused", id, why, reason });
}

function stumble(error: unknown): void {
  if (error instanceof NumericError) pause("not finite", trainer!.reason(language) || error.message);
  else {
    playing = false;
    tell({ kind: "fault", id, key: "failed", detail: (error as Error).message });
  }
}

function tellNow(): void {
  if (trainer === null) return;
  const began = performance.now();
  const snapshot = trainer.snapshot(playing ? speed : 0);
  shown = false;
  stale = false;
  const arrays = [...snapshot.maps, snapshot.surface, ...snapshot.weights.map(({ w }) => w)];
  tell({ kind: "snapshot", id, snapshot, playing }, [...new Set(arrays.map(({ buffer }) => buffer as ArrayBuffer))]);
  lastTold = performance.now();
  costOfTelling = 0.7 * costOfTelling + 0.3 * (lastTold - began);
}

async function setup(asked: Asked & { kind: "setup" }): Promise<void> {
  const { id: own } = asked;
  id = own;
  settings = asked.settings;
  language = asked.language;
  playing = false;
  trainer = null;
  try {
    let text: string | undefined;
    if (settings.data === "digits") {
      digits ??= fetch(new URL("../../data/digits.csv", import.meta.url)).then((response) => {
        if (!response.ok) throw new Error(`${response.status}`);
        return response.text();
      });
      try {
        text = await digits;
      } catch (error) {
        digits = null;
        throw error;
      }
    }
    const made = await makeTrainer(settings, await choosing, { csv: asked.csv, digits: text });
    // Other settings may have come meanwhile.
    if (id !== own) return;
    trainer = made;
    tell({ kind: "ready", id, facts: made.facts, isSlow });
    shown = true;
    tellNow();
  } catch (error) {
    if (id !== own) return;
    if (error instanceof DataFault) tell({ kind: "fault", id, key: error.key, detail: error.detail });
    else tell({ kind: "fault", id, key: "failed", detail: (error as Error).message });
  }
}

function stepped(unit: "batch" | "epoch"): void {
  if (trainer === null || playing) return;
  try {
    const until = unit === "batch" ? trainer.steps + 1 : Math.floor(trainer.epoch + 1) * trainer.facts.batches;
    while (trainer.steps < until) forwardOne(0);
  } catch (error) {
    stumble(error);
  }
  tellNow();
}

/** One after another: what is asked during a setup waits for it. */
let line: Promise<void> = Promise.resolve();

addEventListener("message", ({ data: asked }: MessageEvent<Asked>) => {
  if (asked.kind === "setup") {
    id = asked.id;
    playing = false;
    // Only the newest of several setups is made.
    line = line.then(() => (asked.id === id ? setup(asked) : undefined));
  } else if (asked.kind === "pause") heard(asked);
  else line = line.then(() => heard(asked));
});

function heard(asked: Exclude<Asked, { kind: "setup" }>): void {
  const now = trainer;
  if (now === null || settings === null) return;
  switch (asked.kind) {
    case "play":
      begin();
      break;
    case "pause":
      if (!playing) break;
      pause("asked");
      tellNow();
      break;
    case "step":
      stepped(asked.unit);
      break;
    case "live":
      settings = asked.settings;
      language = asked.language;
      now.live(asked.settings);
      break;
    case "shown":
      shown = true;
      if (playing) again();
      else if (stale) tellNow();
      break;
    case "digit":
      now.draw(asked.pixels);
      if (!playing) tellNow();
      break;
    case "take":
      tell({ kind: "taken", id: asked.id, taken: now.take(asked.rows) });
      break;
    case "export":
      exportedAs(asked.format, settings, now).then(
        (file) => tell({ kind: "exported", id: asked.id, file }),
        (error: Error) => tell({ kind: "refused", id: asked.id, reason: error.message }),
      );
  }
}

function begin(): void {
  if (trainer === null || settings === null || playing) return;
  if (settings.stop > 0 && trainer.epoch >= settings.stop) {
    pause("stop");
    tellNow();
    return;
  }
  playing = true;
  counted = 0;
  countedFrom = performance.now();
  again();
}
