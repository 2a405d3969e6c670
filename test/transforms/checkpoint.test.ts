import { expect, test } from "vitest";
import { checkpointOp } from "../../src/control/call.ts";
import {
  add,
  checkpoint,
  constant,
  evaluate,
  f64,
  grad,
  graph,
  jit,
  jvp,
  matmul,
  mul,
  parse,
  print,
  read,
  reference,
  sin,
  square,
  sub,
  sum,
  tanh,
  tap,
  tensor,
  type Value,
  variable,
  vmap,
} from "../../src/index.ts";
import { collect } from "../../src/ir/walk.ts";

const plain = (p: { w: Value }[], x: Value) => sum(p.reduce((h, { w }) => tanh(mul(w, h)), x));
const deep = (p: { w: Value }[], x: Value) => sum(p.reduce((h, { w }) => checkpoint((v: Value) => tanh(mul(w, v)))(h), x));

test("checkpoint changes no number: value, gradients to third order, both modes, what it closes over", () => {
  const at = [{ w: 0.1 }, { w: 0.2 }, { w: -0.7 }];
  const slopes = (f: typeof deep) => evaluate(grad(f)(at, 0.9)).map(({ w }) => w.data[0]!);
  slopes(deep).forEach((s, i) => {
    expect(s).toBeCloseTo(slopes(plain)[i]!, 15);
  });
  const cube = (x: Value) => checkpoint((y: Value) => mul(x, square(y)))(x);
  expect(read(grad(cube)(2))).toBe(12);
  expect(read(grad(grad(cube))(2))).toBe(12);
  expect(read(grad(grad(grad(cube)))(2))).toBe(6);
  expect(read(jvp(grad(cube))(2, 1).tangent)).toBe(12);
  expect(read(jvp((x: Value) => jvp(cube)(x, 1).tangent)(2, 1).tangent)).toBe(12);
  expect(evaluate(vmap(grad(cube))(tensor([1, 2]))).data).toEqual(Float64Array.of(3, 12));
});

test("the inside is computed once forward and once more backward, after its gradient has arrived", () => {
  const seen: string[] = [];
  const watch = (v: Value, label: string) => tap(v, label, ({ what }) => void seen.push(what === "value" ? label : `d${label}`));
  const f = (x: Value) => {
    const a = checkpoint((v: Value) => square(watch(sin(v), "a")))(x);
    return checkpoint((v: Value) => square(watch(sin(v), "b")))(a);
  };
  const run = jit((x: Value) => grad(f)(x), reference());
  run(0.5);
  expect(seen).toEqual(["a", "b", "db", "a", "da"]);
});

test("the copies are two nodes that nothing merges, of an op of their own", () => {
  const slope = graph({ x: f64() }, ({ x }) => grad((v: Value) => checkpoint((u: Value) => square(sin(u)))(checkpoint(tanh)(v)))(x));
  const names = collect([slope.outputs]).map(({ op }) => op.name);
  expect(names.filter((n) => n === checkpointOp.name)).toHaveLength(3);
  expect(names).not.toContain("sin");
  const text = print(slope);
  expect(print(parse(text))).toBe(text);
});

test("the function may read: arguments are values, and what was read is not computed again", () => {
  let runs = 0;
  const f = (x: Value) =>
    checkpoint((v: Value) => {
      let h = v;
      while (read(h) < 10)
        h = mul(
          tap(h, "h", ({ what }) => void (runs += what === "value" ? 1 : 0)),
          2,
        );
      return h;
    })(x);
  const x = variable(3);
  const y = f(x);
  expect(read(y)).toBe(12);
  expect(runs).toBe(2);
  expect(read(grad(f)(3))).toBe(4);
});

test("arguments are trees, flags pass as they are, and constants stay inside", () => {
  const f = (w: Value) =>
    checkpoint((p: { a: Value; list: Value[] }, minus: boolean) => ({ y: minus ? sub(p.a, p.list[0]!) : add(p.a, p.list[0]!) }))(
      { a: mul(w, 3), list: [constant(2)] },
      true,
    ).y;
  expect(read(f(variable(2)))).toBe(4);
  expect(read(grad(f)(2))).toBe(3);
  expect(() => checkpoint((x: Value) => x)(f64() as never)).toThrow("checkpoint: argument  is a type");
});

test("matrices: the gradient of a chain of layers is that without checkpoints", () => {
  const ws = [1, 2, 3].map((k) =>
    tensor(Array.from({ length: 4 }, (_, i) => Array.from({ length: 4 }, (_, j) => Math.sin(k + 4 * i + j)))),
  );
  const net = (layer: (w: Value, h: Value) => Value) => (w: Value[]) => sum(w.reduce((h, v) => layer(v, h), constant([1, 2, 3, 4])));
  const layer = (w: Value, h: Value) => tanh(matmul(w, h));
  const a = evaluate(grad(net(layer))(ws));
  const b = evaluate(grad(net((w, h) => checkpoint(layer)(w, h)))(ws));
  a.forEach((t, i) => {
    t.data.forEach((v, j) => {
      expect(b[i]!.data[j]).toBeCloseTo(v, 14);
    });
  });
});
