// What is written, held to onnx.checker where Python has the package `onnx` (PYTHON names one): ops and their gradients, ONNX's own cases written again, models, their
// gradients and whole training steps.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { parseSafetensors } from "../../src/data.ts";
import { graph, reshape, softmaxCrossEntropy, type Tensor, transpose, type Value, valueAndGrad } from "../../src/index.ts";
import { isFloat } from "../../src/ir/dtype.ts";
import { rows } from "../../src/onnx/written-ops.ts";
import { onnx } from "../../src/onnx.ts";
import { adam, adamW, sgd } from "../../src/optim.ts";
import { ops } from "../laws/samplers.ts";
import { moreCases, nodeCases, opened } from "./node-cases.ts";
import { tripsOf } from "./round-trip.ts";
import { fixture } from "./tuned.ts";

const script = fileURLToPath(new URL("../../scripts/onnx-checker.py", import.meta.url));
const python = [process.env["PYTHON"], "python3", "/usr/bin/python3"].find(
  (name) => name !== undefined && spawnSync(name, ["-c", "import onnx"], { stdio: "ignore" }).status === 0,
);
const reasons = Object.values(rows).flatMap((row) => ("no" in row ? [row.no] : []));

type Params = Record<string, Value>;

/** Writes a graph, unless an op of it is one that cannot be written. */
function put(folder: string, name: string, make: () => Uint8Array): number {
  try {
    writeFileSync(join(folder, `${name.replace(/[^\w.-]/g, "_")}.onnx`), make());
    return 1;
  } catch (error) {
    if (!reasons.some((no) => (error as Error).message.includes(no))) throw error;
    return 0;
  }
}

/** A model forward, with its gradients, and whole training steps by three optimisers. */
function putModel(
  folder: string,
  name: string,
  model: Awaited<ReturnType<typeof onnx.read>>,
  inputs: Record<string, Tensor>,
  y: Tensor,
  pixels = false,
): void {
  const types = Object.fromEntries(Object.entries(inputs).map(([key, t]) => [key, t.type]));
  const { params } = model;
  const loss = (p: Params, given: Params, labels: Value): Value => {
    const logits = Object.values(model.apply(p, given))[0]!;
    const last = pixels ? transpose(logits, { axes: [0, 2, 3, 1] }) : logits;
    return softmaxCrossEntropy(reshape(last, { shape: [-1, last.type.shape.at(-1)!] }), reshape(labels, { shape: [-1] }));
  };
  put(folder, `${name}-again`, () => onnx.write(model.with(params)));
  put(folder, `${name}-forward`, () =>
    onnx.write(graph({ params, x: types }, ({ params, x }) => model.apply(params as Params, x as Params))),
  );
  const step = valueAndGrad(loss as never) as unknown as (...given: unknown[]) => { value: Value; grad: Params };
  put(folder, `${name}-gradients`, () =>
    onnx.write(graph({ params, x: types, y: y.type }, ({ params, x, y }) => step(params, x, y) as never)),
  );
  const optimizers = { sgd: sgd({ rate: 0.1, momentum: 0.9 }), adam: adam({ rate: 1e-3, clipNorm: 1 }), adamW: adamW({ rate: 1e-3 }) };
  for (const [word, optimizer] of Object.entries(optimizers)) {
    const state = { params, opt: optimizer.init(params) };
    put(folder, `${name}-${word}`, () =>
      onnx.write(
        graph({ ...state, x: types, y: y.type }, ({ params, opt, x, y }) => {
          const { value, grad } = step(params, x, y);
          return { loss: value, ...optimizer.update({ params: params as never, grad: grad as never, opt: opt as never }) } as never;
        }),
      ),
    );
  }
}

test.skipIf(python === undefined)("onnx.checker finds nothing in what is written", async () => {
  const folder = mkdtempSync(join(tmpdir(), "onnx-checker-"));
  try {
    for (const name of ops.keys())
      for (const seed of [1, 2]) {
        const { forward, backward } = tripsOf(name, seed);
        put(folder, `op-${name}-${seed}`, () => onnx.write(forward.graph));
        if (backward !== null) put(folder, `op-${name}-${seed}-gradients`, () => onnx.write(backward.graph));
      }
    for (const c of [...nodeCases(), ...moreCases()]) {
      const { model, inputs } = await opened(c);
      const free = Object.keys(inputs).filter(
        (n) => isFloat(inputs[n]!.type.dtype) && inputs[n]!.data.length > 0 && !/^r$|scales|roi|edge_hertz/.test(n),
      );
      const known = Object.fromEntries(Object.keys(inputs).flatMap((n) => (free.includes(n) ? [] : [[n, inputs[n]!]])));
      const types = Object.fromEntries(free.map((n) => [n, inputs[n]!.type]));
      put(folder, `case-${c.name}`, () =>
        onnx.write(graph(types, (given) => model.apply(model.params, { ...known, ...(given as Params) }))),
      );
    }
    for (const name of ["mlp", "lenet", "encoder"]) {
      const { tensors } = parseSafetensors(new Uint8Array(readFileSync(fixture(`${name}/data.safetensors`))));
      const model = await onnx.read(fixture(`${name}/model.onnx`), { inputs: ["input"], outputs: ["logits"] });
      putModel(folder, name, model as never, { input: tensors["x/0"]! }, tensors["y/0"]!);
    }
    const families = fixture("families");
    for (const file of readdirSync(families).filter((f) => f.endsWith(".onnx"))) {
      const { tensors } = parseSafetensors(new Uint8Array(readFileSync(join(families, file.replace(".onnx", ".safetensors")))));
      const model = await onnx.read(join(families, file), { outputs: ["logits"] });
      const inputs = Object.fromEntries(Object.entries(tensors).flatMap(([k, t]) => (k.startsWith("x/") ? [[k.slice(2), t]] : [])));
      putModel(folder, file.replace(".onnx", ""), model as never, inputs, tensors["y"]!, file === "unet.onnx");
    }
    const { status, stdout, stderr } = spawnSync(python!, [script, folder], { encoding: "utf8", maxBuffer: 2 ** 26 });
    console.log(stdout.trim());
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/ files, 0 not clean/);
  } finally {
    if (process.env["KEEP"] === undefined) rmSync(folder, { recursive: true, force: true });
    else console.log(folder);
  }
});
