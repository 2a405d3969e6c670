import { describe, expect, test } from "vitest";
import { add, f64, graph, layoutScene, mul, picture, relu, scope, sum, variable } from "../../../src/index.ts";

const made = (a: number): ReturnType<typeof variable> => {
  const x = variable(a, "x");
  const y = variable(5, "y");
  return mul(
    scope("block", () => add(x, y)),
    x,
  );
};

test("the parts of a scene are what its SVG is made of", () => {
  const p = picture(made(-2), { depth: "all" });
  for (let step = 0; step <= p.steps.length; step++) {
    const scene = p.scene(step);
    const parts = p.parts(scene);
    const svg = p.svg(step);
    scene.items.forEach((_, i) => {
      expect(svg).toContain(parts.item(i));
    });
    scene.wires.forEach((_, i) => {
      expect(svg).toContain(parts.wire(i));
    });
    p.layout.trunks.forEach((_, i) => {
      expect(svg).toContain(parts.trunk(i));
      expect(svg).toContain(parts.dots(i));
    });
    expect(svg).toContain(parts.group(0));
    expect(svg).toContain(parts.groupTitle(0));
    expect(svg).toContain(p.style());
  }
});

test("items tell their nodes and wires their values, closed modules too", () => {
  const f = made(-2);
  const open = picture(f, { depth: "all" });
  const add = f.node.operands[0]!.node;
  expect(open.nodesOf(open.itemOf(add)!)).toEqual([add]);
  const shut = picture(f, { depth: 0 });
  expect(shut.itemOf(add)).not.toBe(shut.itemOf(f.node));
  expect(shut.nodesOf(shut.itemOf(add)!)).toContain(add);
  expect(shut.nodesOf("end0")).toEqual([]);
  const { wires } = open.scene();
  const last = wires.findIndex(({ to }) => to === "end0");
  expect(open.valueOf(last)).toBe(f);
});

test("a layout is taken over by a picture with other numbers, and not by one of another graph", () => {
  const first = picture(made(-2));
  expect(picture(made(-123456), { layout: first.layout }).layout).toBe(first.layout);
  const other = sum(relu(variable([1, 2, 3], "x")));
  expect(picture(other, { layout: first.layout }).layout).not.toBe(first.layout);
});

test("a scene laid out elsewhere gives the same picture, and another scene's layout is refused", () => {
  const p = picture(made(-2));
  // What a worker is sent and sends back.
  const layout = structuredClone(layoutScene(structuredClone(p.scene()), { maxItems: p.scene().items.length }));
  const laid = p.withLayout(layout);
  expect(laid.layout).toBe(layout);
  expect(laid.svg(3)).toBe(p.svg(3));
  const other = picture(sum(relu(variable([1, 2, 3], "x"))));
  expect(() => other.withLayout(layout)).toThrow("and it is not one of this picture's scene; lay that out");
});

test("a graph seen otherwise is the picture that would be made anew, of the same walk", () => {
  const net = () => {
    const x = variable([1, -2, 3], "x");
    const h = scope("layer", () => relu(mul(x, variable([2, 1, -1], "w"))));
    return scope("loss", () => sum(mul(h, h)));
  };
  const f = net();
  const p = picture(f, { depth: 0 });
  for (const options of [
    { depth: 1, language: "ko" },
    { depth: 1, direction: "down", title: "other" },
    { depth: 0, near: { item: p.itemOf(f.node)!, feeds: 1, uses: 0 } },
    { depth: 0 },
  ] as const) {
    const [seen, anew] = [p.seen(options), picture(f, options)];
    expect(seen.steps).toBe(p.steps);
    for (const t of [0, 2, p.steps.length]) expect(seen.svg(t)).toBe(anew.svg(t));
  }
  expect(() => p.seen({ depth: -1 })).toThrow("depth -1 is no depth");
  const g = graph({ x: f64(2) }, ({ x }) => ({ y: scope("inner", () => relu(add(x, 1))) }));
  expect(picture(g, { depth: 0 }).seen({ depth: 1 }).svg()).toBe(picture(g, { depth: 1 }).svg());
});

describe("a part of a picture", () => {
  const [x, y, z, w] = ["x", "y", "z", "w"].map((name, i) => variable(i + 1, name));
  const q = mul(x!, y!);
  const r = add(q, z!);
  const f = mul(r, w!);
  const whole = picture(f);
  const labels = (near: { item: string; feeds: number; uses: number }): string[] =>
    picture(f, { near })
      .scene()
      .items.map(({ label }) => label)
      .sort();

  test("is what feeds an item, or what lies within so many steps of it", () => {
    const item = whole.itemOf(r.node)!;
    expect(labels({ item, feeds: Number.POSITIVE_INFINITY, uses: 0 })).toEqual(["+", "x", "y", "z", "×"]);
    expect(labels({ item, feeds: 1, uses: 0 })).toEqual(["+", "z", "×"]);
    expect(labels({ item, feeds: 0, uses: 1 })).toEqual(["+", "f", "×"]);
    expect(labels({ item, feeds: 0, uses: 0 })).toEqual(["+"]);
  });

  test("has the ids, values and gradients of the whole, and is drawn at each step", () => {
    const item = whole.itemOf(q.node)!;
    const part = picture(f, { near: { item, feeds: 1, uses: 1 } });
    for (let step = 0; step <= part.steps.length; step++) {
      const all = new Map(whole.scene(step).wires.map((wire) => [`${wire.from} ${wire.to} ${wire.input}`, wire]));
      for (const wire of part.scene(step).wires) expect(wire).toEqual(all.get(`${wire.from} ${wire.to} ${wire.input}`));
      expect(part.svg(step)).toContain("<svg");
    }
    part.scene().wires.forEach((wire, i) => {
      expect(part.itemOf(part.valueOf(i).node)).toBe(wire.from);
    });
    expect(() => picture(f, { near: { item: "nowhere", feeds: 1, uses: 1 } })).toThrow(
      'near names the item "nowhere", and the picture has none of that id; take one of scene().items',
    );
  });
});
