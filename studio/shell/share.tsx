import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { useLayoutEffect } from "preact/hooks";
import { HeldShare } from "../graph/held-numbers.tsx";
import { addressForAll, isLong, keepNow, language } from "../state/store.ts";
import { words } from "../words/words.ts";
import { Dialog } from "./dialog.tsx";
import { pictureOfTab } from "./picture-of-tab.ts";
import { saveFile } from "./save-file.ts";

/** What came of the last button: a key of the page's words. */
const outcome = signal<"linkCopied" | "linkShown" | "saved" | "saveFailed" | null>(null);

/** The address of what is on the page now; the page's own lags a moment behind a change. */
const link = signal("");

async function readLink(): Promise<void> {
  await keepNow();
  link.value = addressForAll();
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

/** Whether a file is of what is in sight alone. */
const inSight = signal(false);

async function save(kind: "svg" | "png" | "html"): Promise<void> {
  const shown = pictureOfTab.value();
  if (shown === null) return;
  try {
    const { partOf, pngOf, stillPage } = await import("./export-picture.ts");
    const box = inSight.value ? shown.box() : null;
    const drawn = async (): Promise<string> => {
      const whole = await shown.svg();
      return box === null ? whole : partOf(whole, box);
    };
    const text = (content: string, type: string): Blob => new Blob([content], { type });
    const made =
      kind === "svg"
        ? text(await drawn(), "image/svg+xml")
        : kind === "png"
          ? await pngOf(await drawn())
          : text((box === null ? await shown.page() : null) ?? stillPage(await drawn(), shown.name, language.value), "text/html");
    saveFile(`${shown.name.replace(/[^\p{L}\p{N}_-]+/gu, "-") || "graph"}.${kind}`, made);
    outcome.value = "saved";
  } catch {
    outcome.value = "saveFailed";
  }
}

/** The address of what is on the page, and the picture as a file. */
export function Share(): JSX.Element {
  const w = words.value;
  useLayoutEffect(() => {
    outcome.value = null;
    void readLink();
  }, []);
  const canSave = pictureOfTab.value() !== null;
  return (
    <Dialog id="share" title={w.share}>
      <p>{isLong.value ? w.long : w.shareAbout}</p>
      <HeldShare />
      <p>
        <input
          id="share-link"
          class="share-address"
          readOnly
          value={link.value === "" ? addressForAll() : link.value}
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
      {canSave && (
        <p>
          <label>
            <input
              type="checkbox"
              id="share-sight"
              checked={inSight.value}
              onChange={(event) => (inSight.value = event.currentTarget.checked)}
            />{" "}
            {w.inSight}
          </label>
        </p>
      )}
      <p role="status" id="share-outcome">
        {outcome.value === null ? "" : w[outcome.value]}
      </p>
    </Dialog>
  );
}
