import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as ort from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { parseSafetensors } from "../../src/data/safetensors.ts";
import { lora } from "../../src/finetune.ts";
import {
  type Engine,
  evaluate,
  f32,
  grad,
  graph,
  i32,
  jit,
  mul,
  reference,
  square,
  sum,
  type Tensor,
  tensor,
  toArray,
  type Value,
  valueAndGrad,
} from "../../src/index.ts";
import { onnx } from "../../src/onnx/onnx.ts";
import type { GraphMessage } from "../../src/onnx/schema.ts";
import { onnxruntime } from "../../src/onnxruntime.ts";
import { wasm } from "../../src/wasm.ts";
import { modelBytes, node, port, weight, wholes } from "./build-model.ts";

const fixture = (file: string): string => fileURLToPath(new URL(`../fixtures/onnx/split/${file}`, import.meta.url));

type Tensors = Readonly<Record<string, Tensor>>;
type Model = Awaited<ReturnType<typeof onnx.read>>;

/** One call of a model of `scripts/reference/onnx_split.py`, and what PyTorch makes of it. */
interface Call {
  readonly inputs: Tensors;
  readonly y: Tensor;
  readonly loss: number;
  readonly gradients: Tensors;
}

function callsOf(name: string): Map<string, Call> {
  const { tensors } = parseSafetensors(readFileSync(fixture(`${name}.safetensors`)));
  const under = (prefix: string): Tensors =>
    Object.fromEntries(Object.entries(tensors).flatMap(([key, t]) => (key.startsWith(prefix) ? [[key.slice(prefix.length), t]] : [])));
  return new Map(
    [...new Set(Object.keys(tensors).map((key) => key.split("/")[0]!))].map((key) => [
      key,
      { inputs: under(`${key}/x/`), y: tensors[`${key}/y`]!, loss: tensors[`${key}/loss`]!.data[0]!, gradients: under(`${key}/grad/`) },
    ]),
  );
}

function expectClose(got: Tensor, wanted: Tensor, tolerance = 1e-5): void {
  expect(got.type.shape).toEqual(wanted.type.shape);
  const far = Math.max(0, ...Array.from(wanted.data, (w, i) => Math.abs(got.data[i]! - w) / (1 + Math.abs(w))));
  expect(far).toBeLessThan(tolerance);
}

/** Half the sum of squares of y, its gradient and y, of a model whose data are bound. */
function stepOf(model: Model) {
  return (params: Record<string, Value>, inputs: Record<string, Value>, bound: Record<string, Value>) =>
    valueAndGrad((p: Record<string, Value>) => {
      const y = model.apply(p, inputs, bound)["y"]!;
      return { loss: mul(sum(square(y)), 0.5), y };
    })(params);
}

const names = ["picked", "masked", "twice", "rounds", "settles", "branches", "computed"] as const;
const engines: readonly (readonly [string, () => Engine])[] = [
  ["reference", reference],
  ["wasm", wasm],
  ["onnxruntime", () => onnxruntime(ort)],
];

describe.each(names)("%s, which data split,", (name) => {
  test.each(engines)(
    "has PyTorch's results, loss and gradients for every choice of data on the %s engine",
    async (_, engine) => {
      const model = await onnx.read(fixture(`${name}.onnx`));
      const step = jit(stepOf(model), engine());
      for (const { inputs, y, loss, gradients } of callsOf(name).values()) {
        const found = await step(model.params as never, inputs as never, model.bind(inputs) as never);
        const value = found.value as { loss: Tensor; y: Tensor };
        expectClose(value.y, y);
        expect(value.loss.data[0]).toBeCloseTo(loss, 4);
        expect(Object.keys(found.grad).sort()).toEqual(Object.keys(gradients).sort());
        for (const [key, wanted] of Object.entries(gradients)) expectClose((found.grad as Tensors)[key]!, wanted, 1e-4);
      }
    },
    60_000,
  );

  test("computes what ONNX Runtime computes of the file", async () => {
    const session = await ort.InferenceSession.create(fixture(`${name}.onnx`), { logSeverityLevel: 3 });
    const model = await onnx.read(fixture(`${name}.onnx`));
    for (const { inputs } of callsOf(name).values()) {
      const feeds = Object.fromEntries(
        Object.entries(inputs).map(([key, { type, data }]) => [
          key,
          type.dtype === "i32"
            ? new ort.Tensor("int64", BigInt64Array.from(Array.from(data, BigInt)), [...type.shape])
            : new ort.Tensor("float32", data as Float32Array, [...type.shape]),
        ]),
      );
      const theirs = (await session.run(feeds))["y"]!;
      const wanted = { kind: "tensor", type: { kind: "type", dtype: "f32", shape: theirs.dims }, data: theirs.data } as unknown as Tensor;
      expectClose(evaluate(model.apply(model.params, inputs, model.bind(inputs))["y"]!), wanted);
      expectClose(evaluate(model.apply(model.params, inputs)["y"]!), wanted);
    }
  });
});

