// What the tests of compiled factorizations share.
import { expect, vi } from "vitest";
import { lowered } from "../../src/engines/wasm/lower.ts";
import { everyStep, plan } from "../../src/engines/wasm/plan.ts";
import { compile, f32, f64, graph, reference, type Tensor, type TensorType, tensor, type Value } from "../../src/index.ts";
import { leaves } from "../../src/ir/tree.ts";
import { wasm } from "../../src/wasm.ts";

export type Numbers = Float64Array | Float32Array;

/** Numbers from -1 to 1 that are the same each time. */
export function numbers(count: number, seed: number): Float64Array {
  let state = seed;
  return Float64Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2 ** 31;
  });
}

/** A tensor of the dtype of the numbers. */
export function matrices(data: Numbers, ...shape: number[]): Tensor {
  return tensor(data, data instanceof Float32Array ? f32(...shape) : f64(...shape));
}

type Results = Value | Readonly<Record<string, Value>>;

interface Answers {
  /** What the compiled program gave, result after result. */
  readonly got: readonly Numbers[];
  /** What the reference kernels give. */
  readonly want: readonly Numbers[];
  /** How often the compiled kernels left the answer to the reference kernels. */
  readonly left: number;
}

/** What both give of operands. No step of the program is the host's. Errors of both are the same, and thrown. */
export async function answers(operands: readonly Tensor[], apply: (...x: Value[]) => Results): Promise<Answers> {
  const types: Record<string, TensorType> = Object.fromEntries(operands.map((t, i) => [`x${i}`, t.type]));
  const g = graph(types, (given) => {
    const results = apply(...(Object.values(given) as Value[]));
    return "type" in results ? { y: results as Value } : { ...(results as Record<string, Value>) };
  });
  const low = lowered(
    leaves(g.inputs).map(({ leaf }) => leaf as Value),
    leaves(g.outputs).map(({ leaf }) => leaf as Value),
  );
  const steps = everyStep(plan(low.inputs, low.outputs).steps);
  expect(steps.flatMap((s) => (s.kind === "host" ? [s.node.op.name] : []))).toEqual([]);
  const given = Object.fromEntries(operands.map((t, i) => [`x${i}`, t])) as never;
  const run = async (engine: Parameters<typeof compile>[1]): Promise<Numbers[]> => {
    const program = await compile(g, engine as never);
    const out = (program as { run(x: never): Record<string, Tensor | number> }).run(given);
    return Object.values(out).map((t) => (typeof t === "number" ? Float64Array.of(t) : (t.data as Numbers)));
  };
  const spies = steps.flatMap((s) =>
    s.kind === "kernel" && s.kernel.loops !== undefined ? [vi.spyOn(s.node.op as { run: (...x: never[]) => unknown }, "run")] : [],
  );
  let got: Numbers[] | null = null;
  let error: unknown = null;
  try {
    got = await run(wasm());
  } catch (e) {
    error = e;
  }
  const left = spies.reduce((n, spy) => n + spy.mock.calls.length, 0);
  for (const spy of spies) spy.mockRestore();
  if (got === null) {
    await expect(run(reference())).rejects.toThrow((error as Error).message);
    throw error;
  }
  return { got, want: await run(reference()), left };
}

/** The largest difference beside the largest number: NaN, which is below nothing, if one is NaN and the other not. */
export function apart(got: Numbers, want: Numbers): number {
  expect(got.length).toBe(want.length);
  let [size, most] = [0, 0];
  for (const x of want) if (Number.isFinite(x)) size = Math.max(size, Math.abs(x));
  for (let i = 0; i < got.length; i++) if (!Object.is(got[i], want[i])) most = Math.max(most, Math.abs(got[i]! - want[i]!));
  return most / (size || 1);
}
