import { describe, expect, test } from "vitest";
import { lowered } from "../../../src/engines/wasm/lower.ts";
import {
  add,
  cast,
  checkpoint,
  cond,
  cos,
  detach,
  div,
  expand,
  f32,
  f64,
  flip,
  graph,
  greater,
  i32,
  less,
  matmul,
  mul,
  reference,
  scan,
  sigmoid,
  sin,
  slice,
  square,
  sub,
  sum,
  type Tensor,
  tanh,
  tensor,
  transpose,
  type Value,
  valueAndGrad,
  vmap,
  whileLoop,
} from "../../../src/index.ts";
import { nodesOf } from "../../../src/ir/graph.ts";
import { dense, type Held } from "../../../src/ir/tensor.ts";
import { leaves } from "../../../src/ir/tree.ts";
import { collect } from "../../../src/ir/walk.ts";
import { wasm } from "../../../src/wasm.ts";
import { firstApart } from "./tolerances.ts";

const engine = wasm();

type Fn = (xs: readonly Value[]) => unknown;

/** The results of a function on both engines, and that the second run gives the bits of the first. */
function agree(f: Fn, given: readonly Tensor[], room = 1e-12): { results: number[][]; hosted: number } {
  const g = graph(
    given.map((t) => t.type),
    (xs) => f(xs as readonly Value[]),
  );
  const inputs = leaves(g.inputs).map(({ leaf }) => leaf as Value);
  const outputs = leaves(g.outputs).map(({ leaf }) => leaf as Value);
  const held: Held[] = given.map((t) => (t.type.shape.length === 0 ? t.data[0]! : t));
  const want = reference().prepare(inputs, outputs).run(held);
  const program = engine.prepare(inputs, outputs);
  const [first, second] = [program.run(held), program.run(held)];
  const data = (list: readonly Held[], k: number): ArrayLike<number> => dense(list[k]!, outputs[k]!.type).data;
  for (let k = 0; k < outputs.length; k++) {
    const size = Math.max(1, ...Array.from(data(want, k), (x) => (Number.isFinite(x) ? Math.abs(x) : 0)));
    expect(firstApart(data(want, k), data(first, k), room * size), `output ${k}`).toBeNull();
    expect(firstApart(data(first, k), data(second, k), 0), `output ${k}, once more`).toBeNull();
  }
  const { steps } = engine.profile!(inputs, outputs, held, 1) as { steps: readonly { kind: string }[] };
  program.dispose();
  return { results: outputs.map((_, k) => Array.from(data(first, k))), hosted: steps.filter((s) => s.kind === "host").length };
}

/** Elements between -1 and 1 that look like nothing. */
function draw(shape: readonly number[], seed = 1, dtype: "f32" | "f64" = "f64"): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  const data = Float64Array.from({ length: size }, (_, i) => Math.sin(seed * 17.3 + i * 12.9898) * 0.9);
  return tensor(dtype === "f32" ? Float32Array.from(data) : data, (dtype === "f32" ? f32 : f64)(...shape));
}

/** A recurrent cell over rows, its loss with the gradients of everything. */
function recurrent(options: { readonly checkpointEvery?: number; readonly reverse?: boolean; readonly length?: (n: Value) => Value }): Fn {
  return ([x, h, w, u, n]) => {
    const { value, grad } = valueAndGrad(({ x, h, w, u }: Record<"x" | "h" | "w" | "u", Value>) => {
      const rest = options.length === undefined ? {} : { length: options.length(n!) };
      const { checkpointEvery, reverse } = options;
      const made = scan(
        (carry: { h: Value }, row: Value) => {
          const next = tanh(add(matmul(carry.h, w), matmul(row, u)));
          return { carry: { h: next }, out: { y: next, s: sum(square(next)) } };
        },
        { h },
        x,
        { ...rest, ...(checkpointEvery === undefined ? {} : { checkpointEvery }), ...(reverse === undefined ? {} : { reverse }) },
      );
      const out = made.out as unknown as { y: Value; s: Value };
      return add(add(sum(made.carry.h), sum(mul(out.y, 0.5))), sum(square(out.s)));
    })({ x: x!, h: h!, w: w!, u: u! });
    return { value, ...grad };
  };
}

const cell = (rows: number): Tensor[] => [draw([rows, 3, 5], 1), draw([3, 7], 2), draw([7, 7], 3), draw([5, 7], 4)];

