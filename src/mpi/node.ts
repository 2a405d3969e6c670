import { EngineError } from "../ir/errors.ts";

/** The part of Node's `process` that is used here. Declared by hand: the library compiles without Node's types, for most of it runs in pages too. */
export interface NodeProcess {
  readonly pid: number;
  readonly arch: string;
  readonly version: string;
  readonly env: Record<string, string | undefined>;
  exitCode?: number | string | null | undefined;
  readonly stderr: { write(text: string): unknown };
  cwd(): string;
  exit(code: number): never;
  on(event: "exit", listener: (code: number) => void): unknown;
  on(event: "uncaughtExceptionMonitor", listener: (error: unknown) => void): unknown;
  on(event: "SIGTERM" | "SIGINT", listener: () => void): unknown;
  off(event: "SIGTERM" | "SIGINT", listener: () => void): unknown;
  listenerCount(event: "SIGTERM" | "SIGINT"): number;
  kill(pid: number, signal: "SIGTERM" | "SIGINT"): unknown;
  getBuiltinModule(name: string): unknown;
}

/** A worker thread of Node. */
export interface NodeWorker {
  unref(): void;
  terminate(): unknown;
}

interface Builtins {
  readonly "node:module": { createRequire(from: string): (name: string) => unknown };
  readonly "node:fs": { existsSync(path: URL): boolean; readFileSync(path: URL, encoding: "utf8"): string };
  readonly "node:os": {
    hostname(): string;
    networkInterfaces(): Record<string, readonly { readonly address: string; readonly family: string; readonly internal: boolean }[]>;
  };
  readonly "node:crypto": { randomBytes(size: number): { toString(encoding: "hex"): string } };
  readonly "node:worker_threads": { readonly Worker: new (source: string, options: object) => NodeWorker };
}

/** This process. @throws EngineError in a page, and in a Node that is too old */
export function nodeProcess(): NodeProcess {
  const found = (globalThis as { readonly process?: Partial<NodeProcess> }).process;
  if (found?.getBuiltinModule === undefined || found.env === undefined)
    throw new EngineError("mpi needs Node, 20.19 or later; in a page use the threads of wasm({ threads })");
  return found as NodeProcess;
}

/** One of Node's own modules. */
export function builtin<N extends keyof Builtins>(name: N): Builtins[N] {
  return nodeProcess().getBuiltinModule(name) as Builtins[N];
}
