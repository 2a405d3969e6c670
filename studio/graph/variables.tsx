import { computed, type ReadonlySignal, signal, useComputed } from "@preact/signals";
import type { JSX, RefObject } from "preact";
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { grouped } from "../words/words.ts";
import type { Model } from "./engine.ts";
import { countOf } from "./held.ts";
import { HeldNote } from "./held-numbers.tsx";
import { engine, heldPart, model, set, setValue, textOf, trouble, variables, written } from "./model.ts";
import { graphWords } from "./words.ts";

/** Of more elements random numbers would fill the address. */
const mostDrawn = 20_000;

/** Digits that a dragged number keeps. */
export function rounded(x: number): string {
  return String(Number(x.toFixed(4)));
}

/** The number in a box; NaN when it is a list or a formula. */
export function numberIn(text: string): number {
  return text.trim() === "" ? Number.NaN : Number(text.replace("−", "-"));
}

/** A variable of a graph, which may not have one of that name yet; every object has something called `constructor`. */
function variableIn(made: Model | null, name: string): Model["variables"][string] | undefined {
  return made !== null && Object.hasOwn(made.variables, name) ? made.variables[name] : undefined;
}

function gradientText(name: string): string {
  const { made, at } = written.value;
  const library = engine.value;
  const v = variableIn(made, name);
  if (made === null || library === null || v === undefined) return "";
  const gradient = made.gradients.get(v);
  if (gradient === undefined) return "";
  return gradient.at <= at.t ? library.short(gradient.tensor).replace("‖·‖", "‖∇‖") : "·";
}

/** The gradient as far as the walk has come: a step changes this text and not the row around it. */
function Gradient({ name }: { readonly name: string }): JSX.Element {
  const text = useComputed(() => gradientText(name));
  return (
    <output class="gradient" aria-label={graphWords.value.gradientOf(name)}>
      {text}
    </output>
  );
}

/** Whose box is being written in: a number that becomes a list gets another kind of box, and the writing goes on there. */
let typing = "";
/** Where the cursor stands in it. */
let cursor = 0;

function type(name: string, { value, selectionEnd }: HTMLInputElement | HTMLTextAreaElement): void {
  typing = name;
  cursor = selectionEnd ?? value.length;
  setValue(name, value);
}

/** The writing is over when the box loses the focus, unless it does so because the other kind of box takes its place: that one then has it. */
function leave(name: string): void {
  setTimeout(() => {
    if (typing === name && document.activeElement?.id !== `value-${name}`) typing = "";
  });
}

function useTyping<E extends HTMLInputElement | HTMLTextAreaElement>(name: string): RefObject<E | null> {
  const box = useRef<E | null>(null);
  // At once, before another key comes.
  useLayoutEffect(() => {
    const field = box.current;
    if (typing !== name || field === null || document.activeElement === field) return;
    field.focus();
    field.setSelectionRange(cursor, cursor);
  }, [name]);
  return box;
}

/** Whose box an input method composes in. */
const composing = signal("");

/** What both kinds of boxes do while they are written in. */
function writing(name: string): Readonly<Record<"onBlur" | "onCompositionStart" | "onCompositionEnd", () => void>> {
  const compose = (whose: string) => (): void => {
    composing.value = whose;
  };
  return { onBlur: () => leave(name), onCompositionStart: compose(name), onCompositionEnd: compose("") };
}

interface RowProps {
  readonly name: string;
  /** Its place among the variables. */
  readonly at: number;
}

// What a row looks at, each by itself: a letter in the formula or a number in another row changes nothing in it.
const useText = ({ name, at }: RowProps): string => useMemo(() => computed(() => textOf(name, at)), [name, at]).value;
const isWrongIn = (name: string): boolean => {
  const { value } = trouble;
  return value !== null && [value, ...(value.also ?? [])].some(({ variable }) => variable === name);
};
const useWrong = (name: string): boolean => useMemo(() => computed(() => isWrongIn(name)), [name]).value;

function ScalarRow({ name, at }: RowProps): JSX.Element {
  const w = graphWords.value;
  const text = useText({ name, at });
  const isWrong = useWrong(name);
  const x = numberIn(text);
  // The slider's range stays while it moves, so that the thumb stays under the pointer.
  const range = useRef(5);
  if (Math.abs(x) > range.current) range.current = 2 * Math.ceil(Math.abs(x));
  const reach = range.current;
  const drag = useRef<{ x: number; from: number } | null>(null);
  const box = useTyping<HTMLInputElement>(name);
  return (
    <li class={isWrong ? "variable wrong" : "variable"}>
      <span
        class="variable-name drag"
        title={w.drag(name)}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          drag.current = { x: event.clientX, from: x };
        }}
        onPointerMove={(event) => {
          if (drag.current !== null) setValue(name, rounded(drag.current.from + ((event.clientX - drag.current.x) * reach) / 200));
        }}
        onPointerUp={() => (drag.current = null)}
        onPointerCancel={() => (drag.current = null)}
      >
        {name}
      </span>
      <input
        type="range"
        aria-label={w.slider(name)}
        min={-reach}
        max={reach}
        step={reach / 500}
        value={x}
        onInput={(event) => setValue(name, rounded(event.currentTarget.valueAsNumber))}
      />
      <input
        type="text"
        ref={box}
        inputMode="decimal"
        id={`value-${name}`}
        class="number"
        aria-label={w.valueOf(name)}
        aria-invalid={isWrong}
        title={w.valueHint}
        value={text}
        onInput={(event) => type(name, event.currentTarget)}
        {...writing(name)}
        onKeyDown={(event) => nudge(event, name, x)}
      />
      <Gradient name={name} />
    </li>
  );
}

