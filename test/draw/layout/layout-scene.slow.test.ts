import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { layoutScene } from "../../../src/draw/layout/layout-scene.ts";
import type { Scene, SceneTrunk, SceneWire } from "../../../src/draw/scene.ts";
import { countCrossings, faults } from "../geometry.ts";
import { fanOut, hinge, lectureExample, network, sigmoidNeuron, tensorNetwork } from "../scenes.ts";

const examples = {
  lecture: lectureExample(),
  sigmoid: sigmoidNeuron(true),
  fanOut: fanOut(),
  hinge: hinge(),
  network: network(3),
  tensors: tensorNetwork(),
};

/** A random graph: each op takes up to four operands from earlier items, of which some have two outputs; some fan-outs have trunks. */
const anyScene: fc.Arbitrary<Scene> = fc
  .array(
    fc.record({
      operands: fc.array(fc.tuple(fc.nat(), fc.nat(1)), { maxLength: 4 }),
      outputs: fc.integer({ min: 1, max: 2 }),
      wide: fc.boolean(),
    }),
    {
      minLength: 1,
      maxLength: 24,
    },
  )
  .map((nodes): Scene => {
    const wires: SceneWire[] = [];
    nodes.forEach(({ operands }, i) => {
      if (i === 0) return;
      operands.forEach(([pick, output], input) => {
        const from = pick % i;
        const number = { above: "1.00", below: "−0.50", gradient: "number", tensor: nodes[from]!.wide } as const;
        wires.push({ from: `${from}`, output: output % nodes[from]!.outputs, to: `${i}`, input, ...number });
      });
    });
    const uses = new Map<string, number>();
    for (const wire of wires) uses.set(`${wire.from} ${wire.output}`, (uses.get(`${wire.from} ${wire.output}`) ?? 0) + 1);
    const trunks = [...uses]
      .filter(([, count]) => count > 1)
      .map(
        ([key]): SceneTrunk => ({
          from: key.split(" ")[0]!,
          output: Number(key.split(" ")[1]),
          above: "1",
          below: "2",
          gradient: "number",
        }),
      );
    const items = nodes.map(({ operands, wide }, i) => ({
      id: `${i}`,
      kind: i === 0 || operands.length === 0 ? ("parameter" as const) : ("op" as const),
      label: wide ? `operation ${i}` : "+",
      title: `item ${i}`,
    }));
    return { title: "random", items, wires, trunks };
  });

