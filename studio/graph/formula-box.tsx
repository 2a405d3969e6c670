import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { faultWords } from "../faults/fault-words.ts";
import { kept } from "../words/words.ts";
import { wordsOf } from "./highlight.ts";
import { engine, formula, litItems, litSpans, model, setFormula, trouble } from "./model.ts";
import { graphWords } from "./words.ts";

/** What may be coloured at once; a longer text is shown plainly. */
const mostWords = 4000;
/** More boxes than this are marked, but what is wrong in them is told when others are mended. */
const mostFaults = 3;

interface ShownWord {
  readonly word: string;
  readonly from: number;
  readonly looks: string;
  readonly element: JSX.Element;
}

/** The box with the formula: a text area over a layer that colours it, marks the fault and lights what the pointer is at in the picture. */
export function FormulaBox(): JSX.Element {
  const w = graphWords.value;
  const text = formula.value;
  const fault = trouble.value;
  const layer = useRef<HTMLPreElement>(null);
  const lit = litSpans.value;
  const words = text.length > 20_000 ? [] : wordsOf(text);
  const mark =
    fault !== null && fault.from < fault.to ? fault : fault !== null ? { from: Math.max(0, fault.from - 1), to: fault.to + 1 } : null;
  const classOf = (from: number, to: number, kind: string): string => {
    const isLit = lit.some((span) => span.from < to && from < span.to);
    const isWrong = mark !== null && mark.from < to && from < mark.to;
    return `w-${kind}${isLit ? " w-lit" : ""}${isWrong ? " w-wrong" : ""}`;
  };
  // A word that stays as it is is the same element, so that a letter looks at no other word.
  const shown = useRef<readonly ShownWord[]>([]);
  shown.current = (words.length <= mostWords ? words : []).map(({ text: word, from, kind }, i) => {
    const looks = classOf(from, from + word.length, kind);
    const before = shown.current[i];
    if (before !== undefined && before.word === word && before.from === from && before.looks === looks) return before;
    // By its place: of a letter more only the word that has it is another, and those after it begin later.
    const element = (
      <span key={i} data-from={from} class={looks}>
        {word}
      </span>
    );
    return { word, from, looks, element };
  });
  const isColoured = shown.current.length > 0;
  /** The offset in the text under the pointer, by the coloured words below it. */
  const offsetAt = (x: number, y: number): number | null => {
    for (const span of layer.current?.children ?? [])
      for (const box of span.getClientRects())
        if (x >= box.left && x < box.right && y >= box.top && y < box.bottom) {
          const from = Number(span.getAttribute("data-from"));
          const length = span.textContent?.length ?? 1;
          return from + Math.min(length - 1, Math.floor(((x - box.left) / Math.max(1, box.width)) * length));
        }
    return null;
  };
  const light = (offset: number | null): void => {
    const made = model.value;
    litItems.value =
      offset === null || made === null || made.read.source !== text || engine.value === null ? [] : engine.value.itemsAt(made, offset);
  };
  const rows = Math.min(12, Math.max(2, text.split("\n").length, Math.ceil(text.length / 32)));
  return (
    <div class="formula">
      <div class="formula-box">
        <pre aria-hidden="true" ref={layer}>
          {isColoured ? shown.current.map(({ element }) => element) : text}{" "}
        </pre>
        <textarea
          id="formula"
          class={isColoured ? "coloured" : ""}
          aria-label={w.formulaLabel}
          aria-invalid={fault !== null && fault.variable === null}
          aria-describedby="formula-fault"
          spellcheck={false}
          autocomplete="off"
          autocapitalize="off"
          rows={rows}
          value={text}
          onInput={(event) => setFormula(event.currentTarget.value)}
          onScroll={(event) => {
            if (layer.current !== null) {
              layer.current.scrollTop = event.currentTarget.scrollTop;
              layer.current.scrollLeft = event.currentTarget.scrollLeft;
            }
          }}
          onPointerMove={(event) => light(offsetAt(event.clientX, event.clientY))}
          onPointerLeave={() => light(null)}
          onKeyUp={(event) => light(event.currentTarget.selectionStart)}
          onBlur={() => light(null)}
        />
      </div>
      <p id="formula-fault" class="fault" role="status" aria-live="polite">
        {fault === null
          ? ""
          : [fault, ...(fault.also ?? [])]
              .slice(0, mostFaults)
              .map(({ variable, message }) => {
                const told = faultWords.value(message);
                return kept(variable === null ? told : w.inVariable(variable, told));
              })
              .join("\n")}
      </p>
    </div>
  );
}
