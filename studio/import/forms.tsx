import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { grouped } from "../words/words.ts";
import { engines, isSoftware, runtimeAddress } from "./engines.ts";
import { InputFields } from "./input-fields.tsx";
import { type EngineName, lossNames, type Summary, type TuneState } from "./protocol.ts";
import {
  busy,
  computeGradients,
  data,
  download,
  gradients,
  losses,
  readData,
  stopTuning,
  takenOver,
  tellTakenOver,
  tune,
  tuned,
} from "./session.ts";
import { short } from "./short.ts";
import { longestText } from "./state.ts";
import { TensorView } from "./tensor-view.tsx";
import { set, view } from "./view.ts";
import type { ImportWords } from "./words-en.ts";

interface NumberFieldProps {
  readonly label: string;
  readonly least: number;
  readonly most?: number;
  readonly isWhole?: boolean;
  /** NaN: none is written. */
  readonly value: number;
  readonly onInput: (value: number) => void;
}

/** A number that has to be written before the form is sent. */
function NumberField({ label, least, most, isWhole = true, value, onInput }: NumberFieldProps): JSX.Element {
  return (
    <label>
      {label}{" "}
      <input
        type="number"
        required
        min={least}
        max={most}
        step={isWhole ? 1 : "any"}
        value={Number.isNaN(value) ? "" : value}
        onInput={(event) => onInput(event.currentTarget.valueAsNumber)}
      />
    </label>
  );
}

