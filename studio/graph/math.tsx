import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

type Katex = typeof import("./katex.ts");

const katex = signal<Katex | null>(null);
let asked = false;

/** After this many milliseconds at one step its formula gets its MathML, for programs that read or copy it. */
const rest = 300;

/** Formulas as they were set, for steps to which the reader comes back; the oldest goes first. */
const set = new Map<string, readonly ChildNode[]>();
const mostSet = 100;

/** Sets a formula in a place of the page, from what it was set as before where no other place shows that now. */
function typeset(library: Katex, tex: string, place: HTMLElement): void {
  const known = set.get(tex);
  if (known?.every(({ isConnected }) => !isConnected)) {
    place.replaceChildren(...known);
    return;
  }
  place.textContent = "";
  library.typeset(tex, place);
  set.delete(tex);
  set.set(tex, [...place.childNodes]);
  if (set.size > mostSet) set.delete(set.keys().next().value!);
}

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
    typeset(library, tex, place.current);
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
