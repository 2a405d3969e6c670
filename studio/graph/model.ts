import { batch, computed, effect, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Tensor } from "chainrule";
import { afterFrame } from "../shell/after-frame.ts";
import { atOnce, inTurns, turns } from "../shell/turns.ts";
import { change, language, state } from "../state/store.ts";
import type { Begun, Fault, Model, Read } from "./engine.ts";
import { type Example, examples } from "./examples.ts";
import { countOf, type Held, type HeldNumbers, recall, remember } from "./held.ts";
import { layoutAside, noteLayout } from "./layout-aside.ts";
import type { Chosen } from "./questions.ts";
import type { GraphState, Reach } from "./state.ts";
import { after, beforeStop, placeIn, type Stop } from "./stops.ts";

/*
 * What the tab shows, from what the state says: the formula is read, put at its values, drawn and walked; the parts of the page look at these signals.
 */

type Engine = typeof import("./engine.ts");

/** The library, once it is here. */
export const engine = signal<Engine | null>(null);
/** Why it could not be loaded. */
export const engineTrouble = signal(false);
let loading = false;

export function loadEngine(): void {
  if (loading) return;
  loading = true;
  engineTrouble.value = false;
  import("./engine.ts").then(
    (module) => {
      engine.value = module;
    },
    () => {
      loading = false;
      engineTrouble.value = true;
    },
  );
}

const slice: ReadonlySignal<GraphState> = computed(() => state.value.graph);
export const formula: ReadonlySignal<string> = computed(() => slice.value.formula);
export const values: ReadonlySignal<GraphState["values"]> = computed(() => slice.value.values);
export const grain: ReadonlySignal<GraphState["grain"]> = computed(() => slice.value.grain);
export const depth: ReadonlySignal<number | null> = computed(() => slice.value.depth);
const open = computed(() => slice.value.open);
const closed = computed(() => slice.value.closed);
export const near: ReadonlySignal<string | null> = computed(() => slice.value.near);
export const reach: ReadonlySignal<Reach> = computed(() => slice.value.reach);
export const direction: ReadonlySignal<GraphState["direction"]> = computed(() => slice.value.direction);
export const tint: ReadonlySignal<boolean> = computed(() => slice.value.tint);

/** What the state says of numbers that the address does not hold. */
export const heldAsked: ReadonlySignal<Held | undefined> = computed(() => slice.value.held);
/** Those numbers: not there yet, here, or nowhere to be found. */
export const heldNow = signal<
  | { readonly kind: "none" | "sought" | "missing" }
  | { readonly kind: "here"; readonly of: Held; readonly tensors: ReadonlyMap<string, Tensor> }
>({ kind: "none" });
/** Whether the browser's storage has them too; null while that is not known. */
export const isStored = signal<boolean | null>(null);

/** Numbers that came from a net or a file: they are kept in memory, and where the browser lets it in its storage, until newer ones take their place. */
export async function keepHeld(numbers: HeldNumbers): Promise<void> {
  remember(numbers);
  if (heldAsked.peek()?.key === numbers.key && heldNow.peek().kind !== "here") seekHeld();
  isStored.value = null;
  const { keepNumbers } = await import("./held-storage.ts");
  const isKept = await keepNumbers(numbers);
  if (heldAsked.peek()?.key === numbers.key) isStored.value = isKept;
}

const isOf = (a: Held, b: Held): boolean => a.key === b.key && a.drawn === b.drawn;

/** More numbers than this are made tensors in turns of the page. */
const mostHeldAtOnce = 1_000_000;

