import { describe, expect, test } from "vitest";
import { scanOp } from "../../src/control/scan-op.ts";
import {
  add,
  cast,
  check,
  constant,
  draw,
  evaluate,
  explain,
  f32,
  f64,
  grad,
  graph,
  hvp,
  i32,
  input,
  jit,
  jvp,
  leaves,
  mul,
  type Operand,
  parse,
  print,
  read,
  reference,
  reshape,
  scan,
  sin,
  slice,
  square,
  stack,
  sub,
  sum,
  tensor,
  type Value,
  valueAndGrad,
  variable,
  vmap,
  zeros,
} from "../../src/index.ts";
import { nodesOf } from "../../src/ir/graph.ts";
import { valuesOf } from "../../src/ir/node.ts";
import { sizeOf } from "../../src/ir/shape.ts";
import { collect } from "../../src/ir/walk.ts";

type Body = (carry: Value, x: Value) => { carry: Value; out: Value };
interface Ran {
  readonly carry: Value;
  readonly out: Value;
}

/** The same loop on the host, one node per step: rows past `n` are zero. */
function unrolled(body: Body, init: Value, xs: Value, n: number, reverse: boolean): Ran {
  const outs: Value[] = Array.from({ length: xs.type.shape[0]! }, () => constant(0));
  let carry = init;
  for (let k = 0; k < n; k++) {
    const i = reverse ? n - 1 - k : k;
    const made = body(carry, reshape(slice(xs, { start: i, end: i + 1 }), { shape: [] }));
    carry = made.carry;
    outs[i] = made.out;
  }
  return { carry, out: stack(outs) };
}

function numbers(tree: unknown): number[] {
  return leaves(evaluate(tree)).flatMap(({ leaf }) => Array.from((leaf as { data: Float64Array }).data));
}

function same(a: unknown, b: unknown): void {
  const [x, y] = [numbers(a), numbers(b)];
  expect(x.length).toBe(y.length);
  // NaN where there is one.
  expect(Math.max(0, ...x.map((v, i) => Math.abs(v - y[i]!) / (1 + Math.abs(y[i]!))))).toBeLessThan(1e-11);
}

describe("scan is the loop written out, with its derivatives to second order in every mix of modes:", () => {
  const lengths = process.env["CHAINRULE_FAST"] === "1" ? [1, 5, 17] : [1, 5, 17, 50];
  const cases = lengths.flatMap((rows) =>
    [undefined, 1, 7].flatMap((every) => [
      { rows, every, reverse: rows === 17, n: rows },
      { rows, every, reverse: rows !== 17, n: Math.floor(rows * 0.6) },
    ]),
  );
  test.each(cases)("$rows rows, $n of them, reverse $reverse, checkpoints every $every", ({ rows, every, reverse, n }) => {
    const body =
      (w: Value): Body =>
      (c, x) => {
        const carry = sin(add(mul(w, c), square(x)));
        return { carry, out: mul(carry, add(x, c)) };
      };
    const options = {
      reverse,
      ...(every !== undefined && { checkpointEvery: every }),
      ...(n < rows && { length: constant(n, "i32") }),
    };
    const loss = ({ carry, out }: Ran) => add(mul(carry, 0.7), sum(square(out)));
    interface At {
      readonly w: Value;
      readonly c: Value;
      readonly xs: Value;
    }
    const f = ({ w, c, xs }: At) => loss(scan(body(w), c, xs, options));
    const g = ({ w, c, xs }: At) => loss(unrolled(body(w), c, xs, n, reverse));
    const at = { w: 0.8, c: 0.3, xs: tensor(Float64Array.from({ length: rows }, (_, i) => Math.sin(1.7 * i))) };
    const d = { w: 0.5, c: -0.2, xs: tensor(Float64Array.from({ length: rows }, (_, i) => Math.cos(i))) };
    same(f(at as never), g(at as never));
    same(grad(f)(at), grad(g)(at));
    same(jvp(f)(at, d).tangent, jvp(g)(at, d).tangent);
    same(hvp(f)(at, d), hvp(g)(at, d));
    const twice = (h: typeof f) =>
      grad((p: At) => {
        const q = grad(h)(p);
        return add(add(square(q.w), q.c), sum(q.xs));
      })(at);
    same(twice(f), twice(g));
    const overForward = (h: typeof f) => grad((p: At) => square(jvp(h)(p, d).tangent))(at);
    same(overForward(f), overForward(g));
    const forwardTwice = (h: typeof f) => jvp((p: At) => jvp(h)(p, d).tangent)(at, d).tangent;
    same(forwardTwice(f), forwardTwice(g));
  });
});

