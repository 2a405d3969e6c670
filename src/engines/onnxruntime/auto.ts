import { EngineError } from "../../ir/errors.ts";
import type { Value } from "../../ir/node.ts";
import { collect } from "../../ir/walk.ts";
import { productFlops } from "../../passes/cost.ts";
import type { Engine, Executable } from "../engine.ts";
import { wasm } from "../wasm/wasm.ts";
import { type OrtOptions, onnxruntime, plainTensor } from "./onnxruntime.ts";
import type { Ort } from "./ort.ts";

/** Which engine a graph was given to, and why. */
export interface Choice {
  readonly engine: "wasm" | "onnxruntime";
  readonly why: string;
  /** Operations of its products and convolutions, by estimate. */
  readonly operations: number;
}

/** Options of {@link auto}. */
export interface AutoOptions extends OrtOptions {
  /** Graphs whose products and convolutions take at least so many operations go to ONNX Runtime; 50 million unless given. */
  readonly above?: number;
  /** Is told of each choice. */
  readonly onChoice?: (choice: Choice) => void;
}

/**
 * A rough place of the break-even: a call of ONNX Runtime and each node of its graph cost something that the compiled engine does not pay, and its large products are
 * faster. Runs of `node bench/run.js ort` on a loaded machine had steps of this size about even; that command tells of another machine.
 */
const evens = 50_000_000;

/**
 * An engine that gives each graph to the compiled engine or to ONNX Runtime, by the operations of its products and convolutions, and says why. What ONNX Runtime
 * cannot run goes to the compiled engine. Without ONNX Runtime (null) everything does.
 * @throws EngineError for a bad `above`, and as `onnxruntime` does
 */
export function auto(ort: Ort | null, { above = evens, onChoice, ...options }: AutoOptions = {}): Engine<"async"> {
  if (!(above >= 0)) throw new EngineError(`auto: above is ${above}; it is a number of operations, 0 or more`);
  const compiled = wasm({ threads: Math.min(options.threads ?? 1, 64) });
  const native = ort === null ? null : onnxruntime(ort, options);
  const choose = (inputs: readonly Value[], outputs: readonly Value[]): Promise<Executable<"async">> => {
    const operations = Math.round(productFlops(collect(outputs)));
    const take = (why: string): Executable<"async"> => {
      onChoice?.({ engine: "wasm", why, operations });
      const program = compiled.prepare(inputs, outputs);
      return { run: async (values) => program.run(values), dispose: () => program.dispose() };
    };
    const count = `${operations.toLocaleString("en")} operations in products and convolutions`;
    if (native === null) return Promise.resolve(take("there is no ONNX Runtime"));
    if (operations < above)
      return Promise.resolve(
        take(`${count} are fewer than ${above.toLocaleString("en")}: a call of ONNX Runtime would cost more than it saves`),
      );
    return native.prepareLater!(inputs, outputs).then(
      (program) => {
        onChoice?.({ engine: "onnxruntime", why: `${count} are at least ${above.toLocaleString("en")}`, operations });
        return program;
      },
      (error: Error) => take(`ONNX Runtime cannot run it: ${error.message}`),
    );
  };
  return {
    name: "auto",
    mode: "async",
    copies: true,
    prepareLater: choose,
    prepare: (inputs, outputs) => {
      const chosen = choose(inputs, outputs);
      // Whoever runs it learns of a failure; until then nobody waits.
      chosen.catch(() => undefined);
      return {
        run: async (values, into) => (await chosen).run(values, into),
        dispose: () => void chosen.then((program) => program.dispose()).catch(() => undefined),
      };
    },
    // Arrays of JavaScript: both read them, and ONNX Runtime where they are.
    tensor: plainTensor,
  };
}
