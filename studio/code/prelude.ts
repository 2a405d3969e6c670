// What runs in the worker before the reader's program: the library, a console, `show`, and the limits. Bundled into one script without imports,
// because the worker's frame may load nothing at all.
import * as chainrule from "chainrule";
import * as data from "chainrule/data";
import * as nn from "chainrule/nn";
import * as onnx from "chainrule/onnx";
import * as optim from "chainrule/optim";
import * as testing from "chainrule/testing";
import * as train from "chainrule/train";
import * as wasm from "chainrule/wasm";
import { limitArrays, limitEngines, whenOver } from "./limits.ts";
import { type ProgramMessage, readMessage } from "./messages.ts";
import type { ProgramText } from "./sandbox.ts";
import { line, shown } from "./shown.ts";

const scope = globalThis as unknown as {
  onmessage: ((event: MessageEvent<ProgramText>) => void) | null;
  postMessage(message: ProgramMessage): void;
  importScripts(url: string): void;
  [name: string]: unknown;
};
const post = scope.postMessage.bind(scope);
const importScripts = scope.importScripts.bind(scope);
const { createObjectURL, revokeObjectURL } = URL;
const now = performance.now.bind(performance);
const later = setTimeout;
const { defineProperty, getPrototypeOf, deleteProperty } = Reflect;

const modules: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  chainrule,
  "chainrule/data": data,
  "chainrule/nn": nn,
  "chainrule/onnx": onnx,
  "chainrule/optim": optim,
  "chainrule/testing": testing,
  "chainrule/train": train,
  "chainrule/wasm": wasm,
};

function imported(name: string): unknown {
  const found = modules[name];
  if (found !== undefined) return named(name, found);
  throw new Error(`"${name}" cannot be imported here; there are ${Object.keys(modules).join(", ")}`);
}

/** A module whose missing names are errors where they are used, as they would be in a real import. */
function named(name: string, module: Readonly<Record<string, unknown>>): unknown {
  return new Proxy(module, {
    get(target, key): unknown {
      // What the turned imports ask of every module.
      if (key in target || typeof key === "symbol" || key === "__esModule" || key === "default") return target[String(key)];
      const like = Object.keys(target).filter((other) => near(other.toLowerCase(), key.toLowerCase()));
      const advice = like.length > 0 ? `; there is ${like.slice(0, 6).join(", ")}` : "";
      throw new TypeError(`"${name}" has no "${key}"${advice}`);
    },
  });
}

/** Whether one contains the other, a long part at least, or both begin with the same five letters. */
function near(a: string, b: string): boolean {
  return a.includes(b) || (a.length > 7 && b.includes(a)) || (b.length < 8 && a.length > 4 && a.slice(0, 5) === b.slice(0, 5));
}

/** A Value with a number, or a Tensor: its numbers. A graph or a value without a number is an object as others. */
function numbersOf(value: object): unknown {
  if (!("type" in value)) return null;
  try {
    return chainrule.toArray(value as chainrule.Tensor);
  } catch {
    return null;
  }
}

/** Characters that a program may say at once, and in a second after that: what is on its way to the page is in nobody's memory limit. */
const mostAtOnce = 40_000_000;
const mostInSecond = 4_000_000;
let allowed = mostAtOnce;
let last = now();

/** Says to the page what comes from the program, no more of it than the page would take. */
function say(given: unknown): void {
  const message = readMessage(given);
  if (message === null) return;
  const at = now();
  allowed += ((at - last) / 1000) * mostInSecond;
  if (allowed > mostAtOnce) allowed = mostAtOnce;
  last = at;
  if ("text" in message) allowed -= message.text.length;
  if (message.kind === "picture") allowed -= message.svg.length;
  if (allowed < 0)
    post({
      kind: "fault",
      text: "the program says more than can be shown: 40,000,000 characters at once, or 4,000,000 a second",
      line: null,
    });
  else post(message);
}

const log =
  (level: "log" | "warn" | "error") =>
  (...given: unknown[]): void =>
    say({ kind: "log", level, text: line(given, numbersOf) });

