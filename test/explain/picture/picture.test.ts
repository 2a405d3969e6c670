import { expect, test } from "vitest";
import type { Scene } from "../../../src/draw/scene.ts";
import { picture, pictureInParts } from "../../../src/explain/picture/picture.ts";
import {
  add,
  call,
  concat,
  exp,
  f64,
  GraphError,
  gradients,
  graph,
  input,
  matmul,
  mul,
  read,
  relu,
  scope,
  square,
  sum,
  tanh,
  tensor,
  type Value,
  variable,
  variables,
} from "../../../src/index.ts";
import { faults } from "../../draw/geometry.ts";

const wide = (rows: number, columns: number): Value =>
  variable(tensor(Array.from({ length: rows }, (_, i) => Array.from({ length: columns }, (_, j) => Math.sin(3 * i + j)))));

/** `blocks` equal blocks in a row, each a scope of its own with a parameter that nobody else uses. */
function stack(blocks: number, nested = false): Value {
  let h: Value = exp(variable(0.1, "x"));
  for (let i = 0; i < blocks; i++) {
    const block = (): Value => {
      const w = variable(i + 1, `blocks.${i}.w`);
      return nested ? tanh(scope("gate", () => mul(h, w))) : tanh(mul(h, w));
    };
    h = scope(`blocks.${i}`, block);
  }
  return h;
}

const kinds = (scene: Scene): string[] => scene.items.map(({ kind, label }) => `${kind} ${label}`).sort();

test("a scope is drawn as a frame around its parts, closed as one box with what is in it", () => {
  const f = add(stack(1, true), 1);
  const open = picture(f, { depth: "all" });
  expect(open.scene().groups?.map(({ title }) => title)).toEqual(["blocks.0", "blocks.0/gate"]);
  expect(faults(open.scene(), open.layout)).toEqual([]);
  const closed = picture(f, { depth: 0 }).scene();
  expect(kinds(closed)).toEqual(["constant 1", "module blocks.0", "op +", "op exp", "output f", "parameter x"]);
  expect(closed.items.find(({ kind }) => kind === "module")?.shape).toBe("2 ops · 1 param");
  expect(
    picture(f, { depth: 0, language: "ko" })
      .scene()
      .items.find(({ kind }) => kind === "module")?.shape,
  ).toBe("연산 2개 · 매개변수 1개");
  const one = picture(f, { depth: 1 }).scene();
  expect(kinds(one)).toContain("module gate");
  expect(kinds(picture(f, { depth: 0, open: ["blocks.0/gate"] }).scene())).toEqual(kinds(open.scene()));
  expect(kinds(picture(f, { depth: "all", closed: ["blocks.0"] }).scene())).toEqual(kinds(closed));
  // What is opened itself is open, by its path or by its item; what lies around it may still be closed.
  const { id } = closed.items.find(({ kind }) => kind === "module")!;
  for (const name of [id, "blocks.0"])
    expect(kinds(picture(f, { depth: 0, open: [name], closed: ["blocks.0"] }).scene())).toEqual(kinds(one));
  expect(kinds(picture(f, { depth: 0, open: ["blocks.0/gate"], closed: ["blocks.0"] }).scene())).toEqual(kinds(closed));
});

