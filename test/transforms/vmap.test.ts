import { describe, expect, test } from "vitest";
import {
  add,
  f64,
  grad,
  graph,
  i32,
  input,
  jvp,
  mul,
  type Operand,
  op,
  print,
  read,
  sin,
  square,
  sum,
  tensor,
  toArray,
  type Value,
  variable,
  vmap,
} from "../../src/index.ts";

describe("vmap maps a function over axis 0", () => {
  test("of every leaf of every argument, and of the result", () => {
    const f = vmap((p: { a: Value; b: Value }, c: Value) => ({ s: mul(p.a, sum(p.b)), t: [c] }));
    const out = f(
      {
        a: tensor([1, 2]),
        b: tensor([
          [1, 2],
          [3, 4],
        ]),
      },
      tensor(new Int32Array([5, 6])),
    );
    expect(toArray(out.s)).toEqual([3, 14]);
    expect(out.t[0]!.type).toEqual(i32(2));
    expect(toArray(out.t[0]!)).toEqual([5, 6]);
  });

  test("what is closed over is the same for every example, and differentiated through", () => {
    const w = variable([2, 3], "w");
    const xs = tensor([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    const loss = (at: Value): Value => sum(vmap((x: Value) => sum(mul(x, at)))(xs));
    expect(toArray(grad(loss)(w))).toEqual([9, 12]);
  });

  test("a result that depends on no argument is repeated", () => {
    const out = vmap((_x: Value) => [tensor([1, 2]), 3] as [Operand, Operand])(tensor([0, 0, 0]));
    expect(toArray(out[0]!)).toEqual([
      [1, 2],
      [1, 2],
      [1, 2],
    ]);
    expect(toArray(out[1]!)).toEqual([3, 3, 3]);
  });

  test("no examples give no results", () => {
    const out = vmap((x: Value) => sum(square(x)))(tensor(new Float64Array(0), f64(0, 3)));
    expect(out.type).toEqual(f64(0));
  });

  test("ranks are aligned after axis 0", () => {
    const out = vmap((x: Value, y: Value) => add(x, y))(
      tensor([10, 20]),
      tensor([
        [1, 2],
        [3, 4],
      ]),
    );
    expect(toArray(out)).toEqual([
      [11, 12],
      [23, 24],
    ]);
  });

  test("per-example gradients are vmap of grad", () => {
    const g = vmap(grad((x: Value) => sum(sin(x))))(
      tensor([
        [0, 1],
        [2, 3],
      ]),
    );
    const flat = (toArray(g) as number[][]).flat();
    [0, 1, 2, 3].forEach((x, i) => {
      expect(flat[i]).toBeCloseTo(Math.cos(x), 14);
    });
  });

  test("it nests, and a tangent passes through it", () => {
    const outer = vmap((x: Value) => vmap((y: Value) => mul(x, y))(tensor([1, 2])));
    expect(toArray(outer(tensor([3, 4, 5])))).toEqual([
      [3, 6],
      [4, 8],
      [5, 10],
    ]);
    const { tangent } = jvp(outer)(tensor([3, 4, 5]), tensor([1, 0, 0]));
    expect(toArray(tangent as Value)).toEqual([
      [1, 2],
      [0, 0],
      [0, 0],
    ]);
  });

  test("in a graph it is one node for each op of the function, whatever the number of examples", () => {
    const g = graph({ x: f64(1000, 3) }, ({ x }) => vmap((v: Value) => sum(square(v)))(x));
    expect(print(g as never)).toBe(
      'graph {\n  %0: f64[1000,3] = input as "x"\n  %1: f64[1000,3] = square(%0)\n  %2: f64[1000] = sum(%1) {axis: [1], keepDims: false}\n  inputs {x: %0}\n  outputs %2\n}\n',
    );
  });
});

describe("an op from outside", () => {
  test("without a rule is applied once per example", () => {
    const turned = op<(x: Operand) => Value, readonly ["x"]>("acme.turned", ["x"], {
      type: ({ x }) => x,
      eval: ({ x }) => x.data.slice().reverse(),
      vjp: null,
    });
    expect(
      toArray(
        vmap((x: Value) => turned(x))(
          tensor([
            [1, 2, 3],
            [4, 5, 6],
          ]),
        ),
      ),
    ).toEqual([
      [3, 2, 1],
      [6, 5, 4],
    ]);
  });

  test("with a decomposition is batched as that", () => {
    const cube = op<(x: Operand) => Value, readonly ["x"]>("acme.cube", ["x"], {
      type: ({ x }) => x,
      eval: ({ x }) => x.data.map((v) => v ** 3),
      vjp: null,
      lower: ({ x }) => mul(x, square(x)),
    });
    const out = vmap((x: Value) => cube(x))(tensor([1, 2, 3]));
    expect(toArray(out)).toEqual([1, 8, 27]);
    expect(out.node.op.name).toBe("mul");
  });

  test("whose rule gives another shape is told which is wanted", () => {
    const odd = op<(x: Operand) => Value, readonly ["x"]>("acme.odd", ["x"], {
      type: ({ x }) => x,
      eval: ({ x }) => x.data,
      vjp: null,
      batch: ({ x }) => sum(x),
    });
    expect(() => vmap((x: Value) => odd(x))(tensor([1, 2]))).toThrow(
      "acme.odd: its batching rule gives f64[] for 2 examples of f64[]; wanted is f64[2], the examples on axis 0",
    );
  });
});

describe("vmap says what is wrong with", () => {
  const f = vmap((x: { a: Value }, y: Value) => add(x.a, y));

  test("different numbers of examples, by both names", () => {
    expect(() => f({ a: tensor([1, 2, 3]) }, tensor([[1], [2]]))).toThrow(
      "vmap: argument 0, a, is f64[3], 3 examples, and argument 1 is f64[2,1], 2 examples; axis 0 of every argument is the examples, one number of them",
    );
  });

  test("a scalar", () => {
    expect(() => f({ a: 3 }, tensor([1]))).toThrow(
      "vmap: argument 0, a, is f64[], a scalar, and has no axis 0 with the examples; close over what is the same for all of them",
    );
  });

  test("nothing to map", () => {
    expect(() => vmap((_: readonly Value[]) => 1 as Operand)([])).toThrow("vmap: the arguments have no leaf to map over");
    expect(() => vmap(() => 1 as Operand)()).toThrow("pass at least one tensor with the examples on axis 0");
  });

  test("a type", () => {
    expect(() => vmap((x: Value) => x)(f64(3) as never)).toThrow(
      "vmap: argument 0 is a type; pass Values, Tensors or typed arrays with the examples on axis 0",
    );
    expect(vmap((x: Value) => square(x))(input(f64(3), "x")).type).toEqual(f64(3));
  });

  test("a function that reads its argument", () => {
    const relu = vmap((v: Value) => (read(v) > 0 ? v : mul(0, v)));
    expect(() => relu(variable([1, 2], "v"))).toThrow(
      "read: v depends on input v, which has no value while a graph is built; use where, cond or whileLoop",
    );
  });
});
