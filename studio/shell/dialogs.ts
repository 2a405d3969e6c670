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

/** How the dialogs are loaded, which the page says: they use what is here, so they are not named here. */
const loaders: { palette?: () => Promise<ComponentType>; help?: () => Promise<ComponentType>; share?: () => Promise<ComponentType> } = {};

export function loadDialogs(given: Required<typeof loaders>): void {
  Object.assign(loaders, given);
}

async function show(name: keyof typeof loaders): Promise<void> {
  const load = loaders[name];
  if (dialog.peek() !== null || load === undefined) return;
  before = document.activeElement;
  dialog.value = { Shown: await load() };
}

export const asked: Signal<string> = signal("");

export function openPalette(query: string): void {
  asked.value = query;
  void show("palette");
}

export function openHelp(): void {
  void show("help");
}

export function openShare(): void {
  void show("share");
}

/**
 * Closes the dialog; the focus goes back to where it was, and then a command may take it. Both wait until the dialog has left the page: as long as it
 * is there nothing else takes the focus.
 */
export function closeDialog(then?: () => void): void {
  dialog.value = null;
  const back = before;
  before = null;
  setTimeout(() => {
    if (back instanceof HTMLElement || back instanceof SVGElement) back.focus({ preventScroll: true });
    then?.();
  });
}
