import { describe, expect, test } from "vitest";
import { drawsFrom } from "../../src/check/draws.ts";
import { isTensor } from "../../src/ir/leaf.ts";
import type { Sample } from "./sample.ts";
import { samplerOf } from "./samplers.ts";

function drawn(name: string): Sample[] {
  return Array.from({ length: 400 }, (_, seed) => samplerOf(name)!(drawsFrom(seed)));
}

function shapes(name: string): (readonly number[])[] {
  return drawn(name).flatMap(({ args }) => args.filter(isTensor).map((t) => t.type.shape));
}

/** The values of an attribute, as text, in all places where it may stand. */
function values(name: string, attribute: string): Set<string> {
  const found = new Set<string>();
  for (const { args } of drawn(name)) {
    const last = args[args.length - 1];
    const given = typeof last === "object" && last !== null && !isTensor(last) ? (last as Record<string, unknown>)[attribute] : undefined;
    found.add(JSON.stringify(given) ?? "absent");
  }
  return found;
}

describe("the samplers draw", () => {
  test("ranks 0 to 4 and sizes 0, 1 and primes", () => {
    for (const name of ["sin", "sum", "reshape"]) {
      expect(new Set(shapes(name).map((s) => s.length))).toEqual(new Set([0, 1, 2, 3, 4]));
      expect(new Set(shapes(name).flat())).toEqual(new Set([0, 1, 2, 3, 5, 7]));
    }
  });

  test("both signs, from below 1e-2 to above 300", () => {
    const numbers = drawn("sin").flatMap(({ args }) => args.filter(isTensor).flatMap((t) => Array.from(t.data)));
    for (const sign of [1, -1]) {
      const sizes = numbers.filter((x) => Math.sign(x) === sign).map(Math.abs);
      expect(Math.min(...sizes)).toBeLessThan(1e-2);
      expect(Math.max(...sizes)).toBeGreaterThan(300);
    }
  });

  test("numbers near poles and kinks, and none on them", () => {
    const distances = (name: string, kink: (x: number) => number): number[] =>
      drawn(name).flatMap(({ args }) => args.filter(isTensor).flatMap((t) => Array.from(t.data, kink)));
    for (const d of [
      distances("log", (x) => x),
      distances("floor", (x) => Math.abs(x - Math.round(x))),
      distances("asin", (x) => 1 - Math.abs(x)),
      distances("reciprocal", Math.abs),
      distances("clip", (x) => Math.min(Math.abs(x + 0.75), Math.abs(x - 1.25))),
    ]) {
      expect(Math.min(...d)).toBeGreaterThan(0);
      expect(Math.min(...d)).toBeLessThan(3e-3);
    }
  });

  test("every side of broadcasting", () => {
    const sides = new Set(
      drawn("add")
        .filter(({ args }) => args.length === 2 && args.every(isTensor))
        .map(({ args }) => {
          const [a, b] = args.map((t) => (isTensor(t) ? t.type.shape : []));
          const size = (s: readonly number[]): number => s.reduce((n, v) => n * v, 1);
          return a!.join() === b!.join()
            ? "same"
            : a!.length < b!.length
              ? "x has fewer axes"
              : a!.length > b!.length
                ? "y has fewer axes"
                : size(a!) < size(b!)
                  ? "x has ones"
                  : "y has ones";
        }),
    );
    expect([...sides].sort()).toEqual(["same", "x has fewer axes", "x has ones", "y has fewer axes", "y has ones"]);
  });

  test.each([
    ["conv", "stride", ["1", "2", "3", "absent"]],
    ["conv", "dilation", ["1", "2", "[1,2]"]],
    ["conv", "groups", ["1", "2", "absent"]],
    ["conv", "padding", ['"same"', '"valid"', "absent", "[[0,1]]"]],
    ["convTranspose", "outputPadding", ["absent", "[0]", "[1]"]],
    ["maxPool", "ceilMode", ["true", "false", "absent"]],
    ["averagePool", "countIncludePad", ["true", "false", "absent"]],
    ["pad", "mode", ['"constant"', '"reflect"', '"edge"', "absent"]],
    ["slice", "step", ["-3", "-2", "-1", "1", "2", "3", "absent"]],
    ["slice", "axis", ["-4", "-1", "0", "3", "absent"]],
    ["sum", "axis", ["-4", "-1", "0", "3", "absent", "[0]"]],
    ["sum", "keepDims", ["true", "false", "absent"]],
    ["cumsum", "reverse", ["true", "false", "absent"]],
    ["cumsum", "exclusive", ["true", "false", "absent"]],
    ["norm", "ord", ["1", "3", "1.5", "absent"]],
    ["scatterElements", "reduction", ['"none"', '"add"', "absent"]],
  ])("%s with every %s", (name, attribute, wanted) => {
    expect([...values(name, attribute)]).toEqual(expect.arrayContaining(wanted));
  });
});
