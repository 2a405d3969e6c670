import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test, vi } from "vitest";

const here = fileURLToPath(new URL("./", import.meta.url));
const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "programs-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs a program without its planted mistakes; what it logged, a list per call. */
async function run(name: string): Promise<unknown[][]> {
  const source = readFileSync(`${here}${name}.ts`, "utf8");
  const mistakes = source.split("@ts-expect-error").length - 1;
  expect(mistakes).toBeGreaterThan(0);
  const sound = source
    .replace(/^.*@ts-expect-error.*\n.*$/gm, "")
    .replaceAll("../../src/", `${root}src/`)
    .replaceAll("import.meta.url", JSON.stringify(new URL(`./${name}.ts`, import.meta.url).href));
  const file = join(folder, `${name}.ts`);
  writeFileSync(file, sound);
  const logged: unknown[][] = [];
  const spy = vi.spyOn(console, "log").mockImplementation((...args) => void logged.push(args));
  await import(/* @vite-ignore */ file).finally(() => spy.mockRestore());
  return logged;
}

test("lecture", async () => {
  const [numbers, texts] = await run("lecture");
  expect(numbers).toEqual([-12, -12, -4, 3, -4]);
  expect(texts?.[1]).toContain("<svg");
});

test("rosenbrock", async () => {
  const logged = (await run("rosenbrock")).flat();
  expect(logged[0]).toBeCloseTo(-215.6, 10);
  expect(logged[1]).toBeCloseTo(-88, 10);
  expect(logged[2]).toBeCloseTo(-215.6, 10);
  expect(logged.slice(3, 6)).toEqual([expect.closeTo(1, 6), expect.closeTo(0, 10), "gradient"]);
  expect(Array.from(logged[6] as Float64Array, (x) => Math.round(x))).toEqual([1330, 480, 480, 200]);
  expect([...(logged[7] as Float64Array)]).toEqual([1, 1].map((x) => expect.closeTo(x, 6)));
});

test("custom gradients", async () => {
  const logged = await run("custom");
  expect(logged[0]).toEqual([2]);
  // d/dw1 tanh(w2 tanh(w1)) at w1 = 0.1, w2 = 0.2
  const inner = Math.tanh(0.1);
  expect(logged[2]?.[0]).toBeCloseTo((1 - Math.tanh(0.2 * inner) ** 2) * 0.2 * (1 - inner ** 2), 14);
});

test("a recurrent net of any length", async () => {
  const [slope] = (await run("rnn"))[0] as [{ type: { shape: number[] }; data: Float32Array }];
  expect(slope.type.shape).toEqual([32, 32]);
  expect(slope.data.every(Number.isFinite)).toBe(true);
  expect(Math.hypot(...slope.data)).toBeGreaterThan(0.01);
});

test("an op of one's own", async () => {
  expect((await run("op"))[0]?.[0]).toBeCloseTo(1 / 6, 12);
});

test("the svm learns the digits", async () => {
  const logged = await run("svm");
  const accuracy = logged.map(([x]) => x).filter((x): x is number => typeof x === "number")[440];
  expect(accuracy).toBeGreaterThan(0.9);
  expect(logged.at(-1)?.[0]).toMatchObject({ kind: "value" });
});

test("debugging: the bad run commits nothing, and its replay explains where the loss began", async () => {
  const [[fault, text, picture]] = (await run("debug")) as [[string, string, string]];
  expect(fault).toContain("NumericError: loss is -Infinity at run 1; the state is unchanged");
  expect(text).toContain("q3 is -Infinity, and it was log that made it from finite operands");
  expect(picture).toContain("<svg");
});

test("a two-layer net learns the digits, from and to files", async () => {
  const out = join(root, "out");
  mkdirSync(out, { recursive: true });
  for (const name of ["program-mlp.ckpt", "program-mlp.safetensors"]) rmSync(join(out, name), { force: true });
  const logged = await run("mlp");
  expect(logged.length).toBe(8 * 23 + 1);
  expect(logged.at(-2)?.[2]).toBeGreaterThan(0.9);
  expect(logged.at(-1)?.[0]).toContain("Training: 184 steps, 8 epochs");
  expect(logged.at(-1)?.[1]).toEqual([64, 128]);
});

test("a GPT with tied weights, a warm-up and dropout by step", async () => {
  const [[first], [second], [size, m, steps]] = (await run("gpt")) as [[number], [number], [number, { data: Float32Array }, number]];
  expect(first).toBeGreaterThan(0);
  expect(second).not.toBe(first);
  expect([size, steps]).toEqual([32 * 96, 2]);
  expect(m.data.some((x) => x !== 0)).toBe(true);
});

test("batch norm, by hand and in a stack", async () => {
  const [[mean], [w, fresh]] = (await run("batchnorm")) as [[Float32Array], [Float32Array, Float32Array]];
  expect(mean.some((x) => x !== 0)).toBe(true);
  expect(w.length).toBe(6400);
  expect(fresh.every((x) => x === 0)).toBe(true);
});

test("a model of PyTorch's is tuned on ONNX Runtime, written, and takes adapters", async () => {
  mkdirSync(join(root, "out"), { recursive: true });
  const logged = await run("onnx");
  expect(logged.length).toBe(6 * 11 + 2);
  expect(logged.at(-2)?.[0]).toBeGreaterThan(0.7);
  expect(logged.at(-2)?.[1]).toBe(6);
  expect(logged.at(-1)?.[0]).toEqual([359, 10]);
});

test("the design's example", async () => {
  const [[loss, grad]] = (await run("design-example")) as [[number, Float32Array]];
  expect([loss, [...grad]]).toEqual([0, [0, 0, 0]]);
});
