import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { faultWords, textWords } from "../faults/fault-words.ts";
import { commandsOfTab } from "../shell/dialogs.ts";
import { pictureOfTab } from "../shell/picture-of-tab.ts";
import { panelOf, SheetTabs, sheetOf } from "../shell/sheet.tsx";
import { language, shownTheme } from "../state/store.ts";
import { grouped, kept } from "../words/words.ts";
import { roveTo, walkButtons } from "./button-list.ts";
import { importCommands } from "./commands.ts";
import { GradientForm, TuneForm } from "./forms.tsx";
import { tellTrouble } from "./input-fields.tsx";
import { PartsTable } from "./parts-table.tsx";
import type { Summary, TensorRow } from "./protocol.ts";
import {
  amount,
  around,
  busy,
  cancel,
  canOpenAgain,
  drawAgain,
  drawing,
  type Fault,
  fault,
  follow,
  followSearch,
  followSelected,
  followTensor,
  found,
  gradients,
  inspect,
  inspected,
  inspection,
  isCancelled,
  openAgain,
  openFiles,
  pictureShown,
  select,
  selected,
  showNear,
  summary,
  toggle,
} from "./session.ts";
import { short } from "./short.ts";
import "./style.css";
import { TensorView } from "./tensor-view.tsx";
import { set, view, wantedFile } from "./view.ts";
import { Viewer } from "./viewer.tsx";
import { importWords } from "./words.ts";
import type { ImportWords } from "./words-en.ts";

const sheet = sheetOf(["file", "selected", "learn"]);

