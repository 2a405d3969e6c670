import { writeFileWhole } from "../data/write-file.ts";
import type { Theme } from "../draw/scene.ts";
import { draw } from "../explain/draw.ts";
import type { Language } from "../explain/explain.ts";
import { walkPage } from "../explain/player/walk-page.ts";
import type { Graph } from "../ir/graph.ts";
import { nearestName } from "../notation/nearest.ts";
import type { Options } from "./command.ts";
import { type Command, jsonOption, langOption, languageIn, wrtOption } from "./command.ts";
import { type Subject, subjectIn } from "./graph-problem.ts";
import { exitCodes } from "./io.ts";
import { pngOf } from "./png.ts";
import { chosen, namesIn } from "./problem.ts";
import { UsageError } from "./usage-error.ts";

const themes: readonly Theme[] = ["light", "dark", "colour-blind", "colour-blind dark"];
const formats = ["svg", "png", "html"] as const;
type Format = (typeof formats)[number];

/** `chainrule draw`: the graph as a picture. */
export const drawCommand: Command = {
  name: "draw",
  usage: ["chainrule draw EXPR name=value ... -o FILE", "chainrule draw FILE.graph [name=value ...] -o FILE"],
  summary: "draw the graph, values above the wires and gradients below",
  details:
    `The file's extension says what is written (${formats.map((f) => `.${f}`).join(" ")}), or --format does. Without -o the picture goes to standard output.\n` +
    "An .html file is one page without network in which a reader steps through both passes. A graph file without values is drawn with its shapes. A file is written whole or not at all. PNG needs the package @resvg/resvg-js.",
  options: [
    { name: "output", short: "o", value: "FILE", about: "the file to write; - is standard output" },
    { name: "format", value: "FORMAT", about: `${formats.join(", ")}; by the file's extension when left out, else svg` },
    { name: "html", about: "the same as --format html: one page to step through, forward and backward" },
    { name: "theme", value: "THEME", about: `${themes.join(", ")}; light when left out` },
    wrtOption,
    { ...langOption, about: "the language a page opens in: en (when left out) or ko" },
    { ...jsonOption, about: "print JSON: the picture, or the file that was written" },
  ],
  examples: [
    `chainrule draw "(x + y) * z" x=-2 y=5 z=-4 -o lecture.svg`,
    `chainrule draw "(x + y) * z" x=-2 y=5 z=-4 -o walk.html`,
    `chainrule draw model.graph -o model.png`,
  ],
  run: async ({ words, options }, io) => {
    const wrt = namesIn(options.get("wrt"));
    const theme = themeIn(options);
    const path = outputIn(options);
    const format = formatIn(options, path);
    const language = languageIn(options, "draw");
    const subject = await subjectIn(words, "draw", io);
    const expression = "problem" in subject ? subject.problem.expression : subject.name;
    const content = await contentOf(subject, format, { theme, title: expression, language, wrt });
    if (path !== null) await writeFileWhole(path, content);
    if (options.has("json"))
      await io.write(`${JSON.stringify(path === null ? { expression, [format]: content } : { expression, format, file: path })}\n`);
    else await io.write(path === null ? String(content) : `wrote ${path}\n`);
    return exitCodes.done;
  },
};

interface Looks {
  readonly theme: Theme;
  readonly title: string;
  readonly language: Language;
  readonly wrt: readonly string[] | null;
}

async function contentOf(subject: Subject, format: Format, { theme, title, language, wrt }: Looks): Promise<string | Uint8Array> {
  if ("graph" in subject) {
    if (format === "html") throw new UsageError(`a page walks through numbers; give the inputs of ${title} values: ${title} x=...`, "draw");
    const svg = draw(subject.graph as unknown as Graph<never, unknown>, { theme, title });
    return format === "png" ? pngOf(svg) : svg;
  }
  const asked = chosen(subject.problem, wrt);
  if (format === "html") return walkPage(subject.problem.f, { wrt: asked, theme, title, language });
  const svg = draw(subject.problem.f, { wrt: asked, theme, title });
  return format === "png" ? pngOf(svg) : svg;
}

function themeIn(options: Options): Theme {
  const given = options.get("theme") ?? "light";
  const theme = themes.find((t) => t === given);
  if (theme !== undefined) return theme;
  const nearest = nearestName(String(given), themes);
  throw new UsageError(
    `--theme ${String(given).slice(0, 40)} is not there; ${nearest === undefined ? `there are ${themes.join(", ")}` : `did you mean ${nearest}?`}`,
    "draw",
  );
}

function outputIn(options: Options): string | null {
  const path = options.get("output");
  return typeof path !== "string" || path === "-" ? null : path;
}

function formatIn(options: Options, path: string | null): Format {
  const named = options.get("format");
  if (named !== undefined && options.has("html")) throw new UsageError("--html and --format do not go together; choose one", "draw");
  const given = options.has("html") ? "html" : named;
  const extension = path === null ? null : (/\.([^./\\]+)$/.exec(path)?.[1]?.toLowerCase() ?? "");
  const wanted = given === undefined ? (extension ?? "svg") : String(given).toLowerCase();
  const format = formats.find((f) => f === wanted);
  if (format === undefined) {
    const what =
      given === undefined
        ? wanted === ""
          ? `${path} has no extension`
          : `${path}: .${wanted} is no format of draw`
        : `--format ${wanted.slice(0, 40)} is not there`;
    throw new UsageError(`${what}; there are ${formats.join(", ")}`, "draw");
  }
  if (format === "png" && path === null) throw new UsageError("a PNG is no text for a terminal; name a file: -o picture.png", "draw");
  return format;
}
