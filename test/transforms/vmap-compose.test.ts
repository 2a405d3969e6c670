import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import {
  add,
  call,
  compile,
  conv,
  customGradient,
  evaluate,
  exp,
  f64,
  grad,
  gradients,
  graph,
  hvp,
  jacobian,
  jit,
  jvp,
  matmul,
  mean,
  mul,
  type Operand,
  random,
  read,
  reference,
  relu,
  sin,
  softmaxCrossEntropy,
  square,
  stopGradient,
  sum,
  type Tapped,
  tanh,
  tap,
  tensor,
  toArray,
  type Value,
  variable,
  vjp,
  vmap,
} from "../../src/index.ts";
import type { AnyOp } from "../../src/ir/op.ts";
import * as declared from "../../src/ops/index.ts";
import { isOp } from "../laws/samplers.ts";

const flat = (v: Value): number[] => [...evaluate(v).data];

/** The function over each example by itself, stacked. */
function stacked(f: (x: Value) => Value, xs: readonly number[][]): number[] {
  return xs.flatMap((x) => flat(f(variable(x))));
}

function close(a: readonly number[], b: readonly number[]): void {
  expect(a.length).toBe(b.length);
  a.forEach((x, i) => {
    expect(Math.abs(x - b[i]!)).toBeLessThanOrEqual(1e-12 * Math.max(1, Math.abs(b[i]!)));
  });
}

const rows = [
  [0.5, -1, 2],
  [1, 0, -0.3],
];
const w = variable(
  [
    [0.2, -0.5, 1],
    [0.4, 0.1, -0.7],
  ],
  "w",
);
/** A function with products, a closed-over matrix and a reduction. */
const model = (x: Value): Value => sum(square(tanh(matmul(w, mul(x, exp(x))))));

test("every op of ours has a batching rule: none is run once per example", async () => {
  const src = fileURLToPath(new URL("../../src/", import.meta.url));
  const found: unknown[] = [];
  for (const folder of ["ops", "linalg", "random", "control", "autodiff", "explain", "transforms"])
    for (const file of readdirSync(src + folder, { recursive: true, encoding: "utf8" }))
      if (file.endsWith(".ts")) found.push(...Object.values((await import(`${src}${folder}/${file}`)) as object));
  const all = new Map<string, AnyOp>(found.filter(isOp).map((o) => [o.name, o]));
  for (const name of ["call", "customGradient", "tap", "scan", "uniformNumbers", "matmul", "svd"]) expect([...all.keys()]).toContain(name);
  expect([...all.values()].filter((o) => o.batch === null).map((o) => o.name)).toEqual([]);
});

