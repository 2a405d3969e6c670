import type { Theme } from "../../draw/scene.ts";
import { fitText } from "../../draw/text-width.ts";
import { palettes } from "../../draw/theme.ts";
import { decimal, escapeXml } from "../../draw/xml.ts";
import { thresholds } from "../thresholds.ts";
import type { Sweep } from "./gradient-details.ts";
import { gradientWords } from "./gradient-words.ts";

const width = 760;
const height = 460;
const left = 78;
const right = 200;
const top = 46;
const bottom = 56;
/** Decades of the axes: steps from 1e-12 to 1e-1, errors from 1e-16 to 10. */
const steps = { from: -12, to: -1 };
const errors = { from: -16, to: 1 };
const mostLines = 8;
const dashes = ["", "7 4", "2 4", "9 3 2 3"];

/** Error against step size, log-log: a line a variable in f64, a thin one in f32, the thresholds of the lecture, a ring where kinks were crossed. */
export function plotSvg(sweeps: readonly Sweep[], language: "en" | "ko", theme: Theme, title?: string): string {
  const words = gradientWords(language);
  const p = palettes[theme];
  const x = (exponent: number): number => left + ((exponent - steps.from) / (steps.to - steps.from)) * (width - left - right);
  const y = (exponent: number): number =>
    height - bottom - ((exponent - errors.from) / (errors.to - errors.from)) * (height - top - bottom);
  const place = (step: number, error: number): { x: number; y: number } | null =>
    Number.isNaN(error) ? null : { x: x(Math.log10(step)), y: y(Math.min(errors.to, Math.max(errors.from, Math.log10(error)))) };
  // With many variables, those that are furthest off.
  const best = (s: Sweep): number => Math.min(...s.points.map((q) => (Number.isNaN(q.error) ? Number.POSITIVE_INFINITY : q.error)));
  const shown = [...sweeps].sort((a, b) => best(b) - best(a)).slice(0, mostLines);
  const name = title ?? words.title;
  const text = (at: { x: number; y: number }, content: string, more: string): string =>
    `<text x="${decimal(at.x)}" y="${decimal(at.y)}" ${more}>${escapeXml(content)}</text>`;
  const out = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeXml(name)}" lang="${language}" font-family="system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans','Noto Sans KR','Noto Sans CJK KR',sans-serif" font-size="12">`,
    `<title>${escapeXml(name)}</title>`,
    `<desc>${escapeXml(`${words.y}, ${words.x}: ${shown.map((s) => `${s.path || "x"} ${best(s).toExponential(1)}`).join(", ")}`)}</desc>`,
    `<rect width="${width}" height="${height}" fill="${p.paper}"/>`,
    text({ x: left, y: 26 }, fitText(name, 14, width - left - 20), `fill="${p.ink}" font-size="14" font-weight="600"`),
  ];
  for (let e = steps.from; e <= steps.to; e++) {
    out.push(`<path d="M${decimal(x(e))} ${top}V${height - bottom}" stroke="${p.input}" fill="none"/>`);
    out.push(text({ x: x(e), y: height - bottom + 18 }, `1e${e}`.replace("-", "−"), `fill="${p.muted}" text-anchor="middle"`));
  }
  for (let e = errors.from; e <= errors.to; e += 2) {
    out.push(`<path d="M${left} ${decimal(y(e))}H${width - right}" stroke="${p.input}" fill="none"/>`);
    out.push(text({ x: left - 8, y: y(e) + 4 }, `1e${e}`.replace("-", "−"), `fill="${p.muted}" text-anchor="end"`));
  }
  for (const [limit, label] of [
    [thresholds.f64.fail, words.bands.wrong],
    [thresholds.f64.look, words.bands.uneasy],
    [thresholds.f64.pass, words.bands.good],
  ] as const) {
    const at = y(Math.log10(limit));
    out.push(`<path d="M${left} ${decimal(at)}H${width - right}" stroke="${p.accent}" stroke-dasharray="3 4" fill="none"/>`);
    const above = limit === thresholds.f64.pass ? 14 : -4;
    if (limit === thresholds.f64.pass)
      out.push(text({ x: width - right + 8, y: at - 4 }, fitText(words.bands.kinks, 11, right - 14), `fill="${p.accent}" font-size="11"`));
    out.push(text({ x: width - right + 8, y: at + above }, fitText(label, 11, right - 14), `fill="${p.accent}" font-size="11"`));
  }
  out.push(text({ x: (left + width - right) / 2, y: height - 14 }, words.x, `fill="${p.ink}" text-anchor="middle"`));
  out.push(
    `<text transform="translate(18 ${decimal((top + height - bottom) / 2)}) rotate(-90)" fill="${p.ink}" text-anchor="middle">${escapeXml(words.y)}</text>`,
  );
  const colours = [p.fwd, p.grad, p.local, p.accent];
  shown.forEach((sweep, i) => {
    const colour = colours[i % colours.length]!;
    const dash = dashes[Math.floor(i / colours.length) % dashes.length]!;
    const line = (pick: (q: Sweep["points"][number]) => number | null): string => {
      let path = "";
      let pen = "M";
      for (const q of sweep.points) {
        const error = pick(q);
        const at = error === null ? null : place(q.step, error);
        if (at === null) pen = "M";
        else {
          path += `${pen}${decimal(at.x)} ${decimal(at.y)}`;
          pen = "L";
        }
      }
      return path;
    };
    const single = line((q) => q.error32);
    if (single !== "") out.push(`<path d="${single}" stroke="${colour}" stroke-width="1" stroke-dasharray="1 3" fill="none"/>`);
    out.push(
      `<path d="${line((q) => q.error)}" stroke="${colour}" stroke-width="2" stroke-dasharray="${dash}" stroke-linejoin="round" fill="none"/>`,
    );
    for (const q of sweep.points) {
      const at = place(q.step, q.error);
      if (at !== null && q.crossings > 0)
        out.push(
          `<circle cx="${decimal(at.x)}" cy="${decimal(at.y)}" r="5" fill="none" stroke="${p.ink}"><title>${escapeXml(`${words.crossed}: ${q.crossings}`)}</title></circle>`,
        );
    }
    const key = height - bottom - 6 - (shown.length - 1 - i) * 17;
    out.push(`<path d="M${width - right + 8} ${key - 4}h22" stroke="${colour}" stroke-width="2" stroke-dasharray="${dash}" fill="none"/>`);
    out.push(
      text(
        { x: width - right + 36, y: key },
        fitText(`${sweep.path || "x"}  ${best(sweep).toExponential(1)}`, 12, right - 42),
        `fill="${p.ink}"`,
      ),
    );
  });
  const legend = height - bottom - 10 - shown.length * 17;
  const extra: string[] = [];
  if (shown.some((s) => s.points.some((q) => q.error32 !== null))) extra.push("··· f32");
  if (shown.some((s) => s.points.some((q) => q.crossings > 0))) extra.push(`○ ${words.crossed}`);
  if (sweeps.length > shown.length) extra.push(words.more(sweeps.length - shown.length));
  extra.forEach((line, i) => {
    out.push(text({ x: width - right + 8, y: legend - (extra.length - 1 - i) * 16 }, line, `fill="${p.muted}" font-size="11"`));
  });
  out.push("</svg>");
  return `${out.join("\n")}\n`;
}
