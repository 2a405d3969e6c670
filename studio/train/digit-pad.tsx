import { useComputed, useSignal, useSignalEffect } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { latinKey } from "../shell/latin-key.ts";
import { facts, said, sendDigit, shot } from "./client.ts";
import { digitImage, type Stroke } from "./digit-image.ts";
import { heat, ink, repaint, sharp } from "./paint.ts";
import { share, words } from "./words.ts";

/** A pad to draw a digit on, what the net sees of it, and what it reads, live while it learns. */
export function DigitPad(): JSX.Element {
  const w = words.value;
  const pad = useRef<HTMLCanvasElement>(null);
  const seen = useRef<HTMLCanvasElement>(null);
  const strokes = useSignal<readonly Stroke[]>([]);
  const sample = useSignal<Float32Array | null>(null);
  const pen = useSignal<{ readonly x: number; readonly y: number; readonly down: boolean } | null>(null);
  const next = useRef(0);
  const given = useComputed(() => sample.value ?? digitImage(strokes.value));
  const image = given.value;

  useEffect(() => {
    sendDigit(image === null ? null : image.slice());
    // A net that was made anew has not seen it.
  }, [strokes.value, sample.value, facts.value]);
  useSignalEffect(() => {
    repaint.value;
    const surface = pad.current === null ? null : sharp(pad.current);
    if (surface === null) return;
    const { context, width, height } = surface;
    context.strokeStyle = ink("ink");
    context.lineWidth = width / 12;
    context.lineCap = "round";
    context.lineJoin = "round";
    for (const stroke of strokes.value) {
      context.beginPath();
      for (const [x, y] of stroke) context.lineTo(x * width, y * height);
      if (stroke.length === 1) context.lineTo(stroke[0]![0] * width + 0.01, stroke[0]![1] * height);
      context.stroke();
    }
    const at = pen.value;
    if (at === null) return;
    context.strokeStyle = ink("accent");
    context.lineWidth = at.down ? 4 : 2;
    context.beginPath();
    context.arc(at.x * width, at.y * height, 8, 0, 7);
    context.stroke();
  });
  useSignalEffect(() => {
    repaint.value;
    const now = given.value;
    if (seen.current !== null) heat(seen.current, now ?? new Float32Array(64), 8, 8, 0, 1, 1);
  });

  const clear = (): void => {
    strokes.value = [];
    sample.value = null;
    pen.value = pen.value === null ? null : { ...pen.value, down: false };
  };
  const take = (): void => {
    const tests = facts.value?.points.test;
    if (tests === undefined || tests.rows === 0) return;
    const row = next.current++ % tests.rows;
    strokes.value = [];
    sample.value = tests.at.slice(row * 64, (row + 1) * 64);
  };
  const begin = (x: number, y: number): void => {
    sample.value = null;
    strokes.value = [...strokes.value, [[x, y]]];
  };
  const draw = (x: number, y: number): void => {
    const last = strokes.value.at(-1);
    if (last !== undefined && last.length < 500) strokes.value = [...strokes.value.slice(0, -1), [...last, [x, y]]];
  };
  const place = (event: PointerEvent): readonly [number, number] => {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  };
  const probabilities = image === null ? null : (shot.value?.digit?.probabilities ?? null);
  const best = probabilities === null ? 0 : probabilities.indexOf(Math.max(...probabilities));
  const sentence = probabilities === null ? w["reads nothing"] : w.reads(best, share(probabilities[best]!));
  return (
    <div class="pad">
      <div>
        <h3 id="pad-title">{w.pad}</h3>
        <div
          id="pad"
          class="pad-canvas"
          role="application"
          tabIndex={0}
          aria-label={`${w.pad}. ${w["pad hint"]}`}
          onPointerDown={(event) => {
            if (event.button !== 0) return;
            event.currentTarget.setPointerCapture(event.pointerId);
            begin(...place(event));
          }}
          onPointerMove={(event) => {
            if (event.buttons === 1) draw(...place(event));
          }}
          onDragStart={(event) => event.preventDefault()}
          onFocus={() => (pen.value ??= { x: 0.5, y: 0.5, down: false })}
          onBlur={() => (pen.value = null)}
          onKeyDown={(event) => {
            if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
            const at = pen.value ?? { x: 0.5, y: 0.5, down: false };
            const far = 1 / 16;
            const move = { ArrowLeft: [-far, 0], ArrowRight: [far, 0], ArrowUp: [0, -far], ArrowDown: [0, far] }[event.key];
            const inside = (v: number): number => Math.max(0.05, Math.min(0.95, v));
            if (move !== undefined) {
              pen.value = { ...at, x: inside(at.x + move[0]!), y: inside(at.y + move[1]!) };
              if (at.down) draw(pen.value.x, pen.value.y);
            } else if (event.key === " " || event.key === "Enter") {
              pen.value = { ...at, down: !at.down };
              if (!at.down) begin(at.x, at.y);
              said.value = at.down ? `${w["pen up"]}. ${sentence}` : w["pen down"];
            } else if (event.key === "Delete" || event.key === "Backspace") clear();
            else if (latinKey(event).toLowerCase() === "d") take();
            else return;
            event.preventDefault();
          }}
        >
          <canvas ref={pad} aria-hidden="true" />
        </div>
        <p class="row">
          <button type="button" id="pad-clear" onClick={clear}>
            {w["pad clear"]}
          </button>
          <button type="button" id="pad-sample" onClick={take}>
            {w["pad sample"]}
          </button>
        </p>
        <p class="muted hint">{w["pad hint"]}</p>
      </div>
      <div>
        <h3>{w["as the net sees it"]}</h3>
        <canvas ref={seen} class="pad-seen pixels" aria-hidden="true" />
        <p id="reads" class="reads">
          {sentence}
        </p>
        <ol class="bars" aria-label={w.probabilities}>
          {Array.from({ length: 10 }, (_, digit) => {
            const p = probabilities?.[digit] ?? 0;
            return (
              <li key={digit} class={probabilities !== null && digit === best ? "best" : ""}>
                <span>{digit}</span>
                <meter min={0} max={1} value={p} aria-label={String(digit)}>
                  {share(p)}
                </meter>
                <span class="part-number">{share(p)}</span>
              </li>
            );
          })}
        </ol>
      </div>
    </div>
  );
}
