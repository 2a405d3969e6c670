import type { JSX } from "preact";
import { state } from "../state/store.ts";
import { engine, set } from "./model.ts";
import type { ProfileRow } from "./questions.ts";
import { type LimitName, limitNames } from "./state.ts";
import { decades, power } from "./tint.tsx";
import { answer, ask } from "./understand-state.ts";
import { graphWords } from "./words.ts";

/** The library's own limits, by the names that the page has for them; none for the rate, which is the reader's. */
function standard(): Readonly<Partial<Record<LimitName, number>>> {
  const t = engine.value?.thresholds;
  if (t === undefined) return {};
  return {
    vanishing: t.gradient.vanishing,
    exploding: t.gradient.exploding,
    over: t.layers.over,
    layerVanishing: t.layers.vanishing,
    layerExploding: t.layers.exploding,
    deadUnits: t.deadUnits,
    saturation: t.saturation.share,
    updateLow: t.updateToWeight.low,
    updateHigh: t.updateToWeight.high,
  };
}

function change(name: LimitName, text: string): void {
  const { [name]: _, ...rest } = state.peek().graph.limits;
  const given = Number(text.replace("−", "-"));
  const isNone = text.trim() === "" || !(given > 0 && Number.isFinite(given));
  set({ limits: isNone ? rest : { ...rest, [name]: given } }, `limit ${name}`);
  if (answer.peek()?.about === "health") void ask("health");
}

/** The limits that health judges by, to be changed. */
export function HealthLimits(): JSX.Element {
  const w = graphWords.value;
  const own = state.value.graph.limits;
  const usual = standard();
  return (
    <details class="limits" id="health-limits">
      <summary>{w.limits}</summary>
      <div class="limit-grid">
        {limitNames.map((name) => (
          <label key={name}>
            <span>{w[`limit ${name}`]}</span>
            <input
              type="text"
              inputMode="decimal"
              class="number"
              id={`limit-${name}`}
              placeholder={usual[name] === undefined ? "—" : String(usual[name])}
              value={own[name] === undefined ? "" : String(own[name])}
              onChange={(event) => {
                change(name, event.currentTarget.value);
                event.currentTarget.value = String(state.peek().graph.limits[name] ?? "");
              }}
            />
          </label>
        ))}
      </div>
      <button
        type="button"
        class="small"
        id="reset-limits"
        disabled={Object.keys(own).length === 0}
        onClick={() => {
          set({ limits: {} });
          if (answer.peek()?.about === "health") void ask("health");
        }}
      >
        {w.resetLimits}
      </button>
    </details>
  );
}

/** Gradients of layers and variables as bars on a scale of decades, the input first. */
export function HealthProfile({ rows }: { readonly rows: readonly ProfileRow[] }): JSX.Element | null {
  const w = graphWords.value;
  const library = engine.value;
  if (library === null || rows.length === 0) return null;
  const { low, high } = decades(rows.map(({ gradient }) => gradient));
  const part = (x: number): number => (x > 0 ? (Number.isFinite(x) ? (Math.log10(x) - low + 0.15) / (high - low + 0.15) : 1) : 0);
  return (
    <div class="sideways" role="region" aria-label={w.profile} tabIndex={0}>
      <table class="numbers profile" id="health-profile">
        <caption>
          {w.profile} <span class="quiet">{`${power(low)} … ${power(high)}`}</span>
        </caption>
        <thead>
          <tr>
            <th scope="col">{w.profileName}</th>
            <th scope="col">{w.rmsValue}</th>
            <th scope="col">{w.rmsGradient}</th>
            <th scope="col" class="unseen">
              {w.profileBar}
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ kind, name, value, gradient }) => (
            <tr key={`${kind} ${name}`}>
              <th scope="row">
                {name} <span class="quiet">{w[`profile ${kind}`]}</span>
              </th>
              <td class="fwd">{library.formatNumber(value)}</td>
              <td class="grad">{library.formatNumber(gradient)}</td>
              <td class="profile-bar">
                <svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
                  <rect class="ground" width={100} height={8} />
                  <rect class={Number.isFinite(gradient) ? "full" : "bad"} width={(100 * part(gradient)).toFixed(1)} height={8} />
                </svg>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
