import { effect, type Signal, signal } from "@preact/signals";
import type { Layout, Picture, Scene, SvgParts } from "chainrule";
import { afterFrame } from "../shell/after-frame.ts";
import { drawingsIn, elementOf, redraw } from "./drawing.ts";
import type { Chosen } from "./questions.ts";

const svgSpace = "http://www.w3.org/2000/svg";
const pad = 18;
const mostFit = 1.35;
/** Below this the numbers are not drawn; a picture that would be smaller is shown in part. */
const nearest = 0.7;
const farthest = 0.4;

/** What a reader does in the picture. */
export interface CanvasEvents {
  choose(what: Chosen | null): void;
  hover(what: Chosen | null): void;
  toggle(group: string, isOpen: boolean): void;
  /** The name of the variable whose number stands on a wire, null where it cannot be dragged. */
  draggable(wire: number): string | null;
  /** So many pixels to the right of where the drag began. */
  drag(wire: number, pixels: number, starts: boolean): void;
}

export type Direction = "left" | "right" | "up" | "down";

/** What an arrow key means in a graph that grows downwards, told as in one that grows to the right. */
const turned: Readonly<Record<Direction, Direction>> = { up: "left", down: "right", left: "up", right: "down" };

interface Point {
  readonly x: number;
  readonly y: number;
}

function group(name: string): SVGGElement {
  const g = document.createElementNS(svgSpace, "g");
  if (name !== "") g.setAttribute("class", name);
  return g;
}

interface Source {
  readonly of: object;
  readonly also: string;
}

const nothing: object = {};

function structureOf({ items, groups }: Scene): string {
  return JSON.stringify([items.map(({ id, kind }) => `${id} ${kind}`), groups?.map(({ id }) => id)]);
}

/** Whether a part would be drawn the same. Scenes of one picture share what does not change, so that the texts are seldom compared. */
function isSame(a: Source, b: Source): boolean {
  return a.also === b.also && (a.of === b.of || JSON.stringify(a.of) === JSON.stringify(b.of));
}

/** The upper left corner of an item or an open module. */
function cornerOf({ items, groups }: Layout, id: string): Point | null {
  const item = items.find((other) => other.id === id);
  if (item !== undefined) return { x: item.x - item.body.width / 2, y: item.y - item.body.height / 2 };
  return groups.find((other) => other.id === id) ?? null;
}

interface Room {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** What of a layout's wires lies where, and which of them meet. */
interface Meetings {
  readonly of: Layout | null;
  readonly rooms: readonly (readonly Room[])[];
  readonly met: Map<number, readonly number[]>;
}

/** Half the width of the widest line, with its arrow. */
const reach = 6;

/** What a wire takes up: each stretch of its line, and its numbers. */
function roomsOf({ own, slot }: Layout["wires"][number]): Room[] {
  const { x, y, left, right, up, down } = slot;
  const found: Room[] = [{ left: x - left, top: y - up, right: x + right, bottom: y + down }];
  for (let k = 1; k < own.length; k++) {
    const [a, b] = [own[k - 1]!, own[k]!];
    found.push({
      left: Math.min(a.x, b.x) - reach,
      top: Math.min(a.y, b.y) - reach,
      right: Math.max(a.x, b.x) + reach,
      bottom: Math.max(a.y, b.y) + reach,
    });
  }
  return found;
}

function overlap(a: Room, b: Room): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

/** A picture in the page: drawn once, patched from step to step, panned and zoomed by one transform, walked by arrow keys. */
export class Canvas {
  readonly svg: SVGSVGElement = document.createElementNS(svgSpace, "svg");
  readonly minimap: SVGSVGElement = document.createElementNS(svgSpace, "svg");
  readonly #view = group("");
  readonly #groups = group("");
  /** Wide unseen lines, because a wire of a pixel and a half is hard to hit. */
  readonly #hits = group("hits");
  /** Under the items: how large their gradients are. */
  readonly #tints = group("tints");
  readonly #wires = group("cr-wires");
  readonly #titles = group("cr-titles");
  readonly #items = group("cr-items");
  readonly #host: HTMLElement;
  readonly #events: CanvasEvents;
  readonly #watch: ResizeObserver;
  #elements = new Map<string, Element>();
  /** What each part was drawn from, and as what. */
  #sources = new Map<string, Source>();
  #texts = new Map<string, string>();
  #firstDot: Element | null = null;
  #meetings: Meetings = { of: null, rooms: [], met: new Map() };
  #layout: Layout | null = null;
  #scene: Scene | null = null;
  #structure = "";
  #title = "";
  #scale = 1;
  #at: Point = { x: 0, y: 0 };
  #moved = false;
  /** Whether the whole picture was asked for when it was last fitted. */
  #isWhole = false;
  #room: [number, number] | null = null;
  /** How much of the height is under what lies over the picture's top. */
  #covered = 0;
  #roving = "";
  readonly #marked = new Map<string, readonly Element[]>();
  /** From which side arrow keys came to a wire, which says what its siblings are. */
  #side: "to" | "from" = "to";
  #frame: SVGRectElement | null = null;
  #pointers = new Map<number, Point>();
  #drag: { readonly wire: number; readonly x: number; moved: boolean } | null = null;
  #travelled = 0;

