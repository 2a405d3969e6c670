import { createReadStream } from "node:fs";
import type { CommandIo, Keys } from "../../src/cli/io.ts";
import { run } from "../../src/cli/run.ts";

/** What a command left: its exit code and what it wrote. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line in this process. */
export async function runCli(
  args: readonly string[],
  {
    stdin = "",
    terminal = false,
    env = {},
    keys,
  }: { stdin?: string; terminal?: boolean; env?: Readonly<Record<string, string>>; keys?: readonly string[] } = {},
): Promise<Ran> {
  let out = "";
  let err = "";
  const io: CommandIo = {
    write: (text) => {
      out += text;
    },
    writeError: (text) => {
      err += text;
    },
    isTerminal: { output: terminal, error: terminal },
    env,
    readBytes: (path) =>
      path === "-"
        ? (async function* () {
            yield new TextEncoder().encode(stdin);
          })()
        : createReadStream(path),
    version: "1.2.3",
    ...(keys !== undefined && { keys: () => pressing(keys) }),
  };
  const code = await run(args, io);
  return { code, out, err };
}

/** A keyboard on which these keys are pressed, and then no more; `closed` counts how often it was given back. */
export function pressing(keys: readonly string[]): Keys & { closed: number } {
  const left = [...keys];
  return {
    closed: 0,
    next: () => Promise.resolve(left.shift() ?? null),
    close() {
      this.closed++;
    },
  };
}
