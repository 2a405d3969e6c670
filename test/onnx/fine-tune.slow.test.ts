import { readFileSync } from "node:fs";
import * as ort from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { wasm } from "../../src/engines/wasm/wasm.ts";
import type { Engine } from "../../src/index.ts";
import { onnx } from "../../src/onnx/onnx.ts";
import { modelShape } from "../../src/onnx/schema.ts";
import { readMessage } from "../../src/onnx/wire.ts";
import { onnxruntime } from "../../src/onnxruntime.ts";
import { expectTuned, fixture } from "./tuned.ts";

const engines: readonly (readonly [string, () => Engine])[] = [
  ["wasm", wasm],
  ["onnxruntime", () => onnxruntime(ort)],
];

describe.each(["mlp", "lenet", "encoder"])("%s, fine-tuned", (name) => {
  test.each(engines)(
    "takes PyTorch's steps on the %s engine to PyTorch's weights, and a file of the tuned model gives its logits",
    async (_, engine) => {
      await expectTuned(name, engine());
    },
  );
});

test("a file that is written without a change is the file that was read", async () => {
  const bytes = new Uint8Array(readFileSync(fixture("mlp/model.onnx")));
  const written = onnx.write(await onnx.read(bytes));
  expect(readMessage(written, modelShape)).toEqual(readMessage(bytes, modelShape));
});
