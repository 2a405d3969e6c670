import { signal, useSignal, useSignalEffect } from "@preact/signals";
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { state } from "../state/store.ts";
import { AsideCanvas } from "./aside-canvas.tsx";
import { draws, facts, generation, sendLook, shot } from "./client.ts";
import type { Facts, Look, Points, Snapshot } from "./messages.ts";
import { looked } from "./net-panel.tsx";
import { cornersOf, dark, heat, ink, mark, repaint, sharp } from "./paint.ts";
import { classColour, css, paintPlane } from "./pictures.ts";
import { set } from "./settings.ts";
import { type DrawnPoint, limits } from "./state.ts";
import { short, words } from "./words.ts";

export const showTest = signal(true);
export const discrete = signal(false);
/** Which class a new point has. */
export const penClass = signal<0 | 1>(1);

const round = (v: number): number => Math.round(100 * v) / 100;

/** The output over the plane with the data on it; or, on a line, the net's curve. Points can be drawn on it. */
export function OutputMap(): JSX.Element {
  const under = useRef<HTMLCanvasElement>(null);
  const over = useRef<HTMLCanvasElement>(null);
  const cross = useSignal<readonly [number, number] | null>(null);
  /** The pointer that was pressed on the map and draws: one that comes in with its button down does not. */
  const pen = useRef<number | null>(null);
  const { data } = state.value.train;
  const drawing = data === "draw";
  const w = words.value;

  useSignalEffect(() => {
    const look: Look = { isDark: dark.value, discrete: discrete.value, unit: looked.value };
    if (draws.value) {
      generation.value;
      sendLook(look);
      return;
    }
    const now = shot.value;
    const known = facts.value;
    repaint.value;
    if (under.current === null || now === null || known === null) return;
    const { shape } = known.problem;
    if (shape === "plane" || shape === "table") paintPlane(under.current, known, now, look, state.peek().train.activation);
  });
  useSignalEffect(() => {
    // Points and curve: points change with the data only, the curve with each picture.
    const known = facts.value;
    const line = known?.problem.shape === "line";
    const now = line ? shot.value : shot.peek();
    repaint.value;
    const tests = showTest.value;
    const own = state.value.train.data === "draw" ? state.value.train.drawn : null;
    const hair = cross.value;
    const unit = line ? looked.value : null;
    if (over.current === null) return;
    const surface = sharp(over.current);
    if (surface === null) return;
    if (own !== null) paintDrawn(surface, own, hair);
    else if (known !== null && line && now !== null) paintLine(surface, known, now, tests, unit);
    else if (known !== null && known.problem.shape !== "image") paintPoints(surface, known, tests);
  });

  const put = (x: number, y: number, label: 0 | 1): void => {
    const points = state.value.train.drawn;
    if (points.length < limits.drawn) set({ drawn: [...points, [round(x), round(y), label]] }, "draw");
  };
  const drop = (x: number, y: number): void => {
    const points = state.value.train.drawn;
    if (points.length === 0) return;
    const far = ([a, b]: DrawnPoint): number => (a - x) ** 2 + (b - y) ** 2;
    const nearest = points.reduce((best, p) => (far(p) < far(best) ? p : best));
    set({ drawn: points.filter((p) => p !== nearest) }, "draw");
  };
  const place = (event: PointerEvent): readonly [number, number] => {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    return [12 * ((event.clientX - box.left) / box.width) - 6, 6 - 12 * ((event.clientY - box.top) / box.height)];
  };
  const known = facts.value;
  const labels = known?.problem;
  const what = looked.value === null ? w["output of"](w.net) : w["output of"](w.unit(looked.value.layer + 1, looked.value.unit + 1));
  const label = labels?.shape === "line" ? w["line label"] : w["map label"](what);
  return (
    <figure class="map">
      <div class="map-box">
        {draws.value ? (
          <AsideCanvas key={`worker ${generation.value}`} name="map" class="pixels" />
        ) : (
          <canvas key="page" ref={under} class={labels?.shape === "line" ? "hidden" : "pixels"} aria-hidden="true" />
        )}
        <canvas
          ref={over}
          class="marks"
          role={drawing ? "application" : "img"}
          tabIndex={drawing ? 0 : undefined}
          aria-label={drawing ? `${label}. ${w["draw hint"]}` : label}
          onPointerDown={(event) => {
            if (!drawing || event.button !== 0) return;
            pen.current = event.pointerId;
            event.currentTarget.setPointerCapture(event.pointerId);
            put(...place(event), penClass.value);
          }}
          onLostPointerCapture={() => (pen.current = null)}
          // A press within selected text would drag the text, and take the pointer away.
          onDragStart={(event) => event.preventDefault()}
          onPointerMove={(event) => {
            // Dragging sprays points.
            if (!drawing || pen.current !== event.pointerId) return;
            const [x, y] = place(event);
            const [px, py] = state.peek().train.drawn.at(-1) ?? [9, 9];
            if (Math.max(Math.abs(x), Math.abs(y)) <= 6 && Math.hypot(x - px, y - py) > 0.5) put(x, y, penClass.value);
          }}
          onBlur={() => (cross.value = null)}
          onKeyDown={(event) => {
            if (!drawing || event.isComposing) return;
            const [x, y] = cross.value ?? [0, 0];
            const far = event.shiftKey ? 1 : 0.25;
            const move = { ArrowLeft: [-far, 0], ArrowRight: [far, 0], ArrowUp: [0, far], ArrowDown: [0, -far] }[event.key];
            const inside = (v: number): number => Math.max(-6, Math.min(6, v));
            if (move !== undefined) cross.value = [inside(x + move[0]!), inside(y + move[1]!)];
            else if (event.key === "1") penClass.value = 0;
            else if (event.key === "2") penClass.value = 1;
            else if (event.key === "Enter" || event.key === " ") put(x, y, penClass.value);
            else if (event.key === "Delete" || event.key === "Backspace") drop(x, y);
            else return;
            event.preventDefault();
          }}
        />
      </div>
      <figcaption class="muted">
        {labels === undefined || labels.shape === "image"
          ? ""
          : labels.shape === "line"
            ? w.axes("x", "f(x)")
            : w.axes(labels.columns[0]!, labels.columns[1] ?? "")}
      </figcaption>
      <Legend />
    </figure>
  );
}

