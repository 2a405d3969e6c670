import { serializeNpz } from "../data/npz.ts";
import { readTensorFile } from "../data/read-file.ts";
import { serializeSafetensors } from "../data/safetensors.ts";
import { evaluate } from "../evaluate/evaluate.ts";
import { diffGradients } from "../explain/diff/diff-gradients.ts";
import { dumpFromTensors, dumpOf, dumpToTensors, type GradientDump } from "../explain/diff/dump.ts";
import { writeFileWhole } from "../files/write-file.ts";
import { isFloat } from "../ir/dtype.ts";
import { isTensor, variable } from "../ir/leaf.ts";
import type { Tensor } from "../ir/tensor.ts";
import { tensor } from "../ir/tensor.ts";
import { tensorType } from "../ir/type.ts";
import { coloursFor } from "./colours.ts";
import { type Command, jsonOption, langOption, languageIn, type Options } from "./command.ts";
import { printable } from "./describe-error.ts";
import { problemIn } from "./graph-problem.ts";
import { exitCodes } from "./io.ts";
import { chosen, type Problem } from "./problem.ts";
import { UsageError } from "./usage-error.ts";

/** `chainrule diff`: values and gradients beside those of another run. */
export const diffCommand: Command = {
  name: "diff",
  usage: [
    "chainrule diff EXPR name=value ... --dump FILE",
    "chainrule diff EXPR name=value ... --against f32",
    "chainrule diff EXPR name=value ... --save FILE",
  ],
  summary: "compare values and gradients with another run, and name the first that deviates",
  details:
    "A dump is a .npz or .safetensors file: `w` is the value called w, `w.grad` its gradient; lines of the expression give names. --save\n" +
    "writes such a file, --against compares with the same in another dtype. Deviations are counted in units in the last place of the\n" +
    "coarser dtype, at the tensor's largest element. Exit code 1 when something deviates.",
  options: [
    { name: "dump", value: "FILE", about: "the .npz or .safetensors file of the other run" },
    { name: "against", value: "DTYPE", about: "f32, f16 or bf16: the other run is this one in that dtype" },
    { name: "save", value: "FILE", about: "write this run's values and gradients to a .npz or .safetensors file" },
    { name: "names", value: "a=b,...", about: "names of the dump, where they differ: w=layer1.weight" },
    { name: "ulps", value: "NUMBER", about: "how many units in the last place are no deviation; 256 when left out" },
    { name: "markdown", about: "print Markdown instead of text" },
    jsonOption,
    langOption,
  ],
  examples: [
    `chainrule diff "h = tanh(x @ w); sum(h^2)" x=@x.npy w=@w.npy --dump torch.npz`,
    `chainrule diff "sum(exp(x))" x=[1,2,30] --against f32`,
  ],
  run: async ({ words, options }, io) => {
    const language = languageIn(options, "diff");
    const ulps = ulpsIn(options);
    const names = renamedIn(options);
    if (options.has("json") && options.has("markdown"))
      throw new UsageError("--json and --markdown do not go together; choose one", "diff");
    const save = options.get("save");
    const sources = (["dump", "against"] as const).filter((name) => options.has(name));
    if (sources.length > 1) throw new UsageError("--dump and --against do not go together; choose one", "diff");
    if (sources.length === 0 && save === undefined)
      throw new UsageError("diff needs another run: --dump FILE, --against f32, or --save FILE to write one", "diff");
    const problem = await problemIn(words, "diff", io);
    chosen(problem, null);
    if (typeof save === "string") {
      await writeFileWhole(save, await bytesFor(save, dumpOf(problem.f)));
      if (sources.length === 0) {
        await io.write(options.has("json") ? `${JSON.stringify({ expression: problem.expression, file: save })}\n` : `wrote ${save}\n`);
        return exitCodes.done;
      }
    }
    const against = options.has("dump") ? await dumpIn(String(options.get("dump"))) : runIn(problem, String(options.get("against")));
    const report = diffGradients(problem.f, against, { names, language, ...(ulps !== null && { ulps }) });
    if (options.has("json")) await io.write(`${JSON.stringify({ expression: problem.expression, ...report.toJSON() })}\n`);
    else if (options.has("markdown")) await io.write(printable(report.markdown()));
    else {
      const { value, fault } = coloursFor("output", io);
      const [first = "", ...rest] = printable(report.text()).split("\n");
      await io.write([(report.agrees ? value : fault)(first), ...rest].join("\n"));
    }
    return report.agrees ? exitCodes.done : exitCodes.failed;
  },
};

async function dumpIn(path: string): Promise<GradientDump> {
  const found = await readTensorFile(path);
  if (isTensor(found))
    throw new UsageError(`${path} has one tensor without a name; a dump is a .npz or .safetensors file of named ones`, "diff");
  return dumpFromTensors(found);
}

async function bytesFor(path: string, dump: GradientDump): Promise<Uint8Array> {
  const tensors = dumpToTensors(dump);
  if (/\.npz$/i.test(path)) return serializeNpz(tensors);
  if (/\.safetensors$/i.test(path)) return serializeSafetensors(tensors);
  throw new UsageError(`${path}: a dump is written as .npz or .safetensors; name the file so`, "diff");
}

/** The same problem with its floating-point variables in another dtype. */
function runIn(problem: Problem, dtype: string): GradientDump {
  if (dtype !== "f32" && dtype !== "f16" && dtype !== "bf16")
    throw new UsageError(`--against ${dtype.slice(0, 40)} is not there; f32, f16 and bf16 are`, "diff");
  const moved = Object.fromEntries(
    Object.entries(problem.variables).map(([name, v]) => {
      if (!isFloat(v.type.dtype)) return [name, v];
      const t = evaluate(v) as Tensor;
      return [name, variable(tensor(t.data, tensorType(dtype, t.type.shape)), name)];
    }),
  );
  return dumpOf(problem.apply(moved));
}

function ulpsIn(options: Options): number | null {
  const given = options.get("ulps");
  if (given === undefined) return null;
  const ulps = Number(given);
  if (!(ulps >= 0)) throw new UsageError(`--ulps ${String(given).slice(0, 40)} is no number from 0 up`, "diff");
  return ulps;
}

function renamedIn(options: Options): Readonly<Record<string, string>> {
  const given = options.get("names");
  if (typeof given !== "string") return {};
  return Object.fromEntries(
    given.split(",").map((pair) => {
      const at = pair.indexOf("=");
      if (at < 1 || at === pair.length - 1)
        throw new UsageError(`--names: "${pair.slice(0, 40)}" is no pair; write w=layer1.weight`, "diff");
      return [pair.slice(0, at).trim(), pair.slice(at + 1).trim()];
    }),
  );
}