/** Finds the numbers that the state names: in memory, then in the browser's storage; or draws them, where the reader has chosen that. */
function seekHeld(): void {
  const asked = heldAsked.peek();
  const library = engine.peek();
  const now = heldNow.peek();
  if (asked === undefined) {
    heldNow.value = { kind: "none" };
    return;
  }
  if (library === null || (now.kind === "here" && isOf(now.of, asked))) return;
  const known = asked.drawn === undefined ? recall(asked.key) : undefined;
  if (asked.drawn !== undefined || known !== undefined) {
    const work = known !== undefined ? library.heldTensors(known) : library.drawnTensors(asked.parts, asked.drawn!);
    if (countOf(asked.parts) <= mostHeldAtOnce) heldNow.value = { kind: "here", of: asked, tensors: atOnce(work) };
    else {
      heldNow.value = { kind: "sought" };
      void inTurns(work).then((tensors) => {
        if (heldAsked.peek() === asked && heldNow.peek().kind === "sought") heldNow.value = { kind: "here", of: asked, tensors };
      });
    }
    return;
  }
  heldNow.value = { kind: "sought" };
  isStored.value = null;
  import("./held-storage.ts")
    .then(({ findNumbers }) => findNumbers(asked.key))
    .then((found) => {
      if (heldAsked.peek() !== asked || heldNow.peek().kind !== "sought") return;
      if (found === null) heldNow.value = { kind: "missing" };
      else {
        // Noted as used, so that others give way first.
        void keepHeld(found);
        seekHeld();
      }
    });
}

/** Whether the graph waits for the keys to pause: one that takes longer than a key may is not made at each of them. */
const waits = signal(false);
/** The formula that is read meanwhile, where it is a very long one; null: what stands in the box, so that a fault is told at once. */
const held = signal<string | null>(null);

/** Milliseconds that a graph may take to be made at each key; at a longer pause than this it is made in any case. */
const quick = 6;
const longestPause = 300;
/** What the last graph took, from its formula to the picture's elements. */
let cost = 0;
/** A formula of more characters than this is not read at each key either. */
const mostAtEachKey = 5000;

/** Makes a change, with all that follows from it, and remembers what that took. A fault is found sooner than a graph is made. */
function timed(change: () => void): void {
  const began = performance.now();
  change();
  if (trouble.peek() === null) cost = performance.now() - began;
}
let release: () => void = () => undefined;

function stopHolding(): void {
  release();
  batch(() => {
    held.value = null;
    waits.value = false;
  });
}

/** Holds the graph back until the keys have paused for as long as it takes; the keys are painted before. */
function hold(text: string): void {
  release();
  // A short formula in the place of a long one is read at once: what was wrong with that one is no longer told.
  const isLong = formula.peek().length > mostAtEachKey && text.length > mostAtEachKey;
  held.value = isLong ? (held.peek() ?? formula.peek()) : null;
  waits.value = true;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const callOff = afterFrame(() => {
    timer = setTimeout(() => timed(stopHolding), Math.min(longestPause, cost));
  });
  release = () => {
    callOff();
    clearTimeout(timer);
  };
}

let lastRead: { readonly library: Engine; readonly source: string; readonly found: Read | Fault } | null = null;
/** The formula as it was read, or the fault in it. The same text is not read again. */
const reading: ReadonlySignal<Read | Fault | null> = computed(() => {
  const library = engine.value;
  const source = held.value ?? formula.value;
  if (library === null) return null;
  if (lastRead === null || lastRead.source !== source || lastRead.library !== library)
    lastRead = { library, source, found: library.read(source) };
  return lastRead.found;
});

/** The last graph that could be made. */
export const model = signal<Model | null>(null);
/** The graph that is computed in parts, between which the page goes on. */
const computing = signal<{ readonly read: Read; isOld: boolean; readonly cancel: () => void } | null>(null);
/** Changes when one is computed whose values were changed meanwhile: it is shown, and the newest ones are next. */
const computedOld = signal(0);
function stopComputing(): void {
  computing.peek()?.cancel();
  computing.value = null;
}

function compute(read: Read, begun: Begun): void {
  let isOff = false;
  const slow = setTimeout(() => {
    laying.value = { items: null, cancel: stopComputing };
  }, patience);
  const now = {
    read,
    isOld: false,
    cancel: () => {
      isOff = true;
      clearTimeout(slow);
      laying.value = null;
    },
  };
  computing.value = now;
  void begun.inParts(turns(() => isOff)).then((made) => {
    if (isOff) return;
    batch(() => {
      stopComputing();
      showMade(made);
      if (now.isOld) computedOld.value++;
    });
  });
}

function showMade(made: Model | Fault): void {
  if ("message" in made) trouble.value = made;
  else {
    trouble.value = null;
    showWhenLaid(made);
  }
}

