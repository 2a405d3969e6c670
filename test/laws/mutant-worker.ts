// Runs in a process of its own, bundled by `npm run mutate` with every mutant in it; the parent says which one is on.
import { readFileSync } from "node:fs";
import { drawsFrom } from "../../src/check/draws.ts";
import { neg, type Value } from "../../src/index.ts";
import { agree, conventionRows, numbersFor } from "../conventions-table.ts";
import { faultOf } from "../fuzz/program-laws.ts";
import { randomProgram } from "../fuzz/random-program.ts";
import { runLaws } from "./run-laws.ts";
import { ops } from "./samplers.ts";

interface Order {
  /** -1 for none. */
  readonly mutant: number;
  /** Which ops to try first; then all others are. */
  readonly names: readonly string[];
  readonly runs: number;
  readonly seed: number;
}

const switches = globalThis as unknown as Record<string, unknown>;

function flip(x: unknown): unknown {
  if (x === null || x === undefined) return x;
  if (typeof x === "number") return -x;
  if (typeof x === "function") return () => flip((x as () => unknown)());
  if (Array.isArray(x)) return x.map(flip);
  return typeof x === "object" && "node" in x ? neg(x as Value) : Object.fromEntries(Object.entries(x).map(([k, v]) => [k, flip(v)]));
}

function shift(x: unknown): unknown {
  if (typeof x === "number") return x > 0 ? x - 1 : x + 1;
  return Array.isArray(x) ? (x.length === 0 ? [0] : x.map(shift)) : x;
}

switches["__flip"] = flip;
switches["__shift"] = shift;

const rows = conventionRows(readFileSync("docs/conventions.md", "utf8"));

function fails(f: () => boolean): boolean {
  try {
    return f();
  } catch {
    return true;
  }
}

/** Who notices: the laws of the ops that the fault touches, the conventions, whole programs, the laws of all other ops. */
function killerOf({ names, runs, seed }: Order): { by: string; what: string } | null {
  const first = names.filter((name) => ops.has(name));
  for (const name of first) {
    const { broken } = runLaws(name, runs, seed);
    if (broken !== null) return { by: "laws", what: `${name}, ${broken.law}` };
  }
  for (const row of rows)
    if (fails(() => numbersFor(row).some((got, k) => !agree(got, row.results[k]!)))) return { by: "conventions", what: row.text };
  for (let i = 0; i < 40; i++) {
    const at = (seed + Math.imul(i, 2654435761)) | 0;
    const d = drawsFrom(at);
    if (fails(() => faultOf(randomProgram(d, d.whole(3, 10), i % 2 === 0), at) !== null)) return { by: "programs", what: `program ${at}` };
  }
  for (const name of ops.keys()) {
    const { broken } = first.includes(name) ? { broken: null } : runLaws(name, Math.ceil(runs / 6), seed);
    if (broken !== null) return { by: "laws", what: `${name}, ${broken.law}` };
  }
  return null;
}

process.on("message", (order: Order) => {
  switches["__mutant"] = order.mutant;
  const killer = killerOf(order);
  switches["__mutant"] = -1;
  process.send!({ mutant: order.mutant, killer });
});
