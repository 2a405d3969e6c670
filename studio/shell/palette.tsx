import { computed, signal } from "@preact/signals";
import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { languages, tabs, themes } from "../state/slices.ts";
import { change, redo, setLanguage, setTheme, undo } from "../state/store.ts";
import { words } from "../words/words.ts";
import { Dialog } from "./dialog.tsx";
import { asked, type Command, closeDialog, commandsOfTab, openHelp } from "./dialogs.ts";

const at = signal(0);
const most = 60;

const all = computed((): readonly Command[] => {
  const w = words.value;
  return [
    ...commandsOfTab.value(),
    ...tabs.map((name) => ({ id: `tab ${name}`, name: w[name], run: () => change("tab", name) })),
    { id: "undo", name: w.undo, run: undo },
    { id: "redo", name: w.redo, run: redo },
    ...languages.map((name) => ({
      id: `language ${name}`,
      name: `${w.language}: ${name === "ko" ? "한국어" : "English"}`,
      run: () => setLanguage(name),
    })),
    ...themes.map((name) => ({ id: `theme ${name}`, name: `${w.theme}: ${w[`theme ${name}`]}`, run: () => setTheme(name) })),
    { id: "help", name: w.help, keys: "?", run: openHelp },
  ];
});

/** How well a command fits what is asked for: the place of the words, else of the letters in order; -1 where it does not. */
export function rankOf(name: string, query: string): number {
  const text = name.toLowerCase();
  const wanted = query.trim().toLowerCase();
  if (wanted === "") return 0;
  const whole = text.indexOf(wanted);
  if (whole >= 0) return whole === 0 ? 0 : 1 + whole / 1000;
  let from = 0;
  for (const letter of wanted) {
    if (letter === " ") continue;
    from = text.indexOf(letter, from) + 1;
    if (from === 0) return -1;
  }
  return 10 + from;
}

/** Finds commands, examples and nodes by a few letters. */
export function Palette(): JSX.Element {
  const w = words.value;
  const field = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const found = all.value
    .map((command, place) => ({ command, place, rank: rankOf(command.name, asked.value) }))
    .filter(({ rank }) => rank >= 0)
    .sort((a, b) => a.rank - b.rank || a.place - b.place)
    .slice(0, most)
    .map(({ command }) => command);
  const now = Math.min(at.value, found.length - 1);
  useLayoutEffect(() => {
    field.current?.focus();
    at.value = 0;
  }, []);
  useLayoutEffect(() => {
    list.current?.children[now]?.scrollIntoView({ block: "nearest" });
  }, [now]);
  const run = (command: Command | undefined): void => {
    if (command === undefined) return;
    closeDialog(command.run);
  };
  return (
    <Dialog id="palette" title={w.search}>
      <input
        ref={field}
        type="text"
        role="combobox"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={found.length > 0 ? `command-${now}` : undefined}
        aria-label={w.searchLabel}
        placeholder={w.searchLabel}
        value={asked.value}
        onInput={(event) => {
          asked.value = event.currentTarget.value;
          at.value = 0;
        }}
        onKeyDown={(event) => {
          // The Enter that ends a syllable is no command.
          if (event.isComposing) return;
          if (event.key === "ArrowDown") at.value = Math.min(found.length - 1, now + 1);
          else if (event.key === "ArrowUp") at.value = Math.max(0, now - 1);
          else if (event.key === "Enter") run(found[now]);
          else return;
          event.preventDefault();
        }}
      />
      <div id="palette-list" role="listbox" aria-label={w.search} ref={list}>
        {found.map((command, i) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are those of the box above, which keeps the focus
          <div key={command.id} id={`command-${i}`} role="option" aria-selected={i === now} tabIndex={-1} onClick={() => run(command)}>
            <span>{command.name}</span>
            {command.keys !== undefined && <kbd>{command.keys}</kbd>}
          </div>
        ))}
      </div>
      {found.length === 0 && <p class="quiet">{w.nothingFound}</p>}
    </Dialog>
  );
}
