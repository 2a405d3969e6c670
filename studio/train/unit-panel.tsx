import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { state } from "../state/store.ts";
import { calm, facts, pause, playing, take } from "./client.ts";
import type { Taken } from "./messages.ts";
import { chosen } from "./net-panel.tsx";
import { OpenAsGraph, openGraph } from "./open-as-graph.tsx";
import { type AsGraph, rowOf, unitAsGraph } from "./to-graph.ts";
import { short, words } from "./words.ts";

/** The unit that was clicked: its formula for one row with the numbers of now, and the way to its graph. */
export function UnitPanel(): JSX.Element | null {
  const w = words.value;
  const at = chosen.value;
  const row = useSignal(0);
  const taken = useSignal<Taken | null>(null);
  const running = playing.value;
  const steps = calm.value?.step;
  const layers = state.value.train.layers;
  const gone = at === null || at.layer >= layers.length || at.unit >= layers[at.layer]!;
  const conv = facts.value?.problem.shape === "image" && state.value.train.kind === "conv";
  useEffect(() => {
    if (gone || conv) return;
    // A formula of numbers that change thirty times a second cannot be read.
    pause();
    void take(16).then(
      (now) => (taken.value = now),
      () => (taken.value = null),
    );
  }, [at?.layer, at?.unit, gone]);
  useEffect(() => {
    if (gone || conv || running) return;
    void take(16).then(
      (now) => (taken.value = now),
      () => undefined,
    );
  }, [steps, running]);
  if (at === null || gone) return null;
  if (conv)
    return (
      <section class="train-card unit-panel" aria-labelledby="unit-title">
        <div class="row">
          <h2 id="unit-title">{w["conv unit"](w.unit(at.layer + 1, at.unit + 1))}</h2>
          <span class="spring" />
          <OpenAsGraph id="take-layer" />
          <button type="button" onClick={() => (chosen.value = null)} aria-label={w.close} title={w.close}>
            ×
          </button>
        </div>
        <p class="muted">{w["conv unit is"]}</p>
      </section>
    );
  const now = taken.value;
  const fits = now !== null && at.layer < now.layers.length && at.unit < now.layers[at.layer]!.b.length && now.y.length > 0;
  const which = Math.min(row.value, (now?.y.length ?? 1) - 1);
  const rows = now === null ? [new Float32Array(0)] : Array.from(now.y, (_, i) => rowOf(now, i));
  const graph: AsGraph | null = fits ? unitAsGraph(now, at.layer, at.unit, which) : null;
  return (
    <section class="train-card unit-panel" aria-labelledby="unit-title">
      <div class="row">
        <h2 id="unit-title">{w["unit formula"](w.unit(at.layer + 1, at.unit + 1))}</h2>
        <label class="field" for="unit-row">
          <span>{w.row}</span>
          <select id="unit-row" value={String(which)} onChange={(event) => (row.value = Number(event.currentTarget.value))}>
            {rows.map((x, i) => (
              <option key={i} value={String(i)}>
                {`${i + 1}: ${Array.from(x.subarray(0, 3), (v) => short(v)).join(", ")}${x.length > 3 ? ", …" : ""}`}
              </option>
            ))}
          </select>
        </label>
        <span class="spring" />
        <button type="button" id="take-unit" class="main" disabled={graph === null} onClick={() => graph !== null && openGraph(graph)}>
          {w["take unit"]}
        </button>
        <button type="button" onClick={() => (chosen.value = null)} aria-label={w.close} title={w.close}>
          ×
        </button>
      </div>
      {graph !== null && (
        <pre class="unit-formula" tabIndex={0}>
          {graph.formula}
          {"\n\n"}
          {Object.entries(graph.values)
            .map(([name, v]) => `${name} = ${v}`)
            .join("   ")}
        </pre>
      )}
    </section>
  );
}
