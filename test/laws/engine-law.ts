import { graphOfCase, type Law } from "../../src/check/laws.ts";
import { sameBits } from "../../src/check/point.ts";
import { reference } from "../../src/engines/reference.ts";
import type { Value } from "../../src/index.ts";
import { dense, type Held } from "../../src/ir/tensor.ts";
import { leaves } from "../../src/ir/tree.ts";

const engine = reference();

/** Compiled for the reference engine, a case computes the bits that the interpreter reads. */
export const compiledLaw: Law = ({ c, outs }) => {
  const g = graphOfCase(c);
  const inputs = leaves(g.inputs).map(({ leaf }) => leaf as Value);
  const outputs = leaves(g.outputs).map(({ leaf }) => leaf as Value);
  const executable = engine.prepare(inputs, outputs);
  const held = c.operands.flatMap((t): Held[] => (t === null ? [] : [t.type.shape.length === 0 ? t.data[0]! : t]));
  for (let run = 0; run < 2; run++) {
    const results = executable.run(held);
    const at = outs.findIndex((t, i) => !sameBits(dense(results[i]!, outputs[i]!.type), t));
    if (at >= 0) return `result ${at} is another number when compiled, run ${run}`;
  }
  return null;
};