  constructor(host: HTMLElement, events: CanvasEvents) {
    this.#host = host;
    this.#events = events;
    const { svg } = this;
    svg.setAttribute("class", "cr");
    svg.setAttribute("tabindex", "-1");
    this.#view.append(this.#groups, this.#tints, this.#hits, this.#wires, this.#titles, this.#items);
    svg.append(this.#view);
    this.minimap.setAttribute("class", "minimap");
    // For the pointer only: keys move the view with the focus.
    this.minimap.setAttribute("aria-hidden", "true");
    host.append(svg, this.minimap);
    this.#listen();
    this.#watch = new ResizeObserver(() => {
      this.#room = [svg.clientWidth || 800, svg.clientHeight || 500];
      this.#measureCover();
      if (this.#moved) this.#place();
      else this.fit(false);
    });
    this.#watch.observe(host);
  }

  end(): void {
    this.#watch.disconnect();
    this.svg.remove();
    this.minimap.remove();
  }

  /** Shows a scene; what is the same as before is not touched. */
  show(picture: Picture, scene: Scene, label: string): void {
    const parts = picture.parts(scene);
    // The same layout is of the same parts.
    const structure = picture.layout === this.#layout ? this.#structure : structureOf(scene);
    const { wires, trunks } = picture.layout;
    const isNew =
      structure !== this.#structure || wires.length !== this.#layout?.wires.length || trunks.length !== this.#layout.trunks.length;
    const isMoved = picture.layout !== this.#layout;
    const still = isNew && this.#title === scene.title ? this.#toggled(scene, picture.layout) : null;
    this.#layout = picture.layout;
    this.#scene = scene;
    // A document only now: as long as there is nothing in it, it has no name either.
    this.svg.setAttribute("role", "graphics-document");
    if (this.svg.getAttribute("aria-label") !== label) this.svg.setAttribute("aria-label", label);
    if (isNew) {
      // Another graph begins at its end; one of which a module was opened, where the reader was.
      const wasOpen = this.#title === scene.title;
      this.#title = scene.title;
      this.#structure = structure;
      this.#draw(scene, parts);
      this.#rove(wasOpen && this.#elements.has(this.#roving) ? this.#roving : `i${scene.items.length - 1}`);
      this.#moved = false;
    } else this.#patch(scene, parts, isMoved);
    if (isNew || isMoved) {
      this.#drawHits();
      this.#drawMinimap();
      if (still !== null) {
        // A module that is opened or closed stays where it is, and the rest makes room.
        this.#pan((still.before.x - still.now.x) * this.#scale, (still.before.y - still.now.y) * this.#scale);
      } else if (!this.#moved) this.fit(false);
    }
  }

  /** Where the one module that was opened or closed stood, and where it stands now. */
  #toggled(scene: Scene, layout: Layout): { readonly before: Point; readonly now: Point } | null {
    const before = this.#layout;
    if (before === null || this.#scene === null) return null;
    const known = new Set([...this.#scene.items, ...(this.#scene.groups ?? [])].map(({ id }) => id));
    const groupsBefore = new Set((this.#scene.groups ?? []).map(({ id }) => id));
    const groupsNow = new Set((scene.groups ?? []).map(({ id }) => id));
    const changed = [...scene.items, ...(scene.groups ?? [])].filter(
      ({ id }) => known.has(id) && groupsBefore.has(id) !== groupsNow.has(id),
    );
    const [one] = changed;
    if (one === undefined || changed.length > 1) return null;
    return { before: cornerOf(before, one.id)!, now: cornerOf(layout, one.id)! };
  }

  #draw(scene: Scene, parts: SvgParts): void {
    const layout = this.#layout!;
    this.#elements.clear();
    this.#texts.clear();
    const fill = (group: SVGGElement, kinds: Readonly<Record<string, readonly string[]>>): void => {
      group.innerHTML = Object.values(kinds).flat().join("");
      let element = group.firstElementChild;
      for (const [kind, texts] of Object.entries(kinds))
        texts.forEach((text, i) => {
          this.#elements.set(`${kind}${i}`, element!);
          this.#texts.set(`${kind}${i}`, text);
          element = element!.nextElementSibling;
        });
    };
    const groups = scene.groups ?? [];
    fill(this.#groups, { g: groups.map((_, g) => parts.group(g)) });
    fill(this.#titles, { h: groups.map((_, g) => parts.groupTitle(g)) });
    groups.forEach((_, g) => {
      this.#elements.get(`h${g}`)!.setAttribute("data-group", String(g));
    });
    const trunks = layout.trunks.map((_, i) => parts.trunk(i));
    fill(this.#wires, { t: trunks, w: scene.wires.map((_, i) => parts.wire(i)) });
    fill(this.#items, { i: scene.items.map((_, i) => parts.item(i)) });
    this.#drawDots(parts);
    this.#sources = this.#sourcesOf(scene);
    this.#lift(scene);
    for (let i = 0; i < scene.wires.length; i++) this.#markDraggable(i);
  }

  #drawDots(parts: SvgParts): void {
    for (const old of this.#wires.querySelectorAll(":scope > .cr-dot")) old.remove();
    const dots = drawingsIn(this.#layout!.trunks.map((_, i) => parts.dots(i)).join("")).map(elementOf);
    this.#wires.append(...dots);
    this.#firstDot = dots[0] ?? null;
  }

  /** From what each part is drawn: it is drawn again when that changes. */
  #sourcesOf(scene: Scene): Map<string, Source> {
    const found = new Map<string, Source>();
    scene.wires.forEach((wire, i) => {
      found.set(`w${i}`, { of: wire, also: "" });
    });
    const { trunks } = this.#layout!;
    if (trunks.length > 0) {
      const flows = new Map<string, string>();
      for (const { output, from, flow, gradient } of scene.wires) {
        const key = `${output} ${from}`;
        flows.set(key, `${flows.get(key) ?? ""} ${flow ?? ""} ${gradient}`);
      }
      const sums = new Map((scene.trunks ?? []).map((trunk) => [`${trunk.output} ${trunk.from}`, trunk]));
      trunks.forEach((trunk, i) => {
        const key = `${trunk.output} ${trunk.from}`;
        found.set(`t${i}`, { of: sums.get(key) ?? nothing, also: flows.get(key) ?? "" });
      });
    }
    scene.items.forEach((item, i) => {
      found.set(`i${i}`, { of: item, also: item.id === scene.active ? "active" : "" });
    });
    return found;
  }

  #patch(scene: Scene, parts: SvgParts, all: boolean): void {
    const sources = this.#sourcesOf(scene);
    for (const [key, source] of sources) {
      const before = this.#sources.get(key);
      if (!all && before !== undefined && isSame(before, source)) continue;
      const index = Number(key.slice(1));
      this.#redraw(key, key[0] === "w" ? parts.wire(index) : key[0] === "t" ? parts.trunk(index) : parts.item(index));
      if (key[0] === "w") this.#markDraggable(index);
    }
    this.#sources = sources;
    if (all) {
      this.#drawDots(parts);
      (scene.groups ?? []).forEach((_, g) => {
        this.#redraw(`g${g}`, parts.group(g));
        this.#redraw(`h${g}`, parts.groupTitle(g));
      });
    }
    this.#lift(scene);
  }

  #redraw(key: string, text: string): void {
    const before = this.#texts.get(key)!;
    if (before === text) return;
    this.#texts.set(key, text);
    redraw(this.#elements.get(key)!, drawingsIn(before)[0]!, drawingsIn(text)[0]!);
  }

  /** Lines that stand out lie over the plain ones that they meet. One that is moved among its like is laid out anew, so those that meet none stay. */
  #lift({ wires }: Scene): void {
    const focused = document.activeElement;
    wires.forEach(({ flow }, i) => {
      if (flow === undefined) return;
      const element = this.#elements.get(`w${i}`)!;
      const isUnder = this.#metBy(i).some((other) => {
        if (wires[other]!.flow !== undefined && other > i) return false;
        return (element.compareDocumentPosition(this.#elements.get(`w${other}`)!) & Node.DOCUMENT_POSITION_FOLLOWING) !== 0;
      });
      if (isUnder) this.#wires.insertBefore(element, this.#firstDot);
    });
    if (focused instanceof SVGElement && this.svg.contains(focused) && focused !== document.activeElement) focused.focus();
  }

  /** The wires whose lines or numbers lie over or under those of a wire, found when it first stands out. */
  #metBy(wire: number): readonly number[] {
    const layout = this.#layout!;
    if (this.#meetings.of !== layout) this.#meetings = { of: layout, rooms: layout.wires.map(roomsOf), met: new Map() };
    const { rooms, met } = this.#meetings;
    let found = met.get(wire);
    if (found === undefined) {
      const own = rooms[wire]!;
      found = rooms.flatMap((others, i) => (i !== wire && own.some((a) => others.some((b) => overlap(a, b))) ? [i] : []));
      met.set(wire, found);
    }
    return found;
  }

  #markDraggable(wire: number): void {
    this.#elements
      .get(`w${wire}`)!
      .querySelector(".cr-value")
      ?.toggleAttribute("data-draggable", this.#events.draggable(wire) !== null);
  }

  // The view.

  #place(): void {
    const { x, y } = this.#at;
    this.#view.setAttribute("transform", `translate(${x.toFixed(2)} ${y.toFixed(2)}) scale(${this.#scale.toFixed(4)})`);
    const level = this.#scale >= nearest ? "near" : this.#scale >= farthest ? "mid" : "far";
    if (this.svg.dataset["lod"] !== level) this.svg.dataset["lod"] = level;
    const [width, height] = this.#size();
    const { width: w, height: h } = this.#layout ?? { width: 0, height: 0 };
    const isWhole = x >= -1 && y >= -1 && x + w * this.#scale <= width + 1 && y + h * this.#scale <= height + 1;
    this.minimap.toggleAttribute("hidden", isWhole);
    this.minimap.style.display = isWhole ? "none" : "";
    if (this.#frame !== null) {
      this.#frame.setAttribute("x", String(-x / this.#scale));
      this.#frame.setAttribute("y", String(-y / this.#scale));
      this.#frame.setAttribute("width", String(width / this.#scale));
      this.#frame.setAttribute("height", String(height / this.#scale));
    }
  }

  #size(): [number, number] {
    // Asking the element in the middle of a step would lay the page out once more.
    this.#room ??= [this.svg.clientWidth || 800, this.svg.clientHeight || 500];
    return this.#room;
  }

  /** What lies over the picture's top has changed: a picture that is fitted makes room for it. */
  makeRoom(): void {
    const before = this.#top;
    this.#measureCover();
    if (this.#top !== before && !this.#moved) this.fit(this.#isWhole);
  }

  #measureCover(): void {
    const { top } = this.#host.getBoundingClientRect();
    const over = [...(this.#host.parentElement?.querySelectorAll(":scope > .legend, :scope > .tint-legend") ?? [])];
    this.#covered = Math.max(0, ...over.map((element) => element.getBoundingClientRect().bottom - top));
  }

  /** What is kept free above a graph: the first nodes of one that grows downwards would stand under the legend. */
  get #top(): number {
    return this.#layout?.direction === "down" ? Math.max(pad, this.#covered + 6) : pad;
  }

  /** What of the picture is in sight, in its own measure. */
  get box(): { readonly x: number; readonly y: number; readonly width: number; readonly height: number } {
    const [width, height] = this.#size();
    const scale = this.#scale;
    return { x: -this.#at.x / scale, y: -this.#at.y / scale, width: width / scale, height: height / scale };
  }

  /** The scale, 1 for the picture's own size. */
  get scale(): number {
    return this.#scale;
  }

  /**
   * Shows the whole picture; where numbers could then not be read, and `whole` does not insist, as much of it as can be read, from its end, where
   * the backward pass begins.
   */
  fit(whole: boolean): void {
    if (this.#layout === null) return;
    this.#measureCover();
    const { width, height } = this.#layout;
    const [w, h] = this.#size();
    const top = this.#top;
    const scale = Math.min((w - 2 * pad) / Math.max(1, width), (h - top - pad) / Math.max(1, height), mostFit);
    this.#scale = Math.max(0.02, whole ? scale : Math.max(scale, nearest + 0.02));
    const free = { x: w - width * this.#scale, y: h - height * this.#scale };
    const isDown = this.#layout.direction === "down";
    this.#at = {
      x: free.x >= 0 ? free.x / 2 : isDown ? pad : free.x - pad,
      y: free.y >= 0 ? Math.max(isDown ? top : 0, free.y / 2) : isDown ? free.y - pad : pad,
    };
    this.#moved = false;
    this.#isWhole = whole;
    this.#place();
    if (!whole && scale < this.#scale && this.#scene?.active !== undefined) this.reveal(this.#scene.active);
  }

  zoom(by: number, at?: Point): void {
    const [w, h] = this.#size();
    const { x, y } = at ?? { x: w / 2, y: h / 2 };
    const scale = Math.min(6, Math.max(0.02, this.#scale * by));
    const ratio = scale / this.#scale;
    this.#at = { x: x - (x - this.#at.x) * ratio, y: y - (y - this.#at.y) * ratio };
    this.#scale = scale;
    this.#moved = true;
    this.#place();
  }

  #pan(dx: number, dy: number): void {
    this.#at = { x: this.#at.x + dx, y: this.#at.y + dy };
    this.#moved = true;
    this.#place();
  }

  /** Moves the view as little as shows an item with some room around it. */
  reveal(id: string): void {
    const placed = this.#layout?.items.find((item) => item.id === id);
    if (placed !== undefined) this.#revealPoint(placed);
  }

  #revealPoint({ x, y }: Point): void {
    const [w, h] = this.#size();
    const room = { x: Math.min(130, w / 3), y: Math.min(70, h / 3) };
    // Half an item stands above its middle.
    const above = Math.min(h / 2, Math.max(room.y, this.#top + 30));
    const at = { x: this.#at.x + x * this.#scale, y: this.#at.y + y * this.#scale };
    const dx = at.x < room.x ? room.x - at.x : at.x > w - room.x ? w - room.x - at.x : 0;
    const dy = at.y < above ? above - at.y : at.y > h - room.y ? h - room.y - at.y : 0;
    if (dx === 0 && dy === 0) return;
    const was = this.#moved;
    this.#pan(dx, dy);
    this.#moved = was;
  }

  #drawHits(): void {
    this.#hits.replaceChildren(
      ...this.#layout!.wires.map(({ own }, i) => {
        const path = document.createElementNS(svgSpace, "path");
        path.setAttribute("data-wire", String(i));
        path.setAttribute("d", own.map(({ x, y }, k) => `${k === 0 ? "M" : "L"}${x} ${y}`).join(""));
        return path;
      }),
    );
  }

  #drawMinimap(): void {
    const { width, height, items } = this.#layout!;
    const margin = 40;
    this.minimap.setAttribute("viewBox", `${-margin} ${-margin} ${width + 2 * margin} ${height + 2 * margin}`);
    const boxes = document.createElementNS(svgSpace, "path");
    boxes.setAttribute(
      "d",
      items.map(({ x, y, body }) => `M${x - body.width / 2} ${y - body.height / 2}h${body.width}v${body.height}h${-body.width}z`).join(""),
    );
    this.#frame = document.createElementNS(svgSpace, "rect");
    this.minimap.replaceChildren(boxes, this.#frame);
  }

  /** Puts a colour under each item that has one; empty takes them away. */
  tint(colours: ReadonlyMap<string, { readonly colour: string | null; readonly title: string }>): void {
    const rim = 9;
    const layout = this.#layout;
    this.#tints.replaceChildren(
      ...(layout === null ? [] : layout.items).flatMap(({ id, x, y, body }) => {
        const found = colours.get(id);
        if (found === undefined) return [];
        const rect = document.createElementNS(svgSpace, "rect");
        const [width, height] = [body.width + 2 * rim, body.height + 2 * rim];
        const places = { x: x - width / 2, y: y - height / 2, width, height, rx: Math.min(width, height) / 2.6 };
        for (const [name, value] of Object.entries(places)) rect.setAttribute(name, String(value));
        if (found.colour === null) rect.setAttribute("class", "bad");
        else rect.setAttribute("fill", found.colour);
        rect.setAttribute("data-tint", found.title);
        return [rect];
      }),
    );
  }

  // What is lit, chosen, focused.

  light(keys: readonly string[]): void {
    this.#mark("data-lit", keys);
  }

  choose(what: Chosen | null): void {
    this.#mark("data-chosen", what === null ? [] : [this.keyOf(what)]);
  }

  #mark(name: string, keys: readonly string[]): void {
    const before = this.#marked.get(name) ?? [];
    if (before.length === 0 && keys.length === 0) return;
    for (const element of before) element.removeAttribute(name);
    const now = keys.flatMap((key) => this.#elements.get(key) ?? []);
    for (const element of now) element.setAttribute(name, "");
    this.#marked.set(name, now);
  }

  /** The key of an element: `i` items, `w` wires, with their places. */
  keyOf(what: Chosen): string {
    if (what.kind === "wire") return `w${what.index}`;
    return `i${this.#scene?.items.findIndex(({ id }) => id === what.id) ?? -1}`;
  }

  #chosenOf(key: string): Chosen | null {
    const index = Number(key.slice(1));
    if (key[0] === "w") return { kind: "wire", index };
    const item = this.#scene?.items[index];
    return item === undefined ? null : { kind: "item", id: item.id };
  }

  #rove(key: string): void {
    this.#elements.get(this.#roving)?.removeAttribute("tabindex");
    this.#roving = key;
    this.#elements.get(key)?.setAttribute("tabindex", "0");
  }

  /** What the arrow keys stand at. */
  get current(): Chosen | null {
    return this.#elements.has(this.#roving) ? this.#chosenOf(this.#roving) : null;
  }

  focus(what?: Chosen): void {
    if (what !== undefined) this.#goTo(this.keyOf(what));
    else (this.#elements.get(this.#roving) as SVGElement | undefined)?.focus({ preventScroll: true });
  }

  #goTo(key: string): void {
    const element = this.#elements.get(key) as SVGElement | undefined;
    if (element === undefined) return;
    this.#rove(key);
    element.focus({ preventScroll: true });
    const index = Number(key.slice(1));
    const point = key[0] === "w" ? this.#layout!.wires[index]!.slot : this.#layout!.items[index]!;
    this.#revealPoint(point);
  }

  /** Goes along the wires: left to the producer, right to the consumer, up and down to the ports beside. */
  move(arrow: Direction): void {
    const scene = this.#scene;
    // Where the graph grows downwards, so do its wires.
    const direction = this.#layout?.direction === "down" ? turned[arrow] : arrow;
    const key = this.#roving;
    if (scene === null || key === "") return;
    const next =
      key[0] === "i" ? this.#fromItem(scene, Number(key.slice(1)), direction) : this.#fromWire(scene, Number(key.slice(1)), direction);
    if (next !== null) this.#goTo(next);
  }

  /** How far along the wires' way a point lies, and how far across it. */
  #along({ x, y }: Point): number {
    return this.#layout?.direction === "down" ? y : x;
  }

  #across({ x, y }: Point): number {
    return this.#layout?.direction === "down" ? x : y;
  }

  #fromItem({ items, wires }: Scene, index: number, direction: Direction): string | null {
    const id = items[index]?.id;
    if (direction === "left" || direction === "right") {
      const isLeft = direction === "left";
      const found = wires
        .map((wire, i) => ({ wire, i }))
        .filter(({ wire }) => (isLeft ? wire.to : wire.from) === id)
        .sort((a, b) =>
          isLeft
            ? a.wire.input - b.wire.input
            : this.#across(this.#layout!.wires[a.i]!.slot) - this.#across(this.#layout!.wires[b.i]!.slot),
        );
      if (found.length === 0) return null;
      this.#side = isLeft ? "to" : "from";
      return `w${found[0]!.i}`;
    }
    const own = this.#layout!.items[index]!;
    let best: { key: string; distance: number } | null = null;
    this.#layout!.items.forEach((item, i) => {
      const dy = (direction === "down" ? 1 : -1) * (this.#across(item) - this.#across(own));
      if (dy <= 4) return;
      const distance = dy + 2 * Math.abs(this.#along(item) - this.#along(own));
      if (best === null || distance < best.distance) best = { key: `i${i}`, distance };
    });
    return (best as { key: string } | null)?.key ?? null;
  }

  #fromWire({ items, wires }: Scene, index: number, direction: Direction): string | null {
    const wire = wires[index];
    if (wire === undefined) return null;
    if (direction === "left" || direction === "right")
      return `i${items.findIndex(({ id }) => id === (direction === "left" ? wire.from : wire.to))}`;
    const siblings = (side: "to" | "from"): number[] =>
      wires
        .map((_, i) => i)
        .filter((i) => wires[i]![side] === wire[side])
        .sort((a, b) => this.#across(this.#layout!.wires[a]!.slot) - this.#across(this.#layout!.wires[b]!.slot));
    const own = siblings(this.#side);
    const list = own.length > 1 ? own : siblings(this.#side === "to" ? "from" : "to");
    const next = list[list.indexOf(index) + (direction === "down" ? 1 : -1)];
    return next === undefined ? null : `w${next}`;
  }

  // The pointer.

  #keyAt(target: EventTarget | null): string | null {
    if (!(target instanceof Element)) return null;
    const element = target.closest("[data-item],[data-wire]");
    if (element === null || !this.svg.contains(element)) return null;
    return element.hasAttribute("data-item") ? `i${element.getAttribute("data-item")}` : `w${element.getAttribute("data-wire")}`;
  }

  #listen(): void {
    const { svg } = this;
    svg.addEventListener(
      "wheel",
      (event) => {
        event.preventDefault();
        const box = svg.getBoundingClientRect();
        const by = Math.exp(-event.deltaY * (event.deltaMode === 1 ? 0.05 : event.ctrlKey ? 0.01 : 0.0016));
        this.zoom(by, { x: event.clientX - box.left, y: event.clientY - box.top });
      },
      { passive: false },
    );
    svg.addEventListener("pointerdown", (event) => this.#down(event));
    svg.addEventListener("pointermove", (event) => this.#move(event));
    svg.addEventListener("pointerup", (event) => this.#up(event));
    svg.addEventListener("pointercancel", (event) => this.#up(event));
    svg.addEventListener("pointerover", (event) => {
      if (this.#pointers.size > 0) return;
      const key = this.#keyAt(event.target);
      this.#events.hover(key === null ? null : this.#chosenOf(key));
    });
    svg.addEventListener("pointerleave", () => this.#events.hover(null));
    svg.addEventListener("dblclick", (event) => {
      // The pointer was captured by the whole picture, so that is what was clicked twice.
      const key = this.#keyAt(document.elementFromPoint(event.clientX, event.clientY));
      const item = key?.[0] === "i" ? this.#scene?.items[Number(key.slice(1))] : undefined;
      if (item?.kind === "module") this.#events.toggle(item.id, false);
    });
    svg.addEventListener("focusin", (event) => {
      const key = this.#keyAt(event.target);
      if (key !== null && key !== this.#roving) this.#rove(key);
      if (key !== null) this.#events.hover(this.#chosenOf(key));
    });
    svg.addEventListener("focusout", () => this.#events.hover(null));
    const jump = (event: PointerEvent): void => {
      if (event.buttons === 0) return;
      const box = this.minimap.getBoundingClientRect();
      const { x, y, width, height } = this.minimap.viewBox.baseVal;
      const unit = Math.max(width / box.width, height / box.height);
      const spot = {
        x: x + width / 2 + (event.clientX - box.left - box.width / 2) * unit,
        y: y + height / 2 + (event.clientY - box.top - box.height / 2) * unit,
      };
      const [w, h] = this.#size();
      this.#pan(w / 2 - spot.x * this.#scale - this.#at.x, h / 2 - spot.y * this.#scale - this.#at.y);
    };
    this.minimap.addEventListener("pointerdown", jump);
    this.minimap.addEventListener("pointermove", jump);
  }

  #down(event: PointerEvent): void {
    if (event.button !== 0) return;
    this.#pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    this.#travelled = 0;
    const target = event.target as Element;
    const wire = target.closest("[data-draggable]") === null ? null : target.closest("[data-wire]");
    if (wire !== null && this.#pointers.size === 1) {
      this.#drag = { wire: Number(wire.getAttribute("data-wire")), x: event.clientX, moved: false };
      event.preventDefault();
    } else this.#drag = null;
    this.svg.setPointerCapture(event.pointerId);
  }

  #move(event: PointerEvent): void {
    const before = this.#pointers.get(event.pointerId);
    if (before === undefined) return;
    const now = { x: event.clientX, y: event.clientY };
    const others = [...this.#pointers].filter(([id]) => id !== event.pointerId).map(([, point]) => point);
    this.#pointers.set(event.pointerId, now);
    this.#travelled += Math.abs(now.x - before.x) + Math.abs(now.y - before.y);
    if (this.#drag !== null) {
      if (this.#travelled > 3) {
        this.#events.drag(this.#drag.wire, now.x - this.#drag.x, !this.#drag.moved);
        this.#drag.moved = true;
      }
      return;
    }
    const [other] = others;
    if (other !== undefined) {
      const box = this.svg.getBoundingClientRect();
      const apart = (p: Point): number => Math.hypot(p.x - other.x, p.y - other.y);
      this.zoom(apart(now) / Math.max(1, apart(before)), { x: (now.x + other.x) / 2 - box.left, y: (now.y + other.y) / 2 - box.top });
      return;
    }
    if (this.#travelled > 3) this.#pan(now.x - before.x, now.y - before.y);
  }

  #up(event: PointerEvent): void {
    const wasOne = this.#pointers.size === 1;
    this.#pointers.delete(event.pointerId);
    const dragged = this.#drag?.moved === true;
    this.#drag = null;
    if (event.type === "pointercancel" || !wasOne || dragged || this.#travelled > 3) return;
    const under = document.elementFromPoint(event.clientX, event.clientY);
    const title = under?.closest(".cr-group-title");
    const opened = title == null ? undefined : this.#scene?.groups?.[Number(title.getAttribute("data-group"))];
    if (opened !== undefined) {
      this.#events.toggle(opened.id, true);
      return;
    }
    const key = this.#keyAt(under);
    if (key !== null) this.#goTo(key);
    else this.svg.focus({ preventScroll: true });
    this.#events.choose(key === null ? null : this.#chosenOf(key));
  }
}

/** The picture on the page, for keys and commands. */
export const canvas: Signal<Canvas | null> = signal(null);

/** Gives the picture the focus, once it is on the page, where what had it has gone: so that who works by keyboard is not sent back to the page's beginning. */
export function focusPicture(): void {
  let isDone = false;
  const end = effect(() => {
    const made = canvas.value;
    if (made === null || isDone) return;
    isDone = true;
    afterFrame(() => {
      end();
      if (document.activeElement === document.body) made.svg.focus({ preventScroll: true });
    });
  });
}