/** An engine that counts what it makes ready. */
function counting(): { readonly engine: Engine<"sync">; readonly made: () => number } {
  const own = reference();
  let made = 0;
  return {
    engine: {
      ...own,
      prepare: (inputs, outputs) => {
        made++;
        return own.prepare(inputs, outputs);
      },
    },
    made: () => made,
  };
}

describe("bind", () => {
  test("gives places as tensors and numbers of shapes as types, so that one program serves all data that decide alike", async () => {
    const model = await onnx.read(fixture("picked.onnx"));
    const { engine, made } = counting();
    const step = jit(stepOf(model), engine);
    const calls = callsOf("picked");
    const bounds = [...calls.values()].map(({ inputs }) => {
      const bound = model.bind(inputs);
      step(model.params as never, inputs as never, bound as never);
      return Object.values(bound).map(({ type }) => type);
    });
    expect(bounds).toEqual([[i32(1, 5)], [i32(1, 7)], [i32(1, 0)]]);
    expect(made()).toBe(3);
    // Other rows, as many of them.
    const { x } = calls.get("a")!.inputs as { x: Tensor };
    const turned = tensor(
      Float32Array.from({ length: 18 }, (_, i) => x.data[(i + 3) % 18]!),
      f32(6, 3),
    );
    const places = model.bind({ x: turned });
    expect(toArray(Object.values(places)[0]!)).not.toEqual(toArray(Object.values(model.bind({ x }))[0]!));
    step(model.params as never, { x: turned } as never, places as never);
    expect(made()).toBe(3);
    expect((await onnx.read(fixture("computed.onnx"))).bind(callsOf("computed").get("a")!.inputs)).toMatchObject({
      "/Slice_output_0:2": { type: { dtype: "i64", shape: [0, 8] } },
    });
  });

  test("is empty for a model that hangs on shapes alone", async () => {
    const model = await onnx.read(
      modelBytes({ nodes: [node("Shape", ["x"], ["s"]), node("ConstantOfShape", ["s"], ["o"]), node("Add", ["o", "x"], ["y"])] }),
    );
    expect(model.bind({ x: tensor([1, 2], "f32") })).toEqual({});
  });

  test("goes by the weights that it is given, and places are of those", async () => {
    const model = await onnx.read(fixture("picked.onnx"));
    const { inputs } = callsOf("picked").get("a")!;
    const open = { ...model.params, "gate.bias": tensor([100], "f32") };
    expect(Object.values(model.bind(inputs, open))[0]!.type.shape).toEqual([1, 6]);
    expect(Object.values(model.with(open).bind(inputs))[0]!.type.shape).toEqual([1, 6]);
  });

  test("folds what hangs on constants alone, which no data have to decide", async () => {
    const nodes = [node("NonZero", ["mask"], ["at"]), node("Squeeze", ["at", "axis"], ["rows"]), node("Gather", ["x", "rows"], ["y"])];
    const model = await onnx.read(
      modelBytes({ nodes, weights: [wholes("mask", [0, 1]), wholes("axis", [0])], outputs: [port("y", ["k"])] }),
    );
    const g = graph({ x: f32(2) }, (given) => model.apply({}, given));
    expect(g.outputs["y"]!.type.shape).toEqual([1]);
    expect(model.bind({ x: tensor([1, 2], "f32") })).toEqual({});
  });

  test("and the rest give adapters their gradients too, the places being those of the adapted weights", async () => {
    const model = await onnx.read(fixture("picked.onnx"));
    const { inputs } = callsOf("picked").get("a")!;
    const adapted = lora(model, { rank: 1, targets: ["encode.weight", "gate.weight"] });
    const moved = Object.fromEntries(
      Object.entries(adapted.params).map(([k, t]) => [
        k,
        tensor(
          t.data.map((v, i) => v + 0.3 * Math.sin(i + 1)),
          t.type,
        ),
      ]),
    );
    const bound = adapted.bind(inputs, moved);
    expect(Object.values(bound)[0]!.data).toEqual(Object.values(adapted.merge(moved).bind(inputs))[0]!.data);
    const slope = jit(
      grad((p: Record<string, Value>, x: Record<string, Value>, b: Record<string, Value>) => sum(square(adapted.apply(p, x, b)["y"]!))),
      wasm(),
    )(moved as never, inputs as never, bound as never) as Tensors;
    const eager = evaluate(grad((p: Record<string, Value>) => sum(square(adapted.apply(p, inputs)["y"]!)))(moved as never)) as Tensors;
    for (const [key, t] of Object.entries(eager)) expectClose(slope[key]!, t);
    expect(slope["encode.lora_A.weight"]!.data.some((v) => v !== 0)).toBe(true);
  });
});

