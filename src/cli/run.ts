import { nearestName } from "../notation/nearest.ts";
import { checkCommand } from "./check-command.ts";
import { coloursFor } from "./colours.ts";
import { type Command, helpOption, jsonOption } from "./command.ts";
import { describeError } from "./describe-error.ts";
import { diffCommand } from "./diff-command.ts";
import { drawCommand } from "./draw-command.ts";
import { explainCommand } from "./explain-command.ts";
import { finetuneCommand } from "./finetune-command.ts";
import { gradCommand } from "./grad-command.ts";
import { healthCommand } from "./health-command.ts";
import { commandHelp, generalHelp, helpJson } from "./help.ts";
import { type CommandIo, exitCodes } from "./io.ts";
import { onnxCommand } from "./onnx-command.ts";
import { predictCommand } from "./predict-command.ts";
import { profileCommand } from "./profile-command.ts";
import { readArguments } from "./read-arguments.ts";
import { stepCommand } from "./step-command.ts";
import { studioCommand } from "./studio-command.ts";
import { trainCommand } from "./train-command.ts";
import { UsageError } from "./usage-error.ts";
import { whyCommand } from "./why-command.ts";

const commands: readonly Command[] = [
  explainCommand,
  gradCommand,
  checkCommand,
  drawCommand,
  stepCommand,
  healthCommand,
  profileCommand,
  diffCommand,
  whyCommand,
  trainCommand,
  predictCommand,
  finetuneCommand,
  onnxCommand,
  studioCommand,
];

/** Runs one command line. Bad input becomes one message on standard error, and never an exception. @returns the exit code */
export async function run(args: readonly string[], io: CommandIo): Promise<number> {
  try {
    return await obeyed(args, io);
  } catch (error) {
    const { message, command, exitCode } = describeError(error);
    const { fault } = coloursFor("error", io);
    const hint =
      command === null ? "" : `\n${command === "" ? "chainrule --help lists the commands" : `chainrule help ${command} tells more`}`;
    io.writeError(`${fault("chainrule:")} ${message}${hint}\n`);
    return exitCode;
  }
}

async function obeyed(args: readonly string[], io: CommandIo): Promise<number> {
  const [first, ...rest] = args;
  if (first === undefined || first === "--help" || first === "-h" || first === "help") return help(rest, io);
  if (first === "--version" || first === "-V") return version(rest, io);
  const command = commandNamed(first, rest);
  const given = readArguments(rest, [...command.options, helpOption], command.name);
  if (given.options.has("help")) return help([command.name], io);
  return command.run(given, io);
}

function commandNamed(name: string, rest: readonly string[]): Command {
  const found = commands.find((command) => command.name === name);
  if (found !== undefined) return found;
  const shown = name.length > 40 ? `${name.slice(0, 30)}…` : name;
  if (name.startsWith("-")) throw new UsageError(`unknown option ${shown}; a command comes first`, "");
  const nearest = nearestName(name, [...commands.map((command) => command.name), "help"]);
  const expression = nearest === undefined && (/[^\p{L}]/u.test(name) || rest.some((word) => word.includes("=")));
  const advice =
    nearest !== undefined
      ? `; did you mean ${nearest}?`
      : expression
        ? `; to explain an expression, write chainrule explain "${shown}" ...`
        : `; there are ${commands.map((command) => command.name).join(", ")}`;
  throw new UsageError(`unknown command "${shown}"${advice}`, "");
}

async function help(args: readonly string[], io: CommandIo): Promise<number> {
  const { words, options } = readArguments(args, [jsonOption, helpOption], "help");
  if (words.length > 1) throw new UsageError("help takes one command", "");
  const [name] = words;
  const command = name === undefined || name === "help" ? null : commandNamed(name, []);
  const { heading } = coloursFor("output", io);
  if (options.has("json")) await io.write(`${JSON.stringify(helpJson(command === null ? commands : [command]))}\n`);
  else await io.write(command === null ? generalHelp(commands, heading) : commandHelp(command, heading));
  return exitCodes.done;
}

async function version(args: readonly string[], io: CommandIo): Promise<number> {
  const { words, options } = readArguments(args, [jsonOption], "version");
  if (words.length > 0) throw new UsageError("--version takes nothing after it", "");
  await io.write(options.has("json") ? `${JSON.stringify({ version: io.version })}\n` : `${io.version}\n`);
  return exitCodes.done;
}
