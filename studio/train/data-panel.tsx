import type { JSX } from "preact";
import { state } from "../state/store.ts";
import { longCsv, status } from "./client.ts";
import { NumberField, Slider } from "./field.tsx";
import { penClass } from "./output-map.tsx";
import { set } from "./settings.ts";
import { type DataName, dataNames, defaultTrain, limits, type TrainState } from "./state.ts";
import { words } from "./words.ts";

/** The points of a data set's little picture: [x, y, class], from -1 to 1. */
function iconPoints(name: DataName): (readonly [number, number, number])[] {
  const n = 36;
  const golden = 2.399963;
  return Array.from({ length: n }, (_, i) => {
    const label = i % 2;
    const t = i / n;
    const r = Math.sqrt(t);
    if (name === "circle")
      return label === 1
        ? [0.42 * r * Math.cos(golden * i), 0.42 * r * Math.sin(golden * i), 1]
        : [0.85 * Math.cos(golden * i), 0.85 * Math.sin(golden * i), 0];
    if (name === "xor") {
      const [x, y] = [((i * 0.754877) % 1) * 1.8 - 0.9, ((i * 0.56984) % 1) * 1.8 - 0.9];
      return [x, y, x * y >= 0 ? 1 : 0];
    }
    if (name === "gauss")
      return [
        (label === 1 ? 0.42 : -0.42) + 0.35 * r * Math.cos(golden * i),
        (label === 1 ? -0.42 : 0.42) + 0.35 * r * Math.sin(golden * i),
        label,
      ];
    if (name === "spiral") return [0.9 * t * Math.sin(9 * t + label * Math.PI), 0.9 * t * Math.cos(9 * t + label * Math.PI), label];
    const turn = Math.PI * t;
    return label === 1
      ? [0.6 * Math.cos(turn) - 0.28, 0.3 - 0.62 * Math.sin(turn), 1]
      : [0.28 - 0.6 * Math.cos(turn), -0.3 + 0.62 * Math.sin(turn), 0];
  });
}

/** Pictures of what is no set of points. */
const iconPaths: Partial<Record<DataName, string>> = {
  draw: "M5 19 7 13 17 3l4 4L11 17zM15 5l4 4",
  csv: "M3 4h18v16H3zM3 9h18M3 14h18M9 4v16M15 4v16",
  formula: "M2 12c3-12 7-12 10 0s7 12 10 0",
  digits: "M5 6l3-2v16M13 8c0-5 8-5 8 0 0 4-8 7-8 12h8",
};

function Icon({ name }: { readonly name: DataName }): JSX.Element {
  const path = iconPaths[name];
  if (path !== undefined)
    return (
      <svg viewBox="0 0 24 24" aria-hidden="true">
        <path d={path} />
      </svg>
    );
  return (
    <svg viewBox="-1 -1 2 2" aria-hidden="true" class="dots">
      {iconPoints(name).map(([x, y, label], i) => (
        <circle key={`${name} ${i}`} cx={x.toFixed(3)} cy={y.toFixed(3)} r="0.08" class={label === 1 ? "blue" : "orange"} />
      ))}
    </svg>
  );
}

/** What goes well with a data set that was just chosen: a net and a loss that can learn it. */
function fitting(data: DataName, now: TrainState): Partial<TrainState> {
  if (data === "digits")
    return {
      data,
      batch: 32,
      optimizer: "adam",
      rate: 0.003,
      activation: "relu",
      layers: [32],
      kind: "dense",
      share: 80,
      loss: "crossEntropy",
    };
  // What suits digits suits little else.
  const { layers, activation, optimizer, rate, batch, share } = now.data === "digits" ? defaultTrain : now;
  const rest = { data, layers, activation, optimizer, rate, batch, share };
  return data === "formula" ? { ...rest, loss: "squared", layers: layers.length === 0 ? [8] : layers } : rest;
}

/** Learns from a table: what fits goes with the address, the rest stays here. */
function takeCsv(text: string): void {
  if (text.length > limits.csv) {
    longCsv.value = text;
    set({ csv: "" }, "csv");
  } else {
    longCsv.value = null;
    set({ csv: text }, "csv");
  }
}

/** Learns from a table that was dropped on the page; false for files of other kinds, which Import may know. */
export function dropTable(files: readonly File[]): boolean {
  const [file] = files;
  if (file === undefined || files.length > 1 || !/\.(csv|tsv|txt)$/i.test(file.name)) return false;
  void file.text().then((text) => {
    set(fitting("csv", state.value.train));
    takeCsv(text);
  });
  return true;
}

