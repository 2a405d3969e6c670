import { createReadStream } from "node:fs";
import type { CommandIo } from "../../src/cli/io.ts";
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
  { stdin = "", terminal = false, env = {} }: { stdin?: string; terminal?: boolean; env?: Readonly<Record<string, string>> } = {},
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
  };
  const code = await run(args, io);
  return { code, out, err };
}
