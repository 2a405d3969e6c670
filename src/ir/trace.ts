import { GraphError } from "./errors.ts";

/** How many `trace` calls are running; undefined until somebody asks, then at least 1 where CHAINRULE_TRACE is 1. */
let running: number | undefined;

interface WithProcess {
  readonly process?: { readonly env?: Readonly<Record<string, string | undefined>> };
}

/** Whether nodes note the line of the user's code that builds them. */
export function isTracing(): boolean {
  running ??= (globalThis as WithProcess).process?.env?.["CHAINRULE_TRACE"] === "1" ? 1 : 0;
  return running > 0;
}

/**
 * Runs `build`; every node built meanwhile notes the line of your code that built it, which `why`, `firstBad` and `paths` then show. A stack
 * costs more than the node it is taken for, so this is off outside; setting CHAINRULE_TRACE=1 in the environment turns it on everywhere.
 * @throws GraphError when `build` returns a promise: what it builds later would not be traced
 */
export function trace<R>(build: () => R): R {
  isTracing();
  running!++;
  try {
    const result = build();
    if (typeof (result as { then?: unknown } | null | undefined)?.then === "function")
      throw new GraphError("trace: the function returned a promise; await before, and build inside, or set CHAINRULE_TRACE=1");
    return result;
  } finally {
    running!--;
  }
}

/** Frames are asked for so deep that the user's code is among them below our own functions. */
const deepest = 64;

/** The folder of this library's own code, without `file://`; null where the platform does not tell. */
function ownFolder(): string | null {
  try {
    // In a variable, because bundlers take a literal here for a file to copy.
    const up = "..";
    return bare(new URL(up, import.meta.url).href);
  } catch {
    return null;
  }
}

function bare(url: string): string {
  return url.replace(/^file:\/\/(?=\/)/, "");
}

/** `file:line:column` of the innermost frame that is not this library's, null where none can be told. */
export function callerLine(): string | null {
  const errors = Error as { stackTraceLimit?: number };
  const limit = errors.stackTraceLimit;
  errors.stackTraceLimit = deepest;
  const { stack } = new Error();
  if (limit !== undefined) errors.stackTraceLimit = limit;
  return typeof stack === "string" ? userLine(stack, ownFolder()) : null;
}

/** The first frame of a stack (V8, Firefox and Safari write `file:line:column` at its end) outside of `own` and of the runtime itself. */
export function userLine(stack: string, own: string | null): string | null {
  if (own === null) return null;
  for (const text of stack.split("\n")) {
    const found = /(?:^|[\s(@])((?:[a-z][\w+.-]*:\/\/|\/|[A-Za-z]:[\\/])[^()]*:\d+:\d+)\)?\s*$/.exec(text);
    if (found === null) continue;
    const line = bare(found[1]!);
    if (!line.startsWith(own)) return line;
  }
  return null;
}