/** The Import tab: files that were dropped, as pictures, numbers and gradients, and a model tuned on a table. */
export function ImportTab(): JSX.Element {
  const w = importWords.value;
  const { depth, open, closed, near, selected: chosen, tensor, search, table } = view.value;
  const opened = summary.value;
  useEffect(() => void follow(), [depth, open, closed, near]);
  useEffect(() => void followSelected(), [chosen, opened]);
  useEffect(() => void followTensor(), [tensor, opened]);
  useEffect(() => void followSearch(), [search, opened]);
  useEffect(() => void drawAgain(), [language.value, shownTheme.value]);
  const wanted = busy.value === "read" || busy.value === "build" ? null : wantedFile.value;
  useEffect(() => {
    commandsOfTab.value = importCommands;
    pictureOfTab.value = pictureShown;
    return () => {
      commandsOfTab.value = () => [];
      pictureOfTab.value = () => null;
    };
  }, []);
  const [over, setOver] = useState(false);
  return (
    <main
      class={`tab import${over ? " import-over" : ""}`}
      id="panel-import"
      data-sheet={panelOf(sheet)}
      onDragOver={() => setOver(true)}
      onDragLeave={() => setOver(false)}
      onDrop={() => setOver(false)}
    >
      <section class="import-side" aria-label={w.about} data-panel="file">
        <label class="button primary">
          {w.choose}
          <input
            type="file"
            id="import-file"
            multiple
            onChange={(event) => {
              const { files } = event.currentTarget;
              void openFiles([...(files ?? [])]);
              event.currentTarget.value = "";
            }}
          />
        </label>
        <p role="status" class="import-status" id="import-status">
          {busy.value !== null ? w[busy.value] : isCancelled.value ? w.cancelled : ""}
        </p>
        {busy.value !== null && <Progress words={w} />}
        {busy.value !== null && busy.value !== "tune" && (
          <button type="button" id="import-cancel" onClick={cancel}>
            {w.cancel}
          </button>
        )}
        {fault.value !== null && (
          <p class="import-fault" role="alert" id="import-fault">
            {kept(tellFault(fault.value, w))}
          </p>
        )}
        {wanted !== null && (
          <p class="import-kinds" id="import-wanted">
            {w.wanted(wanted.name)}{" "}
            {canOpenAgain(wanted) && (
              <button type="button" onClick={() => openAgain(wanted)}>
                {w.openAgain}
              </button>
            )}
          </p>
        )}
        {opened === null ? <p class="import-kinds">{w.kinds}</p> : <About opened={opened} words={w} />}
      </section>
      <section class="import-main">
        {drawing.value !== null && opened !== null ? (
          <>
            <div class="import-tools">
              <label>
                {w.depth}{" "}
                <select
                  id="import-depth"
                  value={depth === null ? "" : String(depth)}
                  onChange={(event) => {
                    const { value } = event.currentTarget;
                    set({ depth: value === "" ? null : Number(value) });
                  }}
                >
                  <option value="">{w.auto}</option>
                  {[0, 1, 2, 3, 4].map((level) => (
                    <option key={level} value={String(level)}>
                      {level}
                    </option>
                  ))}
                </select>
              </label>
              {(near !== null || chosen !== null) && (
                <label>
                  {w.show}{" "}
                  <select
                    id="import-near"
                    value={near === null ? "all" : String(near.steps)}
                    onChange={(event) => {
                      const { value } = event.currentTarget;
                      showNear(value === "all" ? null : value === "feeds" ? value : Number(value));
                    }}
                  >
                    <option value="all">{w.showAll}</option>
                    <option value="feeds">{w.showFeeds}</option>
                    {[1, 2, 3, 5].map((steps) => (
                      <option key={steps} value={String(steps)}>
                        {w.showNear(steps)}
                      </option>
                    ))}
                  </select>
                </label>
              )}
              <input
                type="search"
                id="import-search"
                placeholder={w.search}
                aria-label={w.search}
                maxLength={1000}
                value={search}
                onInput={(event) => set({ search: event.currentTarget.value }, "search")}
                onKeyDown={(event) => {
                  if (event.isComposing || event.key !== "ArrowDown") return;
                  event.preventDefault();
                  document.querySelector<HTMLButtonElement>("#import-found button")?.focus();
                }}
              />
              <button type="button" id="import-table" aria-pressed={table} onClick={() => set({ table: !table })}>
                {w.parts}
              </button>
            </div>
            {found.value.length > 0 && (
              <ul
                class="import-found"
                id="import-found"
                onKeyDown={(event) => {
                  const box = document.querySelector<HTMLInputElement>("#import-search");
                  if (event.key !== "Escape") return walkButtons(event, () => box?.focus());
                  set({ search: "" }, "search");
                  box?.focus();
                }}
              >
                {found.value.map((one, i) => (
                  <li key={i}>
                    <button type="button" onClick={() => select(one.item)}>
                      <b>{one.name}</b> {one.op} <small>{one.type}</small>
                    </button>
                  </li>
                ))}
              </ul>
            )}
            <Viewer
              drawing={drawing.value}
              selected={selected.value?.id ?? null}
              around={around}
              words={w}
              onSelect={select}
              onToggle={toggle}
            />
            {table && <PartsTable drawing={drawing.value} selected={selected.value?.id ?? null} words={w} onSelect={select} />}
          </>
        ) : opened === null || opened.kind === "model" || opened.kind === "graph" ? (
          <div class="import-drop">{w.drop}</div>
        ) : (
          <Content opened={opened} words={w} />
        )}
      </section>
      <section class="import-side import-right" aria-label={w.selected}>
        <div data-panel="selected">
          <Selected words={w} />
        </div>
        <div data-panel="learn">
          {opened?.kind === "model" && <GradientForm opened={opened} words={w} />}
          {opened?.kind === "model" && <TuneForm words={w} />}
        </div>
      </section>
      <SheetTabs sheet={sheet} names={w.sheet} label={w.sheetLabel} />
    </main>
  );
}

/** How much of what takes time is done, as a bar and in words. */
function Progress({ words }: { words: ImportWords }): JSX.Element {
  const now = amount.value;
  const text =
    now === null
      ? ""
      : now.unit === "bytes"
        ? words.bytesOf((now.done / 1e6).toFixed(1), (now.of / 1e6).toFixed(1))
        : words.stepsOf(grouped(now.done), grouped(now.of));
  return (
    <p class="import-progress" id="import-progress">
      <progress aria-label={words[busy.value!]} {...(now !== null && { value: now.done, max: Math.max(1, now.of) })} />{" "}
      <small>{text}</small>
    </p>
  );
}

function tellFault(fault: Fault, words: ImportWords): string {
  if (typeof fault === "string") return faultWords.value(fault);
  return "missing" in fault ? words.inputMissing(fault.missing) : tellTrouble(fault, words);
}