test("third derivatives go through scan", () => {
  const power = (x: Value) => scan((c) => ({ carry: mul(c, x) }), 1, null, { length: 5 }).carry;
  const third = grad((x: Value) => grad((y: Value) => grad(power)(y))(x));
  expect(read(third(1.5))).toBeCloseTo(60 * 1.5 ** 2, 10);
});

test("carries, rows and outs are trees, and integers pass through them untouched", () => {
  const f = (w: Value) => {
    const { carry, out } = scan(
      (c, { x, label }) => ({
        carry: { h: mul(w, add(c.h, sum(x))), steps: add(c.steps, 1), best: [c.h] },
        out: { h: c.h, label: add(label, c.steps) },
      }),
      { h: 1, steps: constant(0, "i32"), best: [0] },
      {
        x: tensor([
          [1, 2],
          [3, 4],
          [5, 6],
        ]),
        label: tensor([7, 8, 9], "i32"),
      },
    );
    return { loss: add(carry.h, carry.best[0]!), steps: carry.steps, labels: out.label, hs: out.h };
  };
  const { value, grad: slope } = valueAndGrad(f)(0.5);
  expect(evaluate(value.labels).data).toEqual(Int32Array.of(7, 9, 11));
  expect(read(value.steps)).toBe(3);
  expect(evaluate(value.hs).data).toEqual(Float64Array.of(1, 2, 4.5));
  // h3 = w (w (w (1 + 3) + 7) + 11), h2 = w (4 w + 7)
  expect(read(slope)).toBeCloseTo(12 * 0.25 + 14 * 0.5 + 11 + 8 * 0.5 + 7, 12);
});

test("a scan in a scan, with a gradient in its body, inside a gradient", () => {
  const inner = (y: Value, x: Value) => scan((c) => ({ carry: mul(c, add(x, y)) }), y, null, { length: 3 }).carry; // y (x + y)^3
  const f = (x: Value) =>
    scan((c, r) => ({ carry: add(c, mul(r, grad((y: Value) => inner(y, x))(mul(c, x)))) }), 0.1, tensor([0.1, 0.2])).carry;
  const byHand = (x: Value) => {
    let c: Value = constant(0.1);
    for (const r of [0.1, 0.2]) {
      const y = mul(c, x);
      const s = add(x, y);
      c = add(c, mul(r, add(mul(s, square(s)), mul(mul(3, y), square(s)))));
    }
    return c;
  };
  same(f(constant(0.7)), byHand(constant(0.7)));
  same(grad(f)(0.7), grad(byHand)(0.7));
  same(grad(grad(f))(0.7), grad(grad(byHand))(0.7));
  same(jvp(grad(f))(0.7, 1).tangent, grad(grad(byHand))(0.7));
});

test("one program serves all lengths; rows past the length are zero and carry no gradient", () => {
  const loss = (w: Value, xs: Value, length: Value) => {
    const { out } = scan((c, x) => ({ carry: add(mul(c, w), x), out: c }), 0, xs, { length, checkpointEvery: 3 });
    return { loss: sum(out), out };
  };
  const program = jit(valueAndGrad(loss), reference());
  const xs = Float64Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  const short = program(2, xs, constant(3, "i32") as Operand);
  expect(short.value.out.data).toEqual(Float64Array.of(0, 1, 4, 0, 0, 0, 0, 0));
  expect(short.grad.data).toEqual(Float64Array.of(1));
  expect(program(2, xs, constant(8, "i32") as Operand).value.out.data[7]).toBe(2 ** 8 - 9);
  expect(program(2, xs, constant(0, "i32") as Operand).grad.data).toEqual(Float64Array.of(0));
  expect(() => program(2, xs, constant(9, "i32") as Operand)).toThrow("scan: length is 9 and there are 8 rows");
  expect(() => program(2, xs, 2.5)).toThrow("scan: length is 2.5 and there are 8 rows; it is a whole number from 0 to 8");
});