/** What programs ask of a console. */
function consoleOf(): Readonly<Record<string, (...given: unknown[]) => void>> {
  const plain = log("log");
  const since = new Map<string, number>();
  const counts = new Map<string, number>();
  const took = (name: unknown = "default"): void => plain(`${String(name)}: ${(now() - (since.get(String(name)) ?? now())).toFixed(3)} ms`);
  return {
    log: plain,
    info: plain,
    debug: plain,
    dir: (value) => plain(value),
    table: plain,
    warn: log("warn"),
    error: log("error"),
    trace: (...given) => plain("trace:", ...given),
    assert: (holds, ...given) => {
      if (!holds) log("error")("assertion failed", ...given);
    },
    count: (name = "default") => {
      const n = (counts.get(String(name)) ?? 0) + 1;
      counts.set(String(name), n);
      plain(`${String(name)}: ${n}`);
    },
    time: (name = "default") => {
      since.set(String(name), now());
    },
    timeLog: took,
    timeEnd: took,
    group: plain,
    groupCollapsed: plain,
    groupEnd: () => undefined,
    clear: () => undefined,
  };
}

/** How pictures look: as the page does. */
let look: chainrule.PictureOptions = {};

/** Draws a scalar value with its gradients, or a graph with its shapes, beside the program. */
function show(f: chainrule.Value | chainrule.AnyGraph, title?: string): void {
  const drawn = chainrule.picture(f, { ...look, ...(title !== undefined && { title }) });
  say({ kind: "picture", svg: drawn.svg(), title: title ?? "", text: told(f, drawn.steps.length) });
}

/** More steps than this nobody reads, and they take long to tell. */
const mostTold = 2000;

/** What a picture says, in words: both passes gate by gate; a graph's own text. */
function told(f: chainrule.Value | chainrule.AnyGraph, steps: number): string {
  if ("outputs" in f && "inputs" in f) return chainrule.print(f as chainrule.AnyGraph);
  if (steps > mostTold) return "";
  return chainrule.explain(f as chainrule.Value, look.language === undefined ? {} : { language: look.language }).text();
}

/** Lines before the program, where it is in the same text as this. */
let linesBefore = 0;

/** The line of the reader's program in a stack trace of this browser. */
function lineIn(error: unknown, url: string): number | null {
  const stack = error instanceof Error ? String(error.stack) : "";
  // Where the library stands in the same text, its own lines come first.
  for (let at = stack.indexOf(url); at >= 0; at = stack.indexOf(url, at + url.length)) {
    const match = /^:(\d+)/.exec(stack.slice(at + url.length));
    if (match !== null && Number(match[1]) > linesBefore) return Number(match[1]) - linesBefore;
  }
  return null;
}

function fault(error: unknown, url: string): void {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : `${shown(error, numbersOf)}`;
  post({ kind: "fault", text, line: lineIn(error, url) });
}

/**
 * What the program does not get: what makes another realm, a worker, or a script of a text; shared memory; storage, of which WebKit gives even an opaque
 * origin some; and what makes or holds memory outside of what is counted.
 */
const notForPrograms = [
  ...["WebAssembly", "Worker", "SharedWorker", "SharedArrayBuffer", "importScripts", "ShadowRealm"],
  ...[
    "caches",
    "MessageChannel",
    "BroadcastChannel",
    "structuredClone",
    "Blob",
    "File",
    "FileReader",
    "FileReaderSync",
    "Response",
    "Request",
  ],
  ...["CompressionStream", "DecompressionStream", "ReadableStream", "WritableStream", "TransformStream"],
  ...[
    "OffscreenCanvas",
    "ImageData",
    "ImageBitmap",
    "createImageBitmap",
    "VideoFrame",
    "AudioData",
    "EncodedVideoChunk",
    "EncodedAudioChunk",
  ],
];

let programUrl = "";
let isTold = false;
whenOver((text, error) => {
  if (isTold) return;
  isTold = true;
  // The line is found by what a program may have changed; that it went over is said all the same.
  let line: unknown = null;
  try {
    line = lineIn(error, programUrl);
  } catch {
    // No line then.
  }
  post({ kind: "fault", text: `RangeError: ${text}`, line: typeof line === "number" ? line : null });
});

