import type { Theme } from "../draw/scene.ts";
import { fitText } from "../draw/text-width.ts";
import { palettes } from "../draw/theme.ts";
import { decimal, escapeXml } from "../draw/xml.ts";
import type { Language } from "../explain/explain.ts";
import type { Checkup } from "./checkpoint.ts";
import type { CurvePoint } from "./history.ts";

/** How a curve looks. */
export interface CurveOptions {
  readonly language?: Language;
  readonly theme?: Theme;
  readonly title?: string;
}

/** What is drawn. */
export interface CurveFacts {
  readonly history: readonly CurvePoint[];
  readonly checkups: readonly Checkup[];
  /** Whether checkups are of data that was held back. */
  readonly validated: boolean;
  readonly bestStep: number;
}

interface CurveWords {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly each: string;
  readonly smooth: string;
  readonly checkup: string;
  readonly epoch: string;
  readonly best: string;
  readonly nothing: string;
}

const words: Readonly<Record<Language, CurveWords>> = {
  en: {
    title: "Loss",
    x: "step",
    y: "loss",
    each: "each step",
    smooth: "running mean",
    checkup: "validation",
    epoch: "mean of an epoch",
    best: "best",
    nothing: "no step was made",
  },
  ko: {
    title: "손실",
    x: "단계",
    y: "손실",
    each: "각 단계",
    smooth: "이동 평균",
    checkup: "검증",
    epoch: "에폭 평균",
    best: "최저",
    nothing: "진행된 단계가 없습니다",
  },
};

const width = 760;
const height = 420;
const left = 74;
const right = 24;
const top = 64;
const bottom = 52;
/** Above this ratio of the largest to the smallest loss the axis is logarithmic. */
const decades = 20;

/** Losses by step as an SVG picture: every step thin, their running mean, and the checkups as dots, the best with a ring. */
export function curveSvg({ history, checkups, validated, bestStep }: CurveFacts, options: CurveOptions = {}): string {
  const { language = "en", theme = "light" } = options;
  const w = words[language];
  const p = palettes[theme];
  const title = options.title ?? w.title;
  const smooth = smoothed(history);
  const marks = checkups.filter(({ loss }) => Number.isFinite(loss));
  const values = [...history.map(({ loss }) => loss), ...marks.map(({ loss }) => loss)].filter(Number.isFinite);
  const last = Math.max(1, history.at(-1)?.step ?? 1, marks.at(-1)?.step ?? 1);
  const scale = scaleOf(values);
  const x = (step: number): number => left + (step / last) * (width - left - right);
  const y = (loss: number): number => height - bottom - scale.place(loss) * (height - top - bottom);
  const text = (at: { x: number; y: number }, content: string, more: string): string =>
    `<text x="${decimal(at.x)}" y="${decimal(at.y)}" ${more}>${escapeXml(content)}</text>`;
  const line = (points: readonly CurvePoint[], more: string): string =>
    `<path d="M${points.map((q) => `${decimal(x(q.step))} ${decimal(y(q.loss))}`).join("L")}" fill="none" stroke-linejoin="round" ${more}/>`;
  const out = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeXml(title)}" lang="${language}" font-family="system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans','Noto Sans KR','Noto Sans CJK KR',sans-serif" font-size="12">`,
    `<title>${escapeXml(title)}</title>`,
    `<desc>${escapeXml(`${w.y}, ${w.x}: ${[history[0], history.at(-1)].map((q) => (q ? `${q.step}: ${q.loss.toPrecision(3)}` : "")).join(" - ")}`)}</desc>`,
    `<rect width="${width}" height="${height}" fill="${p.paper}"/>`,
    text({ x: left, y: 26 }, fitText(title, 14, width - left - right), `fill="${p.ink}" font-size="14" font-weight="600"`),
  ];
  for (const tick of scale.ticks) {
    out.push(`<path d="M${left} ${decimal(y(tick))}H${width - right}" stroke="${p.input}" fill="none"/>`);
    out.push(text({ x: left - 8, y: y(tick) + 4 }, tickText(tick), `fill="${p.muted}" text-anchor="end"`));
  }
  for (const tick of niceTicks(0, last, 8).filter((t) => Number.isInteger(t))) {
    out.push(`<path d="M${decimal(x(tick))} ${height - bottom}v5" stroke="${p.muted}" fill="none"/>`);
    out.push(text({ x: x(tick), y: height - bottom + 20 }, String(tick), `fill="${p.muted}" text-anchor="middle"`));
  }
  out.push(text({ x: (left + width - right) / 2, y: height - 12 }, w.x, `fill="${p.ink}" text-anchor="middle"`));
  out.push(
    `<text transform="translate(18 ${decimal((top + height - bottom) / 2)}) rotate(-90)" fill="${p.ink}" text-anchor="middle">${escapeXml(w.y)}</text>`,
  );
  const legend: (readonly [string, string])[] = [];
  if (history.length > 1) {
    const dense = smooth.length > 0;
    out.push(line(history, `stroke="${p.fwd}" stroke-width="${dense ? 1 : 2}" stroke-opacity="${dense ? 0.35 : 1}"`));
    legend.push([`<path d="M0 -4h22" stroke="${p.fwd}" stroke-width="${dense ? 1 : 2}" stroke-opacity="${dense ? 0.5 : 1}"/>`, w.each]);
  }
  if (smooth.length > 0) {
    out.push(line(smooth, `stroke="${p.fwd}" stroke-width="2.2"`));
    legend.push([`<path d="M0 -4h22" stroke="${p.fwd}" stroke-width="2.2"/>`, w.smooth]);
  }
  if (marks.length > 0) {
    const shape = `stroke="${p.grad}" fill="${p.grad}"`;
    if (marks.length > 1) out.push(line(marks, `stroke="${p.grad}" stroke-width="1.6" stroke-dasharray="5 4"`));
    if (marks.length <= 100)
      for (const m of marks)
        out.push(
          `<circle cx="${decimal(x(m.step))}" cy="${decimal(y(m.loss))}" r="3" ${shape}><title>${escapeXml(`${w.x} ${m.step}: ${tickText(m.loss)}`)}</title></circle>`,
        );
    legend.push([
      `<path d="M0 -4h22" stroke="${p.grad}" stroke-width="1.6" stroke-dasharray="5 4"/><circle cx="11" cy="-4" r="3" ${shape}/>`,
      validated ? w.checkup : w.epoch,
    ]);
  }
  const best = marks.find(({ step }) => step === bestStep);
  if (best !== undefined) {
    const at = { x: x(best.step), y: y(best.loss) };
    out.push(`<circle cx="${decimal(at.x)}" cy="${decimal(at.y)}" r="7" fill="none" stroke="${p.ink}" stroke-width="1.5"/>`);
    legend.push([
      `<circle cx="11" cy="-4" r="6" fill="none" stroke="${p.ink}" stroke-width="1.5"/>`,
      `${w.best}: ${tickText(best.loss)} (${w.x} ${best.step})`,
    ]);
  }
  if (history.length === 0) out.push(text({ x: width / 2, y: height / 2 }, w.nothing, `fill="${p.muted}" text-anchor="middle"`));
  let at = left;
  for (const [mark, label] of legend) {
    out.push(`<g transform="translate(${decimal(at)} 48)">${mark}${text({ x: 28, y: 0 }, label, `fill="${p.ink}"`)}</g>`);
    at += 28 + 8 * label.length + 18;
  }
  out.push("</svg>");
  return `${out.join("\n")}\n`;
}