/** Whether there is one to walk in and to ask about. */
export const hasModel: ReadonlySignal<boolean> = computed(() => model.value !== null);
/** What keeps the formula, as it stands, from being one. */
export const trouble = signal<Fault | null>(null);
/** Whether the graph that is shown is of an older formula, and will not be another by itself in a moment. */
export const isStale: ReadonlySignal<boolean> = computed(
  () =>
    model.value !== null &&
    (heldNow.value.kind === "missing" ||
      (model.value.read.source !== formula.value && computing.value === null && (!waits.value || trouble.value !== null))),
);
/** The variables of the last formula that could be read. */
export const variables = signal<readonly string[]>([]);

/**
 * Pictures of more items than this are laid out in a worker. Up to here a layout takes less than a frame or two, and what is shown at once does not
 * flicker; measured by `node bench/run.js studio`.
 */
const mostAtOnce = 150;

/** What is told, with a button that gives it up, once a layout takes long, or where no items are named the computation before it. */
export const laying = signal<{ readonly items: number | null; readonly cancel: () => void } | null>(null);
const patience = 300;

/** The graph that is being laid out; with other numbers it stays the same layout. */
let waiting: { readonly key: string; made: Model; readonly cancel: () => void } | null = null;

function stopLaying(): void {
  waiting?.cancel();
  waiting = null;
  laying.value = null;
}

function showWhenLaid(made: Model): void {
  if (waiting?.key === made.layoutKey) {
    waiting.made = made;
    return;
  }
  stopLaying();
  if (made.toLayOut === 0 || typeof Worker === "undefined") {
    model.value = made;
    return;
  }
  if (made.toLayOut <= mostAtOnce) {
    const began = performance.now();
    void made.picture.layout;
    noteLayout(performance.now() - began);
    model.value = made;
    return;
  }
  const slow = setTimeout(() => {
    laying.value = { items: made.toLayOut, cancel: stopLaying };
  }, patience);
  const cancel = layoutAside(
    made.picture.scene(),
    (layout) => {
      const now = waiting;
      clearTimeout(slow);
      waiting = null;
      batch(() => {
        laying.value = null;
        if (now !== null) model.value = { ...now.made, picture: now.made.picture.withLayout(layout) };
      });
    },
    (message) => {
      clearTimeout(slow);
      waiting = null;
      batch(() => {
        laying.value = null;
        trouble.value = { message, from: 0, to: 0, variable: null };
      });
    },
  );
  waiting = {
    key: made.layoutKey,
    made,
    cancel: () => {
      clearTimeout(slow);
      cancel();
    },
  };
}

/** Ends the watching of the state. */
export function watchModel(): () => void {
  const endSeeking = effect(() => {
    void heldAsked.value;
    void engine.value;
    seekHeld();
  });
  // Another tab may have filled the storage with its own.
  const keepAgain = (): void => {
    const asked = heldAsked.peek();
    const known = asked === undefined || asked.drawn !== undefined || document.visibilityState === "hidden" ? undefined : recall(asked.key);
    if (known !== undefined) void keepHeld(known);
  };
  document.addEventListener("visibilitychange", keepAgain);
  const end = effect(() => {
    const began = performance.now();
    const library = engine.value;
    const read = reading.value;
    if (library === null || read === null) return;
    const options = {
      language: language.value,
      depth: depth.value,
      open: open.value,
      closed: closed.value,
      near: near.value,
      reach: reach.value,
      direction: direction.value,
    };
    const given = values.value;
    const isHeld = waits.value;
    const asked = heldAsked.value;
    const beside = heldNow.value;
    void computedOld.value;
    batch(() => {
      const before = computing.peek();
      if (before?.read === read) {
        before.isOld = true;
        return;
      }
      stopComputing();
      if (library.isFault(read)) {
        trouble.value = read;
        stopLaying();
        return;
      }
      if (isHeld && read !== model.peek()?.read) {
        trouble.value = null;
        return;
      }
      if (read.variables.join("\n") !== variables.peek().join("\n")) variables.value = read.variables;
      const tensors = asked !== undefined && beside.kind === "here" && isOf(beside.of, asked) ? beside.tensors : undefined;
      if (asked !== undefined && tensors === undefined) {
        // Not there yet, or missing, which the page tells.
        trouble.value = null;
        stopLaying();
        return;
      }
      const begun = library.begin(read, given, options, model.peek(), tensors);
      if (library.isFault(begun)) showMade(begun);
      else if (begun.isLong) {
        trouble.value = null;
        stopLaying();
        compute(read, begun);
      } else showMade(begun.now());
    });
    // What the first graph of a page took, as far as it is known here.
    if (cost === 0 && trouble.peek() === null) cost = performance.now() - began;
  });
  let callOff: (() => void) | null = null;
  const write = (): void => {
    callOff = null;
    written.value = { made: model.peek(), at: stop.peek() };
  };
  const endWriting = effect(() => {
    void model.value;
    void stop.value;
    // The first graph comes with its texts. Steps that come before the frame are written about in its turn, so that none waits for the last.
    if (written.peek().made === null) write();
    else callOff ??= afterFrame(write);
  });
  return () => {
    end();
    endSeeking();
    document.removeEventListener("visibilitychange", keepAgain);
    endWriting();
    callOff?.();
    stopHolding();
    stopComputing();
    stopLaying();
  };
}

