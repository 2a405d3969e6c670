import { expect, test } from "vitest";
import { en } from "../../src/explain/words/en.ts";
import { ko } from "../../src/explain/words/ko.ts";
import {
  add,
  clip,
  constant,
  div,
  draw,
  evaluate,
  explain,
  f64,
  gradients,
  graph,
  hinge,
  log,
  matmul,
  maximum,
  mul,
  neg,
  pow,
  read,
  sort,
  steps,
  stopGradient,
  sub,
  sum,
  type Tapped,
  tap,
  tensor,
  type Value,
  variable,
} from "../../src/index.ts";

function lecture(): Value {
  return mul(add(variable(-2, "x"), variable(5, "y")), variable(-4, "z"));
}

test("the lecture's example, step by step", () => {
  const e = explain(lecture());
  expect(e.json()).toEqual({
    value: -12,
    gradients: { x: -4, y: -4, z: 3 },
    notes: [],
    steps: [
      {
        pass: "forward",
        kind: "gate",
        index: 1,
        name: "q1",
        op: "add",
        operands: [
          { slot: "x", name: "x", value: -2 },
          { slot: "y", name: "y", value: 5 },
        ],
        value: 3,
      },
      {
        pass: "forward",
        kind: "gate",
        index: 2,
        name: "f",
        op: "mul",
        operands: [
          { slot: "x", name: "q1", value: 3 },
          { slot: "y", name: "z", value: -4 },
        ],
        value: -12,
      },
      { pass: "backward", kind: "seed", index: 1, name: "f", gradient: 1 },
      {
        pass: "backward",
        kind: "gate",
        index: 2,
        name: "f",
        op: "mul",
        upstream: 1,
        flows: [
          { slot: "x", into: "q1", local: -4, rule: null, gradient: -4, branch: 1, branches: 1 },
          { slot: "y", into: "z", local: 3, rule: null, gradient: 3, branch: 1, branches: 1 },
        ],
      },
      {
        pass: "backward",
        kind: "gate",
        index: 3,
        name: "q1",
        op: "add",
        upstream: -4,
        flows: [
          { slot: "x", into: "x", local: 1, rule: null, gradient: -4, branch: 1, branches: 1 },
          { slot: "y", into: "y", local: 1, rule: null, gradient: -4, branch: 1, branches: 1 },
        ],
      },
    ],
  });
  expect(e.text()).toBe(`Forward pass
  1  q1 = x + y = -2 + 5 = 3
  2  f = q1 * z = 3 * (-4) = -12

Backward pass
  1  df/df = 1
       the pass starts with df/df = 1
  2  f = mul: mul gate, the switcher: each operand's local gradient is the value of the other one
       df/dq1 = local -4 x upstream 1 = -4
       df/dz = local 3 x upstream 1 = 3
  3  q1 = add: add gate, the distributor: it hands the upstream gradient to every operand unchanged
       df/dx = local 1 x upstream -4 = -4
       df/dy = local 1 x upstream -4 = -4

Gradients
     df/dx = -4
     df/dy = -4
     df/dz = 3
`);
  expect(e.markdown()).toContain("| 2 | f = q1 \\* z".replace("\\*", "*"));
  expect(e.latex()).toContain("f &= q_{1} \\cdot z = 3 \\cdot (-4) = -12");
  expect(explain(pow(variable(-3, "x"), 2)).text()).toContain("f = x ^ 2 = (-3) ^ 2 = 9");
  expect(e.latex()).toContain(
    "\\frac{\\partial f}{\\partial z} &= \\underbrace{3}_{\\frac{\\partial f}{\\partial z}} \\cdot \\underbrace{1}_{\\frac{\\partial f}{\\partial f}} = 3",
  );
});

test("the sentences are there in Korean, with the keys of the English ones", () => {
  expect(Object.keys(ko)).toEqual(Object.keys(en));
  const text = explain(lecture(), { language: "ko" }).text();
  expect(text).toContain("순전파");
  expect(text).toContain("곱셈 게이트(스위처)");
  expect(text).toContain("덧셈 게이트(분배기)");
  expect(text).not.toMatch(/gate|pass/);
  expect(() => explain(lecture(), { language: "fr" as "en" })).toThrow('explain: language "fr" is not there');
});