test("a picture in parts is the same picture, waits between its pieces, and refuses the same", async () => {
  const f = (): Value => {
    const w = variable(
      tensor(Array.from({ length: 200 }, (_, i) => Array.from({ length: 150 }, (_unused, j) => Math.sin(i * 150 + j)))),
      "w",
    );
    const x = variable(tensor(Array.from({ length: 150 }, (_, i) => i / 150)), "x");
    return sum(square(tanh(matmul(w, x))));
  };
  const whole = picture(f());
  let pauses = 0;
  let waits = 0;
  const made = await pictureInParts(f(), {}, () => (++pauses % 3 === 0 ? Promise.resolve().then(() => void waits++) : undefined));
  expect(pauses).toBeGreaterThan(whole.steps.length);
  expect(waits).toBe(Math.floor(pauses / 3));
  for (const step of [0, 3, whole.steps.length]) expect(made.svg(step)).toBe(whole.svg(step));
  expect(made.seen({ language: "ko" }).svg()).toBe(whole.seen({ language: "ko" }).svg());
  const wrong = [variable(tensor([1, 2]), "v"), mul(2, input(f64(), "given"))];
  for (const g of wrong) {
    let told = "";
    try {
      picture(g);
    } catch (error) {
      told = (error as Error).message;
    }
    expect(told).not.toBe("");
    await expect(pictureInParts(g, {}, () => undefined)).rejects.toThrow(told);
  }
  await expect(pictureInParts(1 as never, {}, () => undefined)).rejects.toThrow(GraphError);
});

test("modules of one structure in a row are drawn once, with how many there are", () => {
  const folded = picture(stack(5), { depth: 0 }).scene();
  expect(folded.items.find(({ kind }) => kind === "module")).toMatchObject({ label: "blocks.0", repeat: 5, shape: "10 ops · 5 params" });
  expect(folded.items.length).toBe(4);
  expect(
    picture(stack(5), { depth: 0, fold: false })
      .scene()
      .items.filter(({ kind }) => kind === "module").length,
  ).toBe(5);
  const x = exp(variable(0.5, "x"));
  const odd = scope("c", () =>
    tanh(
      exp(
        scope("b", () =>
          tanh(
            mul(
              scope("a", () => tanh(mul(x, 2))),
              2,
            ),
          ),
        ),
      ),
    ),
  );
  expect(
    picture(odd, { depth: 0 })
      .scene()
      .items.filter(({ kind }) => kind === "module")
      .map(({ repeat }) => repeat),
  ).toEqual([undefined]);
});

test("modules of one structure side by side, from the same values into one concat, are drawn once; unequal ones are not", () => {
  const x = wide(4, 3);
  const head = (i: number, y = x, wrap = tanh): Value => scope(`heads.${i}`, () => wrap(matmul(y, tensor([[i], [1], [2]]))));
  const repeats = (parts: readonly Value[], fold = true): (number | undefined)[] => {
    const made = picture(sum(concat(parts, { axis: 1 })), { depth: 0, fold });
    expect(faults(made.scene(), made.layout)).toEqual([]);
    return made.scene().items.flatMap(({ kind, repeat }) => (kind === "module" ? [repeat] : []));
  };
  expect(repeats([head(0), head(1), head(2)])).toEqual([3]);
  expect(repeats([head(0), head(1), head(2)], false)).toEqual([undefined, undefined, undefined]);
  expect(repeats([head(0), head(1), head(2, x, exp)])).toEqual([2, undefined]);
  expect(repeats([head(0), head(1, exp(x))])).toEqual([undefined, undefined]);
});

test("repeats whose inner values somebody else uses are not folded", () => {
  const x = exp(variable(1, "x"));
  const a = scope("a", () => tanh(mul(x, 2)));
  const b = scope("b", () => tanh(mul(a, 2)));
  expect(
    picture(b, { depth: 0 })
      .scene()
      .items.find(({ kind }) => kind === "module")?.repeat,
  ).toBe(2);
  expect(
    picture(add(a, b), { depth: 0 })
      .scene()
      .items.filter(({ kind }) => kind === "module").length,
  ).toBe(2);
});

test("two calls of one name are two modules, and copies that a graph left behind do not make a cycle", () => {
  const block = (h: Value): Value => scope("block", () => tanh(mul(h, 2)));
  const two = block(exp(block(exp(variable(1, "x")))));
  expect(
    picture(two, { depth: 0 })
      .scene()
      .items.filter(({ kind }) => kind === "module").length,
  ).toBe(2);
  const g = graph({ h: f64() }, ({ h }) => exp(scope("block", () => tanh(mul(h, 2)))));
  const copies = picture(g({ h: g({ h: variable(1, "x") }) }), { depth: 0 });
  expect(copies.scene().items.filter(({ kind }) => kind === "module").length).toBe(2);
  expect(faults(copies.scene(), copies.layout)).toEqual([]);
});

