import { test } from "vitest";
import { parseNpy } from "../../src/data/npy.ts";
import { expectOnlyParseErrors, fixture } from "./fixture.ts";

test("noise and damage are refused or read", async () => {
  await expectOnlyParseErrors(fixture("f2-big.npy"), parseNpy, 1000);
  await expectOnlyParseErrors(fixture("version2.npy"), parseNpy, 1000);
});
