import { breach } from "../../src/check/check-op.ts";
import { drawsFrom } from "../../src/check/draws.ts";
import { type Law, laws as own } from "../../src/check/laws.ts";
import { compiledLaw } from "./engine-law.ts";
import { drawCase } from "./samplers.ts";

/** All laws: those that users get with `checkOp`, and that compiled graphs agree with the interpreter. */
export const laws: Readonly<Record<string, Law>> = { ...own, "compiled = interpreted": compiledLaw };

/** A law that fails at what a seed draws. */
export interface Broken {
  readonly law: string;
  readonly seed: number;
  readonly message: string;
}

/** What a run saw: the first breach, and how often each law had something to say. */
export interface Outcome {
  readonly broken: Broken | null;
  readonly said: Record<string, number>;
}

/** Checks laws on the case that a seed draws. */
export function lawsAt(name: string, seed: number, chosen: Readonly<Record<string, Law>>, said: Record<string, number>): Broken | null {
  let c: ReturnType<typeof drawCase>;
  try {
    c = drawCase(name, drawsFrom(seed));
  } catch (e) {
    return { law: "the call", seed, message: String(e) };
  }
  for (const [law, holds] of Object.entries(chosen)) {
    const message = breach(holds, c, drawsFrom(seed ^ 0x5bd1e995));
    if (message !== undefined) said[law] = (said[law] ?? 0) + 1;
    if (message != null) return { law, seed, message: `${message} [${describe(c)}]` };
  }
  return null;
}

/** Checks laws on `runs` cases. */
export function runLaws(name: string, runs: number, seed: number, chosen: Readonly<Record<string, Law>> = laws): Outcome {
  const said: Record<string, number> = {};
  for (let i = 0; i < runs; i++) {
    const broken = lawsAt(name, (seed + Math.imul(i, 2654435761)) | 0, chosen, said);
    if (broken !== null) return { broken, said };
  }
  return { broken: null, said };
}

function describe({ operands, attrs }: ReturnType<typeof drawCase>): string {
  const parts = operands.map((t) =>
    t === null ? "null" : `${t.type.dtype}[${t.type.shape.join()}] ${Array.from(t.data).slice(0, 12).join(" ")}`,
  );
  return `${parts.join("; ")}; ${JSON.stringify(attrs)}`.slice(0, 900);
}
