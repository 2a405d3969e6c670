import { computed, effect } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import "./graph.css";
import { type Command, commandsOfTab } from "../shell/dialogs.ts";
import type { PictureTheme } from "../shell/export-picture.ts";
import { say } from "../shell/live.tsx";
import { pictureOfTab, type TabPicture } from "../shell/picture-of-tab.ts";
import { openSheet, panelOf, SheetTabs, sheetOf } from "../shell/sheet.tsx";
import { language, state } from "../state/store.ts";
import { canvas } from "./canvas.ts";
import { exampleIds } from "./examples.ts";
import { FormulaBox } from "./formula-box.tsx";
import { chooseHeld, dropHeld } from "./held-numbers.tsx";
import {
  chosen,
  engine,
  formula,
  goBack,
  goToEnd,
  goToPass,
  goToStart,
  hasModel,
  loadEngine,
  model,
  openExample,
  pause,
  play,
  playing,
  set,
  stop,
  trouble,
  watchModel,
  written,
} from "./model.ts";
import { Controls, Scrubber, setGrain } from "./player.tsx";
import { Quiz } from "./quiz.tsx";
import { question, stepOn, verdict } from "./quiz-state.ts";
import { Stage } from "./stage.tsx";
import { grains } from "./state.ts";
import { StepCard, sentenceOf } from "./step-card.tsx";
import { TraceTable } from "./table.tsx";
import { Understand } from "./understand.tsx";
import { answer } from "./understand-state.ts";
import { Variables } from "./variables.tsx";
import { graphWords } from "./words.ts";

const sheet = sheetOf(["formula", "step", "look", "table"], "step");

function Examples(): JSX.Element {
  const w = graphWords.value;
  return (
    <section class="examples" aria-label={w.examples}>
      <h2>{w.examples}</h2>
      <div>
        {exampleIds.map((id) => (
          <button
            type="button"
            class="small"
            key={id}
            id={`example-${id}`}
            onClick={() => {
              openExample(id);
              say(w.say.example(w[`example ${id}`]));
            }}
          >
            {w[`example ${id}`]}
          </button>
        ))}
      </div>
    </section>
  );
}

/** Commands of this tab for the palette: its buttons, its examples, and the nodes of the graph. */
function commands(): readonly Command[] {
  const w = graphWords.value;
  const made = model.value;
  const nodes = made === null ? [] : made.picture.scene().items;
  return [
    { id: "next", name: w.next, keys: ".", run: stepOn },
    { id: "previous", name: w.previous, keys: ",", run: goBack },
    { id: "first", name: w.first, keys: "Home", run: goToStart },
    { id: "last", name: w.last, keys: "End", run: goToEnd },
    { id: "play", name: w.play, keys: "Space", run: play },
    { id: "forward", name: w.forward, keys: "f", run: () => goToPass(false) },
    { id: "backward", name: w.backward, keys: "b", run: () => goToPass(true) },
    { id: "fit", name: w.fit, keys: "0", run: () => canvas.value?.fit(true) },
    { id: "quiz", name: w.toggleQuiz, run: () => set({ quiz: !state.value.graph.quiz }) },
    { id: "down", name: w.down, run: () => set({ direction: state.value.graph.direction === "down" ? "right" : "down" }) },
    { id: "tint", name: w.tint, run: () => set({ tint: !state.value.graph.tint }) },
    { id: "open held", name: w.openHeld, run: chooseHeld },
    { id: "table", name: w.toggleTable, run: () => set({ table: !state.value.graph.table }) },
    ...grains.map((grain) => ({ id: `grain ${grain}`, name: w.stepBy(w[`grain ${grain}`]), run: () => setGrain(grain) })),
    ...exampleIds.map((id) => ({ id: `example ${id}`, name: `${w.examples}: ${w[`example ${id}`]}`, run: () => openExample(id) })),
    ...nodes.map(({ id, label, name, title }) => ({
      id: `node ${id}`,
      name: `${w.goTo(name ?? label)} — ${title.slice(0, 60)}`,
      run: () => {
        chosen.value = { kind: "item", id };
        canvas.value?.focus({ kind: "item", id });
      },
    })),
  ];
}

