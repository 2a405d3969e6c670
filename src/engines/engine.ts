import type { Value } from "../ir/node.ts";
import type { Held, Tensor } from "../ir/tensor.ts";
import type { TensorType } from "../ir/type.ts";
import type { Profile } from "./profile.ts";

/** Whether a program answers at once or later. */
export type Mode = "sync" | "async";
/** What a call returns on an engine of this mode; `await` is right for both. */
export type Ran<M extends Mode, T> = M extends "sync" ? T : Promise<T>;

/** A graph made ready by an engine: inputs in, outputs out, in the order given to `prepare`. */
export interface Executable<M extends Mode> {
  /**
   * Inputs in the engine's own memory are read where they are. Outputs are fresh, but those for which `into` has memory of the engine, made by
   * `tensor`: these are written there, and are then the results.
   */
  run(inputs: readonly Held[], into?: readonly (Tensor | null)[]): Ran<M, readonly Held[]>;
  /** Copies of what is given, for one run that may come later. New arrays are made where an engine has no other places for them. */
  readonly own?: (values: readonly Held[]) => Held[];
  dispose(): void;
}

/**
 * Memory of an engine that is somewhere else, as in another thread. Tensors there are inputs of programs, and where they write, without travelling; their
 * `data` is not here. They are given back when nobody holds them any more.
 */
export interface FarMemory {
  /** A tensor of this type there, as yet without elements: something has to write it before a program reads it. */
  make(type: TensorType): Tensor;
  /** Copies elements into tensors there, all or none. */
  write(pairs: readonly (readonly [to: Tensor, from: Held])[]): Promise<void>;
  /** Copies of tensors there, in their order. @throws EngineError for one that is gone */
  read(tensors: readonly Tensor[]): Promise<readonly Tensor[]>;
}

/** Something that runs graphs. Engines are values: pass one where it is wanted, there is no default. */
export interface Engine<M extends Mode = Mode> {
  readonly name: string;
  readonly mode: M;
  /** Makes a graph ready: what `compile` and `jit` call. */
  prepare(inputs: readonly Value[], outputs: readonly Value[]): Executable<M>;
  /** As `prepare`, but what takes long is done while others go on: what `compile` calls, where it is there. */
  readonly prepareLater?: (inputs: readonly Value[], outputs: readonly Value[]) => Promise<Executable<M>>;
  /** Programs read what they are given before `run` returns, and results are nobody else's: callers need not copy either. */
  readonly copies?: true;
  /** Runs a graph step by step, `rounds` times, and tells what each step does and takes. Results go nowhere. */
  readonly profile?: (inputs: readonly Value[], outputs: readonly Value[], given: readonly Held[], rounds: number) => Ran<M, Profile>;
  /** Memory of an engine that answers later. */
  readonly far?: FarMemory;
  /** Memory of the engine: a tensor that programs read and write without a copy. Read its `data` anew after each run, because memory may move. */
  readonly tensor?: (type: TensorType) => Tensor;
}

/** Whether this is an engine; `wasm`, which somebody forgot to call, is none. */
export function isEngine(x: unknown): x is Engine {
  return typeof (x as Partial<Engine> | null | undefined)?.prepare === "function";
}
