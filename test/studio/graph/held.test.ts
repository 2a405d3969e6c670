import { evaluate } from "chainrule";
import { serializeSafetensors } from "chainrule/data";
import { expect, test } from "vitest";
import { build, drawnTensors, isFault, read } from "../../../studio/graph/engine.ts";
import {
  countOf,
  fitParts,
  type Held,
  type HeldTensor,
  type HeldTensors,
  hashOf,
  keyOf,
  partsOf,
  readHeld,
  recall,
  remember,
} from "../../../studio/graph/held.ts";
import { broughtBy, fileOf } from "../../../studio/graph/held-file.ts";
import { findNumbers, keepNumbers, staying } from "../../../studio/graph/held-storage.ts";
import { defaultGraph, type GraphState, readGraph } from "../../../studio/graph/state.ts";
import { atOnce } from "../../../studio/shell/turns.ts";

const numbers = (rows = 2): HeldTensors => ({
  X: { dtype: "f32", shape: [rows, 3], data: Float32Array.from({ length: 3 * rows }, (_, i) => i / 8 - 0.25) },
  W: { dtype: "f32", shape: [3, 2], data: Float32Array.from([1, -2, 3.5, -0, 1e-40, 7]) },
  y: { dtype: "i32", shape: [rows], data: Int32Array.from({ length: rows }, (_, i) => i % 2) },
});
const heldOf = (tensors: HeldTensors): Held => ({ key: keyOf(tensors), parts: partsOf(tensors) });
const formula = "L = softmaxCrossEntropy(X @ W, y)";
const graphOf = (tensors: HeldTensors, part: Partial<GraphState> = {}): GraphState => ({
  ...defaultGraph,
  formula,
  values: {},
  held: heldOf(tensors),
  ...part,
});

test("a key names numbers: another number, name, shape or order is another key, and an old address keeps its", () => {
  const { X, W, y } = numbers() as Record<"X" | "W" | "y", HeldTensor>;
  const key = keyOf({ X, W, y });
  expect(key).toBe("d1c9f261595aead6b83dcd14cf804e17");
  expect(keyOf(numbers())).toBe(key);
  const other = { ...W, data: Float32Array.from(W.data) };
  other.data[3] = 0;
  const keys = [
    key,
    keyOf({ X, W: other, y }),
    keyOf({ X, V: W, y }),
    keyOf({ W, X, y }),
    keyOf({ X, W: { ...W, shape: [2, 3] }, y }),
    keyOf({ X, W }),
    keyOf({}),
    hashOf(""),
    hashOf("a"),
    hashOf("b"),
  ];
  expect(new Set(keys).size).toBe(keys.length);
  for (const one of keys) expect(one).toMatch(/^[0-9a-f]{32}$/);
});

test("an address says what its numbers are, and nothing that does not fit is believed", () => {
  const held: Held = { ...heldOf(numbers()), learnt: { steps: 7, settings: hashOf("s") }, drawn: 3 };
  expect(readHeld(JSON.parse(JSON.stringify(held)))).toEqual(held);
  expect(held.parts["y"]).toEqual({ dtype: "i32", shape: [2], most: 1 });
  expect(countOf(held.parts)).toBe(14);
  const part = { dtype: "f32", shape: [2] };
  for (const given of [
    null,
    7,
    {},
    { key: "x", parts: { a: part } },
    { key: held.key },
    { key: held.key, parts: {} },
    { key: held.key, parts: { a: null } },
    { key: held.key, parts: { a: { ...part, dtype: "f64" } } },
    { key: held.key, parts: { a: { ...part, shape: [-1] } } },
    { key: held.key, parts: { a: { ...part, shape: [1.5] } } },
    { key: held.key, parts: { a: { ...part, shape: [1e9, 1e9] } } },
    { key: held.key, parts: { a: { ...part, shape: [50_000, 50_000] } } },
    { key: held.key, parts: { a: { ...part, shape: "ab" } } },
  ])
    expect(readHeld(given), JSON.stringify(given)).toBeUndefined();
  const odd = readHeld(
    JSON.parse(`{"key":"${held.key}","parts":{"__proto__":{"dtype":"f32","shape":[2]}},"drawn":-1,"learnt":{"steps":"x"}}`),
  );
  expect(Object.keys(odd?.parts ?? {})).toEqual(["__proto__"]);
  expect(odd).not.toHaveProperty("drawn");
  expect(odd).not.toHaveProperty("learnt");
});

test("a small graph says in the address what it said before", () => {
  expect(Object.keys(readGraph({ formula: "x", values: { x: "1" } }))).not.toContain("held");
  expect(JSON.stringify(readGraph(graphOf(numbers())))).toContain('"held"');
});

