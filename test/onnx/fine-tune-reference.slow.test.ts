import { test } from "vitest";
import { reference } from "../../src/index.ts";
import { expectTuned } from "./tuned.ts";

test.each(["mlp", "lenet", "encoder"])(
  "%s takes PyTorch's steps on the reference engine to PyTorch's weights",
  async (name) => {
    await expectTuned(name, reference());
  },
  120_000,
);