let lastStop: Stop = { t: 0, edge: null };
/** Where the walk stands; what the state says, as far as this walk goes. */
export const stop: ReadonlySignal<Stop> = computed(() => {
  const walk = model.value?.walk;
  const { step, edge: asked } = slice.value;
  const t = walk === undefined ? 0 : Math.min(step ?? walk.forward, walk.steps.length);
  const edges = walk?.steps[t - 1]?.edges ?? 1;
  const edge = asked !== null && walk !== undefined && asked < edges ? asked : null;
  // The same place is the same object, so that other changes of the state move nothing.
  if (t !== lastStop.t || edge !== lastStop.edge) lastStop = { t, edge };
  return lastStop;
});

/**
 * The graph and the place that are written about: by the step card with its formula, the gradients beside the variables, the table, the sentences for
 * screen readers. They follow in the frame after the picture's, which so is painted without waiting for them; while steps come faster than frames only
 * the last is written about.
 */
export const written: Signal<{ readonly made: Model | null; readonly at: Stop }> = signal({ made: null, at: { t: 0, edge: null } });

/** All places to stand at, at the present size of steps. */
export const stops: ReadonlySignal<readonly Stop[]> = computed(() => {
  const made = model.value;
  return made === null || engine.value === null ? [{ t: 0, edge: null }] : engine.value.stopsIn(made, grain.value);
});

export const place: ReadonlySignal<number> = computed(() => placeIn(stops.value, stop.value));

/** Changes fields of the tab's state. */
export function set(fields: Partial<GraphState>, kind: string | null = ""): void {
  change("graph", { ...state.peek().graph, ...fields }, kind);
}

/** Stands at a place. Walking is one step of undo, however far it goes. */
export function goTo({ t, edge }: Stop): void {
  set({ step: t, edge }, playing.peek() ? null : "walk");
}

export const canGoOn: ReadonlySignal<boolean> = computed(() => place.value < stops.value.length - 1);
export const canGoBack: ReadonlySignal<boolean> = computed(() => stop.value.t > 0);

export function goOn(): void {
  goTo(after(stops.peek(), stop.peek()));
}

export function goBack(): void {
  pause();
  goTo(beforeStop(stops.peek(), stop.peek()));
}

export function goToStart(): void {
  pause();
  goTo({ t: 0, edge: null });
}

export function goToEnd(): void {
  pause();
  goTo(stops.peek().at(-1)!);
}

/** To the beginning of a pass. */
export function goToPass(backward: boolean): void {
  pause();
  const walk = model.peek()?.walk;
  if (walk !== undefined) goTo({ t: backward ? Math.min(walk.forward + 1, walk.steps.length) : 0, edge: null });
}

/** Whether the walk goes on by itself. */
export const playing = signal(false);
let timer: ReturnType<typeof setInterval> | undefined;