test("a loss made of ops names its gates, what is fixed is a constant, and relu is one router", () => {
  const s = variable(tensor([[3.2, 5.1, -1.7]]), "s");
  const text = explain(hinge(s, tensor([0], "i32"))).text();
  expect(text).toContain("   (in hinge)");
  expect(text).toContain("= relu(");
  expect(text).toContain("max gate, the router: the gradient goes to the operand that won, the others get 0");
  for (const name of text.matchAll(/\bq\d+\b/g)) expect(text).toContain(`${name[0]} = `);
  expect(explain(hinge(s, tensor([0], "i32"))).json().value).toBeCloseTo(2.9, 12);
});

test("branches are counted, shown apart and added", () => {
  const x = variable(3, "x");
  const f = sub(mul(x, x), x);
  const sums = explain(f).steps.filter((s) => s.pass === "backward" && s.kind === "sum");
  expect(sums).toHaveLength(1);
  expect(explain(f).text()).toContain("df/dx = (-1) + 3 + 3 = 5");
  expect(explain(f).json().gradients).toEqual({ x: 5 });
});

test("any value can be asked about, and agrees with gradients()", () => {
  const W = variable(
    tensor([
      [0.1, 0.5],
      [-0.3, 0.8],
    ]),
    "W",
  );
  const x = variable(tensor([0.2, 0.4]), "x");
  const q = matmul(W, x);
  const f = sum(mul(q, q));
  const e = explain(f, { wrt: { q, W, x } });
  const { dq, dW, dx } = gradients(f, { dq: q, dW: W, dx: x });
  expect(e.gradients.map((g) => [...g.gradient.data])).toEqual([dq, dW, dx].map((v) => [...evaluate(v).data]));
  expect([...evaluate(dq).data].map((v) => Number(v.toFixed(6)))).toEqual([0.44, 0.52]);
  expect(e.text()).toContain("df/dW = dq1 x^T : [2,1] @ [1,2] = [[0.088, 0.176], [0.104, 0.208]]");
});

test("steps are the per-gate interface: forward, backward, facts and rows of the Jacobian", () => {
  const W = variable(
    tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]),
    "W",
  );
  const x = variable(tensor([[1], [0], [-1]]), "x");
  const q = matmul(W, x);
  const f = sum(q);
  const s = steps(f);
  expect([...s.forward()].map((g) => [g.op, [...g.value.data]])).toEqual([
    ["matmul", [-2, -2]],
    ["sum", [-4]],
  ]);
  expect(s.at(x).gradient).toBe(null);
  const back = s.backward();
  expect(back.next().value).toMatchObject({ kind: "seed", name: "f" });
  expect(s.at(q).gradient).toBe(null);
  expect([...back].map((b) => b.kind)).toEqual(["gate", "gate"]);
  expect([...s.at(x).gradient!.data]).toEqual([5, 7, 9]);
  expect([...s.at(q).row("b", 1).data]).toEqual([4, 5, 6]);
  expect([...s.at(q).row("a", 0).data]).toEqual([1, 0, -1, 0, 0, 0]);
  expect(() => s.at(q).row("c")).toThrow("explain: matmul has no operand c; it has a, b");
  expect(() => s.at(q).row("a", 2)).toThrow("explain: element 2 of f64[2,1]; it has 2");
});

test("ops with several results are explained by result", () => {
  const x = variable(tensor([3, 1, 2]), "x");
  const { values } = sort(x);
  const e = explain(sum(mul(values, tensor([1, 10, 100]))));
  expect(e.json().gradients).toEqual({ x: [100, 1, 10] });
  expect(e.text()).toContain("values: [1, 2, 3]");
});

