import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { faultWords } from "../faults/fault-words.ts";
import { openSheet, panelOf, SheetTabs, sheetOf } from "../shell/sheet.tsx";
import { change, language, state } from "../state/store.ts";
import { type Editor, openEditor } from "./editor.ts";
import { examples, sourceIn } from "./examples.ts";
import { cut, drawn, isRunning, lines, type OutputLine, run, stop, turn } from "./session.ts";
import type { CodeState } from "./state.ts";
import "./style.css";
import { type CodeWords, en } from "./words-en.ts";
import { ko } from "./words-ko.ts";

function textOf({ source }: CodeState): string {
  return source ?? sourceIn(examples[0]!, language.value);
}

const sheet = sheetOf(["output", "pictures", "about"]);

/** The Code tab: a program, what it says, and the graphs that it draws. */
export function CodeTab(): JSX.Element {
  const w = language.value === "ko" ? ko : en;
  const source = textOf(state.value.code);
  const place = useRef<HTMLDivElement>(null);
  const editor = useRef<Editor | null>(null);
  const output = useRef<HTMLDivElement>(null);
  // The newest line stays in sight, unless the reader has scrolled to an older one.
  const isAtEnd = useRef(true);
  const start = (): void => {
    openSheet(sheet, "output");
    isAtEnd.current = true;
    void run(textOf(state.value.code));
  };
  useLayoutEffect(() => {
    const opened = openEditor(
      place.current!,
      textOf(state.value.code),
      w.program,
      (text) => change("code", { source: text }, "code"),
      start,
    );
    editor.current = opened;
    return () => opened.destroy();
  }, []);
  // Another language is another name and no other editor, which would lose the focus and what can be undone.
  useLayoutEffect(() => editor.current?.name(w.program), [w]);
  useLayoutEffect(() => editor.current?.set(source), [source]);
  useLayoutEffect(() => {
    const { current } = output;
    if (current !== null && isAtEnd.current) current.scrollTop = current.scrollHeight;
  }, [lines.value, drawn.value, isRunning.value]);
  return (
    <main class="tab code" id="panel-code" data-sheet={panelOf(sheet)}>
      <section class="code-program" aria-label={w.program}>
        <div class="code-bar">
          <button type="button" id="code-run" class="primary" onClick={start}>
            {w.run}
          </button>
          <button type="button" id="code-stop" disabled={!isRunning.value} onClick={stop}>
            {w.stop}
          </button>
          <label>
            {w.examples}{" "}
            <select
              id="code-example"
              value=""
              onChange={(event) => {
                const chosen = examples.find(({ name }) => name === event.currentTarget.value);
                if (chosen !== undefined) change("code", { source: sourceIn(chosen, language.value) });
                event.currentTarget.value = "";
              }}
            >
              <option value="">…</option>
              {examples.map(({ name }) => (
                <option key={name} value={name}>
                  {w[name]}
                </option>
              ))}
            </select>
          </label>
        </div>
        <div class="code-editor" ref={place} />
        <SheetTabs sheet={sheet} names={{ ...w.sheet, pictures: w.picturesCount(drawn.value.length) }} label={w.sheetLabel} />
        <p class="code-about" data-panel="about">
          {w.about} {w.keys}
        </p>
      </section>
      <section class="code-output" aria-label={w.output}>
        <div class="code-pictures" data-panel="pictures" aria-label={w.pictures} role="group">
          {drawn.value.map(({ url, title, text }, i) => (
            <figure key={i}>
              <img src={url} alt={w.pictureOf(title)} />
              {title !== "" && <figcaption>{title}</figcaption>}
              {text !== "" && (
                <details>
                  <summary>{w.inWords}</summary>
                  <pre tabIndex={0}>{text}</pre>
                </details>
              )}
            </figure>
          ))}
        </div>
        <div
          class="code-lines"
          id="code-lines"
          ref={output}
          onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
            isAtEnd.current = scrollTop + clientHeight > scrollHeight - 8;
          }}
          data-panel="output"
          role="log"
          aria-label={w.output}
          tabIndex={0}
          aria-busy={isRunning.value}
          data-turn={turn.value}
        >
          {lines.value.length === 0 && !isRunning.value && <p class="code-hint">{w.nothing}</p>}
          {cut.value > 0 && <p class="code-hint">{w.cut}</p>}
          {lines.value.map((line, i) => (
            <Line key={cut.value + i} line={line} words={w} goTo={(to) => editor.current?.goTo(to)} />
          ))}
          {isRunning.value && <p class="code-hint">{w.running}</p>}
        </div>
      </section>
    </main>
  );
}

function Line({ line, words, goTo }: { line: OutputLine; words: CodeWords; goTo: (line: number) => void }): JSX.Element {
  if (line.kind === "end") return <p class={line.why === "done" ? "code-done" : "code-fault"}>{words[line.why]}</p>;
  if (line.kind !== "fault") return <pre class={`code-${line.kind}`}>{line.text}</pre>;
  const { line: at } = line;
  const text = faultWords.value(line.text);
  if (at === null) return <pre class="code-fault">{text}</pre>;
  return (
    <button type="button" class="code-fault" onClick={() => goTo(at)}>
      {words.line(at, text)}
    </button>
  );
}
