import { computed, effect } from "@preact/signals";
import { render } from "preact";
import { App } from "./app.tsx";
import { openPalette } from "./shell/dialogs.ts";
import { latinKey } from "./shell/latin-key.ts";
import { begin, change, language, shownTheme, state } from "./state/store.ts";
import "./style.css";
import { words } from "./words/words.ts";

await begin();
const tab = computed(() => state.value.tab);
effect(() => {
  document.documentElement.lang = language.value;
  document.title = `${words.value[tab.value]} · chainrule studio`;
});
effect(() => {
  document.documentElement.dataset["theme"] = shownTheme.value;
});
addEventListener("keydown", (event) => {
  if (event.isComposing || latinKey(event).toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey)
    return;
  event.preventDefault();
  openPalette("");
});
// Enter that ends a syllable sends no form: some browsers send it though the key was for the input method.
addEventListener("keydown", (event) => {
  if (event.isComposing && event.key === "Enter" && event.target instanceof HTMLInputElement) event.preventDefault();
});
// A file that is dropped where nobody takes it would else be shown in the place of the page.
const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes("Files") === true;
addEventListener("dragover", (event) => {
  if (hasFiles(event)) event.preventDefault();
});
addEventListener("drop", (event) => {
  if (event.defaultPrevented || !hasFiles(event)) return;
  event.preventDefault();
  const files = [...event.dataTransfer!.files];
  if (state.peek().tab !== "import") change("tab", "import");
  void import("./import/session.ts").then(({ openFiles }) => openFiles(files, true));
});
render(<App />, document.getElementById("app")!);
// Where the host or the reader allows none, the page works all the same, with a network.
if (import.meta.env.PROD) navigator.serviceWorker?.register("./sw.js").catch(() => undefined);
