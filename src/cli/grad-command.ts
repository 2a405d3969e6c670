import { gradients } from "../autodiff/grad.ts";
import { tensorText } from "../explain/number-text.ts";
import { input, variable } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import { f64 } from "../ir/type.ts";
import { infix } from "../notation/infix.ts";
import { simplify } from "../passes/simplify.ts";
import { answerJson, answerOf } from "./answer.ts";
import { runBatch } from "./batch.ts";
import { coloursFor } from "./colours.ts";
import { type Command, type Given, jsonOption, wrtOption } from "./command.ts";
import { type CommandIo, exitCodes } from "./io.ts";
import { applied, checkIsExpression, checkNames, chosen, compiled, expressionIn, namesIn, type Problem, problemOf } from "./problem.ts";
import { UsageError } from "./usage-error.ts";
import { readValues } from "./values.ts";

/** Text shows this many significant digits; JSON shows all. */
const digits = 10;

/** `chainrule grad`: value and gradients, as numbers or formulas, of one expression or a file of them. */
export const gradCommand: Command = {
  name: "grad",
  usage: ["chainrule grad EXPR name=value ...", "chainrule grad EXPR --symbolic [name=value ...]", "chainrule grad --batch FILE.jsonl"],
  summary: "value and gradients, as numbers or as formulas",
  details:
    "The expression has to give one number. With --symbolic, variables without a value are numbers of which nothing is known, and the\n" +
    "formulas are simplified as at school: right wherever the original is finite.\n\n" +
    `A batch has one record a line, {"expr": "x^2", "at": {"x": 3}}, and if wanted "wrt": ["x"]. The answers are {"value", "gradients"}\n` +
    `or {"error": {"code", "message", "span"}}, a line each in the same order. If any failed, the exit code is 1.`,
  options: [
    wrtOption,
    jsonOption,
    { name: "symbolic", about: "print the derivatives as simplified formulas" },
    { name: "batch", value: "FILE", about: "answer every line of a .jsonl file, or of standard input for -" },
  ],
  examples: [
    `chainrule grad "(x + y) * z" x=-2 y=5 z=-4 --json`,
    `chainrule grad "sum((x @ w - y)^2)" x=@x.npy y=@y.npy w=[1,2] --wrt w`,
    `chainrule grad "x^2 * sin(x)" --symbolic`,
    `echo '{"expr": "x^2", "at": {"x": 3}}' | chainrule grad --batch -`,
  ],
  run: (given, io) => {
    if (given.options.has("batch")) return batch(given, io);
    return given.options.has("symbolic") ? symbolic(given, io) : numeric(given, io);
  },
};

async function batch({ words, options }: Given, io: CommandIo): Promise<number> {
  if (words.length > 0)
    throw new UsageError("--batch takes its expressions and values from the file; leave out those on the command line", "grad");
  if (options.has("symbolic")) throw new UsageError("--batch and --symbolic do not go together", "grad");
  return runBatch(String(options.get("batch")), namesIn(options.get("wrt")), io);
}

async function numeric({ words: [word, ...rest], options }: Given, io: CommandIo): Promise<number> {
  const wrt = namesIn(options.get("wrt"));
  const expression = await expressionIn(word, "grad", io);
  checkIsExpression(expression, compiled(expression, []), "grad");
  const problem = problemOf(expression, await readValues(rest, "grad"));
  const answer = answerOf(problem, wrt);
  if (options.has("json")) {
    await io.write(`${JSON.stringify(answerJson(answer))}\n`);
    return exitCodes.done;
  }
  const colours = coloursFor("output", io);
  const f = resultName(problem);
  await io.write(`${f} = ${colours.value(tensorText(answer.value, digits))}\n`);
  for (const [name, t] of Object.entries(answer.gradients)) await io.write(`d${f}/d${name} = ${colours.gradient(tensorText(t, digits))}\n`);
  return exitCodes.done;
}

/** What the result is called: f, unless a variable has that name. */
function resultName({ variables }: Problem): string {
  return Object.hasOwn(variables, "f") ? "result" : "f";
}

async function symbolic({ words: [word, ...rest], options }: Given, io: CommandIo): Promise<number> {
  const wrt = namesIn(options.get("wrt"));
  const expression = await expressionIn(word, "grad", io);
  const build = compiled(expression, []);
  checkIsExpression(expression, build, "grad");
  const values = await readValues(rest, "grad");
  const full = compiled(expression, values.keys());
  checkNames(full, values);
  const problem = applied(full, (name): Value => {
    const value = values.get(name);
    return value === undefined ? input(f64(), name) : variable(value, name);
  });
  const formulas = simplify(gradients(problem.f, chosen(problem, wrt)));
  const known = Object.keys(problem.variables).every((name) => values.has(name));
  if (options.has("json")) {
    const derivatives = Object.fromEntries(Object.entries(formulas).map(([name, v]) => [name, infix(v)]));
    const numbers = known ? answerJson(answerOf(problem, wrt)) : {};
    await io.write(`${JSON.stringify({ expression, derivatives, ...numbers })}\n`);
    return exitCodes.done;
  }
  const f = resultName(problem);
  for (const [name, formula] of Object.entries(formulas)) {
    const text = infix(formula);
    await io.write(text.includes("\n") ? `d${f}/d${name}:\n  ${text.replaceAll("\n", "\n  ")}\n` : `d${f}/d${name} = ${text}\n`);
  }
  return exitCodes.done;
}