describe("vmap and the other transforms, in either order", () => {
  const many = (): Value => variable(rows);

  test("grad", () => {
    close(flat(vmap(grad(model))(many())), stacked(grad(model), rows));
    close(flat(grad((xs: Value) => sum(vmap(model)(xs)))(many())), stacked(grad(model), rows));
  });

  test("grad with respect to what is closed over, for each example", () => {
    const perExample = vmap((x: Value) => gradients(model(x), { w }).w)(many());
    const wanted = rows.flatMap((x) => flat(gradients(model(variable(x)), { w }).w));
    expect(perExample.type).toEqual(f64(2, 2, 3));
    close(flat(perExample), wanted);
    const total = flat(gradients(sum(vmap(model)(many())), { w }).w);
    close(
      total,
      total.map((_, i) => wanted[i]! + wanted[i + 6]!),
    );
  });

  test("jacobian, in both modes", () => {
    const f = (x: Value): Value => tanh(matmul(w, sin(x)));
    for (const mode of ["forward", "reverse"] as const) {
      const J = vmap(jacobian(f, { mode }))(many());
      expect(J.type).toEqual(f64(2, 2, 3));
      close(flat(J), stacked(jacobian(f), rows));
      const outside = jacobian(vmap(f), { mode })(many());
      expect(outside.type).toEqual(f64(2, 2, 2, 3));
    }
  });

  test("hvp, jvp and vjp", () => {
    const v = tensor([1, -2, 0.5]);
    close(
      flat(vmap((x: Value) => hvp(model)(x, v))(many())),
      stacked((x) => hvp(model)(x, v), rows),
    );
    close(
      flat(vmap((x: Value) => jvp(model)(x, v).tangent as Value)(many())),
      stacked((x) => jvp(model)(x, v).tangent as Value, rows),
    );
    close(
      flat(vmap((x: Value) => vjp(model)(x).pull(2))(many())),
      stacked((x) => vjp(model)(x).pull(2), rows),
    );
    close(flat(vjp(vmap(model))(many()).pull(tensor([1, 1]))), stacked(grad(model), rows));
  });

  test("vmap, over the outer product of examples", () => {
    const f = (x: Value) => vmap((y: Value) => sum(mul(sin(x), y)));
    const out = vmap((x: Value) => f(x)(tensor(rows)))(many());
    const wanted = rows.flatMap((x) => rows.map((y) => x.reduce((s, v, i) => s + Math.sin(v) * y[i]!, 0)));
    close(flat(out), wanted);
  });

  test("graph, call, jit and compile", async () => {
    const g = graph({ x: f64(3) }, ({ x }) => model(x));
    const applied = (x: Value): Value => call(g, { x });
    const each = vmap(applied)(many());
    expect(each.node.op.name).toBe("call");
    close(flat(each), stacked(model, rows));
    close(flat(grad((xs: Value) => sum(vmap(applied)(xs)))(many())), stacked(grad(model), rows));
    close(flat(vmap(grad(applied))(many())), stacked(grad(model), rows));
    close([...jit(vmap(model), reference())(tensor(rows)).data], stacked(model, rows));
    const program = await compile(
      graph({ x: f64(2, 3) }, ({ x }) => ({ y: vmap(model)(x) })),
      reference(),
    );
    close([...program.run({ x: rows }).y.data], stacked(model, rows));
    const whole = graph({ xs: f64(2, 3) }, ({ xs }) => vmap(model)(xs));
    const inside = vmap((xs: Value) => call(whole, { xs }))(tensor([rows, rows]));
    close(flat(inside), [...stacked(model, rows), ...stacked(model, rows)]);
  });

  test("stopGradient: what is stopped for one example is stopped for all", () => {
    const f = (x: Value): Value => sum(mul(x, stopGradient(x)));
    close(flat(grad((xs: Value) => sum(vmap(f)(xs)))(many())), rows.flat());
    close(flat(vmap(grad(f))(many())), rows.flat());
  });

  test("customGradient: the rule sees one example", () => {
    const seen: number[] = [];
    const f = customGradient(
      (s: { x: Value; k: Value }) => sum(mul(s.x, s.k)),
      ({ ct, x, k }) => {
        seen.push(x.type.shape.length);
        return { x: mul(3, mul(ct, k)), k: mul(ct, sum(x)) };
      },
    );
    const k = variable(2, "k");
    const one = (x: Value): Value => f({ x, k });
    const total = gradients(sum(vmap(one)(many())), { k });
    expect(read(total.k)).toBeCloseTo(
      rows.flat().reduce((a, b) => a + b),
      12,
    );
    expect(seen).toEqual([1]);
    close(flat(vmap(grad(one))(many())), [6, 6, 6, 6, 6, 6]);
    close(flat(grad((xs: Value) => sum(vmap(one)(xs)))(many())), [6, 6, 6, 6, 6, 6]);
  });

  test("a rule that returns a number, null, or something that is the same for every example", () => {
    const f = customGradient(
      (s: { x: Value; y: Value; z: Value }) => add(sum(s.x), add(s.y, s.z)),
      () => ({ x: 5, y: null, z: tensor(7) as never }),
    );
    const g = grad((at: { x: Value; y: Value; z: Value }) => sum(vmap((x: Value, y: Value, z: Value) => f({ x, y, z }))(at.x, at.y, at.z)));
    const out = g({ x: tensor(rows), y: tensor([1, 2]), z: tensor([3, 4]) });
    expect([flat(out.x), flat(out.y), flat(out.z)]).toEqual([
      [5, 5, 5, 5, 5, 5],
      [0, 0],
      [7, 7],
    ]);
  });

  test("tap reports all examples at once", () => {
    const seen: Tapped[] = [];
    flat(vmap((x: Value) => sum(tap(x, "x", (t) => seen.push(t))))(many()));
    expect(seen.map(({ tensor: t }) => t.type)).toEqual([f64(2, 3)]);
  });
});

