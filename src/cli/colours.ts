import type { CommandIo } from "./io.ts";

/** Paints parts of a text for a terminal; leaves it as it is elsewhere. */
export interface Colours {
  readonly heading: (text: string) => string;
  /** Values of the forward pass, and what went well. */
  readonly value: (text: string) => string;
  /** Gradients of the backward pass. */
  readonly gradient: (text: string) => string;
  readonly warning: (text: string) => string;
  readonly fault: (text: string) => string;
}

const plain = (text: string): string => text;
const painted = (code: number) => (text: string) => `\u001b[${code}m${text}\u001b[${code === 1 ? 22 : 39}m`;

/** Colours on a terminal, unless NO_COLOR is set (no-color.org) or the terminal is a dumb one. */
export function coloursFor(stream: "output" | "error", { isTerminal, env }: CommandIo): Colours {
  const coloured = isTerminal[stream] && (env["NO_COLOR"] ?? "") === "" && env["TERM"] !== "dumb";
  if (!coloured) return { heading: plain, value: plain, gradient: plain, warning: plain, fault: plain };
  return { heading: painted(1), value: painted(32), gradient: painted(33), warning: painted(35), fault: painted(31) };
}
