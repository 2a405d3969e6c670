import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as ort from "onnxruntime-node";
import { expect, test } from "vitest";
import { wasm } from "../../src/engines/wasm/wasm.ts";
import { compile, f32, graph, i32, reshape, softmaxCrossEntropy, type Tensor, type Value, valueAndGrad } from "../../src/index.ts";
import { sizeOf } from "../../src/ir/shape.ts";
import { onnx } from "../../src/onnx/onnx.ts";
import { adam } from "../../src/optim.ts";
import { gpt2, resnet50 } from "../studio/large-models.ts";
import { bertBase, vitBase } from "./full-size-models.ts";

const pixels = { image: Float32Array.from({ length: 3 * 224 * 224 }, (_, i) => Math.sin(i / 7)) };
const ids = Int32Array.from({ length: 64 }, (_, i) => (i * 977) % 30000);

const families: readonly (readonly [string, () => Uint8Array, Readonly<Record<string, Float32Array | Int32Array>>, number])[] = [
  ["ResNet-50", resnet50, pixels, 54],
  ["ViT-B/16", vitBase, pixels, 100],
  ["BERT base", bertBase, { ids, segments: new Int32Array(64).fill(1, 30) }, 100],
  ["GPT-2 small", gpt2, { ids }, 100],
];

/** What the file gives in ONNX Runtime: nothing of ours takes part. */
async function inOrt(
  path: string,
  given: Readonly<Record<string, Float32Array | Int32Array>>,
  shapes: Readonly<Record<string, readonly number[]>>,
) {
  const session = await ort.InferenceSession.create(path, { logSeverityLevel: 4 });
  const feeds = Object.entries(given).map(([name, data]) => {
    const own = data instanceof Int32Array ? BigInt64Array.from(data, BigInt) : data;
    return [name, new ort.Tensor(data instanceof Int32Array ? "int64" : "float32", own as Float32Array, shapes[name]!)] as const;
  });
  const results = await session.run(Object.fromEntries(feeds));
  await session.release();
  return results["logits"]!.data as Float32Array;
}

test.each(families)(
  "%s in its real size: read, its last weights tuned, saved, and the same logits in ONNX Runtime",
  async (name, build, given, least) => {
    const folder = mkdtempSync(join(tmpdir(), "chainrule-full-size-"));
    try {
      const model = await onnx.read(build(), { outputs: ["logits"] });
      const names = Object.keys(model.params);
      expect(names.length).toBeGreaterThan(least);
      const weights = Object.values(model.params).reduce((n, t) => n + sizeOf(t.type.shape), 0);
      const head = names.slice(-2);
      const shapes = Object.fromEntries(Object.entries(model.inputs).map(([k, port]) => [k, port.shape as readonly number[]]));
      const optimizer = adam({ rate: 1e-2, only: head });
      const state = { params: model.params, opt: optimizer.init(model.params) };
      const inputs = Object.fromEntries(Object.entries(given).map(([k, data]) => [k, typeOf(data, shapes[k]!)]));
      const rows = name === "GPT-2 small" ? 64 : 1;
      const step = graph({ ...state, inputs, y: i32(rows) }, ({ params, opt, inputs, y }) => {
        const { value, grad } = valueAndGrad((p: Record<string, Value>) => {
          const { logits } = model.apply(p, inputs as never) as { logits: Value };
          return { loss: softmaxCrossEntropy(reshape(logits, { shape: [rows, -1] }), y), logits };
        })(params as never);
        return { ...value, ...(optimizer.update({ params: params as never, grad: grad as never, opt: opt as never }) as object) };
      });
      const program = await compile(step as never, wasm(), { state } as never);
      const batch = { inputs: given, y: new Int32Array(rows).fill(1) };
      const run = (): { loss: Tensor; logits: Tensor } => program.run(batch as never) as never;
      const first = run();
      const second = run();
      const began = performance.now();
      const third = run();
      const took = performance.now() - began;
      expect(third.loss.data[0]!).toBeLessThan(first.loss.data[0]!);
      const tuned = (program.state.read() as unknown as typeof state).params;
      for (const key of names)
        expect(String(tuned[key]!.data.subarray(0, 50)) === String(model.params[key]!.data.subarray(0, 50)), key).toBe(!head.includes(key));
      const path = join(folder, "tuned.onnx");
      await onnx.save(path, model.with(tuned), { external: name === "GPT-2 small" });
      const [theirs, ours] = [await inOrt(path, given, shapes), run().logits.data];
      const largest = Math.max(...Array.from(ours, Math.abs).slice(0, 100_000), 1e-6);
      let apart = 0;
      for (let i = 0; i < ours.length; i++) apart = Math.max(apart, Math.abs(theirs[i]! - ours[i]!));
      console.log(
        `${name}: ${(weights / 1e6).toFixed(1)} million weights in ${names.length}, loss ${first.loss.data[0]!.toFixed(4)} ${second.loss.data[0]!.toFixed(4)} ${third.loss.data[0]!.toFixed(4)}, ${took.toFixed(0)} ms a step, file ${statSync(path).size} bytes, logits apart ${apart.toExponential(1)} of ${largest.toFixed(2)}`,
      );
      expect(apart).toBeLessThan(1e-4 * Math.max(1, largest));
      program.dispose();
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
  600_000,
);

function typeOf(data: Float32Array | Int32Array, shape: readonly number[]) {
  return data instanceof Int32Array ? i32(...shape) : f32(...shape);
}
