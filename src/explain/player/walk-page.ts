import type { Direction, Theme } from "../../draw/scene.ts";
import { escapeXml } from "../../draw/xml.ts";
import { GradientError } from "../../ir/errors.ts";
import type { Value } from "../../ir/node.ts";
import type { Language } from "../explain.ts";
import { tensorText } from "../number-text.ts";
import type { ViewOptions } from "../picture/view.ts";
import { applied } from "../render-text.ts";
import { type Step, type StepOptions, steps } from "../steps.ts";
import { framesOf } from "./frames.ts";
import { pageScript } from "./script.ts";
import { sha256Base64 } from "./sha256.ts";
import { textsOf } from "./step-texts.ts";
import { pageStyle } from "./style.ts";
import { type PlayerWords, playerWords } from "./words.ts";

/** What a page walks through, and how it begins. */
export interface WalkPageOptions extends StepOptions, ViewOptions {
  /** `right` (when left out): from left to right; `down`: from top to bottom. */
  readonly direction?: Direction;
  readonly title?: string;
  /** The language that the page opens in; its reader can change it. */
  readonly language?: Language;
  /** Light and dark follow the reader's system and can be changed; the colour-blind themes give the page their colours. */
  readonly theme?: Theme;
}

const languages: readonly Language[] = ["en", "ko"];

/**
 * Both passes of a scalar as one HTML file, in which a reader steps forward and backward: by keys (`.` `,` Home End f b Space), by buttons, by a
 * scrubber, or along a table of all steps. The picture's layout never moves. The file needs no network and forbids itself any by its content
 * security policy; every name is escaped; each step is one sentence for a screen reader; English and Korean are both inside.
 * @throws GradientError when `f` is no floating-point scalar or the language is unknown; GraphError for more than 600 steps
 */
