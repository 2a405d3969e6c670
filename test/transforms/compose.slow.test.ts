import { describe, expect, test } from "vitest";
import {
  add,
  call,
  checkpoint,
  cond,
  customGradient,
  evaluate,
  exp,
  f64,
  grad,
  gradients,
  graph,
  hessian,
  hvp,
  jacobian,
  jit,
  jvp,
  less,
  linearize,
  mul,
  reference,
  scan,
  sin,
  sparseHessian,
  sparseJacobian,
  stack,
  stopGradient,
  sum,
  tensor,
  type Value,
  variable,
  vjp,
  vmap,
  whileLoop,
} from "../../src/index.ts";

type F = (x: Value) => Value;

const w = variable([1.5, -0.5, 2], "w");
const f: F = (x) => mul(mul(sin(x), w), exp(mul(0.3, sum(x))));
const scalar =
  (g: F): F =>
  (x) =>
    sum(mul(g(x), tensor([1, 2, 3])));

/** Transforms that change how a function is computed and not what: any two of them in either order have to leave every derivative as it is. */
const ways: Readonly<Record<string, (g: F) => F>> = {
  vmap: (g) => (x) => firstRow(vmap(g)(stack([x, mul(x, 2)]))),
  "vmap of nothing mapped": (g) => (x) => firstRow(vmap((_: Value) => g(x))(tensor([0, 0]))),
  checkpoint: (g) => checkpoint(g),
  call: (g) => {
    const body = graph({ x: f64(3) }, ({ x }) => g(x));
    return (x) => call(body, { x });
  },
  scan: (g) => (x) => scan((carry: Value) => ({ carry: g(carry), out: carry }), x, null, { length: 1 }).carry,
  cond: (g) => (x) =>
    cond(
      less(sum(mul(x, 0)), 1),
      () => g(x),
      () => mul(2, x),
    ),
  linearize: (g) => (x) => linearize(g)(x).value as Value,
  jvp: (g) => (x) => jvp(g)(x, 0).value as Value,
  vjp: (g) => (x) => vjp(g)(x).value as Value,
  customGradient: (g) => {
    // The rule says what the derivative would be anyway.
    const own = customGradient(
      ({ x, w: inside }: { x: Value; w: Value }) => add(stopGradient(g(x)), mul(0, mul(x, inside))),
      ({ ct, x }) => {
        const out = g(x);
        return { x: vjp(g)(x).pull(ct) as Value, w: gradients(sum(mul(out, ct)), { w }).w };
      },
    );
    return (x) => own({ x, w });
  },
};

function firstRow(v: Value): Value {
  return sum(mul(v, tensor([[1], [0]])), { axis: 0 });
}

const at = tensor([0.4, -0.9, 1.3]);
const direction = tensor([1, 0.5, -2]);

/** What a derivative gives as numbers. */
const asked: Readonly<Record<string, (g: F) => Value>> = {
  value: (g) => g(variable(at)),
  grad: (g) => grad(scalar(g))(at),
  "grad, forward": (g) => grad(scalar(g), { mode: "forward" })(at),
  jvp: (g) => jvp(g)(at, direction).tangent as Value,
  vjp: (g) => vjp(g)(at).pull(direction) as Value,
  linearize: (g) => linearize(g)(at).push(direction) as Value,
  "jacobian, forward": (g) => jacobian(g, { mode: "forward" })(at),
  "jacobian, reverse": (g) => jacobian(g, { mode: "reverse" })(at),
  hessian: (g) => hessian(scalar(g))(at),
  hvp: (g) => hvp(scalar(g))(at, direction),
  "grad of grad": (g) => grad((x: Value) => sum(mul(grad(scalar(g))(x), direction)))(at),
  "vmap of grad": (g) => vmap(grad(scalar(g)))(stack([at, direction])),
  "grad of vmap": (g) => grad((xs: Value) => sum(vmap(scalar(g))(xs)))(stack([at, direction])),
  "vmap of hessian": (g) => vmap(hessian(scalar(g)))(stack([at, direction])),
  sparseJacobian: (g) => sparseJacobian(g)(at).vals,
  sparseHessian: (g) => sparseHessian(scalar(g))(at).vals,
  "closed over": (g) => gradients(scalar(g)(variable(at)), { w }).w,
  "vmap of closed over": (g) => vmap((x: Value) => gradients(scalar(g)(x), { w }).w)(stack([at, direction])),
  "jit of grad": (g) => variable(jit(grad(scalar(g)) as F, reference())(at)),
};

describe("two transforms in either order leave", () => {
  for (const [name, ask] of Object.entries(asked)) {
    test(name, () => {
      const wanted = evaluate(ask(f)).data;
      for (const [outer, a] of Object.entries(ways))
        for (const [inner, b] of Object.entries(ways)) {
          const got = evaluate(ask(a(b(f)))).data;
          expect(got.length, `${outer} of ${inner}`).toBe(wanted.length);
          got.forEach((x, i) => {
            expect(Math.abs(x - wanted[i]!), `${outer} of ${inner}, element ${i}: ${x}, wanted ${wanted[i]}`).toBeLessThan(1e-11);
          });
        }
    });
  }
});

test("whileLoop under vmap runs each example its own number of rounds, forward mode through it", () => {
  const g = (x: Value): Value =>
    whileLoop(
      (c: Value) => less(c, 10),
      (c: Value) => mul(c, 2),
      x,
    );
  const xs = tensor([1, 3, 12]);
  expect([...evaluate(vmap(g)(xs)).data]).toEqual([16, 12, 12]);
  expect([...evaluate(jvp(vmap(g))(xs, tensor([1, 1, 1])).tangent as Value).data]).toEqual([16, 4, 1]);
  expect([...evaluate(vmap((x: Value) => jvp(g)(x, 1).tangent as Value)(xs)).data]).toEqual([16, 4, 1]);
});
