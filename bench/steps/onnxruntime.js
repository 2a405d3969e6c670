// Our own training step, written as an ONNX model and run by ONNX Runtime, native in Node and in WebAssembly, one thread each.

import { onnxruntime } from "../../dist/onnxruntime.js";
import { versionOfOrt } from "../harness/peers.js";

/**
 * A contestant for each of ONNX Runtime's packages that is here.
 *
 * @param {(engine: any) => Promise<() => any>} program compiles the step and returns what runs it once
 * @param {(result: any) => unknown} answer what is checked
 * @returns {Promise<import("../harness/measure.js").Contestant[]>}
 */
export async function ortSteps(program, answer) {
  const found = [];
  for (const name of ["onnxruntime-node", "onnxruntime-web"]) {
    if (versionOfOrt(name) === null) continue;
    const ort = await import(name);
    /** @type {Promise<() => any> | null} */
    let made = null;
    found.push({
      name: `chainrule's step on ${name}, one thread`,
      run: async (/** @type {number} */ times) => {
        made ??= program(onnxruntime(ort, { threads: 1 }));
        const step = await made;
        let out;
        for (let i = 0; i < times; i++) out = await step();
        return answer(out);
      },
    });
  }
  return found;
}