/** What to learn from. */
export function DataPanel(): JSX.Element {
  const w = words.value;
  const settings = state.value.train;
  const { data } = settings;
  const generated = data !== "csv" && data !== "digits" && data !== "draw";
  return (
    <section class="train-card data" aria-labelledby="data-title">
      <h2 id="data-title">{w.data}</h2>
      <div class="data-sets" role="group" aria-labelledby="data-title">
        {dataNames.map((name) => (
          <button type="button" key={name} id={`data-${name}`} aria-pressed={name === data} onClick={() => set(fitting(name, settings))}>
            <Icon name={name} />
            <span>{w[name]}</span>
          </button>
        ))}
      </div>
      {data === "formula" && (
        <label class="field across" for="formula">
          <span>{w["formula label"]}</span>
          <input
            id="formula"
            type="text"
            autoComplete="off"
            spellcheck={false}
            maxLength={limits.formula}
            value={settings.formula}
            aria-invalid={status.value.kind === "fault"}
            onInput={(event) => set({ formula: event.currentTarget.value }, "formula")}
          />
        </label>
      )}
      {data === "csv" && (
        <>
          <label class="field across" for="csv">
            <span>{w["csv label"]}</span>
            <textarea
              id="csv"
              rows={6}
              spellcheck={false}
              placeholder={"x1,x2,label\n0.5,-1.2,a\n1.5,0.3,b"}
              value={longCsv.value === null ? settings.csv : ""}
              onInput={(event) => takeCsv(event.currentTarget.value)}
            />
          </label>
          <label class="file">
            <span>{w["csv file"]}</span>
            <input
              type="file"
              id="csv-file"
              accept=".csv,.tsv,.txt,text/csv"
              onChange={(event) => {
                const file = event.currentTarget.files?.[0];
                if (file !== undefined) void file.text().then(takeCsv);
              }}
            />
          </label>
          {longCsv.value !== null && <p class="muted">{w["csv long"]}</p>}
        </>
      )}
      {data === "draw" && (
        <div class="draw-tools">
          <div class="segments" role="group" aria-label={w["draw class"]}>
            {([0, 1] as const).map((label) => (
              <button type="button" key={label} aria-pressed={penClass.value === label} onClick={() => (penClass.value = label)}>
                <svg viewBox="0 0 12 12" aria-hidden="true" class="solid">
                  {label === 0 ? <rect x="1" y="1" width="10" height="10" class="orange" /> : <circle cx="6" cy="6" r="5.5" class="blue" />}
                </svg>{" "}
                {w[`class ${label}`]}
              </button>
            ))}
          </div>
          <button type="button" onClick={() => set({ drawn: [] })} disabled={settings.drawn.length === 0}>
            {w["draw clear"]}
          </button>
          <p class="muted hint">
            {w["drawn count"](settings.drawn.length)}. {w["draw hint"]}
          </p>
        </div>
      )}
      {generated && (
        <NumberField
          id="points"
          label={w.points}
          value={settings.points}
          range={limits.points}
          whole
          onChange={(points) => set({ points }, "points")}
        />
      )}
      {data !== "csv" && data !== "digits" && (
        <Slider
          id="noise"
          label={w.noise}
          value={settings.noise}
          least={0}
          most={50}
          by={1}
          text={w.percent(String(settings.noise))}
          onChange={(noise) => set({ noise }, "noise")}
        />
      )}
      <Slider
        id="share"
        label={w.share}
        value={settings.share}
        least={10}
        most={90}
        by={5}
        text={w.percent(String(settings.share))}
        onChange={(share) => set({ share }, "share")}
      />
      <div class="row">
        <NumberField id="seed" label={w.seed} value={settings.seed} range={limits.seed} whole onChange={(seed) => set({ seed }, "seed")} />
        <button
          type="button"
          id="new-seed"
          onClick={() => set({ seed: (settings.seed % 4_294_967_295) + 1 })}
          aria-label={w["new seed"]}
          title={w["new seed"]}
        >
          <svg viewBox="0 0 16 16" aria-hidden="true">
            <path d="M13.5 6A6 6 0 1 0 14 9M14 2v4.5H9.5" />
          </svg>
        </button>
      </div>
    </section>
  );
}
