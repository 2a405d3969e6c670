import { deflateRawSync } from "node:zlib";
import { expect, test } from "vitest";
import { inflate } from "../../src/data/deflate.ts";
import { parseNpz, serializeNpz } from "../../src/data/npz.ts";
import { tensor } from "../../src/ir/tensor.ts";
import { expectOnlyParseErrors, fixture, parseErrorOf } from "./fixture.ts";

test("a bomb is unpacked no further than it declares", async () => {
  const bomb = deflateRawSync(new Uint8Array(5e7));
  expect((await parseErrorOf(() => inflate(bomb, 1000, "bomb")))?.message).toBe("bomb unpacks to more than the 1000 bytes it declares");
});

test("noise and damage are refused or read", async () => {
  await expectOnlyParseErrors(fixture("stored.npz"), parseNpz, 500);
  await expectOnlyParseErrors(fixture("zip64.npz"), parseNpz, 500);
  await expectOnlyParseErrors(
    await serializeNpz({ a: tensor(new Float64Array(50)), b: tensor([3], "u8") }, { compress: true }),
    parseNpz,
    500,
  );
});
