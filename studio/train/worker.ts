import { add, compile, type Engine, f32, graph, NumericError, reference } from "chainrule";
import { wasm } from "chainrule/wasm";
import { DataFault } from "./data-sets.ts";
import { exportedAs } from "./exported.ts";
import type { Asked, Told, Why } from "./messages.ts";
import { nextBeat } from "./next-beat.ts";
import { makePainter } from "./painter.ts";
import type { TrainState } from "./state.ts";
import { makeTrainer, type Trainer } from "./trainer.ts";

/*
 * The worker that learns. It works in short turns, so that what the page asks is heard within some milliseconds. Pictures over a plane it draws itself,
 * 30 times a second, on canvases that the page has handed over; then it tells the numbers beside them 10 times a second. Where the page draws, it is
 * told all of it up to 30 times a second. It is told only when it has shown what it was told last, and telling and drawing take at most a quarter of
 * the worker's time each.
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
/** Between the numbers that are told beside the pictures: as often as a reader can follow. */
const betweenNumbers = 100;

let trainer: Trainer | null = null;
let settings: TrainState | null = null;
let language: "en" | "ko" = "en";
let id = 0;
let playing = false;
/** Steps at which it stops by itself. */
let goal = Number.POSITIVE_INFINITY;
let shown = true;
let lastTold = 0;
/** When it is to be told next. */
let dueToTell = 0;
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

const painter = makePainter();
/** Whether the pictures are drawn here. */
let draws = false;
/** Pictures drawn since the net was made, and whether one was since the last paced step. */
let pictures = 0;
let drawn = true;
let dueToDraw = 0;
/** A picture that is late is made up for, but drawing takes a quarter of the time at most. */
let restsUntil = 0;
let costOfDrawing = 0;
let asksForFrame = false;

/** Draws in the browser's frames, which come only when the last one was taken and the page is seen. */
function drawSoon(): void {
  if (!draws || asksForFrame) return;
  asksForFrame = true;
  requestAnimationFrame(frame);
}

let isRedrawn = false;

function frame(): void {
  asksForFrame = false;
  if (!draws || trainer === null) return;
  const began = performance.now();
  if (isRedrawn && !playing) painter.again();
  isRedrawn = false;
  if (!playing) return;
  // Frames come some milliseconds early or late.
  if (began >= Math.max(dueToDraw, restsUntil) - 4) {
    painter.paint(trainer.pictures(), false);
    pictures++;
    drawn = true;
    const now = performance.now();
    costOfDrawing = 0.7 * costOfDrawing + 0.3 * (now - began);
    dueToDraw = nextBeat(dueToDraw, between, now);
    restsUntil = began + 4 * costOfDrawing;
  }
  drawSoon();
}

/** Draws what was drawn last with another look, or on another canvas. */
function redraw(): void {
  isRedrawn = true;
  drawSoon();
}

function work(): void {
  if (trainer === null || !playing || settings === null) return;
  const began = performance.now();
  const { stop } = settings;
  const pace = Number.isFinite(goal) ? "full" : settings.pace;
  try {
    if (pace === "full") {
      // A turn ends where something is due.
      const until = shown && dueToTell > began ? Math.min(began + turn, dueToTell) : began + turn;
      while (performance.now() < until && playing) forwardOne(stop);
    } else if (draws ? drawn : shown && began - lastTold >= between) {
      drawn = false;
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
  if (shown && now >= dueToTell) {
    tellNow();
    const told = performance.now();
    dueToTell = Math.max(nextBeat(dueToTell, draws ? betweenNumbers : between, told), told + 3 * costOfTelling);
  }
  if (pace === "full") again();
  else setTimeout(work, draws ? 8 : shown ? Math.max(0, between - (performance.now() - lastTold)) : 10);
}

function forwardOne(stop: number): void {
  trainer!.step();
  counted += trainer!.facts.batch;
  stale = true;
  if (trainer!.steps >= goal) pause("asked");
  else if (stop > 0 && trainer!.epoch >= stop) pause("stop");
}

function pause(why: Why, reason = ""): void {
  playing = false;
  goal = Number.POSITIVE_INFINITY;
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
  const snapshot = trainer.snapshot(playing ? speed : 0, !draws);
  // Where it stands still, all of it is drawn.
  if (draws && !playing) {
    painter.paint(trainer.pictures(), true);
    pictures++;
    drawSoon();
  }
  shown = false;
  stale = false;
  const arrays = [...snapshot.maps, snapshot.surface, ...snapshot.weights.map(({ w }) => w)];
  tell({ kind: "snapshot", id, snapshot, playing, pictures }, [...new Set(arrays.map(({ buffer }) => buffer as ArrayBuffer))]);
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
    const { shape } = made.facts.problem;
    draws = asked.hands && (shape === "plane" || shape === "table") && typeof requestAnimationFrame === "function";
    pictures = 0;
    painter.begin(made.facts, settings.activation);
    tell({ kind: "ready", id, facts: made.facts, isSlow, draws });
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
  } else if (asked.kind === "canvas" || asked.kind === "look" || asked.kind === "places") {
    if (asked.kind === "canvas") painter.take(asked.name, asked.canvas);
    else if (asked.kind === "look") painter.look(asked.look);
    else painter.place(asked.places, asked.width, asked.height, asked.fine);
    redraw();
  } else if (asked.kind === "pause") heard(asked);
  else line = line.then(() => heard(asked));
});

function heard(asked: Exclude<Asked, { kind: "setup" | "canvas" | "look" | "places" }>): void {
  const now = trainer;
  if (now === null || settings === null) return;
  switch (asked.kind) {
    case "play":
      goal = asked.until ?? Number.POSITIVE_INFINITY;
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
    case "take": {
      const taken = now.take(asked.rows);
      const arrays = [taken.x, taken.y, ...taken.layers.flatMap(({ w, b }) => [w, b])];
      const buffers = arrays.map(({ buffer }) => buffer);
      tell({ kind: "taken", id: asked.id, taken }, buffers);
      break;
    }
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
  dueToTell = countedFrom;
  dueToDraw = countedFrom;
  restsUntil = 0;
  drawn = true;
  again();
  drawSoon();
}
