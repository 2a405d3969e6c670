import { computed, type Signal, signal } from "@preact/signals";
import type { ComponentType, JSX } from "preact";
import { GraphTab } from "./graph/tab.tsx";
import { dialog, loadDialogs, openHelp, openPalette, openShare } from "./shell/dialogs.ts";
import { LiveRegion } from "./shell/live.tsx";
import { languages, oneOf, type Tab, tabs, themes } from "./state/slices.ts";
import { canRedo, canUndo, change, language, notice, redo, setLanguage, setTheme, state, theme, undo } from "./state/store.ts";
import { words } from "./words/words.ts";

/** The first tab comes with the page; the others when they are opened. */
const loaders: Record<Exclude<Tab, "graph">, () => Promise<ComponentType>> = {
  train: () => import("./train/tab.tsx").then((module) => module.TrainTab),
  import: () => import("./import/tab.tsx").then((module) => module.ImportTab),
  code: () => import("./code/tab.tsx").then((module) => module.CodeTab),
};

loadDialogs({
  palette: () => import("./shell/palette.tsx").then((module) => module.Palette),
  help: () => import("./shell/help.tsx").then((module) => module.Help),
  share: () => import("./shell/share.tsx").then((module) => module.Share),
});

const loaded: Signal<Partial<Record<Tab, ComponentType>>> = signal({ graph: GraphTab });

async function load(tab: Tab): Promise<void> {
  if (tab === "graph" || loaded.value[tab] !== undefined) return;
  const component = await loaders[tab]();
  loaded.value = { ...loaded.value, [tab]: component };
}

// What the rest of the state does is no concern of the page as a whole.
const shownTab = computed(() => state.value.tab);

/** The whole page: its header, and the open tab below. */
export function App(): JSX.Element {
  const tab = shownTab.value;
  const Open = loaded.value[tab];
  if (Open === undefined) void load(tab);
  const w = words.value;
  const Dialog = dialog.value?.Shown;
  return (
    <>
      <header class="bar">
        <h1>chainrule</h1>
        <nav class="segments" aria-label={w.tabs}>
          {tabs.map((name) => (
            <button
              type="button"
              key={name}
              id={`tab-${name}`}
              aria-current={name === tab ? "page" : undefined}
              onClick={() => change("tab", name)}
            >
              {w[name]}
            </button>
          ))}
        </nav>
        <span class="spring" />
        <button type="button" id="search" onClick={() => openPalette("")} aria-keyshortcuts="Control+K Meta+K">
          {w.search} <kbd>Ctrl K</kbd>
        </button>
        <button type="button" id="open-share" onClick={openShare}>
          {w.share}
        </button>
        <button type="button" id="open-help" onClick={openHelp} aria-label={w.help} title={w.help}>
          ?
        </button>
        <button type="button" id="undo" disabled={!canUndo.value} onClick={undo} aria-label={w.undo} title={w.undo}>
          <svg viewBox="0 0 16 16" aria-hidden="true">
            <path d="M6 3 2.5 6.5 6 10M3 6.5h6.5a4 4 0 0 1 0 8H7" />
          </svg>
        </button>
        <button type="button" id="redo" disabled={!canRedo.value} onClick={redo} aria-label={w.redo} title={w.redo}>
          <svg viewBox="0 0 16 16" aria-hidden="true">
            <path d="m10 3 3.5 3.5L10 10M13 6.5H6.5a4 4 0 0 0 0 8H9" />
          </svg>
        </button>
        <div class="segments" role="group" aria-label={w.language}>
          {languages.map((name) => (
            <button type="button" key={name} lang={name} aria-pressed={name === language.value} onClick={() => setLanguage(name)}>
              {name === "ko" ? "한국어" : "EN"}
            </button>
          ))}
        </div>
        <select
          id="theme"
          aria-label={w.theme}
          title={w.theme}
          value={theme.value}
          onChange={(event) => setTheme(oneOf(themes, event.currentTarget.value, "system"))}
        >
          {themes.map((name) => (
            <option key={name} value={name}>
              {w[`theme ${name}`]}
            </option>
          ))}
        </select>
      </header>
      {notice.value !== null && (
        <p class="notice" role="status">
          {w[notice.value]}{" "}
          <button type="button" onClick={() => (notice.value = null)}>
            {w.close}
          </button>
        </p>
      )}
      {Open === undefined ? <main class="tab loading">{w.loading}</main> : <Open />}
      {Dialog !== undefined && <Dialog />}
      <LiveRegion />
    </>
  );
}