describe("one loaded model", () => {
  const random = (seed: number, shape: readonly number[]): Tensor =>
    tensor(
      Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(seed + 1.7 * i)),
      f32(...shape),
    );

  test.each(["mlp/model", "families/bert"])(
    "takes two batch sizes, %s, with the gradients of two models that are bound when they are read",
    async (name) => {
      const path = fileURLToPath(new URL(`../fixtures/onnx/${name}.onnx`, import.meta.url));
      const model = await onnx.read(path);
      const { engine, made } = counting();
      const sizesFor = (rows: number): Record<string, number> => ({ batch: rows, ...(name === "mlp/model" ? {} : { length: rows + 1 }) });
      const inputsFor = (rows: number): Record<string, Tensor> =>
        Object.fromEntries(
          Object.entries(model.inputs).map(([key, { dtype, shape }]) => {
            const sizes = shape!.map((s) => (typeof s === "number" ? s : sizesFor(rows)[s!]!));
            const count = sizes.reduce((a, b) => a * b, 1);
            const small = key === "input_ids" ? 11 : 2;
            return [
              key,
              dtype === "f32"
                ? random(rows, sizes)
                : tensor(
                    Int32Array.from({ length: count }, (_, i) => (i * 5 + 1) % small),
                    i32(...sizes),
                  ),
            ];
          }),
        );
      const lossOf = (m: Model) => (p: Record<string, Value>, x: Record<string, Value>) => sum(square(Object.values(m.apply(p, x))[0]!));
      const slopes = jit(grad(lossOf(model)), engine);
      for (const rows of [2, 5, 2]) {
        const bound = await onnx.read(path, { dims: sizesFor(rows) });
        const got = slopes(model.params as never, inputsFor(rows) as never) as Tensors;
        const wanted = jit(grad(lossOf(bound)), reference())(bound.params as never, inputsFor(rows) as never) as Tensors;
        for (const key of Object.keys(model.params)) expect(got[key]!.data).toEqual(wanted[key]!.data);
      }
      expect(made()).toBe(2);
    },
  );

  test("whose batch PyTorch's newer exporter fixed takes that one, and refuses another by name", async () => {
    const model = await onnx.read(fileURLToPath(new URL("../fixtures/onnx/encoder/model.onnx", import.meta.url)));
    expect(() => model.apply(model.params, { input: random(1, [5, 16, 16]) })).toThrow(
      "onnx: input input is f32[8,16,16]; f32[5,16,16] was given",
    );
  });
});

