import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { dataset, loader } from "../../src/data.ts";
import { trainables } from "../../src/finetune.ts";
import {
  add,
  compile,
  f32,
  graph,
  i32,
  mean,
  mul,
  softmaxCrossEntropy,
  sqrt,
  type Tensor,
  tensor,
  type Value,
  valueAndGrad,
} from "../../src/index.ts";
import { onnx } from "../../src/onnx.ts";
import { sgd } from "../../src/optim.ts";
import { train } from "../../src/train.ts";
import { wasm } from "../../src/wasm.ts";

const lenet = fileURLToPath(new URL("../fixtures/onnx/lenet/model.onnx", import.meta.url));
const open = () => onnx.read(lenet, { inputs: ["input"], outputs: ["logits"] });
const images = tensor(
  Float32Array.from({ length: 4 * 784 }, (_, i) => Math.sin(i / 9)),
  f32(4, 1, 28, 28),
);
const labels = tensor([1, 2, 3, 4], "i32");
type Params = Record<string, Value>;

describe("trainables", () => {
  test("are the model's own, or those named, without those that are frozen", async () => {
    const model = await open();
    expect(trainables(model)).toEqual(model.trainable);
    expect(trainables(model, { freeze: ["c*"] })).toEqual(["f1.weight", "f1.bias", "f2.weight", "f2.bias", "f3.weight", "f3.bias"]);
    expect(trainables(model, { only: ["*.bias"], freeze: ["f*"] })).toEqual(["c1.bias", "c2.bias"]);
    const still = { params: { w: images, "bn.running_mean": images }, trainable: ["w"] };
    expect(trainables(still)).toEqual(["w"]);
    // A pattern means the weights among what it names; what is none is named by itself.
    expect(trainables(still, { only: ["*"] })).toEqual(["w"]);
    expect(trainables(still, { only: ["w", "bn.running_mean"] })).toEqual(["w", "bn.running_mean"]);
    expect(trainables(still, { only: ["bn.*"] })).toEqual(["bn.running_mean"]);
    expect(() => trainables(model, { freeze: ["features.*"] })).toThrow("trainables: freeze: features.* names no parameter");
    expect(() => trainables(model, { only: ["head"] })).toThrow("trainables: only: head names no parameter");
    expect(() => trainables(model, { freeze: ["*"] })).toThrow("trainables: nothing is left to train; the model has c1.weight");
  });

  test("a frozen layer ends the backward pass: the compiled step has fewer parts, and none of the frozen convolutions' gradients", async () => {
    const model = await open();
    const loss = (p: Params, { x, y }: { x: Value; y: Value }) => softmaxCrossEntropy(model.apply(p, { input: x }).logits, y);
    const parts = async (freeze: readonly string[]): Promise<string[]> => {
      const optimizer = sgd({ rate: 0.1, only: trainables(model, freeze.length > 0 ? { freeze } : {}) });
      const state = { params: model.params, opt: optimizer.init(model.params) };
      const step = graph({ ...state, x: f32(4, 1, 28, 28), y: i32(4) }, ({ params, opt, x, y }) => {
        const { value, grad } = valueAndGrad((p: Params) => loss(p, { x, y }))(params as Params);
        return { loss: value, ...optimizer.update({ params: params as Params, grad, opt: opt as never }) };
      });
      const program = await compile(step as never, wasm(), { state } as never);
      const { steps } = (await program.profile({ x: images, y: labels } as never, { rounds: 1 })) as {
        steps: readonly { ops: readonly string[] }[];
      };
      return steps.flatMap((s) => s.ops);
    };
    const [all, some] = [await parts([]), await parts(["c*"])];
    expect(all.length).toBeGreaterThan(some.length + 8);
    expect(all).toContain("convWeight");
    expect(some).not.toContain("convWeight");
    expect(some).toContain("conv");
  });

  test("train asks for no gradient of what is frozen either, accumulating or not, and leaves it bit for bit as it was", async () => {
    const model = await open();
    const loss = (p: Params, { x, y }: { x: Value; y: Value }) => softmaxCrossEntropy(model.apply(p, { input: x }).logits, y);
    const only = trainables(model, { freeze: ["c*"] });
    for (const accumulate of [1, 2]) {
      const source = loader(dataset({ x: images, y: labels }), { batch: 2 });
      const training = train(
        { params: model.params as Record<string, Tensor>, loss },
        {
          data: source,
          optimizer: sgd({ rate: 0.1, only }),
          engine: wasm(),
          epochs: 2,
          accumulate,
          health: false,
        },
      );
      const { params } = await training.finish();
      for (const [name, t] of Object.entries(params as Record<string, Tensor>)) {
        const same = t.data.every((x, i) => x === model.params[name]!.data[i]);
        expect(same, name).toBe(name.startsWith("c"));
      }
    }
    // A weight whose gradient is NaN and that is frozen neither moves nor stops the run.
    const bad = { c: tensor([0], "f32"), w: tensor([1], "f32") };
    const sqrtLoss = (p: { c: Value; w: Value }, { x }: { x: Value }) => mean(add(mul(p.w, x), mul(0, sqrt(p.c))));
    const run = train(
      { params: bad, loss: sqrtLoss },
      {
        data: loader(dataset({ x: tensor([[1]], "f32") }), { batch: 1 }),
        optimizer: sgd({ rate: 0.1, freeze: ["c"] }),
        engine: wasm(),
        epochs: 1,
        health: false,
      },
    );
    expect((await run.finish()).report.steps).toBe(1);
  });
});
