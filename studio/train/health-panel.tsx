import { thresholds } from "chainrule";
import type { JSX } from "preact";
import { calm, stopped } from "./client.ts";
import type { LayerHealth } from "./messages.ts";
import { share, short, words } from "./words.ts";
import type { en, TrainWords } from "./words-en.ts";

export const layerTitle = (name: string, w: TrainWords): string =>
  name === "output" ? w["output layer"] : w["layer name"](Number(name.slice(5)));

/** What is out of order with a layer, by the library's own limits. */
export function troubles({ gradient, ratio, dead, flat }: LayerHealth, playing: boolean): (keyof typeof en)[] {
  const found: (keyof typeof en)[] = [];
  if (gradient < thresholds.gradient.vanishing) found.push("vanishing");
  if (gradient > thresholds.gradient.exploding || Number.isNaN(gradient)) found.push("exploding");
  if (playing && ratio > thresholds.updateToWeight.high) found.push("too fast");
  else if (playing && ratio > 0 && ratio < thresholds.updateToWeight.low) found.push("too slow");
  if (dead > thresholds.deadUnits) found.push("many dead");
  if (flat > thresholds.saturation.share) found.push("many flat");
  return found;
}

/** From 1e-10 to 1e4 as a bar from empty to full. */
function Bar({ v, colour }: { readonly v: number; readonly colour: string }): JSX.Element {
  const part = Number.isFinite(v) && v > 0 ? Math.min(1, Math.max(0, (Math.log10(v) + 10) / 14)) : v > 0 ? 1 : 0;
  return (
    <svg class={`bar-mark ${colour}`} viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
      <rect width="100" height="8" class="ground" />
      <rect width={(100 * part).toFixed(1)} height="8" class="full" />
    </svg>
  );
}

/** Gradients layer by layer, bars for the eye and numbers for everyone. */
export function HealthPanel(): JSX.Element {
  const w = words.value;
  const now = calm.value;
  return (
    <section class="train-card health" aria-labelledby="health-title">
      <h2 id="health-title">{w.health}</h2>
      {stopped.value !== "" && (
        <div class="train-fault" role="alert">
          <p>{w["not finite"]}</p>
          <pre>{stopped.value}</pre>
        </div>
      )}
      <div class="wide-table" tabIndex={0} role="group" aria-label={w.health}>
        <table>
          <thead>
            <tr>
              <th scope="col">{w.layer}</th>
              <th scope="col">{w.gradient}</th>
              <th scope="col">{w.arriving}</th>
              <th scope="col">{w.weights}</th>
              <th scope="col">{w.ratio}</th>
              <th scope="col">{w.dead}</th>
              <th scope="col">{w.flat}</th>
              <th scope="col">
                <span class="unseen">{w.health}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {(now?.health ?? []).map((layer) => {
              const found = troubles(layer, (now?.step ?? 0) > 0);
              return (
                <tr key={layer.name}>
                  <th scope="row">{layerTitle(layer.name, w)}</th>
                  <td>
                    <Bar v={layer.gradient} colour="grad" /> {short(layer.gradient, 2)}
                  </td>
                  <td>
                    <Bar v={layer.arriving} colour="grad" /> {short(layer.arriving, 2)}
                  </td>
                  <td>
                    <Bar v={layer.weights} colour="fwd" /> {short(layer.weights, 2)}
                  </td>
                  <td>{short(layer.ratio, 2)}</td>
                  <td>{share(layer.dead)}</td>
                  <td>{share(layer.flat)}</td>
                  <td class={found.length === 0 ? "fine" : "trouble"}>
                    {found.length === 0 ? `✓ ${w.fine}` : `⚠ ${found.map((key) => w[key] as string).join(", ")}`}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      <p class="muted hint">{w["health hint"]}</p>
    </section>
  );
}
