import { once } from "node:events";
import { createReadStream, existsSync, readFileSync } from "node:fs";
import type { ReadStream } from "node:tty";
import { type CommandIo, exitCodes, type Keys } from "./io.ts";

/** The streams and files of this process. A reader that goes away, as `head` does, ends it quietly; an answer that cannot be written ends it, too. */
export function processIo(): CommandIo {
  const { stdout, stderr, stdin, env } = process;
  for (const stream of [stdout, stderr])
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") process.exit(0);
      if (stream === stderr) return;
      stderr.write(`chainrule: cannot write to standard output: ${error.code === "ENOSPC" ? "the disk is full" : error.message}\n`);
      process.exit(exitCodes.badInput);
    });
  return {
    write: (text) => (stdout.write(text) ? undefined : once(stdout, "drain").then(() => undefined)),
    writeError: (text) => {
      stderr.write(text);
    },
    isTerminal: { output: stdout.isTTY === true, error: stderr.isTTY === true },
    env,
    readBytes: (path) => (path === "-" ? stdin : createReadStream(path, { highWaterMark: 2 ** 18 })),
    ...(stdin.isTTY === true && stdout.isTTY === true && { keys: () => rawKeys(stdin), rows: stdout.rows }),
    ...(stderr.isTTY === true && { columns: stderr.columns }),
    onInterrupt: (stop) => {
      // Launchers and schedulers end what they started by the second.
      for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, stop);
      return () => {
        for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, stop);
      };
    },
    get version() {
      return packageVersion();
    },
  };
}

/** The keyboard in raw mode, given back whatever ends the process. */
function rawKeys(stdin: ReadStream): Keys {
  const pressed: (string | null)[] = [];
  let waiting: ((key: string | null) => void) | null = null;
  const arrive = (key: string | null): void => {
    if (waiting === null) pressed.push(key);
    else waiting(key);
    waiting = null;
  };
  // Pasted or repeated keys come in one piece; escape sequences stay together.
  const take = (text: string): void => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one
    for (const key of text.match(/\u001b(?:\[[0-9;]*[A-Za-z~]|O[A-Z])|[\s\S]/gu) ?? []) arrive(key);
  };
  const gone = (): void => arrive(null);
  const restore = (): void => {
    stdin.setRawMode(false);
  };
  stdin.setEncoding("utf8");
  stdin.setRawMode(true);
  stdin.on("data", take).on("end", gone);
  process.on("exit", restore);
  stdin.resume();
  return {
    next: () =>
      pressed.length > 0
        ? Promise.resolve(pressed.shift()!)
        : new Promise((resolve) => {
            waiting = resolve;
          }),
    close: () => {
      restore();
      process.off("exit", restore);
      stdin.off("data", take).off("end", gone);
      stdin.pause();
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
