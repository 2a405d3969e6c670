import { createContext, runInContext } from "node:vm";
import { beforeEach, describe, expect, test } from "vitest";
import { limitArrays, whenOver } from "../../../studio/code/limits.ts";

/* Apart from the other limits, because V8 is made to collect here, all of a process that runs many tests. */

let realm: Record<string, unknown>;
let told: string[];

/** Runs a text in a global object of its own; what it gives, or the name of what it throws. */
function says(text: string): unknown {
  return runInContext(`try { (() => { ${text} })() } catch (error) { error.name }`, realm);
}

describe("the arrays that are kept", () => {
  beforeEach(async () => {
    told = [];
    whenOver((text) => told.push(text));
    realm = createContext({}) as Record<string, unknown>;
    limitArrays(runInContext("globalThis", realm) as Record<string, unknown>, {
      kept: 2 ** 26,
      impossible: Number.MAX_SAFE_INTEGER,
      spares: 1024,
    });
    // What is watched was made in an earlier task, as it is in the studio.
    await new Promise((next) => setTimeout(next));
  });

  test.each([
    ["large ones", "kept.push(new Float64Array(2 ** 20))", 8],
    ["small ones", "kept.push(new Float64Array(2 ** 12))", 2048],
    ["buffers whose arrays are gone", "kept.push(new Float64Array(2 ** 17).buffer)", 64],
    ["slices past their constructor", "const a = new Float64Array(2 ** 17); a.constructor = undefined; kept.push(a.slice())", 64],
    ["copies of another kind", "globalThis.other ??= new Uint8Array(2 ** 17); kept.push(new Float64Array(other))", 64],
  ])("are counted together: %s", (_, text, most) => {
    const made = Number(
      says(`globalThis.kept = []; for (let i = 0; i < ${2 * most}; i++) { try { ${text}; } catch { return i; } } return Infinity`),
    );
    expect(made).toBeGreaterThan(0.8 * most);
    expect(made).toBeLessThanOrEqual(1.2 * most);
    expect(told).toEqual([expect.stringContaining("GiB of arrays, all together; let go of those that are no longer used")]);
  });

  test.each([
    ["large ones", "new Float64Array(2 ** 21)", 12],
    ["small ones beside a few that are kept", "const a = new Float64Array(2 ** 13); kept.push(new Float64Array(2)); a.fill(1)", 2500],
  ])("do not have those among them that nobody holds, in the middle of a loop: %s", (_, text, times) => {
    expect(
      says(
        `globalThis.kept = []; const old = new Float64Array(2 ** 21); for (let i = 0; i < ${times}; i++) { ${text}; } return old.length`,
      ),
    ).toBe(2 ** 21);
    expect(told).toEqual([]);
  });
});
