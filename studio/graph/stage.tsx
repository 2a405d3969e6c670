import { computed, effect, type ReadonlySignal } from "@preact/signals";
import type { Scene, Value } from "chainrule";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { language } from "../state/store.ts";
import { Canvas, canvas } from "./canvas.ts";
import { HeldMissing } from "./held-numbers.tsx";
import { Icon } from "./icons.tsx";
import { keyDown } from "./keys.ts";
import {
  chosen,
  crumbs,
  depth,
  direction,
  engine,
  heldNow,
  isStale,
  laying,
  litItems,
  litSpans,
  model,
  near,
  nearItem,
  reach,
  set,
  setDepth,
  setReach,
  setValue,
  stop,
  textOf,
  tint,
  toggleModule,
  variables,
} from "./model.ts";
import { reaches } from "./state.ts";
import { TintLegend, tints } from "./tint.tsx";
import { numberIn, rounded } from "./variables.tsx";
import { graphWords } from "./words.ts";

const scene: ReadonlySignal<Scene | null> = computed(() => {
  const made = model.value;
  return made === null || engine.value === null ? null : engine.value.sceneAt(made, stop.value);
});

/** Whether some module is in the picture, open or closed. */
const hasModules = computed(
  () => (scene.value?.groups?.length ?? 0) > 0 || scene.value?.items.some(({ kind }) => kind === "module") === true,
);

/** The names of the variables by their values. */
const namesOf: ReadonlySignal<ReadonlyMap<Value, string>> = computed(
  () => new Map(Object.entries(model.value?.variables ?? {}).map(([name, v]) => [v, name])),
);

/** The variable whose number stands on a wire and can be dragged: a scalar leaf of floating point. */
function draggedName(wire: number): string | null {
  const v = model.peek()?.picture.valueOf(wire);
  const name = v === undefined ? undefined : namesOf.peek().get(v);
  if (v === undefined || name === undefined || v.type.shape.length > 0) return null;
  return Number.isFinite(numberIn(textOf(name, variables.peek().indexOf(name)))) ? name : null;
}

/** The nodes of what is chosen or pointed at, by which the formula's parts are lit. */
function spansOf(what: typeof chosen.value): readonly { readonly from: number; readonly to: number }[] {
  const made = model.peek();
  const library = engine.peek();
  if (made === null || library === null || what === null) return [];
  const nodes = what.kind === "wire" ? [made.picture.valueOf(what.index).node] : made.picture.nodesOf(what.id);
  const names = Object.entries(made.variables).filter(([, v]) => nodes.includes(v.node));
  if (names.length > 0) return names.flatMap(([name]) => library.spansOfVariable(made, name));
  const spans = library.spansOf(nodes, made.read.source);
  return what.kind === "wire" ? spans.slice(0, 1) : nodes.length > 1 ? spans : spans.slice(0, 1);
}

/** Where the chosen item lies; a module's name leads back to it, closed. */
function Crumbs(): JSX.Element {
  const w = graphWords.value;
  return (
    <nav class="crumbs" id="crumbs" aria-label={w.crumbs}>
      {crumbs.value.map(({ id, label }) => (
        <button
          type="button"
          class="small"
          key={id}
          title={w.closeModule(label)}
          onClick={() => {
            chosen.value = { kind: "item", id };
            toggleModule(id, true);
          }}
        >
          {label}
        </button>
      ))}
    </nav>
  );
}