/** The picture at the step that is shown, and both passes as a page to step through. */
function pictureShown(): TabPicture | null {
  const made = model.value;
  if (made === null) return null;
  const theme = (document.documentElement.dataset["theme"] ?? "light") as PictureTheme;
  return {
    name: made.name,
    box: () => canvas.value?.box ?? null,
    svg: () => Promise.resolve(made.picture.svg(stop.value.t, theme)),
    page: () => import("../shell/export-picture.ts").then(({ pageOf }) => pageOf(made, language.value, theme)),
  };
}

/** Watches what is shown, and says each new step to a screen reader. */
function watch(): () => void {
  const ends = [
    watchModel(),
    effect(() => {
      // Another formula has other nodes.
      void formula.value;
      chosen.value = null;
      answer.value = null;
      question.value = null;
      verdict.value = null;
    }),
    effect(() => {
      // On a phone a question would else be asked behind another panel.
      if (question.value !== null) openSheet(sheet, "step");
    }),
    effect(() => {
      // Nor is there anything else to see where the first formula is faulty.
      if (trouble.value !== null && !hasModel.value) openSheet(sheet, "formula");
    }),
  ];
  let last = "";
  ends.push(
    effect(() => {
      const {
        made,
        at: { t, edge },
      } = written.value;
      const library = engine.value;
      if (made === null || library === null) return;
      const w = graphWords.value;
      const now = `${t} ${edge} ${language.value}`;
      if (last !== "" && now !== last) {
        const { walk } = made;
        const step = library.told(made, t, language.value);
        const isForward = t <= walk.forward;
        const number = isForward ? t : t - walk.forward;
        const of = isForward ? walk.forward : walk.steps.length - walk.forward;
        const where = w.say.step(number, of, isForward ? w.forward : w.backward);
        if (!playing.peek() || state.peek().graph.speed <= 1)
          say(step === null ? w.say.start : `${where}, ${sentenceOf(step, walk.steps[t - 1]?.name ?? "", made.name, w, edge)}`);
      }
      last = now;
    }),
  );
  return () => {
    pause();
    for (const end of ends) end();
  };
}

/** Whether the table is shown: what is read here makes the whole tab anew. */
const withTable = computed(() => state.value.graph.table);

/** The whole of this tab below the page's header. */
export function GraphTab(): JSX.Element {
  useEffect(() => {
    loadEngine();
    commandsOfTab.value = commands;
    pictureOfTab.value = pictureShown;
    const end = watch();
    return () => {
      end();
      commandsOfTab.value = () => [];
      pictureOfTab.value = () => null;
    };
  }, []);
  const w = graphWords.value;
  const table = withTable.value;
  return (
    <main
      class="tab graph"
      id="panel-graph"
      data-sheet={panelOf(sheet)}
      onDrop={(event) => {
        if (dropHeld([...(event.dataTransfer?.files ?? [])])) event.preventDefault();
      }}
    >
      <div class="side left" data-panel="formula">
        <h2>{w.expression}</h2>
        <FormulaBox />
        <Examples />
        <Variables />
      </div>
      <Stage />
      <div class="side right">
        <div data-panel="step">
          <Quiz />
          <StepCard />
        </div>
        <div data-panel="look">
          <Understand />
        </div>
      </div>
      <div class="walk">
        <Controls />
        <div class="segments views" role="group" aria-label={w.trace}>
          <button type="button" id="show-chips" aria-pressed={!table} onClick={() => set({ table: false })}>
            {w.trace}
          </button>
          <button type="button" id="show-table" aria-pressed={table} onClick={() => set({ table: true })}>
            {w.table}
          </button>
        </div>
        <Scrubber />
      </div>
      {(table || sheet.shown.value === "table") && (
        <div class="table-panel" data-panel="table">
          <TraceTable />
        </div>
      )}
      <SheetTabs sheet={sheet} names={w.sheet} label={w.sheetLabel} />
    </main>
  );
}
