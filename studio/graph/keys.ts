import { openHelp, openPalette } from "../shell/dialogs.ts";
import { latinKey } from "../shell/latin-key.ts";
import { canvas, type Direction } from "./canvas.ts";
import { chosen, goBack, goToEnd, goToPass, goToStart, model, play, setDepth, toggleModule } from "./model.ts";
import { stepOn } from "./quiz-state.ts";
import { ask } from "./understand-state.ts";

const arrows: Readonly<Record<string, Direction>> = { ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down" };

/** Opens the module at which the focus is, closes it where it is open; else chooses what the focus is at. */
function enter(): void {
  const at = canvas.peek()?.current;
  const made = model.peek();
  if (at == null || made === null) return;
  if (at.kind === "item") {
    const item = made.picture.scene().items.find(({ id }) => id === at.id);
    if (item?.kind === "module") {
      toggleModule(item.id, false);
      return;
    }
    if (item?.group !== undefined && chosen.peek()?.kind === "item" && (chosen.peek() as { id: string }).id === at.id) {
      toggleModule(item.group, true);
      return;
    }
  }
  chosen.value = at;
}

/** To the box of the variable at which the focus is. */
function edit(): void {
  const at = canvas.peek()?.current;
  const made = model.peek();
  if (at == null || made === null) return;
  const node = at.kind === "wire" ? made.picture.valueOf(at.index).node : made.picture.nodesOf(at.id)[0];
  const name = Object.entries(made.variables).find(([, v]) => v.node === node)?.[0];
  const field = document.getElementById(name === undefined ? "formula" : `value-${name}`);
  field?.focus();
  if (field instanceof HTMLInputElement) field.select();
}

const actions: Readonly<Record<string, () => void>> = {
  ".": stepOn,
  ",": goBack,
  " ": play,
  Home: goToStart,
  End: goToEnd,
  f: () => goToPass(false),
  b: () => goToPass(true),
  Enter: enter,
  e: edit,
  c: () => {
    const at = canvas.peek()?.current ?? null;
    if (chosen.peek() === null) chosen.value = at;
    void ask("checkOne");
  },
  g: () => openPalette(""),
  "/": () => openPalette(""),
  "0": () => canvas.peek()?.fit(true),
  "?": openHelp,
  Escape: () => (chosen.value = null),
};

/**
 * Keys of the picture. They act only while the focus is in it, so that no letter is taken from who types or commands by voice (WCAG 2.1.4), and never
 * while an input method composes.
 */
export function keyDown(event: KeyboardEvent): void {
  if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.target instanceof Element && event.target.closest("select,input,textarea,button") !== null) return;
  const key = latinKey(event);
  const arrow = arrows[key];
  const action = /^[1-9]$/.test(key) ? () => setDepth(Number(key)) : actions[key];
  if (arrow === undefined && action === undefined) return;
  event.preventDefault();
  if (arrow !== undefined) canvas.peek()?.move(arrow);
  else action!();
}