/** Arrow keys change a number, as in a number field; Shift by whole ones. */
function nudge(event: KeyboardEvent, name: string, x: number): void {
  if (event.isComposing || (event.key !== "ArrowUp" && event.key !== "ArrowDown") || !Number.isFinite(x)) return;
  event.preventDefault();
  setValue(name, rounded(x + (event.key === "ArrowUp" ? 1 : -1) * (event.shiftKey ? 1 : 0.1)));
}

function TensorRow({ name, at }: RowProps): JSX.Element {
  const w = graphWords.value;
  const text = useText({ name, at });
  const isWrong = useWrong(name);
  const part = text === "" ? heldPart(name) : undefined;
  const known = variableIn(model.value, name)?.type ?? part;
  const shape = known === undefined || known.shape.length === 0 ? "" : known.shape.join("×");
  const elements = (known?.shape ?? []).reduce((a, b) => a * b, 1);
  const box = useTyping<HTMLTextAreaElement>(name);
  const random = (): void => {
    if (known === undefined) return;
    let place = 0;
    const fill = (axis: number): unknown =>
      axis === known.shape.length
        ? Math.round(2000 * Math.cos(++place * 12.9898 + Date.now()) * Math.sin(place * 78.233)) / 1000
        : Array.from({ length: known.shape[axis]! }, () => fill(axis + 1));
    setValue(name, JSON.stringify(fill(0)).replaceAll(",", ", "));
  };
  return (
    <li class={isWrong ? "variable tensor wrong" : "variable tensor"}>
      <span class="variable-name">{name}</span>
      <span class="shape">
        {known !== undefined && known.dtype !== "f64" && (part === undefined || known.dtype !== "f32") ? `${known.dtype} ` : ""}
        {shape}
      </span>
      <Gradient name={name} />
      {shape !== "" && known?.dtype === "f64" && elements <= mostDrawn && (
        <button type="button" class="small" aria-label={`${w.random}: ${name}`} title={w.random} onClick={random}>
          <svg viewBox="0 0 16 16" aria-hidden="true">
            <path d="M2 4h3l6 8h3M2 12h3l2-2.7M9 6.7 11 4h3M12.5 2.5 14 4l-1.500 1.500M12.5 10.5 14 12l-1.500 1.500" />
          </svg>
        </button>
      )}
      <textarea
        id={`value-${name}`}
        class="number"
        rows={1}
        aria-label={w.valueOf(name)}
        aria-invalid={isWrong}
        title={part === undefined ? w.valueHint : w.heldHint}
        {...(part !== undefined && { placeholder: w.heldValue(grouped(countOf({ [name]: part }))) })}
        spellcheck={false}
        ref={box}
        value={text}
        onInput={(event) => type(name, event.currentTarget)}
        {...writing(name)}
      />
    </li>
  );
}

/**
 * Whether a value has the box for one number. A box becomes the other kind for what is a value; of what is none, or not yet known to be one, it stays as it is,
 * and so it does in the middle of a syllable, which would end with the box.
 * @param before what it is, if it is there
 */
function isScalar(name: string, at: number, before: boolean | undefined): boolean {
  const text = textOf(name, at);
  const made = model.value;
  const rank = variableIn(made, name)?.type.shape.length;
  const source = made?.sources.get(name);
  if (composing.value === name && before !== undefined) return before;
  const isNumber = Number.isFinite(numberIn(text));
  if (typeof source === "string" ? source === text : source !== undefined && text === "") return rank === 0 && isNumber;
  return !/^\s*\[/.test(text) && (before ?? (rank === undefined ? isNumber : rank === 0));
}

/** More variables than this have no row each. */
const mostRows = 200;

function Row({ name, at }: RowProps): JSX.Element {
  const before = useRef<boolean | undefined>(undefined);
  before.current = useMemo(() => computed(() => isScalar(name, at, before.current)), [name, at]).value;
  const isNumber = before.current;
  return isNumber ? <ScalarRow name={name} at={at} /> : <TensorRow name={name} at={at} />;
}

const isInTrouble: ReadonlySignal<boolean> = computed(() => trouble.value !== null);

/** A row for each variable of the formula: its value, to be dragged or written, and its gradient as far as the walk has come. */
export function Variables(): JSX.Element {
  const names = variables.value;
  // A row that stays at its place is the same element, so that it is not looked at when the list is another.
  const kept = useRef(new Map<string, JSX.Element>());
  const before = kept.current;
  kept.current = new Map(
    names.slice(0, mostRows).map((name, at) => {
      const row = before.get(name);
      return [name, row?.props.at === at ? row : <Row key={name} name={name} at={at} />];
    }),
  );
  return (
    <section class="variables" aria-label={graphWords.value.variables}>
      <h2>
        {graphWords.value.variables}
        {isInTrouble.value && names.length > 0 && (
          <button type="button" class="small" id="reset-values" onClick={() => set({ values: {} })}>
            {graphWords.value.resetValues}
          </button>
        )}
      </h2>
      <HeldNote />
      {names.length === 0 && <p class="quiet">{graphWords.value.noVariables}</p>}
      <ul>{[...kept.current.values()]}</ul>
      {names.length > mostRows && <p class="quiet">{graphWords.value.more(names.length - mostRows)}</p>}
    </section>
  );
}
