import { type Signal, signal } from "@preact/signals";
import type { JSX } from "preact";
import { words } from "../words/words.ts";

/** The sheet at the bottom of a narrow page: one of its panels is open, or it is folded away and what stands above has the room. */
export interface Sheet<Name extends string> {
  readonly names: readonly Name[];
  readonly shown: Signal<Name>;
  readonly folded: Signal<boolean>;
}

/** A sheet of these panels, the first of which is open unless another is named. */
export function sheetOf<Name extends string>(names: readonly Name[], first: Name = names[0]!): Sheet<Name> {
  return { names, shown: signal<Name>(first), folded: signal(false) };
}

/** The panel that is to be seen, for a style sheet to choose by; `none` while the sheet is folded. */
export function panelOf<Name extends string>({ shown, folded }: Sheet<Name>): Name | "none" {
  return folded.value ? "none" : shown.value;
}

/** Brings a panel to the front. */
export function openSheet<Name extends string>({ shown, folded }: Sheet<Name>, name: Name): void {
  shown.value = name;
  folded.value = false;
}

/** The names of the sheet's panels, and what folds it. A wide page hides them, since there all panels stand side by side. */
export function SheetTabs<Name extends string>({
  sheet,
  names: texts,
  label,
}: {
  readonly sheet: Sheet<Name>;
  readonly names: Readonly<Record<Name, string>>;
  readonly label: string;
}): JSX.Element {
  const open = panelOf(sheet);
  const fold = open === "none" ? words.value.unfold : words.value.fold;
  return (
    <nav class="sheet-tabs" aria-label={label}>
      {sheet.names.map((name) => (
        <button type="button" key={name} id={`sheet-${name}`} aria-pressed={open === name} onClick={() => openSheet(sheet, name)}>
          {texts[name]}
        </button>
      ))}
      <button
        type="button"
        id="sheet-fold"
        aria-expanded={open !== "none"}
        aria-label={fold}
        title={fold}
        onClick={() => (sheet.folded.value = !sheet.folded.value)}
      >
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <path d={open === "none" ? "m3 10 5-5 5 5" : "m3 6 5 5 5-5"} />
        </svg>
      </button>
    </nav>
  );
}
