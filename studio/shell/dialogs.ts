import { type Signal, signal } from "@preact/signals";
import type { ComponentType } from "preact";

/** What a palette can do: a name to find it by, and the deed. */
export interface Command {
  readonly id: string;
  readonly name: string;
  readonly keys?: string;
  readonly run: () => void;
}

/** Commands of the open tab: it puts a function here that lists them when the palette opens. */
export const commandsOfTab: Signal<() => readonly Command[]> = signal(() => []);

/** The dialog that is open. Its program is loaded when it is first asked for. */
export const dialog: Signal<{ readonly Shown: ComponentType } | null> = signal(null);
let before: Element | null = null;

const names = ["palette", "help", "share"] as const;
type Name = (typeof names)[number];

/** How the dialogs are loaded, which the page says: they use what is here, so they are not named here. */
let loaders!: Readonly<Record<Name, () => Promise<ComponentType>>>;
/** Those that are here: they open at once, so that what is typed next is theirs. */
const here: Partial<Record<Name, ComponentType>> = {};

async function load(name: Name): Promise<ComponentType> {
  here[name] ??= await loaders[name]();
  return here[name];
}

/** Says how the dialogs are loaded, and loads them before anybody asks for one, once the page has nothing else to do. */
export function loadDialogs(given: typeof loaders): void {
  loaders = given;
  const fetchAll = (): void => {
    // What could not be had now is asked for again when it is opened.
    for (const name of names) load(name).catch(() => undefined);
  };
  if (typeof requestIdleCallback === "function") requestIdleCallback(fetchAll);
  else setTimeout(fetchAll, 500);
}

const isFocusable = (element: Element | null): element is HTMLElement | SVGElement =>
  element instanceof HTMLElement || element instanceof SVGElement;

function open(Shown: ComponentType): void {
  if (dialog.peek() !== null) return;
  // What has it inside of an element with a tree of its own, as an editor.
  for (before = document.activeElement; before?.shadowRoot?.activeElement; ) before = before.shadowRoot.activeElement;
  // Else the browser gives it back as the dialog is closed, but without the cursor, and typing does nothing until it is set anew.
  if (isFocusable(before)) before.blur();
  dialog.value = { Shown };
}

function show(name: Name): void {
  const Shown = here[name];
  if (Shown !== undefined) open(Shown);
  else void load(name).then(open);
}

export const asked: Signal<string> = signal("");

export function openPalette(query: string): void {
  asked.value = query;
  show("palette");
}

export function openHelp(): void {
  show("help");
}

export function openShare(): void {
  show("share");
}

/**
 * Closes the dialog; the focus goes back to where it was, and then a command may take it. The dialog is closed before it leaves the page: as long as it is
 * open nothing else takes the focus, and a moment later a key would have gone to the page's beginning.
 */
export function closeDialog(then?: () => void): void {
  document.querySelector("dialog")?.close();
  dialog.value = null;
  const back = before;
  before = null;
  if (isFocusable(back)) back.focus({ preventScroll: true });
  then?.();
}
