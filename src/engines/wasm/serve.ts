import { InternalError } from "../../ir/errors.ts";
import type { Value } from "../../ir/node.ts";
import { type Held, hold, type Tensor } from "../../ir/tensor.ts";
import { leaves } from "../../ir/tree.ts";
import type { TensorType } from "../../ir/type.ts";
import { parse } from "../../notation/graph-text.ts";
import type { Engine, Executable } from "../engine.ts";
import { type Answer, memoryOf, type Ref, type Request, unwired, type Wired, wired } from "./wire.ts";

interface Served {
  readonly executable: Executable<"sync">;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
}

/**
 * The worker's side of an engine in a worker: programs arrive as the text of their graphs and stay here, and so do the tensors of a
 * state, which runs name by their numbers; runs bring the other values and get values back.
 * A program that cannot be made answers every run with the reason.
 */
export function serve(engine: Engine<"sync">, answer: (message: Answer, handed: ArrayBuffer[]) => void): (message: Request) => void {
  const programs = new Map<number, Served | Error>();
  const resident = new Map<number, Tensor>();
  const found = (ref: number): Tensor => {
    const tensor = resident.get(ref);
    if (tensor === undefined) throw new InternalError(`wasm: the worker has no tensor ${ref}`);
    return tensor;
  };
  /** Memory of the engine for a number: what it has, or new. */
  const placeFor = ({ ref }: Ref, type: TensorType): Tensor => {
    const there = resident.get(ref);
    if (there !== undefined) return there;
    const made = engine.tensor!(type);
    resident.set(ref, made);
    return made;
  };
  const put = (tensors: (Request & { kind: "put" })["tensors"]): void => {
    // All places before the first element: when memory runs out nothing has changed.
    const places = tensors.map(({ dtype, shape, ...ref }) => placeFor(ref, { kind: "type", dtype, shape }));
    for (const [i, { data }] of tensors.entries()) places[i]!.data.set(data);
  };
  const heldOf = (given: Wired | Ref, type: TensorType): Held =>
    typeof given === "object" && "ref" in given ? found(given.ref) : unwired(given, type);
  const make = (text: string, tensors: (Request & { kind: "prepare" })["tensors"]): Served | Error => {
    try {
      const held = Object.entries(tensors).map(([name, { dtype, shape, data }]) => [name, hold({ kind: "type", dtype, shape }, data)]);
      const graph = parse(text, { tensors: Object.fromEntries(held) });
      const [inputs, outputs] = [graph.inputs, graph.outputs].map((tree) => leaves(tree).map(({ leaf }) => leaf as Value));
      return { executable: engine.prepare(inputs!, outputs!), inputs: inputs!, outputs: outputs! };
    } catch (error) {
      return error as Error;
    }
  };
  return (message) => {
    if (message.kind === "prepare") programs.set(message.program, make(message.text, message.tensors));
    else if (message.kind === "dispose") {
      const program = programs.get(message.program);
      programs.delete(message.program);
      if (program !== undefined && !(program instanceof Error)) program.executable.dispose();
    } else if (message.kind === "drop") for (const ref of message.refs) resident.delete(ref);
    else {
      const { call } = message;
      try {
        let results: readonly Wired[] = [];
        if (message.kind === "put") put(message.tensors);
        else if (message.kind === "get") results = message.refs.map((ref) => found(ref).data.slice());
        else {
          const program = programs.get(message.program)!;
          if (program instanceof Error) throw program;
          const held = message.values.map((v, i) => heldOf(v, program.inputs[i]!.type));
          const into = message.into.map((ref, i) => (ref === null ? null : placeFor(ref, program.outputs[i]!.type)));
          results = program.executable.run(held, into).flatMap((result, i) => (into[i] ? [] : [wired(result)]));
        }
        answer({ call, results }, memoryOf(results));
      } catch (error) {
        const { code = "", message } = error as Error & { readonly code?: string };
        answer({ call, failure: { code, message } }, []);
      }
    }
  };
}