describe("scan", () => {
  test.each([
    ["no rows", 0, {}],
    ["one row", 1, {}],
    ["few rows", 5, {}],
    ["more rows than are kept one by one", 23, {}],
    ["every carry kept", 23, { checkpointEvery: 1 }],
    ["stretches that do not divide the rows", 23, { checkpointEvery: 7 }],
    ["one stretch", 9, { checkpointEvery: 100 }],
    ["from the last row to the first", 23, { reverse: true }],
    ["from the last row to the first, every carry kept", 6, { reverse: true, checkpointEvery: 1 }],
  ] as const)("a recurrent cell and its gradients agree with the reference: %s", (_, rows, options) => {
    expect(agree(recurrent(options), cell(rows)).hosted).toBe(0);
  });

  test.each([0, 1, 2, 13, 14, 20])("runs over as many rows as a value says: %i of 20", (n) => {
    for (const reverse of [false, true]) {
      const f = recurrent({ reverse, length: (v) => v });
      const found = agree(f, [...cell(20), tensor(Int32Array.of(n), i32())]);
      expect(found.hosted).toBe(0);
    }
  });

  test.each([
    [21, "scan: length is 21 and there are 20 rows; it is a whole number from 0 to 20"],
    [-1, "scan: length is -1 and there are 20 rows"],
    [2.5, "scan: length is 2.5 and there are 20 rows"],
    [Number.NaN, "scan: length is NaN and there are 20 rows"],
  ])("refuses the length %f as the reference does, and goes on", (n, message) => {
    const g = graph([f64(20), f64()], (xs) => {
      const [x, n] = xs as unknown as readonly [Value, Value];
      return scan((c: Value, row: Value) => ({ carry: add(c, row) }), 0, x, { length: n }).carry;
    });
    const inputs = leaves(g.inputs).map(({ leaf }) => leaf as Value);
    const program = engine.prepare(inputs, [g.outputs as unknown as Value]);
    const x = draw([20]);
    expect(() => program.run([x, n])).toThrow(message);
    expect(program.run([x, 2])[0]).toBeCloseTo(x.data[0]! + x.data[1]!, 14);
  });

  test("rows that lie apart, backward, or in another order are read where they are", () => {
    const f: Fn = ([x]) => {
      const over = (rows: Value): Value =>
        scan((c: Value, row: Value) => ({ carry: add(mul(c, 0.5), row), out: mul(c, row) }), tensor([0, 0, 0]), rows).out as unknown as Value;
      const t = transpose(x!);
      return [over(x!), over(flip(x!, { axis: 0 })), over(flip(x!, { axis: 1 })), over(slice(x!, { axis: 0, step: 2 })), over(transpose(slice(t, { axis: 1, step: -1 })))];
    }; // biome-ignore format: one list
    expect(agree(f, [draw([6, 3])]).hosted).toBe(0);
  });

  test("out rows of no round number of vectors lie side by side, whatever computes them", () => {
    const f: Fn = ([x, w]) =>
      scan(
        (c: Value, row: Value) => {
          const y = matmul(row, w!);
          return { carry: add(c, sum(y)), out: { a: mul(row, 2), b: y, c: c, d: greater(row, 0), e: sum(row), f: row, g: tensor([1, 2, 3]) } };
        },
        sum(mul(x!, 0)),
        x!,
        { reverse: true },
      ); // biome-ignore format: one record
    expect(agree(f, [draw([5, 7]), draw([7, 3], 2)]).hosted).toBe(0);
    expect(agree(f, [draw([5, 7], 1, "f32"), draw([7, 3], 2, "f32")], 1e-6).hosted).toBe(0);
  });

  test("carries that change places, stay, or come from one value", () => {
    const f: Fn = ([x]) =>
      scan(
        ({ a, b, c, d }: Record<"a" | "b" | "c" | "d", Value>, row: Value) => ({
          carry: { a: b, b: a, c, d: add(d, mul(row, a)) },
          out: [a, d],
        }),
        { a: tensor([1, 2]), b: tensor([3, 4]), c: tensor([5, 6]), d: tensor([5, 6]) },
        x!,
      );
    for (const rows of [1, 2, 5]) expect(agree(f, [draw([rows, 2])]).hosted).toBe(0);
  });

  test("loops in loops, with gradients", () => {
    const f: Fn = ([x, w]) => {
      const { value, grad } = valueAndGrad(({ x, w }: { x: Value; w: Value }) => {
        const outer = scan(
          (c: Value, row: Value) => {
            const inner = scan((h: Value, z: Value) => ({ carry: tanh(add(mul(h, w), z)), out: square(h) }), c, row);
            return { carry: inner.carry, out: sum(inner.out as unknown as Value) };
          },
          tensor([0.1, 0.2]),
          x,
        );
        return add(sum(outer.carry), sum(outer.out as unknown as Value));
      })({ x: x!, w: w! });
      return { value, ...grad };
    };
    expect(agree(f, [draw([5, 4, 2]), draw([2], 3)]).hosted).toBe(0);
    expect(agree(f, [draw([18, 33, 2]), draw([2], 3)]).hosted).toBe(0);
  });

  test("over many examples at once", () => {
    const one = (x: Value): Value => {
      const { grad } = valueAndGrad((x: Value) => sum(scan((c: Value, row: Value) => ({ carry: sin(add(c, row)) }), 0.5, x).carry))(x);
      return grad;
    };
    expect(agree(([x]) => vmap(one)(x!), [draw([4, 9])]).hosted).toBe(0);
  });

  test("steps that the host computes, and steps that it may have to, inside a loop", () => {
    const f: Fn = ([x, n]) => scan((c: Value, row: Value) => ({ carry: add(c, row), out: cast(cast(add(c, row), "f16"), "f64") }), n!, x!);
    expect(agree(f, [draw([5, 3]), draw([3])]).results[1]).toHaveLength(15);
  });

  test("an engine of several threads gives the same bits", () => {
    const f = recurrent({});
    const given = [draw([4, 160, 160], 1, "f32"), draw([160, 160], 2, "f32"), draw([160, 160], 3, "f32"), draw([160, 160], 4, "f32")];
    const g = graph(
      given.map((t) => t.type),
      (xs) => f(xs as readonly Value[]),
    );
    const inputs = leaves(g.inputs).map(({ leaf }) => leaf as Value);
    const outputs = leaves(g.outputs).map(({ leaf }) => leaf as Value);
    const [one, two] = [engine, wasm({ threads: 2 })].map((e) => e.prepare(inputs, outputs).run(given));
    expect(two).toEqual(one);
  });
});