/** Asks for gradients of an output, or of a loss made of it, for inputs that are given or drawn. */
export function GradientForm({ opened, words }: { opened: Extract<Summary, { kind: "model" }>; words: ImportWords }): JSX.Element {
  const { output, loss, target, seed } = view.value;
  const shown = gradients.value;
  return (
    <form
      class="import-card"
      id="import-gradients"
      onSubmit={(event) => {
        event.preventDefault();
        void computeGradients();
      }}
    >
      <h2>{words.gradientsOf}</h2>
      <label>
        {words.output}{" "}
        <select
          id="import-output"
          value={output !== null && opened.outputs.includes(output) ? output : opened.outputs[0]}
          onChange={(event) => set({ output: event.currentTarget.value })}
        >
          {opened.outputs.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <label>
        {words.loss}{" "}
        <select
          id="import-loss-kind"
          value={loss}
          onChange={(event) => set({ loss: lossNames.find((name) => name === event.currentTarget.value) ?? "class" })}
        >
          {lossNames.map((name) => (
            <option key={name} value={name}>
              {words.losses[name]}
            </option>
          ))}
        </select>
      </label>
      {(loss === "class" || loss === "squares") && (
        <label>
          {words.targets[loss]}{" "}
          <input
            id="import-target"
            class="import-target"
            maxLength={longestText}
            value={target}
            onInput={(event) => set({ target: event.currentTarget.value }, "target")}
          />
        </label>
      )}
      <InputFields inputs={opened.inputs} words={words} />
      <label>
        {words.seed}{" "}
        <input
          type="number"
          min={0}
          step={1}
          value={seed}
          onInput={(event) => {
            const n = event.currentTarget.valueAsNumber;
            set({ seed: Number.isInteger(n) && n >= 0 ? Math.min(n, 2 ** 32 - 1) : 0 }, "seed");
          }}
        />
      </label>
      <button type="submit" class="primary" disabled={busy.value !== null}>
        {words.compute}
      </button>
      {shown !== null && (
        <>
          <p role="status" id="import-loss">
            {words.lossIs(short(shown.loss), String(Math.round(shown.milliseconds)))}
          </p>
          <details id="import-result">
            <summary>{words.result}</summary>
            <TensorView facts={shown.output} words={words} kind="value" />
          </details>
        </>
      )}
    </form>
  );
}

/** Tunes the model on a table, and gives it back as a file. */
export function TuneForm({ words }: { words: ImportWords }): JSX.Element {
  const [epochs, setEpochs] = useState(5);
  const [batch, setBatch] = useState(32);
  const [rate, setRate] = useState(0.001);
  const [optimizer, setOptimizer] = useState<"adam" | "sgd">("adam");
  const [seed, setSeed] = useState(0);
  const [engine, setEngine] = useState<EngineName>("wasm");
  const table = data.value;
  const last = losses.value.at(-1);
  return (
    <form
      class="import-card"
      id="import-tune"
      onSubmit={(event) => {
        event.preventDefault();
        void tune({ epochs, batch, rate, optimizer, seed, engine });
      }}
    >
      <h2>{words.tuning}</h2>
      <label class="button">
        {words.data}
        <input
          type="file"
          id="import-data"
          accept=".csv,.tsv,.txt"
          onChange={(event) => {
            const [file] = event.currentTarget.files ?? [];
            if (file !== undefined) void readData(file, null);
            event.currentTarget.value = "";
          }}
        />
      </label>
      {table?.kind === "table" ? (
        <p>{words.dataIs(table.name, grouped(table.rows), grouped(table.width), table.label?.name ?? "–")}</p>
      ) : (
        <p class="import-kinds">{words.needData}</p>
      )}
      <NumberField label={words.epochs} least={1} most={10_000} value={epochs} onInput={setEpochs} />
      <NumberField label={words.batch} least={1} value={batch} onInput={setBatch} />
      <NumberField label={words.rate} least={0} isWhole={false} value={rate} onInput={setRate} />
      <label>
        {words.optimizer}{" "}
        <select value={optimizer} onChange={(event) => setOptimizer(event.currentTarget.value as typeof optimizer)}>
          <option value="adam">Adam</option>
          <option value="sgd">SGD</option>
        </select>
      </label>
      <NumberField label={words.orderSeed} least={0} value={seed} onInput={setSeed} />
      {engines.value.length > 1 ? (
        <label>
          {words.engine}{" "}
          <select id="import-engine" value={engine} onChange={(event) => setEngine(event.currentTarget.value as EngineName)}>
            {engines.value.map((name) => (
              <option key={name} value={name}>
                {name === "webgpu" && isSoftware.value ? words.engineInSoftware : words.engines[name]}
              </option>
            ))}
          </select>
        </label>
      ) : (
        runtimeAddress() === "" && <p class="import-kinds">{words.engineHint}</p>
      )}
      <div class="import-buttons">
        <button type="submit" class="primary" disabled={busy.value !== null || table === null}>
          {words.start}
        </button>
        <button type="button" disabled={busy.value !== "tune"} onClick={stopTuning}>
          {words.stop}
        </button>
        <button type="button" id="import-download" disabled={busy.value !== null} onClick={() => void download()}>
          {words.download}
        </button>
      </div>
      {last !== undefined && (
        <p id="import-step">
          {words.stepIs(grouped(last.step), grouped(last.steps), short(last.loss))}
          {last.accuracy !== null && words.accuracyIs(`${Math.round(last.accuracy * 100)} %`)}
        </p>
      )}
      {losses.value.length > 1 && <Curve points={losses.value} words={words} />}
      {takenOver.value !== null && (
        <p class="import-fault" id="import-taken-over">
          {tellTakenOver(takenOver.value)}
        </p>
      )}
      {tuned.value !== null && (
        <p role="status" id="import-tuned">
          {tuned.value === "done" ? words.tunedDone : words.tunedStopped}
        </p>
      )}
    </form>
  );
}

function Curve({ points, words }: { points: readonly TuneState[]; words: ImportWords }): JSX.Element {
  const width = 240;
  const height = 80;
  const most = Math.max(...points.map(({ loss }) => loss), 1e-12);
  const steps = points.at(-1)!.steps;
  const path = points.map(
    ({ step, loss }, i) =>
      `${i === 0 ? "M" : "L"}${((step / steps) * width).toFixed(1)} ${(height - (loss / most) * (height - 4)).toFixed(1)}`,
  );
  return (
    <svg class="import-curve" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={words.lossCurve}>
      <path d={path.join("")} />
    </svg>
  );
}
