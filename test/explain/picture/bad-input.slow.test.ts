import { expect, test } from "vitest";
import { picture } from "../../../src/explain/picture/picture.ts";
import { add, draw, f64, graph, mul, scope, tanh, tensor, type Value, variable } from "../../../src/index.ts";

const names = [
  "<script>alert(1)</script>",
  `"onload='x' & <b>`,
  "x".repeat(300),
  "👨‍👩‍👧‍👦😀",
  "\u0000\u001b[31m\ud800",
  "가중치",
  "a/b",
  "]]>-->",
  "__proto__",
];
const formats = ["svg", "dot", "mermaid", "text"] as const;

test("a graph without outputs, and a lone variable, are drawn in every format", () => {
  const none = graph({}, () => ({}));
  const one = variable(3, "x");
  for (const format of formats) {
    expect(typeof draw(none, { format })).toBe("string");
    expect(draw(one, { format })).toContain("3.00");
  }
  expect(draw(one)).toContain(">1.00</text>");
});

test("names of variables and scopes stay text in every format, direction and depth, twice the same", () => {
  for (const name of names) {
    const x = variable(0.5, name);
    const f = scope(name, () => tanh(mul(x, add(x, 1))));
    for (const direction of ["right", "down"] as const)
      for (const depth of [0, "all"] as const) {
        const svg = draw(f, { direction, depth });
        expect(svg).not.toMatch(/<script|<b>|onload='/);
        expect(svg.replace(/[^\n\P{Cc}]/gu, "")).toBe(svg);
        for (const format of formats) {
          const text = draw(f, { format, direction, depth });
          expect(text).toBe(draw(f, { format, direction, depth }));
          expect(text).not.toContain("\u001b");
        }
      }
  }
});

/** `count` nodes in a chain, none computed before it is asked for; every hundred of them in a scope of its own if `named`. */
function chain(count: number, named: boolean): Value {
  let h: Value = variable(tensor(0.1, "f32"), "x");
  for (let i = 0; i < count; i += 100) {
    const block = (): Value => {
      for (let k = 0; k < 100; k++) h = tanh(h);
      return h;
    };
    h = named ? scope("block", block) : block();
  }
  return h;
}

test("100,000 nodes without names are refused with what to do, before anything is computed", () => {
  const f = chain(100_000, false);
  expect(() => draw(f)).toThrow(
    /^draw: the picture would have 100001 items, more than maxItems = 5000; name its parts with scope\(name, ...\) and they are drawn as one box each, draw a part of it/,
  );
  expect(f.node.memo).toBe(undefined);
});

test("100,000 nodes in a thousand scopes of one structure are drawn as one box", () => {
  const { items } = picture(chain(100_000, true)).scene();
  expect(items.find(({ kind }) => kind === "module")).toMatchObject({ label: "block", repeat: 1000, shape: "100k ops" });
  expect(items.length).toBe(3);
  const g = graph({ x: f64() }, ({ x }) => scope("all", () => mul(x, x)));
  expect(picture(g, { maxItems: 4 }).scene().items.length).toBe(3);
});