test("a closed module's wire carries the sum of what its parts send back", () => {
  const x = variable(3, "x");
  const y = exp(mul(x, 0));
  const f = scope("square", () => mul(y, y));
  const { wires, trunks } = picture(f, { depth: 0 }).scene();
  const wire = wires.find(({ to }) => to === "m0");
  expect([wire?.above, wire?.below]).toEqual(["1.00", "2.00"]);
  expect(trunks).toEqual([]);
});

test("every step lights its gate and writes its numbers, and nothing moves", () => {
  const x = variable(2, "x");
  const made = picture(mul(x, add(x, 1)));
  expect(made.forwardSteps).toBe(2);
  const before = made.scene(0);
  expect(before.active).toBe(undefined);
  expect(before.wires.map(({ gradient }) => gradient).sort()).toEqual(["none", "not yet", "not yet", "not yet", "not yet"]);
  const forward = made.scene(1);
  expect(forward.wires.filter(({ fresh }) => fresh === "value").map(({ above }) => above)).toEqual(["3.00"]);
  const sums = made.steps.findIndex((s) => s.pass === "backward" && s.kind === "sum");
  expect(made.scene(sums + 1).trunks?.[0]).toMatchObject({ active: true, below: "5.00", branches: 2 });
  for (let step = 0; step <= made.steps.length; step++) {
    const svg = made.svg(step);
    expect(svg.match(/width="[^"]*" height="[^"]*" viewBox/)?.[0]).toBe(made.svg().match(/width="[^"]*" height="[^"]*" viewBox/)?.[0]);
  }
  expect(made.svg(3)).toBe(picture(mul(x, add(x, 1))).svg(3));
});

test("a step past the end is refused with the number of steps", () => {
  const x = variable(2, "x");
  const made = picture(mul(x, add(x, 1)));
  for (const step of [7.5, -1, made.steps.length + 1])
    expect(() => made.scene(step)).toThrow(
      `draw: there is no step ${step}; the walk has ${made.steps.length} steps, 2 forward and ${made.steps.length - 2} backward, and step 0 before them`,
    );
  const g = picture(graph({ x: f64() }, ({ x: t }) => exp(t)));
  expect(() => g.scene(1)).toThrow("draw: step 1: a graph without values has no steps; call it on values and draw the result");
});

test("depths that are none, and pictures too large, are refused with what to do instead", () => {
  expect(() => picture(exp(variable(1)), { depth: -1 })).toThrow('draw: depth -1 is no depth; give 0, 1, 2, ... or "all"');
  let h: Value = variable(0.5, "x");
  for (let i = 0; i < 50; i++) h = exp(mul(h, 0));
  expect(() => picture(h, { maxItems: 80 })).toThrow(
    /^draw: the picture would have \d+ items, more than maxItems = 80; name its parts with scope\(name, ...\) and they are drawn as one box each, draw a part of it \(any Value inside\), or raise maxItems$/,
  );
  expect(() => picture(stack(50), { depth: "all", maxItems: 80 })).toThrow(/more than maxItems = 80; draw it at a smaller depth/);
});

test("modules are open as far as the picture stays within 60 items", () => {
  expect(
    picture(stack(3))
      .scene()
      .items.some(({ kind }) => kind === "module"),
  ).toBe(false);
  expect(picture(stack(40)).scene().items.length).toBe(4);
});