/** What the colours say. */
function Legend(): JSX.Element | null {
  const known = facts.value;
  const canvas = useRef<HTMLCanvasElement>(null);
  useSignalEffect(() => {
    repaint.value;
    facts.value;
    if (canvas.current !== null)
      heat(
        canvas.current,
        Float32Array.from({ length: 64 }, (_, i) => i / 31.5 - 1),
        64,
        1,
        0,
        1,
        1,
      );
  });
  if (known === null || known.problem.shape === "line" || known.problem.shape === "image") return null;
  const { task, classes, range, target } = known.problem;
  if (task.kind === "classes")
    return (
      <p class="map-legend">
        {classes.slice(0, 12).map((name, i) => (
          <span key={`${i} ${name}`}>
            <svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
              {i === 1 ? (
                <circle cx="6" cy="6" r="5" fill={css(classColour(i, classes.length))} />
              ) : (
                <polygon points={cornersOf(i, 6, 6, 5).join(" ")} fill={css(classColour(i, classes.length))} />
              )}
            </svg>{" "}
            {name}
          </span>
        ))}
      </p>
    );
  const most = Math.max(Math.abs(range[0]), Math.abs(range[1])) * target.scale;
  const [low, high] =
    task.kind === "number" ? [short(target.center - most, 2), short(target.center + most, 2)] : [classes[0]!, classes[1]!];
  return (
    <p class="map-legend">
      <span>{task.kind === "number" ? low : `■ ${low}`}</span>
      <canvas ref={canvas} class="ramp" aria-hidden="true" />
      <span>{task.kind === "number" ? high : `● ${high}`}</span>
    </p>
  );
}