describe("loops and branches that data decide", () => {
  const scalar = (name: string, element: number): ReturnType<typeof port> => port(name, [], element);
  const countOf = (n: number): Tensor => tensor(n, "i32");

  /** x := x * w, n times; what each round gives is collected, with `grows` in a state that gets longer. */
  function rounds(grows: boolean): Uint8Array {
    const body = {
      name: "body",
      node: [
        node("Mul", ["s", "w"], ["t"]),
        ...(grows ? [node("Concat", ["all", "t"], ["more"], { axis: 0 })] : []),
        node("Identity", ["going"], ["next"]),
      ],
      input: [scalar("i", 7), scalar("going", 9), port("s"), ...(grows ? [port("all", ["k"])] : [])],
      output: [scalar("next", 9), port("t"), grows ? port("more", ["k"]) : port("t")],
    } as unknown as GraphMessage;
    return modelBytes({
      nodes: [node("Loop", ["n", "", "x", ...(grows ? ["x"] : [])], ["last", "y"], { body: { graph: body } }, "again")],
      weights: [weight("w", [2], [2, 0.5])],
      inputs: [port("x"), scalar("n", 7)],
      outputs: [port("last"), port("y", ["k", 2])],
    });
  }

  test.each([0, 1, 7, 70])("%i rounds, collected or in a state that grows, compiled with their gradients", async (n) => {
    const x = tensor([1, 2], "f32");
    for (const grows of [false, true]) {
      const model = await onnx.read(rounds(grows));
      expect(() => graph({ x: f32(2), n: i32() }, (given) => model.apply(model.params, given))).toThrow(
        /node again \(Loop\): (its rounds cannot be one static graph|how many rounds it makes depends on data, and with it the size of what it collects).*; compute it first and bind it: model\.apply\(params, inputs, model\.bind\(data\)\)/s,
      );
      const bound = model.bind({ x, n: countOf(n) });
      const g = graph({ x: f32(2) }, (given) => model.apply(model.params, { ...given, n: countOf(n) }, bound));
      expect(g.outputs["y"]!.type.shape).toEqual(grows ? [2 * (n + 1)] : [n, 2]);
      const step = jit(
        (w: Value, at: Value, k: Value, b: Record<string, Value>) =>
          grad((v: Value) => sum(model.apply({ w: v }, { x: at, n: k }, b)["last"]!))(w),
        wasm(),
      );
      const slope = toArray(step(tensor([0.9, 0.5], "f32"), x, countOf(n), bound as never)) as number[];
      expect(slope[0]).toBeCloseTo(n * 0.9 ** (n - 1), 4);
      expect(slope[1]).toBeCloseTo(2 * n * 0.5 ** (n - 1), 4);
    }
  });

  test("rounds without end are stopped, and say so", async () => {
    const model = await onnx.read(rounds(false));
    const x = tensor([1, 2], "f32");
    expect(() => model.bind({ x, n: countOf(2 ** 31 - 1) })).toThrow(
      "node again (Loop): it runs 2147483647 times; 1000000 rounds are the most",
    );
    const grows = await onnx.read(rounds(true));
    expect(() => grows.bind({ x, n: countOf(20_000) })).toThrow(
      "it runs 20000 times, and its body is another one in each round; 10000 such rounds are the most",
    );
  });

  test("branches of two shapes name their node and say how to bind it", async () => {
    const model = await onnx.read(fixture("branches.onnx"));
    expect(() => graph({ x: f32(3, 3) }, (given) => model.apply(model.params, given))).toThrow(
      /node \/If \(If\): both its branches cannot be one static graph \(cond: .*\), and which part runs hangs on data; compute it first and bind it/,
    );
  });

  test("a scan whose body chooses by data is unrolled, with its gradients", async () => {
    const body = {
      name: "body",
      node: [
        node("Greater", ["row", "zero"], ["open"]),
        node("NonZero", ["open"], ["at"]),
        node("Squeeze", ["at", "first"], ["places"]),
        node("Gather", ["row", "places"], ["picked"]),
        node("ReduceSum", ["picked"], ["some"], { keepdims: 0 }),
        node("Mul", ["some", "w"], ["part"]),
        node("Add", ["sum", "part"], ["more"]),
      ],
      input: [port("sum", []), port("row", [3])],
      output: [port("more", []), port("part", [])],
    } as unknown as GraphMessage;
    const model = await onnx.read(
      modelBytes({
        nodes: [node("Scan", ["start", "x"], ["y", "parts"], { body: { graph: body }, num_scan_inputs: 1 }, "rows")],
        weights: [weight("w", [], [2]), weight("zero", [], [0]), wholes("first", [0])],
        inputs: [port("start", []), port("x", ["n", 3])],
        outputs: [port("y", []), port("parts", ["n"])],
      }),
    );
    const given = {
      start: tensor(1, "f32"),
      x: tensor(
        [
          [1, -2, 3],
          [-1, -1, -1],
          [0, 5, -6],
        ],
        "f32",
      ),
    };
    const bound = model.bind(given);
    expect(Object.values(bound).map(({ type }) => type.shape[1])).toEqual([2, 0, 1]);
    const step = jit(
      (w: Value, x: Record<string, Value>, b: Record<string, Value>) => ({
        parts: model.apply({ ...model.params, w }, x, b)["parts"]!,
        slope: grad((v: Value) => model.apply({ ...model.params, w: v }, x, b)["y"]!)(w),
      }),
      wasm(),
    );
    const { parts, slope } = step(tensor(2, "f32"), given as never, bound as never);
    expect([toArray(parts), toArray(slope)]).toEqual([[8, 0, 10], 9]);
    const none = { ...given, x: tensor(new Float32Array(0), f32(0, 3)) };
    expect(() => model.bind(none)).toThrow("node rows (Scan): it has no row, and its body hangs on data");
    const many = { ...given, x: tensor(new Float32Array(30_003), f32(10_001, 3)) };
    expect(() => model.bind(many)).toThrow("it has 10001 rows, and its body is another one for each; 10000 such rows are the most");
  });

  test("a NaN decides as a comparison with it does: false", async () => {
    const model = await onnx.read(fixture("branches.onnx"));
    const x = tensor(
      Float32Array.from({ length: 9 }, (_, i) => (i === 4 ? Number.NaN : 1)),
      f32(3, 3),
    );
    expect(model.apply(model.params, { x }, model.bind({ x }))["y"]!.type.shape).toEqual([3, 3]);
  });

  test("a gradient goes through the start and step of a range, not only through how long it is", async () => {
    const model = await onnx.read(
      modelBytes({
        nodes: [node("Range", ["start", "limit", "delta"], ["y"])],
        inputs: ["start", "limit", "delta"].map((name) => port(name, [])),
        outputs: [port("y", ["k"])],
      }),
    );
    const given = { start: tensor(1, "f32"), limit: tensor(2.9, "f32"), delta: tensor(0.5, "f32") };
    const bound = model.bind(given);
    const slopes = jit(
      grad((v: Record<string, Value>, b: Record<string, Value>) => sum(model.apply({}, v, b)["y"]!)),
      wasm(),
    )(given as never, bound as never) as Tensors;
    expect([slopes["start"]!.data[0], slopes["limit"]!.data[0], slopes["delta"]!.data[0]]).toEqual([4, 0, 6]);
    expect(() => model.bind({ ...given, delta: tensor(0, "f32"), limit: given.start })).toThrow(
      "how many numbers it makes is not a number: start, limit or delta is NaN, or the delta is 0",
    );
    expect(() => model.bind({ ...given, delta: tensor(0, "f32") })).toThrow("at most 268435456 elements are made from nothing");
  });
});