test("no rows at all: the carry is what it was, and so is its gradient", () => {
  const f = (c: Value) => {
    const made = scan((h, x) => ({ carry: mul(h, x), out: h }), c, zeros(f64(0)));
    return add(square(made.carry), sum(made.out));
  };
  expect(read(f(constant(3)))).toBe(9);
  expect(read(grad(f)(3))).toBe(6);
  expect(read(jvp(f)(3, 1).tangent)).toBe(6);
  expect(read(grad((c: Value) => scan((h) => ({ carry: square(h) }), c, null, { length: 0 }).carry)(3))).toBe(1);
});

/** The largest results among the nodes behind a value, bodies included. */
function largest(v: Value): number {
  let most = 0;
  const open: Value[][] = [[v]];
  for (let roots = open.pop(); roots !== undefined; roots = open.pop())
    for (const node of collect(roots)) {
      for (const r of valuesOf(node)) most = Math.max(most, sizeOf(r.type.shape));
      const { body } = node.attrs as { body?: Parameters<typeof nodesOf>[0] };
      if (node.op === scanOp) open.push(leaves(body!.outputs).map(({ leaf }) => leaf as Value));
    }
  return most;
}

test("forward mode holds nothing per step, in one loop; reverse mode holds every carry up to 16 MiB, and a square root of them beyond", () => {
  const power = (n: number) => (x: Value) => scan((c) => ({ carry: mul(c, sin(x)) }), 1, null, { length: n }).carry;
  const { value, tangent } = jvp(power(1_000_000))(0.5, 1);
  expect(largest(value)).toBe(1);
  expect(largest(tangent)).toBe(1);
  expect(collect([tangent]).filter(({ op }) => op === scanOp)).toHaveLength(1);
  expect(largest(grad(power(2_097_152))(0.5))).toBe(2_097_152);
  expect(largest(grad(power(4_000_000))(0.5))).toBeLessThanOrEqual(2000);
  const every = (checkpointEvery: number) => (x: Value) =>
    scan((c) => ({ carry: mul(c, sin(x)) }), 1, null, { length: 10_000, checkpointEvery }).carry;
  expect(largest(grad(every(1))(0.5))).toBe(10_000);
  expect(largest(grad(every(100))(0.5))).toBe(100);
});

test("the text form has the body in it, and reads back", () => {
  const g = graph({ w: f64(), xs: f64(4) }, ({ w, xs }) => scan((c, x) => ({ carry: sin(add(mul(c, w), x)), out: c }), 0, xs));
  const text = print(g);
  expect(text).toContain("(f64[], f64[4], f64[4]) = scan(null, %");
  expect(text).toContain("body: graph {");
  const again = parse(text) as unknown as typeof g;
  expect(print(again)).toBe(text);
  const at = { w: 0.5, xs: tensor([1, 2, 3, 4]) };
  same(again(at), g(at));
  same(grad((p: { w: Value; xs: Value }) => again(p).carry)(at), grad((p: { w: Value; xs: Value }) => g(p).carry)(at));
  expect(() => parse(text.replace("scan(null, ", "scan(null, null, "))).toThrow("operand 1 is not optional");
});

