import { computed, effect, useComputed } from "@preact/signals";
import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { state } from "../state/store.ts";
import { Icon, type icons } from "./icons.tsx";
import {
  canGoBack,
  canGoOn,
  goBack,
  goTo,
  goToEnd,
  goToPass,
  goToStart,
  grain,
  hasModel,
  model,
  pause,
  place,
  play,
  playing,
  set,
  setSpeed,
  stop,
  stops,
} from "./model.ts";
import { stepOn } from "./quiz-state.ts";
import { type Grain, grains, speeds } from "./state.ts";
import type { Stop, Walk, WalkStep } from "./stops.ts";
import { graphWords } from "./words.ts";

/** More steps than this have a slider instead of a chip each. */
const mostChips = 150;

function Control({ id, icon, label, onClick, disabled = false }: ControlProps): JSX.Element {
  return (
    <button type="button" id={id} aria-label={label} title={label} aria-disabled={disabled} onClick={() => !disabled && onClick()}>
      <Icon of={icon} />
    </button>
  );
}

interface ControlProps {
  readonly id: string;
  readonly icon: keyof typeof icons;
  readonly label: string;
  readonly disabled?: boolean;
  readonly onClick: () => void;
}

// What the buttons look at, each by itself: a step changes few of them.
const rate = computed(() => state.value.graph.speed);
const asks = computed(() => state.value.graph.quiz);
const inBackward = computed(() => stop.value.t > (model.value?.walk.forward ?? 0));

/** The buttons that walk, and how large a step is. */
export function Controls(): JSX.Element {
  const w = graphWords.value;
  const speed = rate.value;
  const quiz = asks.value;
  const isBackward = inBackward.value;
  return (
    <div class="controls">
      <div class="group" role="group" aria-label={w.trace}>
        <Control id="first" icon="first" label={w.first} disabled={!canGoBack.value} onClick={goToStart} />
        <Control id="previous" icon="previous" label={w.previous} disabled={!canGoBack.value} onClick={goBack} />
        <Control
          id="play"
          icon={playing.value ? "pause" : "play"}
          label={playing.value ? w.pause : w.play}
          disabled={!hasModel.value}
          onClick={play}
        />
        <Control id="next" icon="next" label={w.next} disabled={!canGoOn.value} onClick={stepOn} />
        <Control id="last" icon="last" label={w.last} disabled={!canGoOn.value} onClick={goToEnd} />
      </div>
      <div class="segments" role="group" aria-label={w.passes}>
        <button type="button" id="forward" aria-disabled={!hasModel.value} aria-pressed={!isBackward} onClick={() => goToPass(false)}>
          {w.forward}
        </button>
        <button type="button" id="backward" aria-disabled={!hasModel.value} aria-pressed={isBackward} onClick={() => goToPass(true)}>
          {w.backward}
        </button>
      </div>
      <div class="segments" role="group" aria-label={w.grain}>
        {grains.map((name) => (
          <button type="button" key={name} id={`grain-${name}`} aria-pressed={grain.value === name} onClick={() => setGrain(name)}>
            {w[`grain ${name}`]}
          </button>
        ))}
      </div>
      <label class="inline">
        {w.speed}{" "}
        <select id="speed" value={String(speed)} onChange={(event) => setSpeed(Number(event.currentTarget.value))}>
          {speeds.map((x) => (
            <option key={x} value={String(x)}>
              {x}×
            </option>
          ))}
        </select>
      </label>
      <button type="button" id="quiz" aria-pressed={quiz} title={w.quizHint} onClick={() => set({ quiz: !quiz })}>
        {w.quiz}
      </button>
    </div>
  );
}

/** Steps of another size; the walk stands where it stood. */
export function setGrain(to: Grain): void {
  pause();
  set({ grain: to });
}

/** Where each chip stands in its row, and how wide the row is: measured when the chips or the page's width change, not at each step. */
interface Row {
  readonly element: HTMLElement;
  readonly chips: readonly { readonly left: number; readonly right: number }[];
  readonly width: number;
}

function measured(element: HTMLElement): Row {
  const chips = [...element.children].map((chip) => {
    const { offsetLeft: left, offsetWidth: width } = chip as HTMLElement;
    return { left: left - element.offsetLeft, right: left - element.offsetLeft + width };
  });
  return { element, chips, width: element.clientWidth };
}

