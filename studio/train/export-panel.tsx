import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { faultWords } from "../faults/fault-words.ts";
import { grouped } from "../words/words.ts";
import { exportAs, said, status } from "./client.ts";
import { download } from "./download.ts";
import { type Format, formats } from "./messages.ts";
import { OpenAsGraph } from "./open-as-graph.tsx";
import { words } from "./words.ts";

/** The net to take away, and the way to its graph. */
export function ExportPanel(): JSX.Element {
  const w = words.value;
  const note = useSignal("");
  const able = status.value.kind === "ready";
  const make = async (format: Format): Promise<void> => {
    try {
      const { name, type, bytes } = await exportAs(format);
      download(name, type, bytes);
      note.value = words.value.exported(name, `${grouped(bytes.length)} B`);
    } catch (error) {
      note.value = words.value.refused(faultWords.value((error as Error).message));
    }
    said.value = note.value;
  };
  return (
    <section class="train-card export" aria-labelledby="export-title">
      <h2 id="export-title">{w.export}</h2>
      <div class="row">
        {formats.map((format) => (
          <button type="button" key={format} id={`export-${format}`} disabled={!able} onClick={() => void make(format)}>
            <svg viewBox="0 0 16 16" aria-hidden="true">
              <path d="M8 2v8M4.5 7 8 10.5 11.5 7M2.5 13.5h11" />
            </svg>{" "}
            {w[format]}
          </button>
        ))}
        <OpenAsGraph />
      </div>
      {note.value !== "" && <p class="muted">{note.value}</p>}
    </section>
  );
}