describe("whileLoop", () => {
  const power: Fn = ([x, n]) => {
    const { value, grad } = valueAndGrad(
      (x: Value) => sum(whileLoop(({ i }) => less(i, n!), ({ i, y }) => ({ i: add(i, 1), y: mul(y, sin(x)) }), { i: 0, y: x }, { limit: 100 }).y), // biome-ignore format: one call
    )(x!);
    return { value, grad };
  };

  test.each([0, 1, 2, 7, 100])("of %i rounds, with its gradient", (n) => {
    expect(agree(power, [draw([3]), tensor(Float64Array.of(n), f64())]).hosted).toBe(0);
  });

  test("that does not end says so as the reference does", () => {
    const g = graph(f64(), (x) =>
      whileLoop(
        (c: Value) => greater(c, -1),
        (c: Value) => mul(c, 0.5),
        x as Value,
        { limit: 50 },
      ),
    );
    const program = engine.prepare([g.inputs as Value], [g.outputs as Value]);
    expect(() => program.run([3])).toThrow(
      "whileLoop: the test still holds after 50 rounds; does the body change what the test looks at? If it needs more rounds, say so: { limit: 500 }",
    );
    expect(program.run([-2])[0]).toBe(-2);
  });

  test("Newton's method in a loop over rows, over many examples, with gradients", () => {
    const root = (a: Value): Value =>
      whileLoop(
        (y: Value) => greater(square(sub(mul(y, y), a)), 1e-20),
        (y: Value) => mul(0.5, add(y, div(a, y))),
        add(a, 1),
        { limit: 60 },
      );
    const f: Fn = ([x]) => vmap((a: Value) => valueAndGrad(root)(a))(add(square(x!), 0.5));
    expect(agree(f, [draw([6])]).hosted).toBe(0);
  });
});

describe("cond and checkpoint", () => {
  const chosen: Fn = ([x, t]) => {
    const { value, grad } = valueAndGrad((x: Value) =>
      sum(
        cond(
          greater(t!, 0),
          () => mul(sigmoid(x), x),
          () => cond(greater(t!, -1), () => expand(sum(square(x)), { shape: [3] }), () => x),
        ),
      ),
    )(x!);
    return { value, grad };
  }; // biome-ignore format: branches

  test.each([1, -0.5, -2, Number.NaN])("the branch for %f, with its gradient", (t) => {
    expect(agree(chosen, [draw([3]), tensor(Float64Array.of(t), f64())]).hosted).toBe(0);
  });

  test("each of many examples takes its own branch, in a loop, too", () => {
    const f: Fn = ([x]) =>
      vmap((x: Value) => valueAndGrad((x: Value) => scan((c: Value, r: Value) => ({ carry: cond(greater(r, 0), () => sin(add(c, r)), () => mul(c, r)) }), 1, x).carry)(x))(x!); // biome-ignore format: one call
    expect(agree(f, [draw([5, 8])]).hosted).toBe(0);
  });

  test("branches that give what they are given, or constants", () => {
    const f: Fn = ([x, t]) => cond(greater(t!, 0), () => [x!, tensor([1, 2, 3]), x!], () => [tensor([0, 0, 7]), x!, x!]); // biome-ignore format: one call
    for (const t of [1, -1]) expect(agree(f, [draw([3]), tensor(Float64Array.of(t), f64())]).hosted).toBe(0);
  });

  test("what is computed again for the backward pass", () => {
    const f: Fn = ([x]) => valueAndGrad((x: Value) => sum(checkpoint((y: Value) => mul(cos(y), sigmoid(y)))(mul(x, 2))))(x!);
    expect(agree(f, [draw([9])]).hosted).toBe(0);
  });
});

