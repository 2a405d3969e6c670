import { gradients } from "../autodiff/grad.ts";
import { readGraph } from "../data/graph-file.ts";
import { drawProfile } from "../draw/draw-profile.ts";
import type { Profile } from "../engines/profile.ts";
import { compile } from "../engines/program.ts";
import { evaluate } from "../evaluate/evaluate.ts";
import { writeFileWhole } from "../files/write-file.ts";
import { type AnyGraph, type Graph, graph as graphOn } from "../ir/graph.ts";
import type { Value } from "../ir/node.ts";
import { type Tensor, tensor } from "../ir/tensor.ts";
import { leaves, rebuild } from "../ir/tree.ts";
import { sameType, type TensorType, typeText } from "../ir/type.ts";
import { clipped } from "../notation/caret.ts";
import { type Command, jsonOption, langOption, languageIn, wrtOption } from "./command.ts";
import { wholeIn } from "./formats.ts";
import { isGraphFile, isModelFile, problemIn } from "./graph-problem.ts";
import { type CommandIo, exitCodes } from "./io.ts";
import { pngOf } from "./png.ts";
import { chosen, listed, namesIn } from "./problem.ts";
import { UsageError } from "./usage-error.ts";
import { readValues, type Values } from "./values.ts";

/** `chainrule profile`: what a compiled program does step by step, and how long it takes. */
export const profileCommand: Command = {
  name: "profile",
  usage: [
    "chainrule profile EXPR name=value ... [-o FILE.svg]",
    "chainrule profile FILE.graph [name=value ...] [-o FILE.svg]",
    "chainrule profile FILE.onnx [-o FILE.svg]",
  ],
  summary: "compile to WebAssembly and time each step",
  details:
    "An expression is compiled with its gradients, a graph file and an ONNX model as they are. Inputs of files without a value get made-up numbers. For each step: milliseconds, share of the time, the least time that its operations and bytes take, its ops and shape; the longest first.\n" +
    "With -o the steps are drawn too: a box each, coloured by its share of the time. PNG needs the package @resvg/resvg-js.",
  options: [
    { name: "output", short: "o", value: "FILE", about: "draw the steps into this .svg or .png file" },
    { name: "rounds", value: "N", about: "how often each step is timed; 20 when left out" },
    { name: "most", value: "N", about: "how many steps are listed and have boxes of their own, the longest first; 20 when left out" },
    wrtOption,
    { name: "forward", about: "the value of an expression alone, without gradients" },
    { ...langOption, about: "the language of the picture: en (when left out) or ko" },
    jsonOption,
  ],
  examples: [`chainrule profile "sum(tanh(x @ w)^2)" x=@x.npy w=@w.npy -o steps.svg`, "chainrule profile model.onnx --most 10"],
  run: async ({ words, options }, io) => {
    const language = languageIn(options, "profile");
    const rounds = positiveIn(options, "rounds", 20);
    const most = positiveIn(options, "most", 20);
    const wrt = namesIn(options.get("wrt"));
    const path = pictureIn(options.get("output"));
    const { graph, data } = await subjectOf(words, { wrt, forward: options.has("forward") }, io);
    const { wasm } = await import("../wasm.ts");
    const program = await compile(graph as Graph<{}, unknown>, wasm());
    const profile = program.profile(data as never, { rounds });
    if (path !== null) {
      const svg = drawProfile(profile, { language, most });
      await writeFileWhole(path, path.toLowerCase().endsWith(".png") ? await pngOf(svg) : svg);
    }
    await io.write(
      options.has("json")
        ? `${JSON.stringify(jsonOf(profile, path))}\n`
        : `${profile.text(most)}\n${path === null ? "" : `wrote ${path}\n`}`,
    );
    return exitCodes.done;
  },
};

function jsonOf({ steps, bytes, operations, predicted, measured }: Profile, file: string | null): object {
  return { steps, bytes, operations, predicted, measured, ...(file !== null && { file }) };
}

function positiveIn(options: Parameters<typeof wholeIn>[0], name: string, usual: number): number {
  const given = wholeIn(options, name, "profile") ?? usual;
  if (given === 0) throw new UsageError(`--${name} is 0; it is a whole number, 1 or more`, "profile");
  return given;
}

function pictureIn(given: string | true | undefined): string | null {
  if (typeof given !== "string") return null;
  if (/\.(svg|png)$/i.test(given)) return given;
  throw new UsageError(`profile draws .svg and .png files; ${given.slice(0, 60)} is neither`, "profile");
}

interface Profiled {
  readonly graph: AnyGraph;
  readonly data: unknown;
}

async function subjectOf(
  words: readonly string[],
  { wrt, forward }: { readonly wrt: readonly string[] | null; readonly forward: boolean },
  io: CommandIo,
): Promise<Profiled> {
  const [word, ...rest] = words;
  const file = isModelFile(word) || isGraphFile(word);
  if (file && (wrt !== null || forward))
    throw new UsageError(`${word} is timed as it is; leave out ${forward ? "--forward" : "--wrt"}`, "profile");
  if (isModelFile(word)) {
    const { modelPicture } = await import("../onnx/sample.ts");
    return filled(word, (await modelPicture(word)).graph, await readValues(rest, "profile"));
  }
  if (isGraphFile(word)) return filled(word, await readGraph(word), await readValues(rest, "profile"));
  const problem = await problemIn(words, "profile", io);
  const { variables, apply } = problem;
  const names = forward ? [] : Object.keys(chosen(problem, wrt));
  const types = Object.fromEntries(Object.entries(variables).map(([name, v]) => [name, v.type]));
  const graph = graphOn(types, (given) => {
    const at = given as Readonly<Record<string, Value>>;
    const value = apply(at);
    return { value, gradients: gradients(value, Object.fromEntries(names.map((name) => [name, at[name]!]))) };
  });
  return { graph: graph as unknown as AnyGraph, data: evaluate(variables) };
}

/** A graph with data for all of its inputs: the values that were given, and made-up ones. */
async function filled(path: string, graph: AnyGraph, values: Values): Promise<Profiled> {
  const { madeUpData } = await import("../onnx/sample.ts");
  const known = new Set(leaves(graph.inputs).map(({ path: name }) => name));
  for (const name of values.keys())
    if (!known.has(name)) throw new UsageError(`${path} has no input ${clipped(name)}; it has ${listed([...known]) || "none"}`, "profile");
  const data = rebuild(graph.inputs, (leaf, name) => {
    const { type } = leaf as Value;
    const given = values.get(name);
    return given === undefined ? madeUpData(type) : fitted(path, name, given, type);
  });
  return { graph, data };
}

function fitted(path: string, name: string, given: Tensor, type: TensorType): Tensor {
  const made = given.type.dtype === type.dtype ? given : tensor(given.data, { ...type, shape: given.type.shape });
  if (sameType(made.type, type)) return made;
  throw new UsageError(`${path}: input ${clipped(name)} is ${typeText(type)}; ${typeText(given.type)} was given`, "profile");
}