type Surface = NonNullable<ReturnType<typeof sharp>>;

function colourOf(known: Facts, y: number): string {
  const { task, range } = known.problem;
  if (task.kind !== "number") return css(classColour(y, task.kind === "classes" ? task.count : 2));
  const most = Math.max(Math.abs(range[0]), Math.abs(range[1])) || 1;
  const t = Math.min(1, Math.abs(y) / most);
  const [r, g, b] = classColour(y < 0 ? 0 : 1, 2).map((v) => Math.round(255 + t * (v - 255)));
  return css([r!, g!, b!]);
}

function paintPoints({ context, width, height }: Surface, known: Facts, tests: boolean): void {
  const { reach, space, task } = known.problem;
  const draw = ({ rows, at, y }: Points, test: boolean): void => {
    const r = rows > 800 ? 2.4 : 3.4;
    for (let i = 0; i < rows; i++) {
      const [a, b] = [at[i * space]!, space > 1 ? at[i * space + 1]! : 0];
      const [x, v] = [(width * (a + reach)) / (2 * reach), (height * (reach - b)) / (2 * reach)];
      mark(context, x, v, r, task.kind === "number" ? 1 : y[i]!, colourOf(known, y[i]!), test);
    }
  };
  draw(known.points.train, false);
  if (tests) draw(known.points.test, true);
}

function paintDrawn({ context, width, height }: Surface, drawn: readonly DrawnPoint[], cross: readonly [number, number] | null): void {
  const at = (x: number, y: number): readonly [number, number] => [(width * (x + 6)) / 12, (height * (6 - y)) / 12];
  for (const [a, b, label] of drawn) mark(context, ...at(a, b), 4, label, css(classColour(label, 2)), false);
  if (cross === null) return;
  const [x, y] = at(...cross);
  context.strokeStyle = ink("accent");
  context.lineWidth = 2;
  context.beginPath();
  context.moveTo(x - 9, y);
  context.lineTo(x + 9, y);
  context.moveTo(x, y - 9);
  context.lineTo(x, y + 9);
  context.stroke();
}

function paintLine(
  { context, width, height }: Surface,
  known: Facts,
  now: Snapshot,
  tests: boolean,
  unit: { layer: number; unit: number } | null,
): void {
  const { reach, range, space } = known.problem;
  const room = 0.12 * (range[1] - range[0] || 1);
  const [low, high] = [range[0] - room, range[1] + room];
  const x = (a: number): number => (width * (a + reach)) / (2 * reach);
  const y = (v: number): number => height - (height * (v - low)) / (high - low);
  context.strokeStyle = ink("line");
  context.beginPath();
  context.moveTo(0, y(0));
  context.lineTo(width, y(0));
  context.moveTo(x(0), 0);
  context.lineTo(x(0), height);
  context.stroke();
  context.globalAlpha = 0.75;
  for (const [{ rows, at, y: values }, test] of [
    [known.points.train, false],
    [known.points.test, true],
  ] as const)
    if (!test || tests)
      for (let i = 0; i < rows; i++) mark(context, x(at[i * space]!), y(values[i]!), 3, 1, ink(test ? "grad" : "muted"), test);
  context.globalAlpha = 1;
  const curve = (values: Float32Array, count: number, offset: number, stride: number, colour: string, scale: number): void => {
    context.strokeStyle = colour;
    context.lineWidth = 3;
    context.beginPath();
    for (let i = 0; i < count; i++) {
      const v = values[offset + i * stride]! * scale;
      if (Number.isFinite(v)) context.lineTo((width * (i + 0.5)) / count, Math.max(-20, Math.min(height + 20, y(v))));
    }
    context.stroke();
  };
  if (unit !== null && now.maps[unit.layer] !== undefined && unit.unit < known.layers[unit.layer]!.shown)
    curve(now.maps[unit.layer]!, known.grid, unit.unit, known.layers[unit.layer]!.shown, ink("local"), 1);
  curve(now.surface, now.surface.length, 0, 1, ink("fwd"), 1);
}
