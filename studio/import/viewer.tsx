import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Drawing } from "./protocol.ts";
import type { ImportWords } from "./words-en.ts";

interface ViewerProps {
  readonly drawing: Drawing;
  readonly selected: string | null;
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

/** A picture to move about in: drag, wheel, arrow keys, plus and minus; the parts are reached by Tab and opened by Enter. */
export function Viewer({ drawing, selected, words, onSelect, onToggle }: ViewerProps): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const at = useRef({ x: 0, y: 0, scale: 1 });
  const layer = useRef<SVGGElement | null>(null);
  const apply = (): void => {
    const { x, y, scale } = at.current;
    layer.current?.setAttribute("transform", `translate(${x} ${y}) scale(${scale})`);
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
  };
  const zoom = (factor: number, cx = place.current!.clientWidth / 2, cy = place.current!.clientHeight / 2): void => {
    const { x, y, scale } = at.current;
    const next = Math.min(4, Math.max(0.02, scale * factor));
    at.current = { scale: next, x: cx - ((cx - x) * next) / scale, y: cy - ((cy - y) * next) / scale };
    apply();
  };
  useEffect(() => {
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
    place.current!.replaceChildren(svg);
    showAll(0.6);
  }, [drawing]);
  useEffect(() => {
    for (const element of layer.current?.querySelectorAll(".import-selected") ?? []) element.classList.remove("import-selected");
    const i = drawing.items.findIndex(({ id }) => id === selected);
    layer.current?.querySelector(`[data-item="${i}"]`)?.classList.add("import-selected");
    const item = drawing.items[i];
    if (item === undefined) return;
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
  useEffect(() => {
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

  const walk = (by: number): void => {
    const all = [...(layer.current?.querySelectorAll<SVGGElement>("[data-item]") ?? [])];
    const now = all.indexOf(document.activeElement as unknown as SVGGElement);
    const next = all[Math.max(0, Math.min(all.length - 1, now + by))];
    for (const other of all) other.setAttribute("tabindex", other === next ? "0" : "-1");
    next?.focus();
    const item = itemAt(next ?? null);
    if (item !== undefined) onSelect(item.id);
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
      n: () => walk(1),
      p: () => walk(-1),
      ArrowLeft: () => pan(step, 0),
      ArrowRight: () => pan(-step, 0),
      ArrowUp: () => pan(0, step),
      ArrowDown: () => pan(0, -step),
      Enter: () => {
        if (onItem?.kind === "module") onToggle(onItem.id, false);
        else if (onItem !== undefined) onSelect(onItem.id);
      },
    };
    const move = moves[event.key];
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
