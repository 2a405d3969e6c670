import { expect, test } from "vitest";
import { doing, type Work } from "../../src/train/work.ts";

function* sum(...given: unknown[]): Work<number> {
  let total = 0;
  for (const x of given) total += (x instanceof Promise ? yield x : x) as number;
  return total;
}

test("work that has nothing to wait for is done at once, and throws at once", () => {
  expect(doing(sum(1, 2, 3))).toBe(6);
  expect(() =>
    doing(
      // biome-ignore lint/correctness/useYield: that is what is tried
      (function* (): Work<never> {
        throw new Error("at once");
      })(),
    ),
  ).toThrow("at once");
});

test("work goes on with what it waited for, and what was rejected is thrown where it waits", async () => {
  expect(await doing(sum(1, Promise.resolve(2), 3, Promise.resolve(4)))).toBe(10);
  const seen: string[] = [];
  function* careful(): Work<string> {
    try {
      yield Promise.reject(new Error("first"));
    } catch (error) {
      seen.push((error as Error).message);
    } finally {
      seen.push(String(yield "no promise"));
    }
    yield Promise.reject(new Error("second"));
    return "never";
  }
  await expect(doing(careful())).rejects.toThrow("second");
  expect(seen).toEqual(["first", "no promise"]);
});