describe("lessons:", () => {
  const xs = tensor([1, 2]);
  const cases: readonly (readonly [string, () => unknown, string])[] = [
    [
      "a carry of another shape",
      () => scan((c: { h: Value }) => ({ carry: { h: stack([c.h, c.h]) } }), { h: 0 }, xs),
      "scan: carry.h is f64[] at the start and f64[2] after one step; a carry keeps its type: start it in the shape that the body gives",
    ],
    [
      "a carry of another dtype",
      () => scan((c: Value) => ({ carry: cast(c, "f32") }), 0, xs),
      'scan: carry is f64[] at the start and f32[] after one step; a carry keeps its type: start it as f32, or write cast(..., "f64")',
    ],
    [
      "a carry with another tree",
      () => scan((c: Value) => ({ carry: { h: c } }) as never, 0, xs),
      "scan: the carry that the body returned: missing a single value; unknown h",
    ],
    ["no record", () => scan((c: Value) => c as never, 0, xs), "scan: the body returned a Value; it returns { carry, out }"],
    ["nothing", () => scan(() => undefined as never, 0, xs), "scan: the body returned no record; it returns { carry, out }"],
    [
      "rows that differ",
      () => scan((c: Value) => ({ carry: c }), 0, { a: xs, b: tensor([1]) }),
      "scan: xs.a is f64[2] and xs.b is f64[1]; all of xs have one size along axis 0",
    ],
    [
      "no rows",
      () => scan((c: Value) => ({ carry: c }), 0, { a: 1 }),
      "scan: xs.a is f64[] and has no rows; let the body use it from outside",
    ],
    ["no count", () => scan((c) => ({ carry: c }), 0, null, {} as never), "scan: there are no xs, so say how many steps there are"],
    [
      "an unknown count",
      () => scan((c) => ({ carry: c }), 0, null, { length: variable(2) } as never),
      "scan: length is a Value and there are no xs; the most steps have to be a number: give xs of that many rows, or use whileLoop",
    ],
    [
      "too long",
      () => scan((c: Value) => ({ carry: c }), 0, xs, { length: 3 }),
      "scan: length is 3 and there are 2 rows; it is a whole number from 0 to 2",
    ],
    ["a negative count", () => scan((c) => ({ carry: c }), 0, null, { length: -1 }), "scan: length is -1 and there are"],
    [
      "a length of several",
      () => scan((c: Value) => ({ carry: c }), 0, xs, { length: tensor([1, 2]) }),
      "scan: length is f64[2]; it is a scalar number",
    ],
    [
      "checkpoints at fractions",
      () => scan((c: Value) => ({ carry: c }), 0, xs, { checkpointEvery: 0.5 }),
      "scan: checkpointEvery is 0.5; it is a whole number of rows, 1 or more",
    ],
    [
      "a null carry",
      () => scan((c: Value) => ({ carry: c }) as never, null as never, xs),
      "scan: the carry is null; it is a tree of Values",
    ],
    ["a type", () => scan((c: Value) => ({ carry: c }) as never, f32(2), xs), "scan: the carry is a type and has no value"],
    ["a type returned", () => scan(() => ({ carry: f64() as never }), 0, xs), "scan: carry is a type and has no value"],
    [
      "reading inside",
      () => scan((c: Value) => ({ carry: mul(c, read(c)) }), 0, xs),
      "read: carry depends on input carry, which has no value while a graph is built; use where, cond or whileLoop",
    ],
    [
      "reading a row inside",
      () => scan((c: Value, { t }: { t: Value }) => ({ carry: read(mul(t, 2)) > 0 ? c : t }), 0, { t: xs }),
      "read: mul depends on input x.t, which has no value while a graph is built",
    ],
    ["attributes without a graph", () => scanOp(null, [], { body: 1 } as never), "scan: its attribute body is no graph"],
  ];
  test.each(cases)("%s", (_, act, message) => {
    expect(act).toThrow(message);
  });

  test("operands that are not the body's", () => {
    const node = scan((c: Value, x: Value) => ({ carry: add(c, x) }), 0, xs).carry.node;
    expect(() => scanOp(null, [1], node.attrs as never)).toThrow("scan: the body has 2 inputs and 1 operands were given");
    expect(() => scanOp(null, [tensor([1]), xs], node.attrs as never)).toThrow("scan: carry is f64[] in the body, and operand 0 is f64[1]");
    expect(() => scanOp(null, [1, input(i32(2), "i")], node.attrs as never)).toThrow(
      "scan: x is f64[] in the body, and operand 1 is i32[2]",
    );
  });
});

