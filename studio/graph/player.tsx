import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
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

/** The buttons that walk, and how large a step is. */
export function Controls(): JSX.Element {
  const w = graphWords.value;
  const { speed, quiz } = state.value.graph;
  const isBackward = stop.value.t > (model.value?.walk.forward ?? 0);
  return (
    <div class="controls">
      <div class="group" role="group" aria-label={w.trace}>
        <Control id="first" icon="first" label={w.first} disabled={!canGoBack.value} onClick={goToStart} />
        <Control id="previous" icon="previous" label={w.previous} disabled={!canGoBack.value} onClick={goBack} />
        <Control id="play" icon={playing.value ? "pause" : "play"} label={playing.value ? w.pause : w.play} onClick={play} />
        <Control id="next" icon="next" label={w.next} disabled={!canGoOn.value} onClick={stepOn} />
        <Control id="last" icon="last" label={w.last} disabled={!canGoOn.value} onClick={goToEnd} />
      </div>
      <div class="segments" role="group" aria-label={w.passes}>
        <button type="button" id="forward" aria-pressed={!isBackward} onClick={() => goToPass(false)}>
          {w.forward}
        </button>
        <button type="button" id="backward" aria-pressed={isBackward} onClick={() => goToPass(true)}>
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

/** A chip for each step; a slider where they are too many. */
export function Scrubber(): JSX.Element {
  const w = graphWords.value;
  const list = stops.value;
  const at = place.value;
  const walk = model.value?.walk;
  const row = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const frame = requestAnimationFrame(() => {
      const now = row.current?.querySelector<HTMLElement>("[aria-current]");
      if (now == null || row.current === null) return;
      const box = row.current.getBoundingClientRect();
      const own = now.getBoundingClientRect();
      if (own.left < box.left + 20 || own.right > box.right - 20) row.current.scrollLeft += own.left - box.left - box.width / 2;
    });
    return () => cancelAnimationFrame(frame);
  }, [at]);
  if (walk === undefined) return <div class="chips" />;
  if (list.length - 1 > mostChips)
    return (
      <input
        id="scrub"
        type="range"
        aria-label={w.scrubber}
        min={0}
        max={list.length - 1}
        value={at}
        onInput={(event) => {
          pause();
          goTo(list[event.currentTarget.valueAsNumber]!);
        }}
      />
    );
  return (
    <div class="chips" role="group" aria-label={w.scrubber} ref={row}>
      {list.slice(1).map((stop, i) => {
        const step = walk.steps[stop.t - 1]!;
        const isForward = step.pass === "forward";
        const label = step.label === "" ? step.name : step.label;
        const number = isForward ? stop.t : stop.t - walk.forward;
        return (
          <button
            type="button"
            key={`${stop.t}.${stop.edge ?? ""}`}
            class={`chip ${step.pass}${i + 1 < at ? " past" : ""}${stop.edge === null ? "" : " part"}`}
            aria-current={i + 1 === at ? "step" : undefined}
            aria-label={w.chip(label, number, isForward ? w.forward : w.backward, step.name)}
            tabIndex={i + 1 === Math.max(1, at) ? 0 : -1}
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
            {label}
          </button>
        );
      })}
    </div>
  );
}
