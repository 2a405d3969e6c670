import type { Value } from "../ir/node.ts";
import type { Held } from "../ir/tensor.ts";

/** Whether a program answers at once or later. */
export type Mode = "sync" | "async";
/** What a call returns on an engine of this mode; `await` is right for both. */
export type Ran<M extends Mode, T> = M extends "sync" ? T : Promise<T>;

/** A graph made ready by an engine: inputs in, outputs out, in the order given to `prepare`. */
export interface Executable<M extends Mode> {
  run(inputs: readonly Held[]): Ran<M, readonly Held[]>;
  dispose(): void;
}

/** Something that runs graphs. Engines are values: pass one where it is wanted, there is no default. */
export interface Engine<M extends Mode = Mode> {
  readonly name: string;
  readonly mode: M;
  /** Makes a graph ready: what `compile` and `jit` call. */
  prepare(inputs: readonly Value[], outputs: readonly Value[]): Executable<M>;
}
