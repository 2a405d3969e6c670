import { signal, useSignalEffect } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { state } from "../state/store.ts";
import { grouped } from "../words/words.ts";
import { AsideCanvas } from "./aside-canvas.tsx";
import { draws, facts, generation, playing, sendPlaces, shot } from "./client.ts";
import { Choice, NumberField } from "./field.tsx";
import type { Facts, Place, Places, Snapshot } from "./messages.ts";
import { dark, heat, ink, repaint, sharp } from "./paint.ts";
import { ends, paintMap, paintWires, sized } from "./pictures.ts";
import { addLayer, removeLayer, set, setUnits } from "./settings.ts";
import { activations, type FeatureName, featureNames, kinds, limits } from "./state.ts";
import { short, words } from "./words.ts";

/** The unit that is shown large: by hovering, by focus, or chosen for its formula. */
export const looked = signal<{ layer: number; unit: number } | null>(null);
export const chosen = signal<{ layer: number; unit: number } | null>(null);

const featureText: Readonly<Record<FeatureName, string>> = {
  x1: "x₁",
  x2: "x₂",
  "x1^2": "x₁²",
  "x2^2": "x₂²",
  "x1*x2": "x₁x₂",
  "sin(x1)": "sin x₁",
  "sin(x2)": "sin x₂",
  "cos(x1)": "cos x₁",
  "cos(x2)": "cos x₂",
  "abs(x1)": "|x₁|",
  "abs(x2)": "|x₂|",
  "sqrt(x1^2+x2^2)": "√(x₁²+x₂²)",
};
export const featureLabel = (name: string): string => featureText[name as FeatureName] ?? name;

/** What a feature is at a point, for its little picture; the net's own numbers come from the library. */
const featureValue: Readonly<Record<FeatureName, (a: number, b: number) => number>> = {
  x1: (a) => a / 6,
  x2: (_, b) => b / 6,
  "x1^2": (a) => (a * a) / 36,
  "x2^2": (_, b) => (b * b) / 36,
  "x1*x2": (a, b) => (a * b) / 36,
  "sin(x1)": (a) => Math.sin(a),
  "sin(x2)": (_, b) => Math.sin(b),
  "cos(x1)": (a) => Math.cos(a),
  "cos(x2)": (_, b) => Math.cos(b),
  "abs(x1)": (a) => Math.abs(a) / 6,
  "abs(x2)": (_, b) => Math.abs(b) / 6,
  "sqrt(x1^2+x2^2)": (a, b) => Math.hypot(a, b) / 8.5,
};

function FeaturePicture({ name, line }: { readonly name: FeatureName; readonly line: boolean }): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  useSignalEffect(() => {
    repaint.value;
    if (canvas.current === null) return;
    const side = 24;
    const at = (i: number): number => 6 * ((2 * (i + 0.5)) / side - 1);
    if (line) {
      curveOf(
        canvas.current,
        Float32Array.from({ length: 48 }, (_, i) => featureValue[name](6 * ((2 * (i + 0.5)) / 48 - 1), 0)),
        48,
        0,
        1,
        1,
      );
      return;
    }
    const data = Float32Array.from({ length: side * side }, (_, k) => featureValue[name](at(k % side), -at(Math.floor(k / side))));
    heat(canvas.current, data, side, side, 0, 1, 1);
  });
  return <canvas ref={canvas} aria-hidden="true" />;
}

/** A little curve of every `stride`-th number. */
function curveOf(canvas: HTMLCanvasElement, data: Float32Array, count: number, offset: number, stride: number, scale: number): void {
  const context = sized(canvas, 72, 72);
  if (context === null) return;
  let most = scale;
  if (most === 0) for (let i = 0; i < count; i++) most = Math.max(most, Math.abs(data[offset + i * stride]!));
  if (!(most > 0 && most < Number.POSITIVE_INFINITY)) most = 1;
  context.clearRect(0, 0, 72, 72);
  context.strokeStyle = ink("line");
  context.beginPath();
  context.moveTo(0, 36);
  context.lineTo(72, 36);
  context.stroke();
  context.strokeStyle = ink("fwd");
  context.lineWidth = 2.5;
  context.beginPath();
  for (let i = 0; i < count; i++) {
    const v = data[offset + i * stride]!;
    if (Number.isFinite(v)) context.lineTo((72 * (i + 0.5)) / count, 36 - 30 * Math.max(-1, Math.min(1, v / most)));
  }
  context.stroke();
}

/** The picture of one unit. */
function paintUnit(canvas: HTMLCanvasElement, known: Facts, now: Snapshot, activation: string, layer: number, unit: number): void {
  const { problem, layers, grid } = known;
  const scale = ends[activation] ?? 0;
  const { shown, units } = layers[layer]!;
  if (problem.shape === "image") {
    paintImageUnit(canvas, now, layer, unit, units, scale);
    return;
  }
  const map = now.maps[layer];
  if (problem.shape !== "line") paintMap(canvas, known, now.maps, { layer, unit }, activation, dark.value);
  else if (map !== undefined) curveOf(canvas, map, grid, unit, shown, scale);
}

