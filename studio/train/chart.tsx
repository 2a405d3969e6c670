import { useSignalEffect } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { calm, curve } from "./client.ts";
import type { CurvePoint } from "./messages.ts";
import { ink, repaint, sharp } from "./paint.ts";
import { short, words } from "./words.ts";

interface ChartProps {
  readonly what: "loss" | "accuracy";
  readonly log?: boolean;
}

const train = (p: CurvePoint, what: ChartProps["what"]): number => (what === "loss" ? p.train : p.trainRight);
const test = (p: CurvePoint, what: ChartProps["what"]): number => (what === "loss" ? p.test : p.testRight);

/** A number near v that people like: 1, 2 or 5 times a power of ten. */
function round(v: number): number {
  const power = 10 ** Math.floor(Math.log10(v));
  return [1, 2, 5, 10].map((k) => k * power).find((k) => k >= v) ?? v;
}

/** Two curves by epoch: training solid, test dashed. */
export function Chart({ what, log = false }: ChartProps): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const draw = (): void => {
    const surface = canvas.current === null ? null : sharp(canvas.current);
    if (surface === null) return;
    const { context, width, height } = surface;
    const { points, last } = curve.value;
    const all = last === null || points.at(-1)?.epoch === last.epoch ? points : [...points, last];
    const [left, right, top, bottom] = [38, 8, 8, 18];
    const end = Math.max(1, all.at(-1)?.epoch ?? 1);
    const finite = all.flatMap((p) => [train(p, what), test(p, what)]).filter((v) => Number.isFinite(v) && (!log || v > 0));
    const most = what === "accuracy" ? 1 : round(Math.max(1e-6, ...(finite.length > 4000 ? finite.slice(0, 4000) : finite)));
    const least = what === "accuracy" ? 0 : log ? Math.max(1e-9, Math.min(...finite, most / 10)) : 0;
    const x = (epoch: number): number => left + ((width - left - right) * epoch) / end;
    const part = (v: number): number => (log ? Math.log(v / least) / Math.log(most / least) : (v - least) / (most - least));
    const y = (v: number): number => height - bottom - (height - top - bottom) * Math.min(1, Math.max(0, part(v)));
    context.font = "11px system-ui, sans-serif";
    context.fillStyle = ink("muted");
    context.strokeStyle = ink("line");
    context.lineWidth = 1;
    context.textBaseline = "middle";
    context.textAlign = "right";
    const ticks = log ? [least, Math.sqrt(least * most), most] : [least, (least + most) / 2, most];
    for (const v of ticks) {
      context.beginPath();
      context.moveTo(left, Math.round(y(v)) + 0.5);
      context.lineTo(width - right, Math.round(y(v)) + 0.5);
      context.stroke();
      context.fillText(what === "accuracy" ? `${100 * v}%` : short(v, 2), left - 4, y(v));
    }
    context.textBaseline = "top";
    context.fillText(short(end, 4), width - right, height - bottom + 4);
    context.textAlign = "left";
    context.fillText("0", left, height - bottom + 4);
    for (const [of, colour, dash] of [
      [test, ink("grad"), [5, 3]],
      [train, ink("fwd"), []],
    ] as const) {
      context.beginPath();
      let pen = false;
      for (const p of all) {
        const v = of(p, what);
        if (!Number.isFinite(v) || (log && v <= 0)) pen = false;
        else if (pen) context.lineTo(x(p.epoch), y(v));
        else {
          context.moveTo(x(p.epoch), y(v));
          pen = true;
        }
      }
      context.setLineDash([...dash]);
      context.strokeStyle = colour;
      context.lineWidth = 1.8;
      context.stroke();
      context.setLineDash([]);
    }
  };
  useSignalEffect(() => {
    calm.value;
    curve.value;
    repaint.value;
    draw();
  });
  useEffect(draw, [log]);
  const w = words.value;
  const last = curve.value.last;
  calm.value;
  const name = what === "loss" ? w["loss curve"] : w["accuracy curve"];
  return (
    <canvas
      ref={canvas}
      class="chart"
      role="img"
      aria-label={last === null ? name : w["curve label"](name, short(train(last, what)), short(test(last, what)), short(last.epoch, 6))}
    />
  );
}
