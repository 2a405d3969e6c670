import { type Command, helpOption, type OptionSpec } from "./command.ts";

/** The help of the whole program. */
export function generalHelp(commands: readonly Command[], heading: (text: string) => string): string {
  const width = Math.max(...commands.map(({ name }) => name.length)) + 2;
  return [
    "chainrule: computational graphs and backpropagation, with every number in sight",
    "",
    heading("Usage"),
    "  chainrule COMMAND EXPR name=value ... [options]",
    "",
    heading("Commands"),
    ...commands.map(({ name, summary }) => `  ${name.padEnd(width)}${summary}`),
    `  ${"help".padEnd(width)}help for a command: chainrule help explain`,
    "",
    heading("Expressions"),
    '  "(x + y) * z", "sum((x @ w - y)^2)", "max(x, 0)", "q = x + y; q * z"; @formula.txt reads one from a file',
    "",
    heading("Values"),
    "  x=-2   x=1e-3   x=pi/2   x=inf   w=[1,2,3]   w=[[1,2],[3,4]]   w:f32=[1,2]   labels:i32=[0,1]",
    "  x=@file.npy   x=@file.csv   w=@file.npz:name   w=@file.safetensors:name",
    "",
    heading("Options"),
    ...optionLines([helpOption, { name: "version", about: "print the version" }]),
    "",
    heading("Example"),
    `  ${commands[0]!.examples[0]!}`,
    "",
    "Exit codes: 0 done; 1 a batch line or a check failed; 2 bad input; 3 a fault of chainrule itself; 130 stopped by Ctrl-C.",
    "",
  ].join("\n");
}

/** The help of one command. */
export function commandHelp({ name, usage, summary, details, options, examples }: Command, heading: (text: string) => string): string {
  return [
    `chainrule ${name}: ${summary}`,
    "",
    heading("Usage"),
    ...usage.map((line) => `  ${line}`),
    "",
    details,
    "",
    heading("Options"),
    ...optionLines([...options, helpOption]),
    "",
    heading(examples.length === 1 ? "Example" : "Examples"),
    ...examples.map((line) => `  ${line}`),
    "",
  ].join("\n");
}

function optionLines(options: readonly OptionSpec[]): string[] {
  const heads = options.map(
    ({ name, short, value }) => `${short === undefined ? "" : `-${short}, `}--${name}${value === undefined ? "" : ` ${value}`}`,
  );
  const width = Math.max(...heads.map((head) => head.length)) + 2;
  return options.map(({ about }, i) => `  ${heads[i]!.padEnd(width)}${about}`);
}

/** The commands as JSON. */
export function helpJson(commands: readonly Command[]): object {
  return {
    commands: commands.map(({ name, usage, summary, options, examples }) => ({
      name,
      usage,
      summary,
      options: [...options, helpOption].map((o) => ({ name: o.name, short: o.short ?? null, value: o.value ?? null, about: o.about })),
      examples,
    })),
  };
}