describe("bindings that do not fit", () => {
  test("are refused by the place they are for", async () => {
    const { inputs } = callsOf("computed").get("a")!;
    const model = await onnx.read(fixture("computed.onnx"));
    const bound = model.bind(inputs);
    const types = Object.fromEntries(Object.entries(inputs).map(([k, t]) => [k, t.type]));
    const applied = (b: Record<string, Tensor>): unknown => graph(types, (given) => model.apply(model.params, given, b));
    expect(() => applied({ ...bound, "/Slice_output_0:2": tensor([1]) })).toThrow(
      "what is bound at /Slice_output_0:2 is f64[1]; give what model.bind(...) gave, unchanged",
    );
    expect(() => applied({})).toThrow("node /Slice (Slice): ends, ");
    const picked = await onnx.read(fixture("picked.onnx"));
    const { x } = callsOf("picked").get("a")!.inputs as { x: Tensor };
    expect(() => picked.apply(picked.params, { x }, { "/NonZero_output_0": tensor([1]) })).toThrow(
      "what is bound at /NonZero_output_0 is f64[1], and places are i32",
    );
    expect(() => picked.bind({})).toThrow("onnx: input x is missing");
    expect(() => picked.bind({ x, z: x } as never)).toThrow("there is no input z; the model has x");
  });

  test("more numbers than shapes are made of are refused", async () => {
    const model = await onnx.read(modelBytes({ nodes: [node("Tile", ["x", "r"], ["y"])], inputs: [port("x"), port("r", ["n"], 7)] }));
    expect(() => model.bind({ x: tensor([1, 2], "f32"), r: tensor(new Int32Array(5000)) })).toThrow(
      "Tile asks for its repeats, 5000 numbers of data that its shapes are made of; 4096 is the most",
    );
  });
});
