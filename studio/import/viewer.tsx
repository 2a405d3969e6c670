import { type Signal, signal } from "@preact/signals";
import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { latinKey } from "../shell/latin-key.ts";
import type { Box } from "../shell/picture-of-tab.ts";
import type { Drawing } from "./protocol.ts";
import type { ImportWords } from "./words-en.ts";

/** The picture on the page, for commands and for files of it. */
export const viewer: Signal<{ fit(): void; box(): Box } | null> = signal(null);

interface ViewerProps {
  readonly drawing: Drawing;
  readonly selected: string | null;
  /** What the picture keeps its place around when it is drawn again. */
  readonly around: { peek(): { readonly module: string } | "as before" | null };
  readonly words: ImportWords;
  readonly onSelect: (id: string) => void;
  /** A module was asked to open, or an open one to close. */
  readonly onToggle: (id: string, isOpen: boolean) => void;
}

const sheet = new CSSStyleSheet();

/** The drawing's root, made from its text without ever being HTML of this page: a parser of SVG alone, which runs nothing. */
function rootOf(svg: string): SVGSVGElement {
  const parsed = new DOMParser().parseFromString(svg, "image/svg+xml").documentElement;
  return document.importNode(parsed, true) as unknown as SVGSVGElement;
}

/** The middle of a module: where it stands closed, else of its frame; null where it is not there. */
function middleOf({ items, groups }: Drawing, module: string): { readonly x: number; readonly y: number } | null {
  return items.find(({ id }) => id === module) ?? groups.find(({ id }) => id === module) ?? null;
}

/** How far a new drawing has to go so that what was opened or closed stays where the reader saw it; null: it is shown anew. */
function shiftOf(old: Drawing, now: Drawing, around: { readonly module: string } | "as before" | null): { x: number; y: number } | null {
  if (around === null) return null;
  if (around === "as before") return { x: 0, y: 0 };
  const [from, to] = [middleOf(old, around.module), middleOf(now, around.module)];
  return from === null || to === null ? null : { x: from.x - to.x, y: from.y - to.y };
}

