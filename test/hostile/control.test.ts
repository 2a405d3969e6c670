import { expect, test } from "vitest";
import {
  add,
  checkpoint,
  compile,
  cond,
  constant,
  evaluate,
  f32,
  f64,
  grad,
  graph,
  greater,
  i32,
  jit,
  jvp,
  less,
  matmul,
  max,
  mul,
  parse,
  print,
  random,
  read,
  reference,
  scan,
  sin,
  sort,
  square,
  sum,
  tensor as t,
  type Value,
  variable,
  vmap,
  where,
  whileLoop,
  zeros,
} from "../../src/index.ts";

test("a body that changes nothing, returns its row, or returns a value from outside", () => {
  const w = variable(3, "w");
  const { carry, out } = scan((c, x: Value) => ({ carry: c, out: { x, w, c } }), 7, t([1, 2]));
  expect(read(carry)).toBe(7);
  expect(evaluate(out.x).data).toEqual(Float64Array.of(1, 2));
  expect(evaluate(out.w).data).toEqual(Float64Array.of(3, 3));
  expect(evaluate(out.c).data).toEqual(Float64Array.of(7, 7));
  const slope = grad((v: Value) => sum(scan((c) => ({ carry: c, out: v }), 0, null, { length: 4 }).out))(2);
  expect(read(slope)).toBe(4);
  expect(read(grad((v: Value) => scan(() => ({ carry: v }), 0, null, { length: 4 }).carry)(2))).toBe(1);
});

test("no carry, no out, no rows that are used", () => {
  const mapped = scan((_, x: Value) => ({ carry: {}, out: square(x) }), {}, t([1, 2, 3]));
  expect(evaluate(mapped.out).data).toEqual(Float64Array.of(1, 4, 9));
  expect(evaluate(grad((xs: Value) => sum(scan((_, x) => ({ carry: [], out: square(x) }), [], xs).out))(t([1, 2]))).data).toEqual(
    Float64Array.of(2, 4),
  );
  expect(read(scan((c) => ({ carry: mul(c, 2) }), 1, { unused: t([1, 2, 3]) }).carry)).toBe(8);
});

test("typed arrays, f32, integers, truth values and empty rows are walked over as they are", () => {
  const made = scan(
    (c, x: { f: Value; i: Value; b: Value; e: Value }) => ({ carry: add(c, where(x.b, x.f, 0)), out: { i: add(x.i, 1), b: x.b, e: x.e } }),
    constant(0, "f32"),
    { f: new Float32Array([0.1, 0.2]), i: new Int32Array([5, 6]), b: t([true, false]), e: zeros(f64(2, 0)) },
  );
  expect(made.carry.type).toEqual(f32());
  expect(evaluate(made.carry).data).toEqual(Float32Array.of(0.1));
  expect(evaluate(made.out.i).data).toEqual(Int32Array.of(6, 7));
  expect(evaluate(made.out.b).data).toEqual(Uint8Array.of(1, 0));
  expect(evaluate(made.out.e).type).toEqual(f64(2, 0));
});

test("a NaN in one row stays in what depends on it", () => {
  const xs = t([1, Number.NaN, 3]);
  const { out } = scan((c, x: Value) => ({ carry: x, out: add(c, x) }), 0, xs);
  expect(Array.from(evaluate(out).data, Number.isNaN)).toEqual([false, true, true]);
  const slope = evaluate(grad((v: Value) => sum(scan((c, x) => ({ carry: c, out: mul(x, x) }), 0, v).out))(xs)).data;
  expect(Array.from(slope)).toEqual([2, Number.NaN, 6]);
});

test("ties and kinks inside a loop follow the conventions", () => {
  const f = (x: Value) => scan((c) => ({ carry: add(c, max(x)) }), 0, null, { length: 2 }).carry;
  expect(evaluate(grad(f)(t([2, 2, 1]))).data).toEqual(Float64Array.of(1, 1, 0));
});

test("ops with several results inside and outside of a body", () => {
  const { values, indices } = sort(variable([3, 1, 2])) as { values: Value; indices: Value };
  const f = (w: Value) =>
    scan(
      (c, x: Value) => {
        const s = sort(mul(x, w)) as { values: Value };
        return { carry: add(c, sum(mul(s.values, values))), out: indices };
      },
      0,
      t([
        [2, 1, 3],
        [6, 5, 4],
      ]),
    );
  // 1*1 + 2*2 + 3*3 + 4 + 10 + 18
  expect(read(f(constant(1)).carry)).toBe(46);
  expect(read(grad((w: Value) => f(w).carry)(1))).toBe(46);
  expect(evaluate(f(constant(1)).out).type).toEqual(i32(2, 3));
});

