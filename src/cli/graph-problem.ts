import { readGraph } from "../data/graph-file.ts";
import { isFloat } from "../ir/dtype.ts";
import { GradientError, GraphError } from "../ir/errors.ts";
import type { AnyGraph } from "../ir/graph.ts";
import { variable } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import { tensor } from "../ir/tensor.ts";
import type { TextGraph } from "../ir/text/parse-graph.ts";
import { leaves } from "../ir/tree.ts";
import { sameType, typeText } from "../ir/type.ts";
import { clipped } from "../notation/caret.ts";
import { nearestName } from "../notation/nearest.ts";
import type { CommandIo } from "./io.ts";
import { checkIsExpression, compiled, expressionIn, listed, type Problem, problemOf } from "./problem.ts";
import { UsageError } from "./usage-error.ts";
import { readValues, type Values } from "./values.ts";

/** What a command is about: a problem, or a graph whose inputs have no values. */
export type Subject =
  | { readonly problem: Problem }
  | { readonly graph: AnyGraph; readonly name: string; readonly closed?: readonly string[] };

/** Whether the first word of a command names a graph file rather than an expression. */
export function isGraphFile(word: string | undefined): word is string {
  return word !== undefined && /\.graph$/i.test(word) && !word.startsWith("@");
}

/** Whether the first word of a command names a model file. */
export function isModelFile(word: string | undefined): word is string {
  return word !== undefined && /\.onnx$/i.test(word) && !word.startsWith("@");
}

/**
 * The problem of a command line, `EXPR name=value ...` or `FILE.graph name=value ...`. A graph file gives its output `loss`, or its only one.
 * @throws ParseError, UsageError, GraphError for what cannot be read or does not fit
 */
export async function problemIn(words: readonly string[], command: string, io: CommandIo): Promise<Problem> {
  const [word, ...rest] = words;
  const values = await readValues(rest, command);
  if (isGraphFile(word)) return problemOfGraph(word, await readGraph(word), values);
  const expression = await expressionIn(word, command, io);
  checkIsExpression(expression, compiled(expression, []), command);
  return problemOf(expression, values);
}

/** As `problemIn`; a graph file without any values is the graph itself, and so is a model file. */
export async function subjectIn(words: readonly string[], command: string, io: CommandIo): Promise<Subject> {
  const [word, ...rest] = words;
  if (isModelFile(word)) {
    if (rest.length > 0) throw new UsageError(`${word} is drawn with its shapes; leave out ${clipped(rest[0]!)}`, command);
    const { modelPicture } = await import("../onnx/sample.ts");
    const { graph, nodes } = await modelPicture(word);
    return { graph, name: word, closed: nodes };
  }
  if (!isGraphFile(word) || rest.length > 0) return { problem: await problemIn(words, command, io) };
  const graph = await readGraph(word);
  if (leaves(graph.inputs).length === 0 && scalarOutput(graph) !== null) return { problem: problemOfGraph(word, graph, new Map()) };
  return { graph, name: word };
}

function problemOfGraph(path: string, graph: TextGraph, values: Values): Problem {
  const inputs = leaves(graph.inputs).map(({ path: name, leaf }) => ({ name, type: (leaf as Value).type }));
  const names = inputs.map(({ name }) => name);
  for (const name of values.keys()) {
    if (names.includes(name)) continue;
    const nearest = nearestName(name, names);
    throw new UsageError(
      `${path} has no input ${clipped(name)}; ${nearest === undefined ? (names.length === 0 ? "it has none" : `it has ${listed(names)}`) : `did you mean ${nearest}?`}`,
    );
  }
  const missing = inputs.filter(({ name }) => !values.has(name));
  if (missing.length > 0)
    throw new GraphError(
      `${path}: ${listed(missing.map(({ name }) => name))} ${missing.length === 1 ? "has" : "have"} no value; give ${missing
        .slice(0, 8)
        .map(({ name, type }) => `${clipped(name)}=... (${typeText(type)})`)
        .join(" ")}`,
    );
  const variables: Record<string, Value> = {};
  for (const { name, type } of inputs) {
    const given = values.get(name)!;
    // A number on the command line is f64 unless it says otherwise; the graph says what it wants.
    const fitted = given.type.dtype === type.dtype ? given : tensor(given.data, { ...type, shape: given.type.shape });
    if (!sameType(fitted.type, type))
      throw new GraphError(`${path}: input ${clipped(name)} is ${typeText(type)}; ${typeText(given.type)} was given`);
    variables[name] = variable(fitted, name);
  }
  const outputs = graph(variables) as unknown;
  const f = scalarOutput({ outputs });
  if (f === null)
    throw new GradientError(
      `${path}: a gradient starts at one floating-point number; the outputs are ${leaves(outputs)
        .map(({ path: name, leaf }) => `${name || "output"}: ${typeText((leaf as Value).type)}`)
        .join(", ")}. Name the one to use "loss"`,
    );
  return { expression: path, f, variables, apply: (given) => scalarOutput({ outputs: graph({ ...variables, ...given }) })! };
}

/** The output called loss, or the only output that is a floating-point scalar. */
function scalarOutput({ outputs }: { readonly outputs: unknown }): Value | null {
  const all = leaves(outputs).map(({ path, leaf }) => ({ path, v: leaf as Value }));
  const scalars = all.filter(({ v }) => v.type.shape.length === 0 && isFloat(v.type.dtype));
  return (scalars.find(({ path }) => path === "loss") ?? (scalars.length === 1 ? scalars[0] : undefined))?.v ?? null;
}