export function walkPage(f: Value, { wrt, title, language = "en", theme = "light", ...view }: WalkPageOptions = {}): string {
  if (!languages.includes(language)) throw new GradientError(`walkPage: language "${String(language)}" is not there; "en" and "ko" are`);
  const stepper = steps(f, wrt === undefined ? {} : { wrt });
  const all: Step[] = [...stepper.forward(), ...stepper.backward()];
  const forward = all.filter((s) => s.pass === "forward").length;
  const name = title ?? stepper.at(f).name;
  const frames = framesOf(
    f,
    all,
    { ...view, ...(wrt !== undefined && { wrt }), title: name },
    languages.map((l) => playerWords(l).picture),
  );
  const open = languages.indexOf(language);
  const resultName = stepper.at(f).name;
  const data = {
    languages,
    names: ["English", "한국어"],
    forward,
    elements: frames.elements,
    changes: frames.changes,
    steps: [null, ...all].map((step, t) => ({ texts: languages.map((l) => textsOf(step, t, all.length, resultName, l)) })),
    words: languages.map((l) => Object.fromEntries(Object.entries(playerWords(l)).filter(([, text]) => typeof text === "string"))),
  };
  const json = JSON.stringify(data).replace(/[<\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
  const style = pageStyle(theme.startsWith("colour-blind"));
  const words = playerWords(language);
  const policy = `default-src 'none'; script-src 'sha256-${sha256Base64(pageScript)}'; style-src 'sha256-${sha256Base64(style)}'; img-src data:; base-uri 'none'; form-action 'none'`;
  const opening = theme.endsWith("dark") ? ` data-theme="dark"` : "";
  return `<!doctype html>
<html lang="${language}"${opening}>
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeXml(name)}</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<header>
<h1>${escapeXml(name)}</h1>
<button type="button" id="language" lang="${languages[1 - open]}">${data.names[1 - open]}</button>
<button type="button" id="theme" data-t="theme">${escapeXml(words.theme)}</button>
</header>
<main id="player">
<div id="stage" tabindex="0" role="group" data-label="stage" aria-label="${escapeXml(words.stage)}">
${bare(frames.first[open]!)}</div>
<div class="controls">
${button("first", words.first, "M5 5h3v14H5zM20 5v14L9 12z")}
${button("previous", words.previous, "M17 5v14L6 12z")}
<button type="button" id="play" aria-label="${escapeXml(words.play)}"><svg viewBox="0 0 24 24" aria-hidden="true"><path id="playIcon" d="M7 4l13 8-13 8z"/></svg></button>
${button("next", words.next, "M7 5v14l11-7z")}
${button("last", words.last, "M16 5h3v14h-3zM4 5v14l11-7z")}
<button type="button" id="toForward" data-t="toForward" aria-pressed="true">${escapeXml(words.toForward)}</button>
<button type="button" id="toBackward" data-t="toBackward" aria-pressed="false">${escapeXml(words.toBackward)}</button>
<input type="range" id="scrub" min="0" max="${all.length}" value="0" step="1" data-label="scrubber" aria-label="${escapeXml(words.scrubber)}">
<output id="count" for="scrub"></output>
<label><span class="said" data-t="speed">${escapeXml(words.speed)}</span><select id="speed"><option value="0.5">0.5×</option><option value="1" selected>1×</option><option value="2">2×</option><option value="4">4×</option></select></label>
<button type="button" id="fit" data-t="fit" aria-pressed="false">${escapeXml(words.fit)}</button>
</div>
<div id="card"><h2 id="head"></h2><div id="lines"></div></div>
<p id="say" class="said" role="status" aria-live="polite"></p>
<p class="legend"><span class="v" data-t="legendValue">${escapeXml(words.legendValue)}</span><span class="g" data-t="legendGradient">${escapeXml(words.legendGradient)}</span><span data-t="legendNotYet">${escapeXml(words.legendNotYet)}</span><span data-t="keys">${escapeXml(words.keys)}</span></p>
</main>
<section>
<h2 data-t="table" id="tableTitle">${escapeXml(words.table)}</h2>
<div class="wide"><table aria-labelledby="tableTitle">
<thead><tr><th scope="col">#</th>${(["pass", "what", "value", "local", "upstream", "gradient"] as const).map((w) => `<th scope="col" data-t="${w}">${escapeXml(words[w])}</th>`).join("")}</tr></thead>
<tbody>
${all.map((step, i) => rows(step, i + 1, resultName, words)).join("\n")}
</tbody></table></div>
</section>
<script type="application/json" id="data">${json}</script>
<script>${pageScript}</script>
</body>
</html>
`;
}

/** A picture without its own styles: the page has them, with both themes. */
function bare(svg: string): string {
  return svg.replace(/<style>[\s\S]*?<\/style>\n?/, "").replace(/ style="[^"]*"/, "");
}

function button(id: string, label: string, path: string): string {
  return `<button type="button" id="${id}" data-label="${id}" aria-label="${escapeXml(label)}" title="${escapeXml(label)}"><svg viewBox="0 0 24 24" aria-hidden="true"><path d="${path}"/></svg></button>`;
}

/** The rows of a step in the table: one for a forward gate, one for each operand of a backward gate. */
function rows(step: Step, t: number, f: string, words: PlayerWords): string {
  const pass = step.pass === "forward" ? "forward" : "backward";
  const row = (what: string, value: string, local: string, upstream: string, gradient: string, first: boolean): string =>
    `<tr data-step="${t}"><td>${first ? `<button type="button">${t}</button>` : ""}</td><td data-t="${pass}">${escapeXml(words[pass])}</td><td>${escapeXml(what)}</td><td class="v">${escapeXml(value)}</td><td>${escapeXml(local)}</td><td>${escapeXml(upstream)}</td><td class="g">${escapeXml(gradient)}</td></tr>`;
  if (step.pass === "forward") return row(`${step.name} = ${applied(step, (o) => o.name)}`, tensorText(step.value), "", "", "", true);
  if (step.kind === "seed") return row(`d${f}/d${step.name}`, "", "", "", tensorText(step.gradient), true);
  if (step.kind === "sum")
    return row(`d${f}/d${step.name} = ${step.parts.map((p) => tensorText(p)).join(" + ")}`, "", "", "", tensorText(step.gradient), true);
  return step.flows
    .map((flow, i) =>
      row(
        `${step.op}: d${f}/d${flow.into}`,
        "",
        flow.local === null ? (flow.rule ?? "").replace(/^[^=]*= /, "") : tensorText(flow.local),
        tensorText(step.upstream),
        tensorText(flow.contribution),
        i === 0,
      ),
    )
    .join("\n");
}
