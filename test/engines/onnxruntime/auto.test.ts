import * as ort from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { add, compile, f32, graph, jit, lgamma, matmul, mul, sum, type Tensor, tensor, type Value, zeros } from "../../../src/index.ts";
import { auto, type Choice } from "../../../src/onnxruntime.ts";

const square = (n: number): Tensor => tensor(new Float32Array(n * n).fill(1 / n), f32(n, n));
const step = (n: number) => graph({ w: f32(n, n), x: f32(n, n) }, ({ w, x }) => ({ y: sum(matmul(w, x)), w: add(w, matmul(w, x)) }));

describe("auto", () => {
  test("gives graphs to either engine by their size, and says why", async () => {
    const choices: Choice[] = [];
    const engine = auto(ort, { onChoice: (choice) => choices.push(choice) });
    for (const n of [8, 320]) {
      const program = await compile(step(n), engine, { state: { w: square(n) } });
      await program.run({ x: square(n) });
      expect((await program.state.read()).w.data[0]).toBeCloseTo(2 / n, 6);
      // ONNX Runtime adds up in f32, one after the other: a sum of 100,000 numbers is good to four digits.
      expect((await program.run({ x: square(n) })).y.data[0]! / n).toBeCloseTo(2, 3);
    }
    expect(choices.map((c) => c.engine)).toEqual(["wasm", "onnxruntime"]);
    expect(choices[0]!.why).toBe(
      "2,048 operations in products and convolutions are fewer than 50,000,000: a call of ONNX Runtime would cost more than it saves",
    );
    expect(choices[1]!.why).toBe("131,072,000 operations in products and convolutions are at least 50,000,000");
  });

  test("shares state between programs on both", async () => {
    const engine = auto(ort, { above: 1000 });
    const train = await compile(step(8), engine, { state: { w: square(8) } });
    await train.run({ x: square(8) });
    const small = graph({ w: f32(8, 8) }, ({ w }) => ({ total: sum(w) }));
    const look = await compile(small, engine, { state: train.state });
    expect((await look.run({})).total.data[0]).toBeCloseTo(16, 5);
  });

  test("gives what ONNX Runtime cannot run to the compiled engine", async () => {
    const choices: Choice[] = [];
    const engine = auto(ort, { above: 0, onChoice: (choice) => choices.push(choice) });
    const f = jit((x: Value) => lgamma(x), engine);
    expect((await f(tensor([3, 4]))).data[1]).toBeCloseTo(Math.log(6), 10);
    expect(choices.map((c) => c.engine)).toEqual(["wasm"]);
    expect(choices[0]!.why).toContain("ONNX Runtime cannot run it: onnx: lgamma is lgamma");
  });

  test("is the compiled engine where there is no ONNX Runtime", async () => {
    const choices: Choice[] = [];
    const double = jit((x: Value) => mul(x, 2), auto(null, { onChoice: (choice) => choices.push(choice) }));
    expect([...(await double(tensor([1, 2]))).data]).toEqual([2, 4]);
    expect(choices[0]!.why).toBe("there is no ONNX Runtime");
    await expect(
      compile(
        graph({ x: f32() }, () => ({ y: zeros(f32(2)) })),
        auto(null),
      ),
    ).resolves.toBeDefined();
  });

  test("refuses a size that is none", () => {
    expect(() => auto(null, { above: Number.NaN })).toThrow("auto: above is NaN; it is a number of operations, 0 or more");
  });
});
