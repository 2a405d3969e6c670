import katex from "katex";
import "katex/dist/katex.min.css";

/** Sets a formula in a place of the page, as it is seen. Only classes of ours may be in it. */
export function typeset(tex: string, place: HTMLElement): void {
  set(tex, place, "html");
}

/** Puts the formula's MathML, which is not seen, where KaTeX has it: before what is seen. */
export function addMathml(tex: string, place: HTMLElement): void {
  const seen = place.querySelector(".katex");
  if (seen === null || seen.querySelector(".katex-mathml") !== null) return;
  const holder = document.createElement("span");
  holder.className = "katex-mathml";
  set(tex, holder, "mathml");
  holder.replaceChildren(...holder.querySelectorAll("math"));
  if (holder.firstChild !== null) seen.prepend(holder);
}

function set(tex: string, place: HTMLElement, output: "html" | "mathml"): void {
  katex.render(tex, place, {
    displayMode: true,
    output,
    throwOnError: false,
    strict: false,
    maxExpand: 500,
    maxSize: 50,
    trust: ({ command }) => command === "\\htmlClass",
  });
}
