import { computed, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { panelOf, SheetTabs, sheetOf } from "../shell/sheet.tsx";
import { state } from "../state/store.ts";
import { Chart } from "./chart.tsx";
import { calm, curve, end, facts, faultText, follow, isSlow, pause, play, playing, said, setup, shot, status, step } from "./client.ts";
import { DataPanel, dropTable } from "./data-panel.tsx";
import { DigitPad } from "./digit-pad.tsx";
import { ExportPanel } from "./export-panel.tsx";
import { Choice, NumberField } from "./field.tsx";
import { HealthPanel } from "./health-panel.tsx";
import { lossesOf, lossInUse } from "./losses.ts";
import { NetPanel } from "./net-panel.tsx";
import { NumbersPanel } from "./numbers-panel.tsx";
import { discrete, OutputMap, showTest } from "./output-map.tsx";
import { set } from "./settings.ts";
import { initials, limits, optimizers, paces, penalties, schedules } from "./state.ts";
import "./train.css";
import { grouped, kept } from "../words/words.ts";
import { UnitPanel } from "./unit-panel.tsx";
import { share, short, words } from "./words.ts";

const sheet = sheetOf(["data", "net", "learning", "curves", "health", "export"]);

/** The whole of this tab below the page's header. */
export function TrainTab(): JSX.Element {
  useEffect(() => {
    const leave = follow();
    return () => {
      leave();
      pause();
    };
  }, []);
  const w = words.value;
  const now = status.value;
  return (
    <main
      class="tab train"
      id="panel-train"
      data-sheet={panelOf(sheet)}
      onDrop={(event) => {
        if (dropTable([...(event.dataTransfer?.files ?? [])])) event.preventDefault();
      }}
    >
      <h2 class="unseen">{w.title}</h2>
      <p class="unseen" role="status" id="train-says">
        {said.value}
      </p>
      <RunBar />
      <SheetTabs sheet={sheet} names={w.sheet} label={w.sheetLabel} />
      <div class="train-news">
        {now.kind === "fault" && (
          <p class="train-fault" role="alert">
            {kept(faultText(now))}
          </p>
        )}
        {now.kind === "dead" && (
          // What the reader has stopped is no fault.
          <p class={now.why === "was stopped" ? "train-fault calm" : "train-fault"} role={now.why === "was stopped" ? "status" : "alert"}>
            {w[now.why]}
          </p>
        )}
        {now.kind === "preparing" && now.long && (
          <p class="train-fault calm">
            {w.preparing} {w["takes long"]}{" "}
            <button type="button" onClick={() => end("was stopped")}>
              {w.cancel}
            </button>
          </p>
        )}
        {isSlow.value && (
          <p class="train-fault calm" role="status" id="slow-engine">
            {w["slow engine"]}
          </p>
        )}
      </div>
      <div class="train-grid">
        <div class="panel" data-panel="data">
          <DataPanel />
        </div>
        <div class="middle">
          <div class="panel" data-panel="learning">
            <LearningPanel />
          </div>
          <div class="panel" data-panel="net">
            <NetPanel />
            <UnitPanel />
          </div>
        </div>
        <div class="train-card result">
          <ResultPanel />
          <CurvesPanel />
        </div>
      </div>
      <div class="panel" data-panel="health">
        <HealthPanel />
      </div>
      <div class="panel" data-panel="export">
        <ExportPanel />
        <NumbersPanel />
      </div>
    </main>
  );
}

// Signals as they are: their texts change without the bar being made anew.
const epoch = computed(() => grouped(Math.floor((shot.value?.epoch ?? 0) * 100) / 100));
const speed = computed(() =>
  calm.value === null || calm.value.speed === 0 ? "" : words.value.speed(grouped(Math.round(calm.value.speed))),
);

function RunBar(): JSX.Element {
  const w = words.value;
  const settings = state.value.train;
  const runs = playing.value;
  const able = status.value.kind === "ready";
  return (
    <section class="run" aria-label={w.run}>
      <div class="row">
        <button type="button" id="reset" onClick={setup} title={w.reset}>
          <svg viewBox="0 0 16 16" aria-hidden="true">
            <path d="M3 2v4.5h4.5M3.3 6.5A6 6 0 1 1 2.6 10" />
          </svg>{" "}
          {w.reset}
        </button>
        <button type="button" id="play" class="main" disabled={!able} aria-pressed={runs} onClick={runs ? pause : play}>
          <svg viewBox="0 0 16 16" aria-hidden="true" class="solid">
            <path d={runs ? "M3 2h4v12H3zM9 2h4v12H9z" : "M3 1.5v13l11-6.5z"} />
          </svg>{" "}
          {runs ? w.pause : w.play}
        </button>
        <button type="button" id="step-batch" disabled={!able || runs} onClick={() => step("batch")}>
          {w["step batch"]}
        </button>
        <button type="button" id="step-epoch" disabled={!able || runs} onClick={() => step("epoch")}>
          {w["step epoch"]}
        </button>
        <Choice
          id="pace"
          label={w.pace}
          options={paces}
          value={settings.pace}
          name={(p) => w[`pace ${p}`]}
          onChange={(pace) => set({ pace }, "pace")}
        />
        <NumberField id="stop" label={w.stop} value={settings.stop} range={limits.stop} whole onChange={(stop) => set({ stop }, "stop")} />
        <span class="spring" />
        <p class="epoch">
          {w.epoch} <output id="epoch">{epoch}</output>
        </p>
        <p class="muted speed" id="speed">
          {speed}
        </p>
      </div>
    </section>
  );
}

function LearningPanel(): JSX.Element {
  const w = words.value;
  const settings = state.value.train;
  const task = facts.value?.problem.task.kind ?? "binary";
  return (
    <section class="train-card learning" aria-labelledby="learning-title">
      <h2 id="learning-title">{w.learning}</h2>
      <div class="fields">
        <Choice
          id="optimizer"
          label={w.optimizer}
          options={optimizers}
          value={settings.optimizer}
          name={(o) => w[o]}
          onChange={(optimizer) => set({ optimizer })}
        />
        <NumberField
          id="rate"
          label={w.rate}
          value={settings.rate}
          range={limits.rate}
          hint={settings.rate === 0 ? w["rate zero"] : undefined}
          onChange={(rate) => set({ rate }, "rate")}
        />
        <Choice
          id="schedule"
          label={w.schedule}
          options={schedules}
          value={settings.schedule}
          name={(s) => w[s]}
          onChange={(schedule) => set({ schedule })}
        />
        <NumberField
          id="batch"
          label={w.batch}
          value={settings.batch}
          range={limits.batch}
          whole
          onChange={(batch) => set({ batch }, "batch")}
        />
        <Choice
          id="loss"
          label={w.loss}
          options={lossesOf(task)}
          value={lossInUse(task, settings.loss)}
          name={(l) => w[l]}
          onChange={(loss) => set({ loss })}
        />
        <Choice
          id="penalty"
          label={w.penalty}
          options={penalties}
          value={settings.penalty}
          name={(p) => w[p]}
          onChange={(penalty) => set({ penalty })}
        />
        {settings.penalty !== "none" && (
          <NumberField
            id="penalty-rate"
            label={w["penalty rate"]}
            value={settings.penaltyRate}
            range={limits.rate}
            onChange={(penaltyRate) => set({ penaltyRate }, "penaltyRate")}
          />
        )}
        <Choice
          id="initial"
          label={w.initial}
          options={initials}
          value={settings.initial}
          name={(i) => w[`initial ${i}`]}
          onChange={(initial) => set({ initial })}
        />
      </div>
    </section>
  );
}

function ResultPanel(): JSX.Element {
  const w = words.value;
  const known = facts.value;
  calm.value;
  const { last } = curve.value;
  const image = state.value.train.data === "digits";
  const task = known?.problem.task.kind ?? "binary";
  return (
    <section class="outcome" aria-labelledby="result-title">
      <h2 id="result-title">{w.result}</h2>
      <dl class="figures">
        <div>
          <dt>{w["train loss"]}</dt>
          <dd id="train-loss" class="train-colour">
            {last === null ? "·" : short(last.train, 4)}
          </dd>
        </div>
        <div>
          <dt>{w["test loss"]}</dt>
          <dd id="test-loss" class="test-colour">
            {last === null ? "·" : short(last.test, 4)}
          </dd>
        </div>
        {task !== "number" && (
          <div>
            <dt>{w["test right"]}</dt>
            <dd id="test-right">{last === null ? "·" : share(last.testRight)}</dd>
          </div>
        )}
      </dl>
      {image ? <DigitPad /> : <OutputMap />}
      {!image && (
        <p class="row">
          <label class="tick">
            <input
              type="checkbox"
              id="show-test"
              checked={showTest.value}
              onChange={(event) => (showTest.value = event.currentTarget.checked)}
            />{" "}
            {w["show test"]}
          </label>
          {task !== "number" && (
            <label class="tick">
              <input
                type="checkbox"
                id="discrete"
                checked={discrete.value}
                onChange={(event) => (discrete.value = event.currentTarget.checked)}
              />{" "}
              {w.discrete}
            </label>
          )}
        </p>
      )}
    </section>
  );
}

function CurvesPanel(): JSX.Element {
  const w = words.value;
  const log = useSignal(false);
  const task = facts.value?.problem.task.kind ?? "binary";
  return (
    <section class="panel curves" data-panel="curves" aria-label={w.sheet.curves}>
      <div class="row chart-head">
        <h3>{w["loss curve"]}</h3>
        <span class="key train-colour">— {w.training}</span>
        <span class="key test-colour">- - {w.test}</span>
        <span class="spring" />
        <label class="tick">
          <input type="checkbox" checked={log.value} onChange={(event) => (log.value = event.currentTarget.checked)} /> {w["log scale"]}
        </label>
      </div>
      <Chart what="loss" log={log.value} />
      {task !== "number" && (
        <>
          <h3>{w["accuracy curve"]}</h3>
          <Chart what="accuracy" />
        </>
      )}
    </section>
  );
}
