import { writeFileWhole } from "../data/write-file.ts";
import type { Theme } from "../draw/scene.ts";
import { draw } from "../explain/draw.ts";
import { nearestName } from "../notation/nearest.ts";
import type { Options } from "./command.ts";
import { type Command, jsonOption, wrtOption } from "./command.ts";
import { exitCodes } from "./io.ts";
import { checkIsExpression, chosen, compiled, expressionIn, namesIn, problemOf } from "./problem.ts";
import { UsageError } from "./usage-error.ts";
import { readValues } from "./values.ts";

const themes: readonly Theme[] = ["light", "dark", "colour-blind", "colour-blind dark"];

/** `chainrule draw`: the graph as a picture. */
export const drawCommand: Command = {
  name: "draw",
  usage: ["chainrule draw EXPR name=value ... -o FILE.svg"],
  summary: "draw the graph, values above the wires and gradients below",
  details: "Without -o the picture goes to standard output. The file is written whole or not at all.",
  options: [
    { name: "output", short: "o", value: "FILE.svg", about: "the file to write; - is standard output" },
    { name: "theme", value: "THEME", about: `${themes.join(", ")}; light when left out` },
    wrtOption,
    { ...jsonOption, about: "print JSON: the picture, or the file that was written" },
  ],
  examples: [`chainrule draw "(x + y) * z" x=-2 y=5 z=-4 -o lecture.svg`],
  run: async ({ words: [word, ...rest], options }, io) => {
    const wrt = namesIn(options.get("wrt"));
    const theme = themeIn(options);
    const path = outputIn(options);
    const expression = await expressionIn(word, "draw", io);
    checkIsExpression(expression, compiled(expression, []), "draw");
    const problem = problemOf(expression, await readValues(rest, "draw"));
    const svg = draw(problem.f, { wrt: chosen(problem, wrt), theme, title: expression });
    if (path !== null) await writeFileWhole(path, svg);
    if (options.has("json")) await io.write(`${JSON.stringify(path === null ? { expression, svg } : { expression, file: path })}\n`);
    else await io.write(path === null ? svg : `wrote ${path}\n`);
    return exitCodes.done;
  },
};

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
  if (typeof path !== "string" || path === "-") return null;
  if (!/\.svg$/i.test(path)) throw new UsageError(`${path}: draw writes SVG; name the file ….svg`, "draw");
  return path;
}