/** A picture to move about in: drag, wheel, arrow keys, plus and minus; the parts are reached by Tab, walked by arrow keys and opened by Enter. */
export function Viewer({ drawing, selected, around, words, onSelect, onToggle }: ViewerProps): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const at = useRef({ x: 0, y: 0, scale: 1 });
  const layer = useRef<SVGGElement | null>(null);
  const moved = useRef(false);
  const before = useRef<Drawing | null>(null);
  /** The part that was brought into sight when it was selected; a new drawing does not bring it there again. */
  const brought = useRef<string | null>(null);
  /** The id of the part that had the focus last. */
  const focused = useRef("");
  const focusOn = (to: number): void => {
    for (const other of layer.current?.querySelectorAll('[tabindex="0"]') ?? []) other.setAttribute("tabindex", "-1");
    const next = layer.current?.querySelector<SVGGElement>(`[data-item="${to}"]`);
    next?.setAttribute("tabindex", "0");
    next?.focus({ preventScroll: true });
  };
  const apply = (): void => {
    const { x, y, scale } = at.current;
    layer.current?.setAttribute("transform", `translate(${x} ${y}) scale(${scale})`);
    moved.current = true;
  };
  /** Shows all of it; at first no smaller than it can be read, from where the data comes in. */
  const showAll = (least = 0): void => {
    const { clientWidth, clientHeight } = place.current!;
    const scale = Math.max(least, Math.min(1, clientWidth / drawing.width, clientHeight / drawing.height));
    at.current = {
      scale,
      x: Math.max(0, (clientWidth - drawing.width * scale) / 2) + 16 * scale,
      y: (clientHeight - drawing.height * scale) / 2 + 16 * scale,
    };
    apply();
    moved.current = false;
  };
  const zoom = (factor: number, cx = place.current!.clientWidth / 2, cy = place.current!.clientHeight / 2): void => {
    const { x, y, scale } = at.current;
    const next = Math.min(4, Math.max(0.02, scale * factor));
    at.current = { scale: next, x: cx - ((cx - x) * next) / scale, y: cy - ((cy - y) * next) / scale };
    apply();
  };
  // As the drawing comes: a key a frame later would act on the part at that place of the new one.
  useLayoutEffect(() => {
    sheet.replaceSync(drawing.style);
    if (!document.adoptedStyleSheets.includes(sheet)) document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
    const svg = rootOf(drawing.svg);
    const inner = document.createElementNS("http://www.w3.org/2000/svg", "g");
    svg.querySelector(":scope > .cr-paper")?.remove();
    for (const child of [...svg.childNodes]) if (child.nodeName !== "title" && child.nodeName !== "desc") inner.append(child);
    svg.append(inner);
    svg.removeAttribute("viewBox");
    svg.setAttribute("width", "100%");
    svg.setAttribute("height", "100%");
    layer.current = inner;
    for (const element of inner.querySelectorAll<SVGGElement>("[data-item]")) element.setAttribute("tabindex", "-1");
    inner.querySelector("[data-item]")?.setAttribute("tabindex", "0");
    const host = place.current!;
    const had = host.contains(document.activeElement) && document.activeElement !== host ? focused.current : null;
    host.replaceChildren(svg);
    const shift = before.current === null ? null : shiftOf(before.current, drawing, around.peek());
    before.current = drawing;
    if (shift === null) showAll(0.6);
    else {
      const { x, y, scale } = at.current;
      at.current = { scale, x: x + shift.x * scale, y: y + shift.y * scale };
      apply();
    }
    // The focus stays at the part where it was; at the first part of a module that was opened.
    if (had === null) return;
    const again = drawing.items.findIndex(({ id }) => id === had);
    const inside = drawing.items.findIndex(({ modules }) => modules.includes(had));
    focusOn(again >= 0 ? again : Math.max(0, inside));
  }, [drawing]);
  useLayoutEffect(() => {
    viewer.value = {
      fit: () => showAll(),
      box: () => {
        const { x, y, scale } = at.current;
        const { clientWidth, clientHeight } = place.current!;
        return { x: -x / scale, y: -y / scale, width: clientWidth / scale, height: clientHeight / scale };
      },
    };
    return () => {
      viewer.value = null;
    };
  }, [drawing]);
  useLayoutEffect(() => {
    for (const element of layer.current?.querySelectorAll(".import-selected") ?? []) element.classList.remove("import-selected");
    const i = drawing.items.findIndex(({ id }) => id === selected);
    layer.current?.querySelector(`[data-item="${i}"]`)?.classList.add("import-selected");
    const item = drawing.items[i];
    const again = brought.current === selected;
    brought.current = selected;
    if (item === undefined || again) return;
    // Brings what was chosen into sight, and leaves what is in sight alone.
    const { x, y, scale } = at.current;
    const { clientWidth, clientHeight } = place.current!;
    const left = x + item.x * scale;
    const top = y + item.y * scale;
    if (left < 20 || left > clientWidth - 20 || top < 20 || top > clientHeight - 20) {
      at.current = { scale, x: clientWidth / 2 - item.x * scale, y: clientHeight / 2 - item.y * scale };
      apply();
    }
  }, [selected, drawing]);
  useLayoutEffect(() => {
    // Until the reader has moved it, the picture keeps to the middle of its room, whose size the table and the window change.
    const watch = new ResizeObserver(() => {
      if (place.current !== null && !moved.current) showAll(0.6);
    });
    watch.observe(place.current!);
    return () => watch.disconnect();
  }, [drawing]);
  useLayoutEffect(() => {
    const element = place.current!;
    // Not passive: the page must not scroll under it.
    const wheel = (event: WheelEvent): void => {
      event.preventDefault();
      const box = element.getBoundingClientRect();
      zoom(Math.exp(-event.deltaY / 400), event.clientX - box.left, event.clientY - box.top);
    };
    element.addEventListener("wheel", wheel, { passive: false });
    return () => element.removeEventListener("wheel", wheel);
  }, [drawing]);

  const itemAt = (target: EventTarget | null): Drawing["items"][number] | undefined => {
    const element = target instanceof Element ? target.closest("[data-item]") : null;
    return element === null ? undefined : drawing.items[Number(element.getAttribute("data-item"))];
  };
  const groupAt = (target: EventTarget | null): Drawing["groups"][number] | undefined => {
    const element = target instanceof Element ? target.closest("[data-group]") : null;
    return element === null ? undefined : drawing.groups[Number(element.getAttribute("data-group"))];
  };
  const drag = useRef<{ x: number; y: number; moved: boolean } | null>(null);

  const walk = (to: number | undefined): void => {
    const item = to === undefined ? undefined : drawing.items[to];
    if (item === undefined) return;
    focusOn(to!);
    onSelect(item.id);
  };
  /** The part where the focus is; -1 where it is at the picture as a whole. */
  const here = (): number => {
    const item = itemAt(document.activeElement);
    return item === undefined ? -1 : drawing.items.indexOf(item);
  };
  /** Along the wires to the left and right; up and down to the nearest part above and below. */
  const neighbour = (key: string): number | undefined => {
    const at = here();
    const now = drawing.items[at]!;
    if (key === "ArrowLeft") return now.from[0];
    if (key === "ArrowRight") return drawing.items.flatMap(({ from }, i) => (from.includes(at) ? [i] : []))[0];
    const sign = key === "ArrowUp" ? -1 : 1;
    let best: number | undefined;
    let least = Number.POSITIVE_INFINITY;
    drawing.items.forEach(({ x, y }, i) => {
      const down = sign * (y - now.y);
      const far = down + 2 * Math.abs(x - now.x);
      if (down < 8 || far >= least) return;
      least = far;
      best = i;
    });
    return best;
  };
  const arrow = (key: string, dx: number, dy: number) => (): void => {
    if (here() < 0) pan(dx, dy);
    else walk(neighbour(key));
  };
  const key = (event: KeyboardEvent): void => {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const onItem = itemAt(event.target);
    const step = 60;
    const moves: Record<string, () => void> = {
      "+": () => zoom(1.25),
      "=": () => zoom(1.25),
      "-": () => zoom(0.8),
      "0": () => showAll(),
      n: () => walk(here() + 1),
      p: () => walk(Math.max(0, here() - 1)),
      ArrowLeft: arrow("ArrowLeft", step, 0),
      ArrowRight: arrow("ArrowRight", -step, 0),
      ArrowUp: arrow("ArrowUp", 0, step),
      ArrowDown: arrow("ArrowDown", 0, -step),
      Enter: () => {
        if (onItem?.kind === "module") onToggle(onItem.id, false);
        else if (onItem !== undefined) onSelect(onItem.id);
      },
    };
    const move = moves[latinKey(event)];
    if (move === undefined) return;
    event.preventDefault();
    move();
  };
  const pan = (dx: number, dy: number): void => {
    at.current = { ...at.current, x: at.current.x + dx, y: at.current.y + dy };
    apply();
  };
  return (
    <div class="import-viewer">
      <div class="import-view-bar">
        <button type="button" onClick={() => showAll()}>
          {words.fit}
        </button>
        <button type="button" aria-label={words.zoomIn} title={words.zoomIn} onClick={() => zoom(1.25)}>
          +
        </button>
        <button type="button" aria-label={words.zoomOut} title={words.zoomOut} onClick={() => zoom(0.8)}>
          −
        </button>
      </div>
      <div
        class="import-canvas"
        id="import-canvas"
        ref={place}
        role="application"
        aria-label={words.picture}
        tabIndex={0}
        onKeyDown={key}
        onFocusIn={(event) => {
          focused.current = itemAt(event.target)?.id ?? "";
        }}
        onPointerDown={(event) => {
          drag.current = { x: event.clientX, y: event.clientY, moved: false };
        }}
        onPointerMove={(event) => {
          const from = drag.current;
          if (from === null || event.buttons === 0) return;
          const dx = event.clientX - from.x;
          const dy = event.clientY - from.y;
          if (!from.moved && Math.hypot(dx, dy) < 4) return;
          drag.current = { x: event.clientX, y: event.clientY, moved: true };
          pan(dx, dy);
        }}
        onClick={(event) => {
          if (drag.current?.moved) return;
          const item = itemAt(event.target);
          if (item !== undefined) onSelect(item.id);
        }}
        onDblClick={(event) => {
          const item = itemAt(event.target);
          if (item?.kind === "module") return onToggle(item.id, false);
          const group = item === undefined ? groupAt(event.target) : undefined;
          if (group !== undefined) onToggle(group.id, true);
        }}
      />
    </div>
  );
}
