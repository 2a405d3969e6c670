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
import type { ProgramMessage } from "./messages.ts";
import type { ProgramText } from "./sandbox.ts";

const scope = globalThis as unknown as {
  onmessage: ((event: MessageEvent<ProgramText>) => void) | null;
  postMessage(message: ProgramMessage): void;
  importScripts(url: string): void;
  [name: string]: unknown;
};
const say = scope.postMessage.bind(scope);
const importScripts = scope.importScripts.bind(scope);
const { createObjectURL, revokeObjectURL } = URL;

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

function shown(value: unknown): string {
  if (typeof value === "string") return value;
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  if (typeof value === "object" && value !== null && "type" in value) {
    try {
      // A Value with a number, or a Tensor.
      return String(JSON.stringify(chainrule.toArray(value as chainrule.Tensor)));
    } catch {
      // A graph or a value without a number: its object.
    }
  }
  try {
    return JSON.stringify(value, (_, v: unknown) => (typeof v === "bigint" || typeof v === "function" ? String(v) : v)) ?? String(value);
  } catch {
    return String(value);
  }
}

const log =
  (level: "log" | "warn" | "error") =>
  (...given: unknown[]): void =>
    say({ kind: "log", level, text: given.map(shown).join(" ") });

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

/** The line of the reader's program in a stack trace of this browser. */
function lineIn(error: unknown, url: string): number | null {
  const stack = error instanceof Error ? String(error.stack) : "";
  const at = stack.indexOf(url);
  const match = at < 0 ? null : /^:(\d+)/.exec(stack.slice(at + url.length));
  return match === null ? null : Number(match[1]);
}

function fault(error: unknown, url: string): void {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  say({ kind: "fault", text, line: lineIn(error, url) });
}

let programUrl = "";
let isTold = false;
whenOver((error) => {
  if (!isTold) fault(error, programUrl);
  isTold = true;
});

// The build lets the library hold WebAssembly in a name of its own, see `vite.config.ts`; the program has none, and nothing that makes another realm or
// runs a text: a worker of its own would be without these limits.
limitEngines(WebAssembly);
limitArrays(scope);
for (const name of ["WebAssembly", "Worker", "SharedWorker", "SharedArrayBuffer", "importScripts", "ShadowRealm"]) delete scope[name];
delete (URL as { createObjectURL?: unknown }).createObjectURL;
(Error as { stackTraceLimit?: number }).stackTraceLimit = 100;
scope["console"] = { log: log("log"), info: log("log"), debug: log("log"), warn: log("warn"), error: log("error"), table: log("log") };
scope["show"] = show;

scope.onmessage = ({ data: { code, theme, language } }) => {
  look = { theme: theme as NonNullable<typeof look.theme>, language: language as chainrule.Language };
  // The program is a script of its own, so that errors name its lines.
  const url = createObjectURL(new Blob([`program = async (require, exports, module) => {${code}\n};`], { type: "text/javascript" }));
  programUrl = url;
  try {
    importScripts(url);
    revokeObjectURL(url);
    const exports: Record<string, unknown> = {};
    const program = scope["program"] as (require: typeof imported, exports: object, module: object) => Promise<void>;
    program(imported, exports, { exports }).then(
      () => {
        const last = exports["default"];
        if (last !== undefined) {
          if (typeof last === "object" && last !== null && ("node" in last || "outputs" in last)) show(last as chainrule.Value);
          else log("log")(last);
        }
        say({ kind: "done" });
      },
      (error: unknown) => fault(error, url),
    );
  } catch (error) {
    fault(error, url);
  }
};