test("a stretched operand says to what, and that its gradient is summed", () => {
  const x = wide(4, 3);
  const b = variable(tensor([1, 2, 3]), "b");
  const scene = picture(sum(relu(add(x, b)))).scene();
  const wire = scene.wires.find(({ broadcast }) => broadcast);
  expect(wire?.above).toBe("3 ⇢ 4×3");
  expect(wire?.below).toMatch(/^Σ₄ ‖∇‖ /);
  expect(wire?.aboveBars?.length).toBe(11);
});

test("NaN and infinities stand on wires, and a pill on the gate that made them", () => {
  const scene = picture(mul(exp(variable(1000, "x")), 0)).scene();
  expect(scene.wires.map(({ above }) => above)).toContain("∞");
  expect(scene.items.find(({ label }) => label === "exp")?.note).toBe("∞");
  expect(scene.items.find(({ label }) => label === "×")?.note).toBe(undefined);
  const t = picture(sum(mul(variable(tensor([1, Number.NaN, Number.POSITIVE_INFINITY]), "t"), 2))).scene();
  expect(t.wires[0]?.above).toBe("3 1 NaN 1 ∞");
});

test("a graph without numbers shows shapes, in both directions", () => {
  const g = graph({ x: f64(5, 3), params: { w: f64(3, 2) } }, ({ x, params }) => ({ out: matmul(x, params.w) }));
  for (const direction of ["right", "down"] as const) {
    const made = picture(g, { direction });
    expect(faults(made.scene(), made.layout)).toEqual([]);
    expect(kinds(made.scene())).toEqual(["input x", "op @", "output out", "parameter params.w"]);
    expect(made.scene().wires.map(({ gradient }) => gradient)).toEqual(["unknown", "unknown", "unknown"]);
  }
});

test("a picture speaks the reader's language", () => {
  const svg = picture(mul(variable(1, "가중치"), 2), { language: "ko" }).svg();
  expect(svg).toContain('lang="ko"');
  expect(svg).toContain("가중치");
  expect(svg).toContain("기울기 없음");
});

test("variables of a tree stay with the modules that bear their names", () => {
  const p = variables({ fc1: { w: tensor([[1, 2]]), b: tensor([1, 2]) } });
  const x = variable(tensor([[1], [2]]), "x");
  const f = sum(scope("fc1", () => add(matmul(x, p.fc1.w), p.fc1.b)));
  expect(kinds(picture(f, { depth: 0 }).scene())).toEqual(["module fc1", "op Σ", "output f", "parameter x"]);
});

test("graphs that are called are modules too, calls within calls among them, with the same numbers", () => {
  const inner = graph({ a: f64() }, ({ a }) => tanh(mul(a, 2)));
  const g = graph({ a: f64(), b: f64() }, ({ a, b }) => add(call(inner, { a }), b));
  const x = variable(0.7, "x");
  const q = mul(x, 2);
  const f = call(g, { a: call(g, { a: q, b: x }), b: x });
  const open = picture(f, { depth: "all", wrt: { x, q } });
  expect(open.scene().groups?.map(({ title }) => title)).toEqual(["call", "call/call", "call", "call/call"]);
  expect(faults(open.scene(), open.layout)).toEqual([]);
  const closed = picture(f, { depth: 0, fold: false }).scene();
  expect(kinds(closed)).toEqual(["constant 2", "constant 2", "module call", "module call", "op ×", "output f", "parameter x"]);
  expect(
    picture(f, { depth: 0 })
      .scene()
      .items.find(({ kind }) => kind === "module")?.repeat,
  ).toBe(2);
  expect(kinds(picture(f, { inline: false }).scene())).toContain("op call");
  const { dx } = gradients(f, { dx: x });
  expect(closed.trunks?.find(({ from }) => closed.items.find(({ id }) => id === from)?.label === "x")?.below).toBe(read(dx).toFixed(2));
  expect(
    picture(
      graph({ a: f64() }, ({ a }) => call(inner, { a })),
      { depth: 0 },
    )
      .scene()
      .items.map(({ kind }) => kind),
  ).toContain("module");
});
