import { describe, expect, test } from "vitest";
import { rows } from "../../src/onnx/written-ops.ts";
import { ops } from "../laws/samplers.ts";
import { difference } from "./node-cases.ts";
import { direct, type Trip, through, tripsOf } from "./round-trip.ts";

/** Ops of ours that cannot be written at all or in part, with the reason that the error gives. */
const reasons = new Set(Object.values(rows).flatMap((row) => ("no" in row ? [row.no] : [])));

async function verdict(trip: Trip): Promise<string | null> {
  let got: Awaited<ReturnType<typeof through>>;
  try {
    got = await through(trip);
  } catch (error) {
    const { message } = error as Error;
    return [...reasons].some((no) => message.includes(no)) ? null : message;
  }
  const wanted = direct(trip);
  for (const [name, t] of Object.entries(wanted)) {
    const found = difference(got[name in trip.inputs ? `out.${name}` : name]!, t, 1e-9, 1e-11);
    if (found !== null) return `${name}: ${found}`;
  }
  return null;
}

describe("written and read back, the graph and the gradients of", () => {
  test.each([...ops.keys()])("%s give the same numbers", async (name) => {
    for (let k = 1; k <= 4; k++) {
      const { forward, backward } = tripsOf(name, k);
      expect(await verdict(forward), `seed ${k}`).toBeNull();
      if (backward !== null) expect(await verdict(backward), `gradients, seed ${k}`).toBeNull();
    }
  });
});