export function pause(): void {
  clearInterval(timer);
  playing.value = false;
}

export function play(): void {
  if (playing.peek()) {
    pause();
    return;
  }
  if (!canGoOn.peek()) goTo({ t: 0, edge: null });
  begin();
}

function begin(): void {
  playing.value = true;
  clearInterval(timer);
  timer = setInterval(() => {
    goOn();
    if (!canGoOn.peek()) pause();
  }, 1200 / slice.peek().speed);
}

export function setSpeed(speed: number): void {
  set({ speed });
  if (playing.peek()) begin();
}

/** A graph of the lecture, at the end of its forward pass. */
export function openExample(id: string): void {
  const example: Example | undefined = examples.find((x) => x.id === id);
  if (example === undefined) return;
  pause();
  batch(() => {
    stopHolding();
    set({
      formula: example.formula,
      values: example.values,
      held: undefined,
      depth: example.depth ?? null,
      open: [],
      closed: [],
      near: null,
      step: null,
      edge: null,
    });
  });
}

/** Gives a variable what is written in its box. An emptied box gives it back the numbers that it had beside the address. */
export function setValue(name: string, text: string): void {
  const { [name]: _, ...others } = state.peek().graph.values;
  const isGivenBack = text.trim() === "" && heldPart(name) !== undefined;
  set({ values: isGivenBack ? others : { ...state.peek().graph.values, [name]: text } }, `value ${name}`);
}

/** What the numbers of a variable beside the address are. */
export function heldPart(name: string): Held["parts"][string] | undefined {
  const parts = heldAsked.value?.parts;
  return parts !== undefined && Object.hasOwn(parts, name) ? parts[name] : undefined;
}

export function setFormula(text: string): void {
  const write = (): void => set({ formula: text, step: null, edge: null, near: null }, "formula");
  if (cost <= quick) timed(write);
  else
    batch(() => {
      hold(text);
      write();
    });
}

/** What a variable's box says. */
export function textOf(name: string, at: number): string {
  const given = values.value;
  if (Object.hasOwn(given, name)) return given[name]!;
  return heldPart(name) === undefined ? (engine.value?.firstValue(at) ?? "") : "";
}

/** Opens a closed module, closes an open one. */
export function toggleModule(path: string, isOpen: boolean): void {
  const { open: opened, closed: shut } = state.peek().graph;
  set(
    isOpen
      ? { open: opened.filter((id) => id !== path), closed: [...shut.filter((id) => id !== path), path], edge: null }
      : { open: [...opened.filter((id) => id !== path), path], closed: shut.filter((id) => id !== path), edge: null },
  );
}

export function setDepth(levels: number | null): void {
  set({ depth: levels, open: [], closed: [], edge: null });
}

/** Shows what feeds the chosen item or lies near it; null: the whole graph. */
export function setReach(to: Reach | null): void {
  const item = nearItem.peek();
  set(to === null || item === null ? { near: null } : { near: item, reach: to });
}

/** The item around which a part of the graph is shown, or could be: the chosen one, where a chosen wire comes from. */
export const nearItem: ReadonlySignal<string | null> = computed(() => {
  const what = chosen.value;
  if (near.value !== null) return near.value;
  if (what === null) return null;
  return what.kind === "item" ? what.id : (model.value?.picture.scene().wires[what.index]?.from ?? null);
});

/** The open modules around the chosen item, the outermost first. */
export const crumbs: ReadonlySignal<readonly { readonly id: string; readonly label: string }[]> = computed(() => {
  const scene = model.value?.picture.scene();
  const item = scene?.items.find(({ id }) => id === nearItem.value);
  const found: { readonly id: string; readonly label: string }[] = [];
  for (let id = item?.group; id !== undefined; ) {
    const group = scene!.groups!.find((other) => other.id === id)!;
    found.unshift(group);
    id = group.group;
  }
  return found;
});

/** What the reader has chosen in the picture. */
export const chosen = signal<Chosen | null>(null);

/** Parts of the formula that are lit, and items of the picture, because the pointer is over the other. */
export const litSpans = signal<readonly { readonly from: number; readonly to: number }[]>([]);
export const litItems = signal<readonly string[]>([]);