test("what the body builds of its surroundings alone is computed once, outside", () => {
  const w = variable(2);
  const { carry } = scan((c) => ({ carry: sub(c, square(w)) }), 0, null, { length: 3 });
  const body = (carry.node.attrs as { body: Parameters<typeof nodesOf>[0] }).body;
  expect(nodesOf(body).map(({ op }) => op.name)).toEqual(["input", "input", "sub"]);
  expect(read(grad((v: Value) => scan((c) => ({ carry: sub(c, square(v)) }), 0, null, { length: 3 }).carry)(2))).toBe(-12);
});

describe("vmap of scan is one loop over all examples:", () => {
  const run = (w: Value, c: Value, xs: Value, length?: Value) =>
    scan((h, x) => ({ carry: sin(add(mul(w, h), x)), out: mul(h, x) }), c, xs, length === undefined ? {} : { length });
  const xs = tensor([
    [0.1, 0.2, 0.3],
    [0.4, 0.5, 0.6],
  ]);
  const row = (k: number) => slice(xs, { start: k, end: k + 1 });
  const own = (k: number) => reshape(row(k), { shape: [3] });
  const both = (f: (k: number) => { carry: Value; out: Value }) => ({
    carry: stack([f(0).carry, f(1).carry]),
    out: stack([f(0).out, f(1).out]),
  });
  const shared = constant([1, 2, 3]);
  const two = tensor([0.5, 0.7]);
  const at = (k: number) => constant([0.5, 0.7][k]!);
  const lengths = tensor([1, 3], "i32");
  const cases: readonly (readonly [string, () => unknown, () => unknown])[] = [
    [
      "over rows",
      () => vmap((x: Value) => run(constant(0.9), constant(0.1), x))(xs),
      () => both((k) => run(constant(0.9), constant(0.1), own(k))),
    ],
    ["over the start", () => vmap((c: Value) => run(constant(0.9), c, shared))(two), () => both((k) => run(constant(0.9), at(k), shared))],
    [
      "over what it uses",
      () => vmap((w: Value) => run(w, constant(0.1), shared))(two),
      () => both((k) => run(at(k), constant(0.1), shared)),
    ],
    [
      "over lengths, each its own",
      () => vmap((n: Value, x: Value) => run(constant(0.9), constant(0.1), x, n))(lengths, xs),
      () => both((k) => run(constant(0.9), constant(0.1), own(k), constant([1, 3][k]!, "i32"))),
    ],
    [
      "of its gradient",
      () => ({ carry: vmap(grad((w: Value, x: Value) => run(w, constant(0.1), x).carry))(two, xs) }),
      () => ({ carry: stack([0, 1].map((k) => grad((w: Value) => run(w, constant(0.1), own(k)).carry)(at(k)))) }),
    ],
  ];
  test.each(cases)("%s", (_, many, each) => {
    same(many(), each());
  });

  test("and its derivative is that of the examples", () => {
    const f = (w: Value) => sum(vmap((x: Value) => run(w, constant(0.1), x).out)(xs));
    const g = (w: Value) => add(sum(run(w, constant(0.1), own(0)).out), sum(run(w, constant(0.1), own(1)).out));
    same(grad(f)(0.9), grad(g)(0.9));
    same(grad(grad(f))(0.9), grad(grad(g))(0.9));
    same(jvp(f)(0.9, 1).tangent, grad(g)(0.9));
  });
});

test("check warns of what is odd inside a body, too", () => {
  const g = graph({ x: f64() }, ({ x }) => scan((c) => ({ carry: mul(c, constant(Number.NaN)) }), x, null, { length: 2 }).carry);
  expect(check(g)).toEqual(["in the body of scan: a constant f64[] holds NaN or an infinity"]);
});

test("pictures and explanations show a loop as one gate", () => {
  const loss = scan((c) => ({ carry: mul(c, variable(2, "w")) }), variable(1.5, "x"), null, { length: 3 }).carry;
  const text = explain(loss).text();
  expect(text).toContain("scan(");
  expect(text).toContain("df.0/dx = 8");
  expect(text).toContain("df.0/dw = 18");
  expect(text).toContain("f = scan: a loop: the gradient goes back through its steps, the last one first");
  expect(explain(loss, { language: "ko" }).text()).toContain("반복: 기울기가 마지막 단계부터 거꾸로 모든 단계를 지나갑니다");
  expect(draw(loss)).toContain("scan");
});