/** Over images there is no plane: a unit is what it says to the drawn digit, or the weights it looks with. */
function paintImageUnit(canvas: HTMLCanvasElement, now: Snapshot, layer: number, unit: number, units: number, scale: number): void {
  const seen = now.digit?.hidden[layer];
  const part = now.weights[layer]!;
  const kernels = part.w.length === part.rows * part.columns * 9;
  if (seen !== undefined && seen.length === units * 64) heat(canvas, seen, 8, 8, unit * 64);
  else if (layer === 0 && part.rows === 64) heat(canvas, part.w, 8, 8, unit, part.columns);
  else if (seen !== undefined && seen.length === units) heat(canvas, seen, 1, 1, unit, 1, scale === 0 ? largest(seen) : scale);
  // A kernel of the convolution, over its first channel.
  else if (kernels) heat(canvas, part.w, 3, 3, unit * part.rows * 9);
  else heat(canvas, part.b, 1, 1, unit, 1, 1);
}

const largest = (values: Float32Array): number => values.reduce((most, v) => Math.max(most, Math.abs(v)), 1e-6);

/** The net: inputs, hidden layers and wires, alive. */
export function NetPanel(): JSX.Element {
  const w = words.value;
  const settings = state.value.train;
  const known = facts.value;
  const panel = useRef<HTMLDivElement>(null);
  const wires = useRef<HTMLCanvasElement>(null);
  const canvases = useRef(new Map<string, HTMLCanvasElement>());
  const turns = useRef(0);
  const places = useRef<Places | null>(null);

  const aside = draws.value;
  const owner = aside ? `worker ${generation.value}` : "page";
  const paintWiresHere = (now: Snapshot): void => {
    const surface = wires.current === null || places.current === null ? null : sharp(wires.current);
    if (surface !== null) paintWires(surface.context, places.current!, now.weights, isImage());
  };

  useSignalEffect(() => {
    if (draws.value) return;
    const now = shot.value;
    const known = facts.value;
    repaint.value;
    if (now === null || known === null) return;
    const { activation } = state.peek().train;
    // While it learns, every picture paints the units of one parity, or the wires: the output's map shows each step, these need not.
    const turn = playing.peek() ? turns.current++ % 3 : -1;
    for (const [key, canvas] of canvases.current) {
      const [layer, unit] = key.split(":").map(Number) as [number, number];
      if (turn >= 0 && (layer + unit) % 2 !== turn) continue;
      if (layer < known.layers.length - 1 && unit < known.layers[layer]!.shown) paintUnit(canvas, known, now, activation, layer, unit);
    }
    places.current ??= panel.current === null ? null : measured(panel.current);
    if (turn !== 0 && turn !== 1) paintWiresHere(now);
  });
  useEffect(() => {
    if (panel.current === null) return;
    const observer = new ResizeObserver(() => {
      places.current = null;
      if (panel.current === null) return;
      if (draws.peek()) {
        tellPlaces(panel.current);
        return;
      }
      const now = shot.peek();
      if (now === null) return;
      places.current = measured(panel.current);
      paintWiresHere(now);
    });
    observer.observe(panel.current);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    // Layers or inputs came or went: the wires end elsewhere.
    places.current = null;
    if (aside && panel.current !== null) tellPlaces(panel.current);
  });

  const { layers } = settings;
  const image = settings.data === "digits";
  const table = settings.data === "csv";
  const line = known?.problem.shape === "line";
  const current = known !== null && known.layers.length === layers.length + 1;
  return (
    <section class="train-card net" aria-labelledby="net-title">
      <div class="row">
        <h2 id="net-title">{w.net}</h2>
        <span class="muted">
          {w["hidden layers"](layers.length)}
          {known !== null && ` · ${w.parameters(grouped(known.parameters))}`}
        </span>
        <span class="spring" />
        {image && (
          <Choice id="kind" label={w.kind} options={kinds} value={settings.kind} name={(k) => w[k]} onChange={(kind) => set({ kind })} />
        )}
        <Choice
          id="activation"
          label={w.activation}
          options={activations}
          value={settings.activation}
          name={(a) => a}
          onChange={(activation) => set({ activation })}
        />
        <button
          type="button"
          id="remove-layer"
          disabled={layers.length === 0}
          onClick={removeLayer}
          aria-label={w["remove layer"]}
          title={w["remove layer"]}
        >
          −
        </button>
        <button
          type="button"
          id="add-layer"
          disabled={layers.length >= limits.layers}
          onClick={addLayer}
          aria-label={w["add layer"]}
          title={w["add layer"]}
        >
          +
        </button>
      </div>
      <div class="net-scroll" role="group" aria-label={w.net} tabIndex={0}>
        <div class="net-columns" ref={panel}>
          {aside ? (
            <AsideCanvas key={owner} name="wires" class="wires" />
          ) : (
            <canvas key={owner} class="wires" ref={wires} aria-hidden="true" />
          )}
          <fieldset class="column inputs">
            <legend>{w.features}</legend>
            {image ? (
              <span class="input-name" data-input="0">
                {w.pixels}
              </span>
            ) : table ? (
              (known?.problem.shape === "table"
                ? known.inputs === known.problem.columns.length
                  ? known.problem.columns
                  : known.problem.columns.slice(0, known.inputs)
                : []
              ).map((name, i) => (
                <span key={`${i} ${name}`} class="input-name" data-input={i} title={name}>
                  {name}
                </span>
              ))
            ) : (
              featureNames
                .filter((name) => !line || !name.includes("x2"))
                .map((name) => {
                  const on = settings.features.includes(name);
                  const only = on && settings.features.filter((f) => !line || !f.includes("x2")).length === 1;
                  return (
                    <button
                      type="button"
                      key={name}
                      class="feature"
                      aria-pressed={on}
                      data-input={on ? settings.features.filter((f) => !line || !f.includes("x2")).indexOf(name) : undefined}
                      aria-disabled={only}
                      onClick={() => {
                        if (!only) set({ features: featureNames.filter((f) => (f === name ? !on : settings.features.includes(f))) });
                      }}
                    >
                      <span>{line ? featureLabel(name).replaceAll("₁", "") : featureLabel(name)}</span>
                      <FeaturePicture name={name} line={line} />
                    </button>
                  );
                })
            )}
          </fieldset>
          {layers.map((units, layer) => {
            const visible = Math.min(units, current ? known.layers[layer]!.shown : 24);
            return (
              <fieldset class="column" key={layer}>
                <legend class="unseen">{w["layer name"](layer + 1)}</legend>
                <div class="units">
                  <button
                    type="button"
                    class="tiny"
                    aria-label={w["remove unit"](layer + 1)}
                    disabled={units <= 1}
                    onClick={() => setUnits(layer, units - 1)}
                  >
                    −
                  </button>
                  <NumberField
                    id={`units-${layer}`}
                    label={w.units(layer + 1)}
                    value={units}
                    range={[1, limits.units]}
                    whole
                    onChange={(n) => setUnits(layer, n)}
                  />
                  <button
                    type="button"
                    class="tiny"
                    aria-label={w["add unit"](layer + 1)}
                    disabled={units >= limits.units}
                    onClick={() => setUnits(layer, units + 1)}
                  >
                    +
                  </button>
                </div>
                <div class={visible > 12 ? "unit-grid many" : "unit-grid"}>
                  {Array.from({ length: visible }, (_, unit) => {
                    const key = `${layer}:${unit}`;
                    const at = { layer, unit };
                    return (
                      <button
                        type="button"
                        key={key}
                        class="unit"
                        data-unit={key}
                        aria-pressed={chosen.value?.layer === layer && chosen.value.unit === unit}
                        aria-label={w["unit label"](layer + 1, unit + 1, short(biasOf(layer, unit)))}
                        onPointerEnter={() => (looked.value = at)}
                        onPointerLeave={() => (looked.value = null)}
                        onFocus={() => (looked.value = at)}
                        onBlur={() => (looked.value = null)}
                        onClick={() => (chosen.value = at)}
                      >
                        {aside ? (
                          <AsideCanvas key={owner} name={key} />
                        ) : (
                          <canvas
                            key={owner}
                            aria-hidden="true"
                            ref={(element) => {
                              if (element === null) canvases.current.delete(key);
                              else canvases.current.set(key, element);
                            }}
                          />
                        )}
                      </button>
                    );
                  })}
                </div>
                {units > visible && <small class="muted">{w.more(units - visible)}</small>}
              </fieldset>
            );
          })}
          <div class="column end">
            <span class="muted">{w.output}</span>
            <span class="knot" data-output="" />
          </div>
        </div>
      </div>
      <p class="muted hint">{w["wires hint"]}</p>
    </section>
  );
}

