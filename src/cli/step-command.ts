import { aligned } from "../check/tables.ts";
import { explain, type Language } from "../explain/explain.ts";
import { tensorText } from "../explain/number-text.ts";
import { textsOf } from "../explain/player/step-texts.ts";
import { steps } from "../explain/steps.ts";
import { type Colours, coloursFor } from "./colours.ts";
import { type Command, jsonOption, langOption, languageIn, type Options, wrtOption } from "./command.ts";
import { printable } from "./describe-error.ts";
import { problemIn } from "./graph-problem.ts";
import { type CommandIo, exitCodes, type Keys } from "./io.ts";
import { chosen, namesIn } from "./problem.ts";
import { stepWords } from "./step-words.ts";
import { linesIn } from "./text-in.ts";
import { UsageError } from "./usage-error.ts";
import { Walk } from "./walk.ts";

/** `chainrule step`: both passes by hand. */
export const stepCommand: Command = {
  name: "step",
  usage: ["chainrule step EXPR name=value ...", "chainrule step FILE.graph name=value ..."],
  summary: "walk through both passes by hand: next, back, jump",
  details:
    `In a terminal each key is a step. With input from a pipe or file each line is a command:\n  ${stepWords("en").help.join("\n  ")}\n` +
    "With --json the whole walk is printed: what explain --json has, each step with its sentence.",
  options: [
    { name: "at", value: "STEP", about: "start at this step; 0, before the first one, when left out" },
    wrtOption,
    jsonOption,
    langOption,
  ],
  examples: [`chainrule step "(x + y) * z" x=-2 y=5 z=-4`, `printf 'n\\nn\\nq\\n' | chainrule step "(x + y) * z" x=-2 y=5 z=-4`],
  run: async ({ words, options }, io) => {
    const language = languageIn(options, "step");
    const wrt = namesIn(options.get("wrt"));
    const at = atIn(options);
    const problem = await problemIn(words, "step", io);
    const asked = chosen(problem, wrt);
    const stepper = steps(problem.f, { wrt: asked });
    const all = [...stepper.forward(), ...stepper.backward()];
    const result = stepper.at(problem.f).name;
    if (options.has("json")) {
      const { steps: told, ...rest } = explain(problem.f, { wrt: asked, language }).json();
      const said = told.map((step, i) => ({ ...step, sentence: textsOf(all[i]!, i + 1, all.length, result, language).say }));
      await io.write(`${JSON.stringify({ expression: problem.expression, ...rest, steps: said })}\n`);
      return exitCodes.done;
    }
    const leaves = stepper.order
      .filter((node) => node.operands.length === 0 && node.label !== null)
      .map((node) => ({ name: stepper.names.get(node)!, value: tensorText(stepper.at(node).value) }));
    const walk = new Walk({ steps: all, result, leaves }, language);
    const refused = walk.goTo(at);
    if (refused !== null) throw new UsageError(`--at: ${refused}`, "step");
    if (io.keys !== undefined && io.isTerminal.output) await byKeys(walk, problem.expression, language, io.keys(), io);
    else await byLines(walk, language, io);
    return exitCodes.done;
  },
};

function atIn(options: Options): number {
  const given = options.get("at");
  if (given === undefined) return 0;
  const at = Number(given);
  if (!Number.isInteger(at) || at < 0)
    throw new UsageError(`--at ${String(given).slice(0, 40)} is no step; write a whole number: --at 3`, "step");
  return at;
}

/** What a command does: moves the walk, or tells something. Null ends. */
function obey(walk: Walk, command: string, language: Language): { readonly said: readonly string[] } | null {
  const words = stepWords(language);
  const moved = (refused: string | null): { readonly said: readonly string[] } => ({ said: refused === null ? told(walk) : [refused] });
  const jump = /^(?:j|jump)?\s*(-?\d+(?:\.\d+)?)$/.exec(command);
  if (jump !== null) return moved(walk.goTo(Number(jump[1])));
  switch (command) {
    case "n":
    case "next":
    case ".":
    case "":
      return moved(walk.next());
    case "b":
    case "back":
    case ",":
      return moved(walk.back());
    case "f":
    case "forward":
      return moved(walk.goTo(0));
    case "g":
    case "backward":
      return moved(walk.toBackward());
    case "e":
    case "end":
      return moved(walk.goTo(walk.last));
    case "s":
    case "show":
      return { said: table(walk, language, Number.POSITIVE_INFINITY) };
    case "?":
    case "help":
      return { said: words.help };
    case "q":
    case "quit":
      return null;
    case "j":
    case "jump":
      return { said: [words.noNumber] };
    default:
      return { said: [words.unknown(command.length > 40 ? `${command.slice(0, 30)}…` : command)] };
  }
}

