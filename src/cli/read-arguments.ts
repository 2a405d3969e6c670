import { nearestName } from "../notation/nearest.ts";
import type { Given, OptionSpec } from "./command.ts";
import { UsageError } from "./usage-error.ts";

/**
 * Splits the arguments of a command into words and options. Options stand anywhere; `--` ends them. The first word may be an expression that
 * begins with a minus: `-x^2`, or `-x` where no option is called x.
 * @throws UsageError for options that are unknown, given twice, or without their value
 */
export function readArguments(args: readonly string[], specs: readonly OptionSpec[], command: string): Given {
  const words: string[] = [];
  const options = new Map<string, string | true>();
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === "--") {
      words.push(...args.slice(i + 1));
      break;
    }
    const option = optionIn(arg, specs);
    if (option === null) {
      if (arg.startsWith("-") && arg !== "-" && !(words.length === 0 && isExpression(arg, specs))) throw unknownOption(arg, specs, command);
      words.push(arg);
      continue;
    }
    const { spec, attached } = option;
    if (options.has(spec.name)) throw new UsageError(`--${spec.name} is given twice`, command);
    if (spec.value === undefined) {
      if (attached !== null) throw new UsageError(`--${spec.name} takes no value; write it without =${attached}`, command);
      options.set(spec.name, true);
    } else {
      const value = attached ?? args[++i];
      if (value === undefined || value === "") throw new UsageError(`--${spec.name} needs a value: --${spec.name} ${spec.value}`, command);
      options.set(spec.name, value);
    }
  }
  return { words, options };
}

function optionIn(arg: string, specs: readonly OptionSpec[]): { readonly spec: OptionSpec; readonly attached: string | null } | null {
  const match = /^--([a-z]+(?:-[a-z]+)*)(?:=([\s\S]*))?$/.exec(arg);
  const short = /^-([A-Za-z])$/.exec(arg);
  const spec = specs.find((s) => (match !== null && s.name === match[1]) || (short !== null && s.short === short[1]));
  return spec === undefined ? null : { spec, attached: match?.[2] ?? null };
}

/** An argument with a minus in front that is no option by its looks, nor a mistyped one. */
function isExpression(arg: string, specs: readonly OptionSpec[]): boolean {
  if (!/^--?[A-Za-z][\w-]*(=.*)?$/.test(arg)) return true;
  return /^-[^-=]*$/.test(arg) && specs.every(({ name }) => name !== arg.slice(1));
}

function unknownOption(arg: string, specs: readonly OptionSpec[], command: string): UsageError {
  const name = arg.replace(/^--?/, "").replace(/=[\s\S]*$/, "");
  const nearest = nearestName(
    name,
    specs.map((s) => s.name),
  );
  const shown = arg.length > 40 ? `${arg.slice(0, 30)}…` : arg;
  const advice = nearest === undefined ? `; it has ${specs.map((s) => `--${s.name}`).join(", ")}` : `; did you mean --${nearest}?`;
  const expression = nearest === undefined ? ". If it is an expression, put -- before it" : "";
  return new UsageError(`${command} has no option ${shown}${advice}${expression}`, command);
}
