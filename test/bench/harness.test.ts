// The measuring of benchmarks, on a clock of our own: what is measured is what the contestants take, and wrong answers are not timed.
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

interface Measured {
  readonly name: string;
  readonly samples: number[];
  readonly failed: string | null;
}

async function harness<T>(file: string): Promise<T> {
  return (await import(/* @vite-ignore */ fileURLToPath(new URL(`../../bench/harness/${file}.js`, import.meta.url)))) as T;
}
const { measure } = await harness<{ measure(contestants: object[], options: object): Promise<Measured[]> }>("measure");
const { median, quantile, ratio } = await harness<{
  median(x: number[]): number;
  quantile(x: number[], share: number): number;
  ratio(theirs: number[], ours: number[]): object;
}>("statistics");
const { timeTable, digits } = await harness<{ timeTable(m: Measured[], o: object): string; digits(x: number): string }>("table");

test("contestants take turns, and each one's samples are its own time for one piece of work", async () => {
  let clock = 0;
  const order: string[] = [];
  const taking = (name: string, each: number) => ({
    name,
    run: async (times: number) => {
      order.push(name);
      clock += each * times;
      return 7;
    },
  });
  const check = (x: unknown): void => expect(x).toBe(7);
  const measured = await measure([taking("a", 1000), taking("b", 3000), taking("c", 50e6)], {
    check,
    rounds: 4,
    batchMs: 1,
    warmMs: 0,
    now: () => clock,
  });
  expect(measured.map(({ name, samples }) => [name, samples])).toEqual([
    ["a", [1000, 1000, 1000, 1000]],
    ["b", [3000, 3000, 3000, 3000]],
    ["c", [50e6, 50e6, 50e6, 50e6]],
  ]);
  expect(order.slice(-12).join("")).toBe("abcbcacababc");
});

test("settled, each batch is done once before the one that is timed, which may cost what others left behind", async () => {
  let clock = 0;
  let previous = "";
  const taking = (name: string) => ({
    name,
    run: (times: number) => {
      clock += (previous === name ? 1000 : 9000) * times;
      previous = name;
      return 7;
    },
  });
  const options = { check: () => undefined, rounds: 3, batchMs: 1, warmMs: 0, now: () => clock };
  const samples = async (settled: boolean): Promise<number[][]> =>
    (await measure([taking("a"), taking("b")], { ...options, settled })).map((m) => m.samples);
  expect(await samples(true)).toEqual([new Array(3).fill(1000), new Array(3).fill(1000)]);
  expect((await samples(false)).flat()).toContain(9000);
});

test("a wrong answer and an exception are not timed, and are named", async () => {
  const check = (x: unknown): void => {
    if (x !== 7) throw new Error(`it says ${x}`);
  };
  let ran = 0;
  const measured = await measure(
    [
      { name: "right", run: () => 7 },
      { name: "wrong", run: () => 8 + 0 * ran++ },
      {
        name: "deep",
        run: () => {
          throw new RangeError("too deep");
        },
      },
    ],
    { check, rounds: 3, batchMs: 0, warmMs: 0 },
  );
  expect(measured.map(({ failed, samples }) => [failed, samples.length])).toEqual([
    [null, 3],
    ["Error: it says 8", 0],
    ["RangeError: too deep", 0],
  ]);
  expect(ran).toBe(1);
  const rows = timeTable(measured, { unit: "ns", scale: 1 }).split("\n");
  expect(rows).toHaveLength(5);
  expect(rows[4]).toBe("| deep | RangeError: too deep | | |");
});

test("medians, quartiles and ratios by rounds", () => {
  expect([median([3, 1, 2]), median([4, 1, 2, 3]), quantile([0, 4], 0.25), median([])]).toEqual([2, 2.5, 1, Number.NaN]);
  // The machine was ten times slower in the second round: the ratio does not see it.
  expect(ratio([2, 20, 2], [1, 10, 1])).toEqual({ median: 2, low: 2, high: 2 });
  expect([1234.5, 12.34, 1.234, 0.01234].map(digits)).toEqual(["1,235", "12.3", "1.23", "0.012"]);
});