describe("layoutScene", () => {
  it.each(Object.entries(examples))("keeps the laws of a picture on %s", (_, scene) => {
    expect(faults(scene, layoutScene(scene))).toEqual([]);
    expect(faults(scene, layoutScene(scene, { labelRows: 2 }))).toEqual([]);
  });

  it("keeps the laws of a picture on random graphs", () => {
    fc.assert(
      fc.property(anyScene, (scene) => {
        expect(faults(scene, layoutScene(scene))).toEqual([]);
      }),
      { seed: 4, numRuns: 300 },
    );
  });

  it("gives the same layout every time, whatever was laid out before", () => {
    const first = JSON.stringify(layoutScene(examples.network));
    layoutScene(examples.tensors);
    expect(JSON.stringify(layoutScene(structuredClone(examples.network)))).toBe(first);
  });

  it("does not move anything when a step is shown", () => {
    expect(layoutScene(sigmoidNeuron(true))).toEqual(layoutScene(sigmoidNeuron(false)));
  });

  it("draws examples of the lecture without a crossing", () => {
    for (const scene of [examples.lecture, examples.sigmoid, examples.fanOut, examples.hinge])
      expect(countCrossings(scene, layoutScene(scene))).toBe(0);
  });

  it("draws a network of 58 items with few crossings", () => {
    expect(examples.network.items.length).toBe(58);
    expect(countCrossings(examples.network, layoutScene(examples.network))).toBeLessThanOrEqual(26);
  });

  it("draws a chain of unary ops as one straight line", () => {
    const { items, wires } = layoutScene(examples.sigmoid);
    const tail = wires.filter((_, w) =>
      ["×−1", "exp", "+1", "1/x"].includes(examples.sigmoid.items.find(({ id }) => id === examples.sigmoid.wires[w]!.from)!.label),
    );
    expect(tail.length).toBe(4);
    for (const wire of tail) expect(wire.points.length).toBe(2);
    expect(new Set(items.slice(-4).map(({ y }) => y)).size).toBe(1);
  });

  it("puts the output at the right of what feeds it and leaves beside their consumers", () => {
    const { items } = layoutScene(examples.sigmoid);
    const at = new Map(items.map((item) => [item.id, item]));
    for (const wire of examples.sigmoid.wires) expect(at.get(wire.from)!.x).toBeLessThan(at.get(wire.to)!.x);
    expect(Math.max(...items.map(({ x }) => x))).toBe(at.get("out")!.x);
    const w2 = examples.sigmoid.items.findIndex(({ label }) => label === "w₂");
    expect(items[w2]!.x).toBeGreaterThan(items[0]!.x);
  });

  it("parts a fan-out at dots and shares its trunk", () => {
    const { trunks, wires } = layoutScene(examples.fanOut);
    expect(trunks.length).toBe(1);
    expect(trunks[0]!.dots.length).toBe(2);
    const branches = wires.filter((_, w) => examples.fanOut.wires[w]!.from === "g0");
    expect(branches.length).toBe(3);
    expect(trunks[0]!.stretches[0]![0]).toEqual(branches[0]!.points[0]);
    const dots = trunks[0]!.dots.map(({ x, y }) => `${x},${y}`);
    for (const wire of branches) expect(dots).toContain(`${wire.own[0]!.x},${wire.own[0]!.y}`);
  });

  it("lays out 2,000 items and wires that pass many layers", () => {
    const big = network(125);
    const layout = layoutScene(big);
    expect(layout.items.length).toBeGreaterThan(2000);
    expect(layout.wires.every(({ points }) => points.length >= 2)).toBe(true);
  });

  it("lays out nothing, one item, and items without wires", () => {
    expect(layoutScene({ title: "", items: [], wires: [] })).toEqual({
      direction: "right",
      width: 0,
      height: 0,
      items: [],
      wires: [],
      trunks: [],
      groups: [],
    });
    const lone = (id: string) => ({ id, kind: "op" as const, label: "+", title: "add" });
    const two: Scene = { title: "", items: [lone("a"), lone("b")], wires: [] };
    expect(faults(two, layoutScene(two))).toEqual([]);
  });

  it("does not recurse: a chain of 4,000 ops", () => {
    const items = Array.from({ length: 4000 }, (_, i) => ({ id: `${i}`, kind: "op" as const, label: "exp", title: "exp" }));
    const wires = items
      .slice(1)
      .map(({ id }, i) => ({ from: `${i}`, output: 0, to: id, input: 0, above: "", below: "", gradient: "none" as const }));
    const layout = layoutScene({ title: "chain", items, wires });
    expect(new Set(layout.items.map(({ y }) => y)).size).toBe(1);
  });

  it("refuses a cycle", () => {
    const wire = (from: string, to: string): SceneWire => ({ from, output: 0, to, input: 0, above: "", below: "", gradient: "none" });
    const items = ["a", "b"].map((id) => ({ id, kind: "op" as const, label: id, title: id }));
    expect(() => layoutScene({ title: "", items, wires: [wire("a", "b"), wire("b", "a")] })).toThrow(
      "draw: the wires form a cycle; a computational graph has none, draw one turn of the loop",
    );
  });

  it("refuses more items than maxItems, and says what to do", () => {
    expect(() => layoutScene(examples.network, { maxItems: 50 })).toThrow(
      /the scene has 58 items and \d+ wires, more than maxItems = 50 .* raise maxItems/,
    );
  });

  it("refuses wires that would pass through too many places", () => {
    const items = Array.from({ length: 100 }, (_, i) => ({ id: `${i}`, kind: "op" as const, label: "exp", title: "exp" }));
    const wires = items.slice(1).flatMap(({ id }, i): SceneWire[] => [
      { from: `${i}`, output: 0, to: id, input: 0, above: "", below: "", gradient: "none" },
      { from: `${i}`, output: 0, to: "99", input: i + 1, above: "", below: "", gradient: "none" },
    ]);
    expect(() => layoutScene({ title: "", items, wires }, { maxItems: 99 + 1 })).not.toThrow();
    const far = Array.from({ length: 80 }, (_, i) => ({ id: `s${i}`, kind: "input" as const, label: "s", title: "s" }));
    const both = far.flatMap(({ id }, i): SceneWire[] => [
      { from: id, output: 0, to: "0", input: i + 1, above: "", below: "", gradient: "none" },
      { from: id, output: 0, to: "99", input: i + 200, above: "", below: "", gradient: "none" },
    ]);
    expect(() => layoutScene({ title: "", items: [...items, ...far], wires: [...wires, ...both] }, { maxItems: 180 })).toThrow(
      /pass through more than 18000 places/,
    );
  });
});