test("a loop with a value that does not depend on it computes that once, and constants are data", () => {
  const big = detach(draw([20, 20], 5));
  const f: Fn = ([x]) =>
    scan((c: Value, row: Value) => ({ carry: add(matmul(c, big as Value), row) }), expand(0, { shape: [20] }), x!).carry;
  expect(agree(f, [draw([4, 20])]).hosted).toBe(0);
});

describe("a backward loop", () => {
  /** The ops in the bodies of a program's loops, after lowering. */
  const bodies = (f: Fn, given: readonly Tensor[]): string[][] => {
    const g = graph(
      given.map((t) => t.type),
      (xs) => f(xs as readonly Value[]),
    );
    const low = lowered(
      leaves(g.inputs).map(({ leaf }) => leaf as Value),
      leaves(g.outputs).map(({ leaf }) => leaf as Value),
    );
    return collect(low.outputs).flatMap(({ op, attrs }) =>
      op.name === "scan" ? [nodesOf((attrs as { body: Parameters<typeof nodesOf>[0] }).body).map((n) => n.op.name)] : [],
    );
  };
  const counted = (list: readonly string[], name: string): number => list.filter((n) => n === name).length;

  test("computes no function and no product that the forward loop has computed, and sums no products", () => {
    const [forward, backward] = bodies(recurrent({}), cell(23));
    expect(counted(forward!, "tanh")).toBe(1);
    expect(counted(forward!, "matmul")).toBe(2);
    expect(counted(backward!, "tanh")).toBe(0);
    // The gradients of the carry and of the row; those of w and u are products behind the loop.
    expect(counted(backward!, "matmul")).toBe(2);
  });

  test("of another length than the forward loop computes what it needs itself", () => {
    const f: Fn = ([x, n]) => {
      const one = scan((c: Value, row: Value) => ({ carry: tanh(add(c, row)), out: c }), 0.5, x!);
      const two = scan((c: Value, row: Value) => ({ carry: add(c, tanh(row)) }), 0, one.out as unknown as Value, { length: n! });
      return [one.carry, two.carry];
    };
    expect(agree(f, [draw([9]), tensor(Int32Array.of(4), i32())]).hosted).toBe(0);
  });

  test("takes from a loop in the other direction, and from one with outs of its own, what belongs to the row", () => {
    for (const reverse of [false, true]) {
      const f: Fn = ([x]) => {
        const one = scan((c: Value, row: Value) => ({ carry: sin(add(c, row)), out: { a: c, b: cos(row) } }), 0.5, x!, { reverse });
        const { a, b } = one.out as unknown as { a: Value; b: Value };
        const two = scan(
          (c: Value, [p, q, r]: readonly Value[]) => ({ carry: add(c, mul(sin(add(p!, r!)), q!)), out: cos(r!) }),
          0,
          [a, b, x!],
          { reverse: !reverse },
        );
        return [one.carry, two];
      };
      expect(agree(f, [draw([9])]).hosted).toBe(0);
    }
  });

  test("a sum of products keeps what it started from, and is left where its carry is read", () => {
    const f: Fn = ([x, y, s]) => {
      const plain = scan((c: Value, [p, q]: readonly Value[]) => ({ carry: add(c, matmul(transpose(p!), q!)) }), s!, [x!, y!]);
      const turned = scan((c: Value, [p, q]: readonly Value[]) => ({ carry: add(matmul(sin(transpose(p!)), mul(q!, 2)), c) }), s!, [
        x!,
        y!,
      ]);
      const seen = scan((c: Value, [p, q]: readonly Value[]) => ({ carry: add(c, matmul(transpose(p!), q!)), out: sum(c) }), s!, [x!, y!]);
      return [plain.carry, turned.carry, seen];
    };
    const given = [draw([6, 3, 4]), draw([6, 3, 5], 2), draw([4, 5], 3)];
    expect(agree(f, given).hosted).toBe(0);
    // Of the first nothing is left: both factors are there before it.
    expect(bodies(f, given).map((list) => counted(list, "matmul"))).toEqual([0, 1]);
  });
});
