import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { Held } from "../../studio/import/held.ts";

test("a weight that the file has twice is looked at under both names, and tuned as one", async () => {
  const path = fileURLToPath(new URL("../fixtures/onnx/tied/gpt2.onnx", import.meta.url));
  const held = new Held(() => undefined);
  const opened = await held.open({ files: [new File([readFileSync(path)], "gpt2.onnx")] });
  expect(opened).toMatchObject({ kind: "model" });
  const rows = opened.kind === "model" ? opened.parameters.map(({ name }) => name) : [];
  expect(rows).toEqual(expect.arrayContaining(["wte.weight", "lm_head.weight"]));
  expect(await held.tensor({ name: "lm_head.weight" })).toEqual(await held.tensor({ name: "wte.weight" }));
  expect((await held.inspection()).texts.en).toContain("lm_head.weight is wte.weight transposed, written twice: they are one weight");
});
