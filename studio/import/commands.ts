import type { Command } from "../shell/dialogs.ts";
import { busy, computeGradients, download, drawing, inspect, select, showNear, stopTuning, summary } from "./session.ts";
import { set, view } from "./view.ts";
import { viewer } from "./viewer.tsx";
import { importWords } from "./words.ts";

/** More nodes and weights than this a list does not get longer by; the tab's own search finds the rest. */
const mostListed = 3000;

/** What the palette can do in this tab: its buttons, the parts of the picture, the weights of the file. */
export function importCommands(): readonly Command[] {
  const w = importWords.value;
  const opened = summary.value;
  const drawn = drawing.value;
  const { near, selected, table } = view.value;
  const commands: Command[] = [
    { id: "import choose", name: w.choose, run: () => document.querySelector<HTMLInputElement>("#import-file")?.click() },
  ];
  if (drawn !== null) {
    commands.push(
      { id: "import fit", name: w.fit, keys: "0", run: () => viewer.value?.fit() },
      { id: "import search", name: w.search, run: () => document.querySelector<HTMLInputElement>("#import-search")?.focus() },
      { id: "import table", name: table ? w.hideTable : w.showTable, run: () => set({ table: !table }) },
      { id: "import depth", name: `${w.depth}: ${w.auto}`, run: () => set({ depth: null }) },
      ...[0, 1, 2, 3, 4].map((depth) => ({ id: `import depth ${depth}`, name: `${w.depth}: ${depth}`, run: () => set({ depth }) })),
    );
    if (near !== null) commands.push({ id: "import all", name: `${w.show}: ${w.showAll}`, run: () => showNear(null) });
    if (near !== null || selected !== null)
      commands.push({ id: "import feeds", name: `${w.show}: ${w.showFeeds}`, run: () => showNear("feeds") });
  }
  if (opened?.kind === "model" && busy.value === null)
    commands.push(
      { id: "import gradients", name: w.computeGradients, run: () => void computeGradients() },
      { id: "import download", name: w.download, run: () => void download() },
    );
  if (busy.value === "tune") commands.push({ id: "import stop", name: `${w.tuning}: ${w.stop}`, run: stopTuning });
  for (const { id, name, title } of drawn?.items.slice(0, mostListed) ?? [])
    commands.push({ id: `item ${id}`, name: `${w.goTo(name)} — ${title.slice(0, 60)}`, run: () => select(id) });
  const weights = opened?.kind === "model" ? opened.parameters : opened?.kind === "tensors" ? opened.tensors : [];
  for (const { name, type } of weights.slice(0, mostListed))
    commands.push({ id: `weight ${name}`, name: `${w.numbersOf(name)} — ${type}`, run: () => inspect(name) });
  return commands;
}
