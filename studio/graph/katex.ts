import katex from "katex";
import "katex/dist/katex.min.css";

/** Sets a formula in a place of the page. Only classes of ours may be in it. */
export function typeset(tex: string, place: HTMLElement): void {
  katex.render(tex, place, {
    displayMode: true,
    output: "htmlAndMathml",
    throwOnError: false,
    strict: false,
    maxExpand: 500,
    maxSize: 50,
    trust: ({ command }) => command === "\\htmlClass",
  });
}