/** Scrolls the row as little as shows a chip with some room around it. */
function showChip({ element, chips, width }: Row, at: number, scrolled: { at: number }): void {
  const chip = chips[at];
  if (chip === undefined || (chip.left >= scrolled.at + 20 && chip.right <= scrolled.at + width - 20)) return;
  element.scrollLeft = Math.max(0, chip.left - width / 2);
  scrolled.at = element.scrollLeft;
}

interface ChipProps {
  readonly stop: Stop;
  /** Its place among the stops; the start, which has no chip, is 0. */
  readonly number: number;
  readonly step: WalkStep;
  readonly label: string;
}

/** One step. Its looks follow the walk by themselves, so that a step does not make all chips anew. */
function Chip({ stop, number, step, label }: ChipProps): JSX.Element {
  const looks = useComputed(() => `chip ${step.pass}${number < place.value ? " past" : ""}${stop.edge === null ? "" : " part"}`);
  const current = useComputed(() => (number === place.value ? "step" : undefined));
  const order = useComputed(() => (number === Math.max(1, place.value) ? 0 : -1));
  return (
    <button
      type="button"
      class={looks}
      aria-current={current}
      aria-label={label}
      tabIndex={order}
      onClick={() => {
        pause();
        goTo(stop);
      }}
      onKeyDown={(event) => {
        const to =
          event.key === "ArrowRight"
            ? event.currentTarget.nextElementSibling
            : event.key === "ArrowLeft"
              ? event.currentTarget.previousElementSibling
              : null;
        if (to instanceof HTMLElement && !event.isComposing) {
          to.focus();
          to.click();
        }
      }}
    >
      {step.label === "" ? step.name : step.label}
    </button>
  );
}

function Chips({ list, walk }: { readonly list: readonly Stop[]; readonly walk: Walk }): JSX.Element {
  const w = graphWords.value;
  const host = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = host.current!;
    const scrolled = { at: element.scrollLeft };
    let row: Row | null = null;
    const forget = (): void => {
      row = null;
    };
    const keep = (): void => {
      scrolled.at = element.scrollLeft;
    };
    const watch = new ResizeObserver(forget);
    watch.observe(element);
    element.addEventListener("scroll", keep, { passive: true });
    const end = effect(() => {
      const at = place.value - 1;
      if (row !== null) showChip(row, at, scrolled);
      // The first time after the chips are laid out anyway.
      else
        requestAnimationFrame(() => {
          row ??= measured(element);
          showChip(row, place.peek() - 1, scrolled);
        });
    });
    return () => {
      end();
      watch.disconnect();
      element.removeEventListener("scroll", keep);
    };
  }, [list]);
  return (
    <div class="chips" role="group" aria-label={w.scrubber} ref={host}>
      {list.slice(1).map((stop, i) => {
        const step = walk.steps[stop.t - 1]!;
        const isForward = step.pass === "forward";
        const label = step.label === "" ? step.name : step.label;
        const number = isForward ? stop.t : stop.t - walk.forward;
        return (
          <Chip
            // What its looks are made of is in the key: with another place or pass it is another chip.
            key={`${i} ${stop.t}.${stop.edge ?? ""} ${step.pass}`}
            stop={stop}
            number={i + 1}
            step={step}
            label={w.chip(label, number, isForward ? w.forward : w.backward, step.name)}
          />
        );
      })}
    </div>
  );
}

function Slider({ list }: { readonly list: readonly Stop[] }): JSX.Element {
  return (
    <input
      id="scrub"
      type="range"
      aria-label={graphWords.value.scrubber}
      min={0}
      max={list.length - 1}
      value={place.value}
      onInput={(event) => {
        pause();
        goTo(list[event.currentTarget.valueAsNumber]!);
      }}
    />
  );
}

/** A chip for each step; a slider where they are too many. */
export function Scrubber(): JSX.Element {
  const list = stops.value;
  const walk = model.value?.walk;
  if (walk === undefined) return <div class="chips" />;
  return list.length - 1 > mostChips ? <Slider list={list} /> : <Chips list={list} walk={walk} />;
}