test("notes warn of kinks, bad values and variables without influence", () => {
  const x = variable(0, "x");
  expect(explain(maximum(x, 0)).notes).toEqual([
    "f sits on a kink or tie of maximum; the convention of docs/conventions.md decides which derivative is used",
  ]);
  expect(explain(clip(variable(1, "x"), { min: -1, max: 1 })).notes).toEqual([
    "f sits on a kink or tie of clip; the convention of docs/conventions.md decides which derivative is used",
  ]);
  expect(explain(sum(clip(variable(tensor([0.5, -1]), "x"), { min: -1 }))).notes.length).toBe(1);
  expect(explain(clip(variable(1, "x"), { min: -1 })).notes).toEqual([]);
  expect(explain(div(1, x)).notes[0]).toContain("f is Infinity, and it was div that made it from finite operands");
  const bad = explain(log(variable(-1, "y")));
  expect(bad.notes).toEqual([
    "f is NaN, and it was log that made it from finite operands",
    "f is log of y = -1, outside of where it is defined and smooth",
  ]);
  expect(bad.json().value).toBe("NaN");
  const unused = variable(1, "u");
  expect(explain(neg(variable(2, "v")), { wrt: { u: unused } }).notes).toEqual(["u does not influence the result; its gradient is 0"]);
});

test("a lone variable and a constant have explanations too", () => {
  expect(explain(variable(2, "x")).json()).toEqual({
    value: 2,
    gradients: { x: 1 },
    steps: [{ pass: "backward", kind: "seed", index: 1, name: "x", gradient: 1 }],
    notes: [],
  });
  expect(explain(constant(2)).text()).toContain("nothing to compute: 2 = 2");
});

test("what is no scalar is a lesson", () => {
  expect(() => explain(variable(tensor([1, 2]), "x"))).toThrow(
    "explain: x is f64[2]; a backward pass starts at a floating-point scalar: take sum or mean first",
  );
  expect(() => explain(3 as unknown as Value)).toThrow("explain: give the Value to explain");
  expect(() => explain(graph({ x: f64() }, ({ x }) => neg(x)).outputs)).toThrow("depends on input x");
});

test("names that repeat are told apart, and names never clash with the numbered ones", () => {
  const f = mul(add(variable(1, "q1"), variable(2, "q1")), variable(3, "f"));
  expect(
    explain(f)
      .json()
      .steps.map((s) => s.name),
  ).toContain("q2");
  expect(Object.keys(explain(f).json().gradients)).toEqual(["q1", "q1#2", "f"]);
});

test("tap reports a value and its gradient, each once, and changes nothing", () => {
  const seen: Tapped[] = [];
  const x = variable(3, "x");
  const f = mul(
    tap(mul(x, x), "q", (t) => seen.push(t)),
    x,
  );
  const { dx } = gradients(f, { dx: x });
  expect([read(f), read(dx), read(f)]).toEqual([27, 27, 27]);
  expect(seen.map((t) => [t.label, t.what, t.tensor.data[0]])).toEqual([
    ["q", "value", 9],
    ["q", "gradient", 3],
  ]);
});

test("pictures show values above and gradients below, of each step or of the whole", () => {
  const svg = draw(lecture());
  for (const text of ["−12.00", "3.00", "−4.00", "1.00"]) expect(svg).toContain(text);
  const first = draw(lecture(), { backwardSteps: 1 });
  expect(first).toContain("1.00");
  expect(first.match(/−4\.00/g)?.length).toBeLessThan(svg.match(/−4\.00/g)!.length);
  expect(draw(lecture())).toBe(svg);
  expect(draw(mul(variable(1, "<script>alert(1)</script>"), 2))).not.toContain("<script>");
  expect(draw(graph({ x: f64(2, 3) }, ({ x }) => ({ loss: sum(x) })) as never)).toContain("2×3");
  expect(() => draw(lecture(), { format: "gif" as "svg" })).toThrow(
    'draw: format "gif" is not there; "svg", "dot", "mermaid" and "text" are',
  );
});

test("a use behind a stop is no branch", () => {
  const x = variable(3, "x");
  const text = explain(mul(x, stopGradient(mul(x, x)))).text();
  expect(text).toContain("df/dx = local 9 x upstream 1 = 9\n");
  expect(text).not.toContain("branch");
});