describe("random numbers under vmap", () => {
  const key = random.key(3);
  const keys = random.splitKeys(key, { count: 3 });
  const each = random.split(key, 3);

  test("differ for each key and are those of the key alone", () => {
    for (const draw of [
      (k: Operand) => random.uniform(k, f64(2, 2)),
      (k: Operand) => random.normal(k, f64(3)),
      (k: Operand) => random.permutation(k, 5),
      (k: Operand) => random.fold(k, "dropout"),
      (k: Operand) => random.fold(k, 7),
      (k: Operand) => random.splitKeys(k, { count: 2 }),
    ]) {
      const batched = vmap((k: Value) => draw(k))(keys);
      expect(toArray(batched)).toEqual(each.map((k) => toArray(draw(k))));
      expect(new Set((toArray(batched) as number[][]).map(String)).size).toBe(3);
    }
  });

  test("a key that is closed over gives every example the same numbers", () => {
    const out = vmap((x: Value) => mul(x, random.uniform(key, f64())))(tensor([1, 1]));
    expect(flat(out)[0]).toBe(flat(out)[1]);
  });

  test("a key is folded with the number of each example", () => {
    const steps = tensor(new Int32Array([4, 9]));
    const wanted = [4, 9].map((n) => toArray(random.fold(key, n as number) as never));
    expect(toArray(vmap((n: Value) => random.fold(key, n))(steps))).toEqual(wanted);
    const both = vmap((k: Value) => vmap((n: Value) => random.fold(k, n))(steps))(keys);
    expect(toArray(both)).toEqual(each.map((k) => [4, 9].map((n) => toArray(random.fold(k, n)))));
    const turned = vmap((n: Value) => vmap((k: Value) => random.fold(k, n))(keys))(steps);
    expect(toArray(turned)).toEqual([4, 9].map((n) => each.map((k) => toArray(random.fold(k, n)))));
  });
});

test("a small network: the mean loss of vmapped examples and its gradient are those of the batch", () => {
  const filters = variable(
    Array.from({ length: 4 }, (_, i) => [
      [
        [0.1 * i, -0.2],
        [0.3, 0.05 * i],
      ],
    ]),
    "filters",
  );
  const head = variable(
    Array.from({ length: 3 }, (_, i) => Array.from({ length: 16 }, (_, j) => Math.sin(i + 2 * j))),
    "head",
  );
  const images = random.normal(random.key(0), f64(5, 1, 3, 3));
  const labels = tensor(new Int32Array([0, 1, 2, 1, 0]));
  const logits = (x: Value): Value => {
    const maps = relu(conv(x, filters));
    return matmul(
      vmap((m: Value) => matmul(head, vmap((row: Value) => row)(m)))(flatten(maps)),
      tensor([
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
      ]),
    );
  };
  const flatten = (m: Value): Value => vmap((one: Value) => sum(mul(one, 1), { axis: [] }))(reshape(m, 16));
  const reshape = (m: Value, n: number): Value => declared.reshape(m, { shape: [m.type.shape[0]!, n] });
  const whole = softmaxCrossEntropy(logits(images), labels);
  const single = (x: Value, y: Value): Value =>
    softmaxCrossEntropy(logits(declared.unsqueeze(x, { axis: 0 })), declared.unsqueeze(y, { axis: 0 }));
  const mapped = mean(vmap(single)(images, labels));
  expect(read(mapped)).toBeCloseTo(read(whole), 12);
  const [a, b] = [gradients(whole, { filters, head }), gradients(mapped, { filters, head })];
  close(flat(a.filters), flat(b.filters));
  close(flat(a.head), flat(b.head));
});