test("a long history behind what is closed over is not walked for every loop", () => {
  let h: Value = variable(1);
  for (let k = 0; k < 100_000; k++) h = add(h, 1e-9);
  let total: Value = constant(0);
  for (let k = 0; k < 200; k++) total = add(total, scan((c) => ({ carry: mul(c, h) }), 1, null, { length: 2 }).carry);
  expect(read(total)).toBeCloseTo(200, 1);
});

test("a hundred nested bodies", () => {
  const nest = (depth: number, x: Value): Value =>
    depth === 0 ? sin(x) : scan((c) => ({ carry: nest(depth - 1, c) }), x, null, { length: 1 }).carry;
  expect(read(nest(100, constant(0.5)))).toBe(Math.sin(0.5));
  expect(read(jvp((x: Value) => nest(20, x))(0.5, 1).tangent)).toBe(Math.cos(0.5));
  expect(read(grad((x: Value) => nest(8, x))(0.5))).toBe(Math.cos(0.5));
  const branch = (depth: number, x: Value): Value =>
    depth === 0
      ? x
      : cond(
          greater(x, depth),
          () => branch(depth - 1, x),
          () => mul(x, depth),
        );
  expect(read(branch(20, constant(10.5)))).toBe(10.5 * 20);
});

test("a loop as a program's state: the step stays inside, and its text reads back", async () => {
  const step = graph({ h: f64(2), xs: f64(3, 2) }, ({ h, xs }) => {
    const { carry, out } = scan((c: Value, x) => ({ carry: mul(add(c, x), 0.5), out: sum(c) }), h, xs);
    return { h: carry, sums: out };
  });
  const program = await compile(step, reference(), { state: { h: t([0, 0]) } });
  const xs = [
    [1, 2],
    [3, 4],
    [5, 6],
  ];
  const first = program.run({ xs }).sums.data;
  expect(first).toEqual(Float64Array.of(0, 1.5, 4.25));
  expect(program.run({ xs }).sums.data[0]).toBeCloseTo(7.625, 12);
  expect(print(parse(print(step)))).toBe(print(step));
});

test("random numbers in a loop differ by step, and are the same in a run again", () => {
  const key = random.key(3);
  const noise = () =>
    scan((k) => ({ carry: add(k, 1), out: random.normal(random.fold(key, k), f64()) }), constant(0, "i32"), null, { length: 5 }).out;
  const [a, b] = [evaluate(noise()).data, evaluate(noise()).data];
  expect(a).toEqual(b);
  expect(new Set(a).size).toBe(5);
});

test("a loop that overflows, a loop of one element, a loop whose test is NaN", () => {
  const square2 = (x: Value) =>
    whileLoop(
      (c) => less(c, Number.POSITIVE_INFINITY),
      (c) => square(c),
      x,
    );
  expect(read(square2(constant(10)))).toBe(Number.POSITIVE_INFINITY);
  const stopped = whileLoop(
    (c) => greater(c, 0),
    (c) => mul(c, 2),
    Number.NaN,
  );
  expect(read(stopped)).toBeNaN();
  expect(
    evaluate(
      whileLoop(
        (c) => greater(sum(c), 0),
        (c) => add(c, -1),
        t([1]),
      ),
    ).data,
  ).toEqual(Float64Array.of(0));
});

test("checkpoint, scan, cond and vmap in each other, in programs", () => {
  const cell = (w: Value, h: Value) =>
    checkpoint((v: Value) =>
      cond(
        greater(sum(v), 0),
        () => sin(matmul(w, v)),
        () => mul(v, 2),
      ),
    )(h);
  const f = (w: Value, h: Value) => sum(scan((c) => ({ carry: cell(w, c) }), h, null, { length: 4 }).carry);
  const w = t([
    [0.5, 0.2],
    [-0.3, 0.7],
  ]);
  const hs = t([
    [1, 2],
    [-1, -2],
  ]);
  const slopes = jit((v: Value, h: Value) => vmap((one: Value) => grad(f)(v, one))(h), reference())(w, hs);
  const each = [
    [1, 2],
    [-1, -2],
  ].map((h) => evaluate(grad(f)(w, t(h))).data);
  expect(slopes.type).toEqual(f64(2, 2, 2));
  slopes.data.forEach((v, i) => {
    expect(v).toBeCloseTo(each[i >> 2]![i % 4]!, 12);
  });
});

test("unicode names and names that look like others", () => {
  const made = scan(
    (c: { 상태: Value; __proto__x: Value }) => ({ carry: { 상태: add(c.__proto__x, 1), __proto__x: c.상태 } }),
    { 상태: 1, __proto__x: 5 },
    null as never,
    { length: 1 } as never,
  );
  expect(read((made.carry as unknown as { 상태: Value }).상태)).toBe(6);
  expect(() => scan((c: { "a.b": Value; a: { b: Value } }) => ({ carry: c }), { "a.b": 1, a: { b: 2 } }, t([1]))).toThrow(
    "two leaves are called a.b",
  );
});