function About({ opened, words }: { opened: Summary; words: ImportWords }): JSX.Element {
  return (
    <>
      <h2>{opened.name}</h2>
      {opened.kind === "model" && (
        <>
          <h3>{words.inputs}</h3>
          <ul class="import-list">
            {opened.inputs.map(({ name, type }) => (
              <li key={name}>
                {name} <small>{type}</small>
              </li>
            ))}
          </ul>
          <h3>{words.parameters}</h3>
          <Tensors
            rows={opened.parameters}
            note={(row) => {
              const slope = gradients.value?.rows.find(({ name }) => name === row.name)?.gradient;
              if (slope !== undefined) return `‖∇‖ ${short(slope)}`;
              const own = opened.parameters.find(({ name }) => name === row.name)!;
              return inspection.value?.blocked.includes(row.name) ? words.noGradient : own.trainable ? "" : words.fixed;
            }}
          />
          {inspection.value !== null && (
            <details>
              <summary>{words.about}</summary>
              <pre id="import-inspection">{textWords.value(inspection.value.texts[language.value])}</pre>
            </details>
          )}
        </>
      )}
      {opened.kind === "graph" && (
        <details open>
          <summary>{words.about}</summary>
          <pre>{opened.text}</pre>
        </details>
      )}
      {opened.kind === "tensors" && <Tensors rows={opened.tensors} note={() => ""} />}
      {opened.kind === "table" && <p>{words.rows(grouped(opened.rows), grouped(opened.width))}</p>}
    </>
  );
}

function Tensors({ rows, note }: { rows: readonly TensorRow[]; note: (row: TensorRow) => string }): JSX.Element {
  return (
    <ul class="import-list import-tensors" onKeyDown={walkButtons} onFocusIn={roveTo}>
      {rows.slice(0, 2000).map((row, i) => (
        <li key={row.name}>
          <button
            type="button"
            tabIndex={i === 0 ? 0 : -1}
            aria-current={view.value.tensor === row.name ? "true" : undefined}
            onClick={() => inspect(row.name)}
          >
            <b>{row.name}</b> <small>{row.type}</small> <i>{note(row)}</i>
          </button>
        </li>
      ))}
    </ul>
  );
}

/** What has no picture: a table's first rows, a file's header. */
function Content({ opened, words }: { opened: Extract<Summary, { kind: "table" | "tensors" }>; words: ImportWords }): JSX.Element {
  if (opened.kind === "tensors")
    return (
      <div class="import-content">
        <h2>{words.header}</h2>
        <pre>{opened.header}</pre>
      </div>
    );
  return (
    <div class="import-content">
      <p>{words.moreRows}</p>
      <table>
        <thead>
          <tr>
            {opened.columns.slice(0, 30).map((name, i) => (
              <th key={i} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {opened.cells.map((cells, i) => (
            <tr key={i}>
              {cells.map((x, j) => (
                <td key={j}>{short(Number.isFinite(x) ? x : null)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Selected({ words }: { words: ImportWords }): JSX.Element {
  const chosen = selected.value;
  const tensor = inspected.value;
  return (
    <>
      {chosen !== null && (
        <div class="import-card" id="import-item">
          <h2>{chosen.facts.title}</h2>
          <p>{chosen.facts.outputs.map(({ type }) => type).join(", ")}</p>
          {chosen.facts.ops.length > 1 && (
            <p>
              {words.inside}:{" "}
              {chosen.facts.ops
                .slice(0, 12)
                .map(({ op, count }) => `${op} ${count}`)
                .join(", ")}
            </p>
          )}
          {drawing.value?.items.some(({ id, kind }) => id === chosen.id && kind === "module") && (
            <button type="button" onClick={() => toggle(chosen.id, false)}>
              {words.open}
            </button>
          )}
          {chosen.facts.parameters.length > 0 && <Tensors rows={chosen.facts.parameters} note={() => ""} />}
        </div>
      )}
      {tensor !== null && (
        <div class="import-card" id="import-tensor">
          <h2>{tensor.name}</h2>
          <h3>{words.value}</h3>
          <TensorView facts={tensor.value} words={words} kind="value" />
          {tensor.gradient !== null && (
            <>
              <h3>{words.gradient}</h3>
              <TensorView facts={tensor.gradient} words={words} kind="gradient" />
            </>
          )}
        </div>
      )}
      {drawing.value !== null && drawing.value.groups.length > 0 && (
        <ul class="import-list import-open" aria-label={words.open}>
          {drawing.value.groups.map(({ id, label }) => (
            <li key={id}>
              <button type="button" onClick={() => toggle(id, true)}>
                {words.closeModule}: {label}
              </button>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
