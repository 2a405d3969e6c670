import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { words } from "./words.ts";

/** A choice among names. */
export function Choice<T extends string>(props: {
  readonly id: string;
  readonly label: string;
  readonly options: readonly T[];
  readonly value: T;
  readonly name: (option: T) => string;
  readonly onChange: (option: T) => void;
}): JSX.Element {
  const { id, label, options, value, name, onChange } = props;
  return (
    <label class="field" for={id}>
      <span>{label}</span>
      <select
        id={id}
        value={value}
        onChange={(event) => {
          const found = options.find((option) => option === event.currentTarget.value);
          if (found !== undefined) onChange(found);
        }}
      >
        {options.map((option) => (
          <option key={option} value={option}>
            {name(option)}
          </option>
        ))}
      </select>
    </label>
  );
}

/** A number to type. What is no number, or out of range, is said so and changes nothing. */
export function NumberField(props: {
  readonly id: string;
  readonly label: string;
  readonly value: number;
  readonly range: readonly [number, number];
  readonly whole?: boolean;
  readonly hint?: string | undefined;
  readonly onChange: (value: number) => void;
}): JSX.Element {
  const { id, label, value, range, whole = false, hint, onChange } = props;
  const w = words.value;
  const typed = useSignal<string | null>(null);
  const read = (text: string): number | null => {
    // The number that the text says, and nothing that JavaScript makes of other texts.
    if (!/^\s*[-+−]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$/.test(text)) return null;
    const v = Number(text.replace("−", "-"));
    return v >= range[0] && v <= range[1] && (!whole || Number.isInteger(v)) ? v : null;
  };
  const bad = typed.value !== null && read(typed.value) === null;
  const sentence = bad ? w[whole ? "bad whole" : "bad number"](String(range[0]), String(range[1])) : hint;
  return (
    <label class="field" for={id}>
      <span>{label}</span>
      <input
        id={id}
        type="text"
        inputMode="decimal"
        autoComplete="off"
        spellcheck={false}
        value={typed.value ?? String(value)}
        aria-invalid={bad}
        aria-describedby={sentence === undefined ? undefined : `${id}-says`}
        onInput={(event) => {
          typed.value = event.currentTarget.value;
          const v = read(typed.value);
          if (v !== null && v !== value) onChange(v);
        }}
        onBlur={() => (typed.value = null)}
      />
      {sentence !== undefined && (
        <small id={`${id}-says`} class={bad ? "train-bad" : ""} role={bad ? "alert" : undefined}>
          {sentence}
        </small>
      )}
    </label>
  );
}

/** A slider with its number beside it. */
export function Slider(props: {
  readonly id: string;
  readonly label: string;
  readonly value: number;
  readonly least: number;
  readonly most: number;
  readonly by: number;
  readonly text: string;
  readonly onChange: (value: number) => void;
}): JSX.Element {
  const { id, label, value, least, most, by, text, onChange } = props;
  return (
    <label class="field across" for={id}>
      <span>
        {label} <b>{text}</b>
      </span>
      <input
        id={id}
        type="range"
        min={least}
        max={most}
        step={by}
        value={value}
        aria-valuetext={text}
        onInput={(event) => onChange(Number(event.currentTarget.value))}
      />
    </label>
  );
}
