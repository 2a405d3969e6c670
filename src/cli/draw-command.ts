import type { Theme } from "../draw/scene.ts";
import { type DrawOptions, draw } from "../explain/draw.ts";
import { walkPage } from "../explain/player/walk-page.ts";
import { writeFileWhole } from "../files/write-file.ts";
import { nearestName } from "../notation/nearest.ts";
import type { Options } from "./command.ts";
import { type Command, jsonOption, langOption, languageIn, wrtOption } from "./command.ts";
import { isModelFile, type Subject, subjectIn } from "./graph-problem.ts";
import { exitCodes } from "./io.ts";
import { pngOf } from "./png.ts";
import { chosen, namesIn } from "./problem.ts";
import { UsageError } from "./usage-error.ts";

const themes: readonly Theme[] = ["light", "dark", "colour-blind", "colour-blind dark"];
/** Formats by the extension of a file; the first extension of each is its name. */
const formats = {
  svg: ["svg"],
  png: ["png"],
  html: ["html", "htm"],
  dot: ["dot", "gv"],
  mermaid: ["mmd", "mermaid"],
  text: ["txt"],
} as const;
type Format = keyof typeof formats;
const extensions: readonly string[] = Object.values(formats).flat();

/** `chainrule draw`: the graph as a picture. */
export const drawCommand: Command = {
  name: "draw",
  usage: [
    "chainrule draw EXPR name=value ... -o FILE",
    "chainrule draw FILE.graph [name=value ...] -o FILE",
    "chainrule draw FILE.onnx -o FILE",
  ],
  summary: "draw the graph, values above the wires and gradients below",
  details:
    `The file's extension says what is written (${extensions.map((e) => `.${e}`).join(" ")}), or --format does. Without -o the picture goes to standard output.\n` +
    "An .html file is one page without network in which a reader steps through both passes. A graph file without values is drawn with its shapes, and so is an ONNX model, its modules closed. A file is written whole or not at all. PNG needs the package @resvg/resvg-js.",
  options: [
    { name: "output", short: "o", value: "FILE", about: "the file to write; - is standard output" },
    { name: "format", value: "FORMAT", about: `${Object.keys(formats).join(", ")}; by the file's extension when left out, else svg` },
    { name: "html", about: "the same as --format html: one page to step through, forward and backward" },
    { name: "theme", value: "THEME", about: `${themes.join(", ")}; light when left out` },
    {
      name: "depth",
      value: "LEVELS",
      about: "how many levels of named scopes are open, 0, 1, ... or all; as many as fit 60 boxes when left out",
    },
    { name: "direction", value: "WAY", about: "right (when left out) or down" },
    { name: "step", value: "STEP", about: "the picture after so many steps, the last one lit; all of them when left out" },
    wrtOption,
    { ...langOption, about: "the language of the picture, and that a page opens in: en (when left out) or ko" },
    { ...jsonOption, about: "print JSON: the picture, or the file that was written" },
  ],
  examples: [
    `chainrule draw "(x + y) * z" x=-2 y=5 z=-4 -o lecture.svg`,
    `chainrule draw "(x + y) * z" x=-2 y=5 z=-4 -o walk.html`,
    `chainrule draw model.graph -o model.png`,
    `chainrule draw model.onnx --direction down -o model.svg`,
  ],
  run: async ({ words, options }, io) => {
    const wrt = namesIn(options.get("wrt"));
    const theme = themeIn(options);
    const path = outputIn(options);
    const format = formatIn(options, path);
    const language = languageIn(options, "draw");
    const depth = countIn(options, "depth");
    const step = countIn(options, "step");
    const direction = directionIn(options);
    const subject = await subjectIn(words, "draw", io);
    const expression = "problem" in subject ? subject.problem.expression : subject.name;
    const content = await contentOf(subject, format, wrt, {
      theme,
      title: expression,
      language,
      ...(depth !== undefined && { depth }),
      ...(direction !== undefined && { direction }),
      ...(typeof step === "number" && { step }),
    });
    if (path !== null) await writeFileWhole(path, content);
    if (options.has("json"))
      await io.write(`${JSON.stringify(path === null ? { expression, [format]: content } : { expression, format, file: path })}\n`);
    else await io.write(path === null ? String(content) : `wrote ${path}\n`);
    return exitCodes.done;
  },
};

/** What is drawn and how, as the options say. */
type Looks = Pick<DrawOptions, "theme" | "title" | "language" | "depth" | "direction" | "step">;

async function contentOf(subject: Subject, format: Format, wrt: readonly string[] | null, looks: Looks): Promise<string | Uint8Array> {
  const picture = format === "png" || format === "html" ? "svg" : format;
  if ("graph" in subject) {
    if (format === "html")
      throw new UsageError(
        isModelFile(looks.title)
          ? `a page walks through numbers, and ${looks.title} is drawn with its shapes; name a picture: -o model.svg`
          : `a page walks through numbers; give the inputs of ${looks.title} values: ${looks.title} x=...`,
        "draw",
      );
    // Left to itself a picture of a model shows its modules and nodes, not what these are made of.
    const closed = looks.depth === undefined && subject.closed !== undefined ? { closed: subject.closed } : {};
    const text = draw(subject.graph, { ...looks, ...closed, format: picture });
    return format === "png" ? pngOf(text) : text;
  }
  const asked = { wrt: chosen(subject.problem, wrt) };
  if (format === "html") {
    if (looks.step !== undefined) throw new UsageError("a page has all of the steps; leave out --step", "draw");
    return walkPage(subject.problem.f, { ...looks, ...asked });
  }
  const text = draw(subject.problem.f, { ...looks, ...asked, format: picture });
  return format === "png" ? pngOf(text) : text;
}

/** A whole number from 0 up; `all` is one too where it may be. */
function countIn(options: Options, name: "depth" | "step"): number | "all" | undefined {
  const given = options.get(name);
  if (given === undefined) return undefined;
  if (name === "depth" && given === "all") return "all";
  if (/^\d{1,9}$/.test(String(given))) return Number(given);
  throw new UsageError(
    `--${name} ${String(given).slice(0, 40)} is no number; write --${name} 1${name === "depth" ? " or --depth all" : ""}`,
    "draw",
  );
}

function directionIn(options: Options): "right" | "down" | undefined {
  const given = options.get("direction");
  if (given === undefined || given === "right" || given === "down") return given;
  throw new UsageError(`--direction ${String(given).slice(0, 40)} is not there; right and down are`, "draw");
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
  const format = (Object.keys(formats) as Format[]).find((f) => f === wanted || (formats[f] as readonly string[]).includes(wanted));
  if (format === undefined) {
    const what =
      given === undefined
        ? wanted === ""
          ? `${path} has no extension`
          : `${path}: .${wanted} is no format of draw`
        : `--format ${wanted.slice(0, 40)} is not there`;
    throw new UsageError(`${what}; there are ${Object.keys(formats).join(", ")}`, "draw");
  }
  if (format === "png" && path === null) throw new UsageError("a PNG is no text for a terminal; name a file: -o picture.png", "draw");
  return format;
}