function told({ texts }: Walk): string[] {
  return [`${texts.count}  ${texts.head}`, ...texts.lines.map((line) => `  ${line}`)];
}

/** The numbers so far. Of more than `most`, those around the newest. */
function table(walk: Walk, language: Language, most: number): string[] {
  const words = stepWords(language);
  const rows = walk.known.map(({ name, value, valueAt, gradient, gradientAt }) => [
    name,
    valueAt <= walk.at ? value : "·",
    gradient !== null && gradientAt <= walk.at ? gradient : "·",
  ]);
  let from = 0;
  if (rows.length > most) {
    const newest = walk.known.findIndex(({ valueAt, gradientAt }) => valueAt === walk.at || gradientAt === walk.at);
    from = Math.max(0, Math.min(rows.length - most, newest - Math.floor(most / 2)));
  }
  const shown = aligned([[words.name, words.value, words.gradient], ...rows.slice(from, from + Math.min(most, rows.length))]);
  return [...shown, ...(rows.length > most ? [`… ${from + 1}-${from + most} / ${rows.length}`] : [])];
}

async function byLines(walk: Walk, language: Language, io: CommandIo): Promise<void> {
  const colours = coloursFor("output", io);
  const print = async (lines: readonly string[]): Promise<void> => {
    const [head = "", ...rest] = lines.map(printable);
    await io.write(`${[/^\S+ \d|^\d/.test(head) ? colours.heading(head) : head, ...rest].join("\n")}\n`);
  };
  await print(told(walk));
  for await (const line of linesIn("-", io)) {
    const answer = obey(walk, (line ?? "").trim(), language);
    if (answer === null) return;
    await print(answer.said);
  }
}

const arrows: Readonly<Record<string, string>> = {
  "\u001b[C": "n",
  "\u001bOC": "n",
  "\u001b[B": "n",
  " ": "n",
  "\r": "n",
  "\n": "n",
  "\u001b[D": "b",
  "\u001bOD": "b",
  "\u001b[A": "b",
  "\u007f": "b",
  "\u001b[H": "f",
  "\u001b[1~": "f",
  "\u001b[F": "e",
  "\u001b[4~": "e",
  "\u0003": "q",
  "\u0004": "q",
  "\u001b": "q",
};

/** A screen that is drawn anew at each key, on the terminal's second page, so that what stood before comes back at the end. */
async function byKeys(walk: Walk, expression: string, language: Language, keys: Keys, io: CommandIo): Promise<void> {
  const words = stepWords(language);
  const colours = coloursFor("output", io);
  let extra: readonly string[] = [];
  let typed: string | null = null;
  await io.write("\u001b[?1049h\u001b[?25l");
  try {
    for (;;) {
      await io.write(`\u001b[H\u001b[2J${screen(walk, expression, language, colours, io.rows ?? 24, extra, typed)}`);
      const key = await keys.next();
      if (key === null) return;
      extra = [];
      if (typed !== null) {
        if (/^\d$/.test(key)) typed += key;
        else if (key === "\u007f") typed = typed.slice(0, -1);
        else if (key === "\r" || key === "\n") {
          const refused = typed === "" ? words.noNumber : walk.goTo(Number(typed));
          extra = refused === null ? [] : [refused];
          typed = null;
        } else if (key === "\u0003") return;
        else typed = null;
        continue;
      }
      const command = arrows[key] ?? key;
      if (command === "j" || /^\d$/.test(command)) {
        typed = command === "j" ? "" : command;
        continue;
      }
      const before = walk.at;
      const answer = obey(walk, command, language);
      if (answer === null) return;
      if (walk.at === before) extra = answer.said;
    }
  } finally {
    keys.close();
    await io.write("\u001b[?25h\u001b[?1049l");
  }
}

/** One screen; lines end in carriage returns too, because the terminal is raw. */
function screen(
  walk: Walk,
  expression: string,
  language: Language,
  { heading, value, gradient, warning }: Colours,
  rows: number,
  extra: readonly string[],
  typed: string | null,
): string {
  const words = stepWords(language);
  const { texts } = walk;
  const most = Math.max(4, rows - texts.lines.length - extra.length - 9);
  const numbers = table(walk, language, most)
    .map(printable)
    .map((line, i) => (i === 0 ? heading(line) : line));
  const paint = walk.step?.pass === "backward" ? gradient : value;
  return [
    heading(printable(expression)),
    "",
    ...numbers,
    "",
    heading(printable(`${texts.count}  ${texts.head}`)),
    ...texts.lines.map((line) => `  ${paint(printable(line))}`),
    "",
    ...extra.map(warning),
    typed === null ? words.keys : `${words.jump}${typed}`,
  ].join("\r\n");
}