// The build lets the library hold what it needs of these in names of its own, see `vite.config.ts`; the program has none, and nothing that makes another realm,
// runs a text, or makes memory that nobody counts.
limitEngines(WebAssembly);
limitArrays(scope);
for (const name of notForPrograms) for (let at: object | null = scope; at !== null; at = getPrototypeOf(at)) deleteProperty(at, name);
delete (URL as { createObjectURL?: unknown }).createObjectURL;
(Error as { stackTraceLimit?: number }).stackTraceLimit = 100;
scope["console"] = consoleOf();
scope["show"] = show;

const fixed = (name: string, value: unknown): void => {
  defineProperty(scope, name, { value, writable: false, configurable: false, enumerable: true });
};
fixed("postMessage", say);
fixed("close", () => post({ kind: "done" }));

/** Timers that will still call the program: it is done when none is left, as in Node. */
const pending = new Set<unknown>();
let isThrough = false;
const settle = (): void => {
  // A little later, so that what was not waited for and failed is told before.
  if (isThrough && pending.size === 0)
    later(() => {
      if (isThrough && pending.size === 0) post({ kind: "done" });
    }, 20);
};
const timers = scope as unknown as Record<string, (...given: unknown[]) => unknown>;
const { setTimeout: startTimeout, setInterval: startInterval, clearTimeout: endTimeout } = timers;
scope["setTimeout"] = (call: unknown, ...rest: unknown[]) => {
  if (typeof call !== "function") throw new TypeError("setTimeout takes a function");
  const id = startTimeout!(
    (...given: unknown[]) => {
      try {
        call(...given);
      } finally {
        pending.delete(id);
        settle();
      }
    },
    ...rest,
  );
  pending.add(id);
  return id;
};
scope["setInterval"] = (call: unknown, ...rest: unknown[]) => {
  if (typeof call !== "function") throw new TypeError("setInterval takes a function");
  const id = startInterval!(call, ...rest);
  pending.add(id);
  return id;
};
scope["clearTimeout"] = scope["clearInterval"] = (id: unknown) => {
  endTimeout!(id);
  pending.delete(id);
  settle();
};
addEventListener("error", (event) => {
  event.preventDefault();
  fault(event.error ?? event.message, programUrl);
});
addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  fault(event.reason, programUrl);
});

/**
 * Tells a text that is no program. Where it is wrong the browser says of a worker's own text only; this worker's ends before a line of it would run.
 */
function faultOfText(error: Error, code: string): void {
  const text = `SyntaxError: ${error.message.replace(/^Failed to execute 'importScripts'[^:]*: /, "")}`;
  const url = createObjectURL(new Blob([`throw 0; async () => {${code}\n};`], { type: "text/javascript" }));
  const reader = new Worker(url);
  const tell = (line: number | null): void => {
    reader.terminate();
    post({ kind: "fault", text, line });
  };
  const timer = later(() => tell(null), 2000);
  reader.onerror = (event) => {
    event.preventDefault();
    clearTimeout(timer);
    tell(event.message?.includes("SyntaxError") ? event.lineno : null);
  };
}

/** Makes the program a script of its own, so that errors name its lines, and runs it. */
function load(code: string): void {
  programUrl = createObjectURL(new Blob([`program = async (require, exports, module) => {${code}\n};`], { type: "text/javascript" }));
  importScripts(programUrl);
  revokeObjectURL(programUrl);
}

scope.onmessage = ({ data: { code, theme, language, before = 0 } }) => {
  scope.onmessage = null;
  look = { theme: theme as NonNullable<typeof look.theme>, language: language as chainrule.Language };
  linesBefore = before;
  try {
    // The name that the frame gives the text of both.
    if (before > 0) programUrl = "chainrule-program";
    else load(code);
    const exports: Record<string, unknown> = {};
    const program = scope["program"] as (require: typeof imported, exports: object, module: object) => Promise<void>;
    program(imported, exports, { exports }).then(
      () => {
        const value = exports["default"];
        if (value !== undefined) {
          if (typeof value === "object" && value !== null && ("node" in value || "outputs" in value)) show(value as chainrule.Value);
          else log("log")(value);
        }
        isThrough = true;
        settle();
      },
      (error: unknown) => fault(error, programUrl),
    );
  } catch (error) {
    if (error instanceof SyntaxError) faultOfText(error, code);
    else fault(error, programUrl);
  }
};
