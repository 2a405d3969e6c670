/** Where arrow keys lead from one of the buttons of a list; null for another key. */
function target(key: string, at: number, last: number): number | null {
  switch (key) {
    case "ArrowDown":
      return Math.min(last, at + 1);
    case "ArrowUp":
      return at - 1;
    case "Home":
      return 0;
    case "End":
      return last;
    default:
      return null;
  }
}

/**
 * Arrow keys, Home and End walk the buttons of a list, which then is one stop of the Tab key, however long it is.
 * @param back where the focus goes from above the first one; it stays when left out
 */
export function walkButtons(event: KeyboardEvent, back?: () => void): void {
  if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  const list = event.currentTarget as HTMLElement;
  const buttons = [...list.querySelectorAll<HTMLButtonElement>("button")];
  const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
  const to = at < 0 ? null : target(event.key, at, buttons.length - 1);
  if (to === null) return;
  event.preventDefault();
  if (to < 0) back?.();
  else buttons[to]!.focus();
}

/** The button of a list that the Tab key reaches: the one that had the focus last, at first the first. */
export function roveTo(event: FocusEvent): void {
  const list = event.currentTarget as HTMLElement;
  const now = event.target;
  if (!(now instanceof HTMLButtonElement)) return;
  for (const button of list.querySelectorAll("button")) button.tabIndex = button === now ? 0 : -1;
}