/** The mean of the points before and at each, over a twentieth of the curve; nothing for short curves. */
function smoothed(history: readonly CurvePoint[]): CurvePoint[] {
  if (history.length < 40) return [];
  const share = 1 / (history.length / 20);
  let mean = history[0]!.loss;
  return history.map(({ step, loss }) => {
    mean += share * (loss - mean);
    return { step, loss: mean };
  });
}

interface Scale {
  /** 0 at the bottom, 1 at the top. */
  readonly place: (x: number) => number;
  readonly ticks: readonly number[];
}

function scaleOf(values: readonly number[]): Scale {
  let low = Math.min(...values);
  let high = Math.max(...values);
  if (values.length === 0) [low, high] = [0, 1];
  if (low > 0 && high / low > decades) {
    const from = Math.log10(low) - 0.05;
    const to = Math.log10(high) + 0.05;
    const each = Math.max(1, Math.ceil((to - from) / 8));
    const ticks: number[] = [];
    for (let e = Math.ceil(from); e <= to; e += each) ticks.push(10 ** e);
    return { place: (v) => (Math.log10(v) - from) / (to - from), ticks };
  }
  if (low >= 0 && low < 0.5 * high) low = 0;
  if (high === low) [low, high] = [low - 0.5, high + 0.5];
  const ticks = niceTicks(low, high, 6);
  const step = ticks.length > 1 ? ticks[1]! - ticks[0]! : 1;
  const from = low === 0 ? 0 : Math.min(low, ticks[0]! - step);
  const to = high + 0.05 * (high - from);
  return { place: (v) => (v - from) / (to - from), ticks };
}

/** Round numbers from `low` to `high`, about `count` of them. */
function niceTicks(low: number, high: number, count: number): number[] {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((m) => m * power >= rough) ?? 10);
  const ticks: number[] = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++) ticks.push(Number((i * step).toPrecision(12)));
  return ticks;
}

function tickText(x: number): string {
  const size = Math.abs(x);
  if (x !== 0 && (size < 1e-3 || size >= 1e5)) return x.toExponential(Number.isInteger(Math.log10(size)) ? 0 : 2).replace("-", "−");
  return String(Number(x.toPrecision(4)));
}