test("a file brings the numbers of the graph that is shown, or the graph that it was saved with", () => {
  const tensors = numbers();
  const held = { ...heldOf(tensors), learnt: { steps: 3, settings: "s" } };
  const graph = graphOf(tensors, { held, step: 2, depth: 0 });
  const file = fileOf({ ...graph, held: { ...held, drawn: 5 } }, { key: held.key, tensors });
  // Onto another graph, as a file that a friend sends.
  const sent = broughtBy(file, defaultGraph)!;
  expect(sent.graph).toEqual(graph);
  expect(sent.numbers).toEqual({ key: held.key, tensors });
  // Onto its own graph at another step: only the numbers come.
  expect(broughtBy(file, graphOf(tensors, { step: 1 }))!.graph).toMatchObject({ step: 1, held: { key: held.key } });
  // Other numbers of the same shapes are taken, by their own key.
  const others = { ...tensors, W: { ...tensors["W"]!, data: new Float32Array(6) } };
  const changed = broughtBy(file, graphOf(others))!;
  expect(changed.graph.held!.key).toBe(held.key);
  // Other shapes are not, nor is a file without a graph, nor one whose remark is no graph.
  expect(broughtBy(file, graphOf(numbers(5)))!.graph).toEqual(graph);
  const bare = serializeSafetensors({ X: evaluate(atOnce(drawnTensors({ X: held.parts["X"]! }, 1)).get("X")!) }, {});
  expect(broughtBy(bare, graphOf(tensors))).toBeNull();
  expect(broughtBy(serializeSafetensors({}, { "chainrule.graph": "{" }), defaultGraph)).toBeNull();
  expect(() => broughtBy(new Uint8Array([1, 2, 3]), graph)).toThrow("safetensors");
});

test("numbers in the place of missing ones are drawn from the seed alone, of the same shapes", () => {
  const { parts } = heldOf(numbers(40));
  const drawn = atOnce(drawnTensors(parts, 9));
  expect(atOnce(drawnTensors(parts, 9))).toEqual(drawn);
  expect(atOnce(drawnTensors(parts, 10))).not.toEqual(drawn);
  expect(new Set(drawn.get("y")!.data as Iterable<number>)).toEqual(new Set([0, 1]));
  const source = read(formula);
  if (isFault(source)) throw new Error(source.message);
  const view = { language: "en", depth: 0, open: [], closed: [], near: null, reach: "feeds", direction: "right" } as const;
  const model = build(source, {}, view, null, drawn);
  if (isFault(model)) throw new Error(model.message);
  expect(Number(evaluate(model.f).data[0])).toBeGreaterThan(0.3);
});

test("the page's memory keeps what was asked for last", () => {
  const big = (i: number): HeldTensors => ({ a: { dtype: "f32", shape: [40_000_000, i], data: new Float32Array(0) } });
  remember({ key: "a", tensors: big(1) });
  remember({ key: "b", tensors: big(1) });
  expect(recall("a")?.key).toBe("a");
  remember({ key: "c", tensors: big(1) });
  expect([recall("a")?.key, recall("b"), recall("c")?.key]).toEqual(["a", undefined, "c"]);
  // One that is too large by itself stays alone.
  remember({ key: "d", tensors: big(9) });
  expect([recall("a"), recall("c"), recall("d")?.key]).toEqual([undefined, undefined, "d"]);
});

test("the storage keeps the last few nets, by count and by bytes, and the newest in any case", () => {
  const entry = (key: string, bytes: number, used: number) => ({ key, bytes, used });
  const newest = entry("n", 10, 100);
  const many = Array.from({ length: 20 }, (_, i) => entry(`k${i}`, 10, i));
  expect([...staying([...many, entry("n", 10, 1)], newest)]).toEqual(["n", "k19", "k18", "k17", "k16", "k15", "k14", "k13"]);
  const large = [entry("a", 150 * 2 ** 20, 3), entry("b", 100 * 2 ** 20, 2), entry("c", 10, 1)];
  expect([...staying(large, newest)]).toEqual(["n", "a", "b", "c"]);
  expect([...staying(large, entry("n", 10 * 2 ** 20, 100))]).toEqual(["n", "a"]);
  expect([...staying(large, entry("n", 2 ** 30, 4))]).toEqual(["n"]);
});

test("where there is no storage, nothing is kept there and nothing fails", async () => {
  const tensors = numbers();
  expect(await keepNumbers({ key: keyOf(tensors), tensors })).toBe(false);
  expect(await findNumbers(keyOf(tensors))).toBeNull();
  expect(fitParts(tensors, partsOf(tensors))).toBe(true);
  expect(fitParts({ ...tensors, y: { ...tensors["y"]!, data: new Int32Array(1) } }, partsOf(tensors))).toBe(false);
});
