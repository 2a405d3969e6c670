import { type HealthOptions, health } from "../explain/health/health.ts";
import { coloursFor } from "./colours.ts";
import { type Command, jsonOption, langOption, languageIn, type Options, wrtOption } from "./command.ts";
import { printable } from "./describe-error.ts";
import { problemIn } from "./graph-problem.ts";
import { exitCodes } from "./io.ts";
import { chosen, namesIn } from "./problem.ts";
import { UsageError } from "./usage-error.ts";

/** `chainrule health`: what one would look at before and while training. */
export const healthCommand: Command = {
  name: "health",
  usage: ["chainrule health EXPR name=value ...", "chainrule health FILE.graph name=value ..."],
  summary: "look for dead units, saturation, vanishing gradients, kinks, NaN",
  details:
    "Looks at a loss and its gradients: values that are not finite, units that are off for every sample, saturated gates, updates against\n" +
    "weights (with --rate), the first loss against guessing (a warning with --initial), the scale of data, gradients that vanish or explode\n" +
    "from layer to layer, and kinks or ties that values sit on, with the derivative taken there. The variables of --wrt are the\n" +
    "parameters, the others are data. Exit code 1 when something is broken or has to be looked at.",
  options: [
    wrtOption,
    { name: "rate", value: "NUMBER", about: "the learning rate of gradient descent" },
    { name: "initial", about: "the weights are fresh: the loss should be that of guessing" },
    { name: "convention", value: "LIBRARY", about: "pytorch (when left out) or jax: also say where JAX's derivatives differ" },
    { name: "markdown", about: "print Markdown instead of text" },
    jsonOption,
    langOption,
  ],
  examples: [`chainrule health "sum(max(x @ w, 0))" "x=[[1,2],[3,4]]" "w=[[-1,1],[-1,0]]" --wrt w --rate 0.1`],
  run: async ({ words, options }, io) => {
    const language = languageIn(options, "health");
    const rate = rateIn(options);
    const convention = conventionIn(options);
    if (options.has("json") && options.has("markdown"))
      throw new UsageError("--json and --markdown do not go together; choose one", "health");
    const wrt = namesIn(options.get("wrt"));
    const problem = await problemIn(words, "health", io);
    const asked: HealthOptions = {
      wrt: chosen(problem, wrt),
      language,
      convention,
      initial: options.has("initial"),
      ...(rate !== null && { rate }),
    };
    const report = health(problem.f, asked);
    if (options.has("json")) await io.write(`${JSON.stringify({ expression: problem.expression, ...report.toJSON() })}\n`);
    else if (options.has("markdown")) await io.write(printable(report.markdown()));
    else {
      const { heading, value, warning, fault } = coloursFor("output", io);
      const worst = report.findings[0]?.level;
      const paint = worst === "bad" ? fault : worst === "warn" ? warning : value;
      const [first = "", ...rest] = printable(report.text()).split("\n");
      const body = rest.map((line) => (line !== "" && !line.startsWith(" ") ? heading(line) : line));
      await io.write([paint(first), ...body].join("\n"));
    }
    return report.healthy ? exitCodes.done : exitCodes.failed;
  },
};

function rateIn(options: Options): number | null {
  const given = options.get("rate");
  if (given === undefined) return null;
  const rate = Number(given);
  if (!(rate > 0) || !Number.isFinite(rate)) throw new UsageError(`--rate ${String(given).slice(0, 40)} is no number above 0`, "health");
  return rate;
}

function conventionIn(options: Options): "pytorch" | "jax" {
  const given = options.get("convention") ?? "pytorch";
  if (given === "pytorch" || given === "jax") return given;
  throw new UsageError(`--convention ${String(given).slice(0, 40)} is not there; pytorch and jax are`, "health");
}
