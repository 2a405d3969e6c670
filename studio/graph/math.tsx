import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

type Katex = typeof import("./katex.ts");

const katex = signal<Katex | null>(null);
let asked = false;

/** After this many milliseconds at one step its formula gets its MathML, for programs that read or copy it. */
const rest = 300;

/** A formula. Until the library that sets formulas is here, and where it cannot be loaded, the plain text stands in its place. */
export function Maths({ tex, label }: { readonly tex: string; readonly label: string }): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const library = katex.value;
  if (!asked) {
    asked = true;
    import("./katex.ts").then(
      (module) => {
        katex.value = module;
      },
      () => {
        asked = false;
      },
    );
  }
  // Before the page is painted, so that a card is one frame.
  useLayoutEffect(() => {
    if (place.current === null || library === null) return;
    place.current.textContent = "";
    library.typeset(tex, place.current);
    // Nobody reads the markup of a step that is passed in a hurry.
    const later = setTimeout(() => {
      if (place.current !== null) library.addMathml(tex, place.current);
    }, rest);
    return () => clearTimeout(later);
  }, [tex, library]);
  return (
    <div class="maths" role="math" aria-label={label} ref={place}>
      {library === null ? label : null}
    </div>
  );
}
