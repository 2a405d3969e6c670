import type { Value } from "../../ir/node.ts";
import { hold } from "../../ir/tensor.ts";
import { leaves } from "../../ir/tree.ts";
import { parse } from "../../notation/graph-text.ts";
import type { Engine, Executable } from "../engine.ts";
import { type Answer, memoryOf, type Request, unwired, wired } from "./wire.ts";

interface Served {
  readonly executable: Executable<"sync">;
  readonly inputs: readonly Value[];
}

/**
 * The worker's side of an engine in a worker: programs arrive as the text of their graphs and stay here; runs bring values and get values back.
 * A program that cannot be made answers every run with the reason.
 */
export function serve(engine: Engine<"sync">, answer: (message: Answer, handed: ArrayBuffer[]) => void): (message: Request) => void {
  const programs = new Map<number, Served | Error>();
  const make = (text: string, tensors: (Request & { kind: "prepare" })["tensors"]): Served | Error => {
    try {
      const held = Object.entries(tensors).map(([name, { dtype, shape, data }]) => [name, hold({ kind: "type", dtype, shape }, data)]);
      const graph = parse(text, { tensors: Object.fromEntries(held) });
      const [inputs, outputs] = [graph.inputs, graph.outputs].map((tree) => leaves(tree).map(({ leaf }) => leaf as Value));
      return { executable: engine.prepare(inputs!, outputs!), inputs: inputs! };
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
    } else {
      const { call } = message;
      try {
        const program = programs.get(message.program)!;
        if (program instanceof Error) throw program;
        const held = message.values.map((v, i) => unwired(v, program.inputs[i]!.type));
        const results = program.executable.run(held).map(wired);
        answer({ call, results }, memoryOf(results));
      } catch (error) {
        const { code = "", message } = error as Error & { readonly code?: string };
        answer({ call, failure: { code, message } }, []);
      }
    }
  };
}