/** Tells the worker where its wires run. */
function tellPlaces(panel: HTMLElement): void {
  const { width, height } = panel.getBoundingClientRect();
  sendPlaces(measured(panel), width, height, Math.min(3, globalThis.devicePixelRatio || 1));
}

const isImage = (): boolean => facts.peek()?.problem.shape === "image";

/** Told once a picture is not enough: labels are not rewritten thirty times a second. */
function biasOf(layer: number, unit: number): number {
  return shot.peek()?.weights[layer]?.b[unit] ?? 0;
}

function measured(panel: HTMLElement): Places {
  const { left, top } = panel.getBoundingClientRect();
  const place = (element: Element): Place => {
    const box = element.getBoundingClientRect();
    return { x: box.left - left, end: box.right - left, y: box.top - top + box.height / 2 };
  };
  const inputs: Place[] = [];
  for (const element of panel.querySelectorAll("[data-input]")) inputs[Number(element.getAttribute("data-input"))] = place(element);
  const layers: Place[][] = [];
  for (const element of panel.querySelectorAll("[data-unit]")) {
    const [layer, unit] = element.getAttribute("data-unit")!.split(":").map(Number) as [number, number];
    layers[layer] ??= [];
    layers[layer][unit] = place(element);
  }
  const output = panel.querySelector("[data-output]");
  return { inputs, layers, output: output === null ? null : place(output) };
}