/** The picture with its legend and tools. */
export function Stage(): JSX.Element {
  const w = graphWords.value;
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => {
    let start = 0;
    const made = new Canvas(host.current!, {
      choose: (what) => (chosen.value = what),
      hover: (what) => (litSpans.value = spansOf(what)),
      toggle: toggleModule,
      draggable: draggedName,
      drag: (wire, pixels, starts) => {
        const name = draggedName(wire);
        if (name === null) return;
        if (starts) start = numberIn(textOf(name, variables.peek().indexOf(name)));
        setValue(name, rounded(start + pixels / 50));
      },
    });
    canvas.value = made;
    let style: CSSStyleSheet | null = null;
    let last = "";
    const ends = [
      effect(() => {
        const shown = scene.value;
        const { value } = model;
        if (shown === null || value === null) return;
        if (style === null) {
          style = new CSSStyleSheet();
          style.replaceSync(value.picture.style());
          document.adoptedStyleSheets = [...document.adoptedStyleSheets, style];
        }
        made.show(value.picture, shown, `${value.name}. ${graphWords.value.canvas}`);
        made.choose(chosen.peek());
        const active = value.walk.steps[stop.peek().t - 1]?.item;
        const now = `${stop.peek().t}`;
        if (active !== undefined && now !== last) made.reveal(active);
        last = now;
      }),
      effect(() => made.choose(chosen.value)),
      effect(() => {
        // Read again with another layout.
        void scene.value;
        made.tint(tints.value?.of ?? new Map());
      }),
      effect(() => {
        // The legend of the colours comes and goes; it is laid out with the next frame.
        void tint.value;
        requestAnimationFrame(() => made.makeRoom());
      }),
      effect(() => made.light(litItems.value.map((id) => made.keyOf({ kind: "item", id })))),
    ];
    return () => {
      for (const end of ends) end();
      if (style !== null) document.adoptedStyleSheets = document.adoptedStyleSheets.filter((sheet) => sheet !== style);
      canvas.value = null;
      made.end();
    };
  }, []);
  return (
    <section class={isStale.value ? "stage stale" : "stage"} id="stage" aria-label={w.node} lang={language.value} onKeyDown={keyDown}>
      <div class="picture" ref={host} />
      <p class="legend" aria-hidden="true">
        <span class="fwd">1.25</span> {w.legendValue} <span class="grad">−0.20</span> {w.legendGradient}{" "}
        <span class="together">
          <span class="not-yet">·</span> {w.legendNotYet}
        </span>
      </p>
      <TintLegend />
      {crumbs.value.length > 0 && <Crumbs />}
      <HeldMissing />
      {laying.value !== null ? (
        <p class="stale-note" role="status" id="laying">
          {laying.value.items === null ? w.computing : w.laying(laying.value.items)}{" "}
          <button type="button" class="small" id="stop-laying" onClick={laying.value.cancel}>
            {w.cancel}
          </button>
        </p>
      ) : (
        isStale.value && heldNow.value.kind !== "missing" && <p class="stale-note">{w.stale}</p>
      )}
      <div class="tools" role="group">
        {nearItem.value !== null && (
          <label class="inline">
            {w.show}{" "}
            <select
              id="reach"
              value={near.value === null ? "all" : reach.value}
              onChange={(event) => setReach(reaches.find((reach) => reach === event.currentTarget.value) ?? null)}
            >
              <option value="all">{w.showAll}</option>
              {reaches.map((reach) => (
                <option key={reach} value={reach}>
                  {reach === "feeds" ? w.showFeeds : w.showNear(Number(reach))}
                </option>
              ))}
            </select>
          </label>
        )}
        {hasModules.value && (
          <label class="inline">
            {w.depth}{" "}
            <select
              id="depth"
              value={String(depth.value ?? "auto")}
              onChange={(event) => setDepth(event.currentTarget.value === "auto" ? null : Number(event.currentTarget.value))}
            >
              <option value="auto">{w.depthAuto}</option>
              {[0, 1, 2, 3].map((n) => (
                <option key={n} value={String(n)}>
                  {n}
                </option>
              ))}
              <option value="-1">{w.depthAll}</option>
            </select>
          </label>
        )}
        <button
          type="button"
          class="small"
          id="direction"
          aria-label={w.down}
          title={w.down}
          aria-pressed={direction.value === "down"}
          onClick={() => set({ direction: direction.value === "down" ? "right" : "down" })}
        >
          <Icon of="down" />
        </button>
        <button
          type="button"
          class="small"
          id="tint"
          aria-label={w.tint}
          title={w.tint}
          aria-pressed={tint.value}
          onClick={() => set({ tint: !tint.value })}
        >
          <Icon of="tint" />
        </button>
        <button type="button" class="small" aria-label={w.zoomOut} title={w.zoomOut} onClick={() => canvas.value?.zoom(1 / 1.25)}>
          <Icon of="minus" />
        </button>
        <button type="button" class="small" aria-label={w.zoomIn} title={w.zoomIn} onClick={() => canvas.value?.zoom(1.25)}>
          <Icon of="plus" />
        </button>
        <button type="button" class="small" id="fit" aria-label={w.fit} title={`${w.fit} (0)`} onClick={() => canvas.value?.fit(true)}>
          <Icon of="fit" />
        </button>
      </div>
    </section>
  );
}
