import { once } from "node:events";
import { createReadStream, existsSync, readFileSync } from "node:fs";
import type { CommandIo } from "./io.ts";

/** The streams and files of this process. A reader that goes away, as `head` does, ends it quietly. */
export function processIo(): CommandIo {
  const { stdout, stderr, stdin, env } = process;
  for (const stream of [stdout, stderr])
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") process.exit(0);
      process.exitCode = 2;
      if (stream === stdout) stderr.write(`chainrule: cannot write: ${error.message}\n`);
    });
  return {
    write: (text) => (stdout.write(text) ? undefined : once(stdout, "drain").then(() => undefined)),
    writeError: (text) => {
      stderr.write(text);
    },
    isTerminal: { output: stdout.isTTY === true, error: stderr.isTTY === true },
    env,
    readBytes: (path) => (path === "-" ? stdin : createReadStream(path, { highWaterMark: 2 ** 18 })),
    get version() {
      return packageVersion();
    },
  };
}

/** The version in the package.json that is nearest above this file: it lies one folder up in `dist`, two in `src`. */
function packageVersion(): string {
  for (const up of ["../package.json", "../../package.json"]) {
    const url = new URL(up, import.meta.url);
    if (existsSync(url)) return (JSON.parse(readFileSync(url, "utf8")) as { readonly version: string }).version;
  }
  return "unknown";
}
