import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { model, stop } from "../graph/model.ts";
import { keepNow, language, state } from "../state/store.ts";
import { words } from "../words/words.ts";
import { Dialog } from "./dialog.tsx";
import { saveFile } from "./save-file.ts";

/** What came of the last button: a key of the page's words. */
const outcome = signal<"linkCopied" | "linkShown" | "saved" | "saveFailed" | null>(null);

/** The address of what is on the page now; the page's own lags a moment behind a change. */
const link = signal("");

async function readLink(): Promise<void> {
  await keepNow();
  link.value = location.href;
}

async function copyLink(): Promise<void> {
  await readLink();
  try {
    await navigator.clipboard.writeText(link.value);
    outcome.value = "linkCopied";
  } catch {
    // Denied, or a page without a clipboard: the link is in the box.
    outcome.value = "linkShown";
  }
}

async function save(kind: "svg" | "png" | "html"): Promise<void> {
  const shown = model.value;
  if (shown === null) return;
  try {
    const { pageOf, pngOf, svgOf } = await import("./export-picture.ts");
    const theme = (document.documentElement.dataset["theme"] ?? "light") as Parameters<typeof svgOf>[2];
    const { t } = stop.value;
    const made =
      kind === "svg" ? svgOf(shown, t, theme) : kind === "png" ? await pngOf(shown, t, theme) : pageOf(shown, language.value, theme);
    saveFile(`${shown.name.replace(/[^\p{L}\p{N}_-]+/gu, "-") || "graph"}.${kind}`, made);
    outcome.value = "saved";
  } catch {
    outcome.value = "saveFailed";
  }
}

/** The address of what is on the page, and the picture as a file. */
export function Share(): JSX.Element {
  const w = words.value;
  useEffect(() => {
    outcome.value = null;
    void readLink();
  }, []);
  const canSave = state.value.tab === "graph" && model.value !== null;
  return (
    <Dialog id="share" title={w.share}>
      <p>{w.shareAbout}</p>
      <p>
        <input
          id="share-link"
          class="wide"
          readOnly
          value={link.value === "" ? location.href : link.value}
          aria-label={w.link}
          onFocus={(event) => event.currentTarget.select()}
        />
      </p>
      <div class="row">
        <button type="button" id="share-copy" onClick={() => void copyLink()}>
          {w.copyLink}
        </button>
        {canSave &&
          (["svg", "png", "html"] as const).map((kind) => (
            <button type="button" key={kind} id={`share-${kind}`} onClick={() => void save(kind)}>
              {w[`save ${kind}`]}
            </button>
          ))}
      </div>
      <p role="status" id="share-outcome">
        {outcome.value === null ? "" : w[outcome.value]}
      </p>
    </Dialog>
  );
}
