import { describe, expect, test } from "vitest";
import {
  add,
  asin,
  call,
  cast,
  compile,
  cond,
  constant,
  div,
  exp,
  expr,
  f32,
  f64,
  firstBad,
  graph,
  greater,
  less,
  log,
  log1p,
  logSumExp,
  matmul,
  mean,
  mul,
  norm,
  pow,
  reciprocal,
  reference,
  relu,
  rsqrt,
  scan,
  sigmoid,
  sin,
  softmax,
  sqrt,
  square,
  sub,
  sum,
  tensor,
  trace,
  type Value,
  valueAndGrad,
  variable,
  variables,
  where,
  whileLoop,
  whyZero,
} from "../../src/index.ts";

const x = variable(-2, "x");
const y = variable(5, "y");
const z = variable(0, "z");
const s = variable([800, 1], "s");

describe("firstBad names the gate, the cause and the rewrite:", () => {
  test.each<[string, () => Value, string, string, string]>([
    ["log of a negative number", () => mul(log(x), y), "log", "logOfNegative", "find out why the argument is negative"],
    ["log of 0", () => add(log(z), y), "log", "logOfZero", "log(add(x, 1e-12))"],
    ["log1p of -1", () => log1p(sub(z, 1)), "log1p", "logOfZero", "double where"],
    ["log of a softmax", () => sum(log(softmax(variable([0, 2000], "t")))), "log", "logOfZero", "write logSoftmax(z)"],
    ["log of a sigmoid", () => log(sigmoid(mul(x, 1000))), "log", "logOfZero", "write neg(softplus(neg(x)))"],
    ["root of a negative number", () => sqrt(x), "sqrt", "rootOfNegative", "sqrt(clip(x, { min: 0 }))"],
    ["1 / root of 0", () => rsqrt(z), "rsqrt", "overZero", "sqrt(add(x, 1e-12))"],
    ["reciprocal of 0", () => reciprocal(z), "reciprocal", "overZero", "keep the divisor away from 0"],
    ["exp in log(sum(exp))", () => log(sum(exp(s))), "exp", "overflow", "write logSumExp(x)"],
    ["exp in log(1 + exp)", () => log(add(1, exp(mul(y, 200)))), "exp", "overflow", "write softplus(x)"],
    ["exp by itself", () => exp(mul(y, 200)), "exp", "overflow", "scale the operands down"],
    ["0 / 0", () => div(z, mul(z, 2)), "div", "zeroOverZero", "keep the divisor away from 0"],
    ["x / 0", () => div(y, z), "div", "overZero", "double where"],
    ["0 x infinity", () => mul(z, constant(Number.POSITIVE_INFINITY)), "mul", "zeroTimesInfinity", "where(mask, x, 0)"],
    [
      "a row of -infinity in softmax",
      () => sum(softmax(where(tensor([false, false]), s, Number.NEGATIVE_INFINITY))),
      "sub",
      "infinityLessInfinity",
      "a whole row is -infinity",
    ],
    [
      "a matrix product of 0 and infinity",
      () => sum(matmul(tensor([[0, 1]]), add(s, constant([Number.POSITIVE_INFINITY, 0])))),
      "matmul",
      "zeroTimesInfinity",
      "0 x infinity is NaN",
    ],
    [
      "infinities of both signs in a sum",
      () => sum(mul(tensor([1, -1]), add(s, Number.POSITIVE_INFINITY))),
      "sum",
      "infinityLessInfinity",
      "scale the operands down",
    ],
    ["a power of a negative number", () => pow(x, 0.5), "pow", "powerOfNegative", "pow(abs(x), y)"],
    ["0 to a negative power", () => pow(z, -1), "pow", "zeroToNegative", "keep the divisor away"],
    ["asin beyond 1", () => asin(y), "asin", "outsideDomain", "with clip"],
    ["overflow of a half", () => cast(mul(y, 1e5), "f16"), "cast", "overflow", "compute in a wider dtype"],
    ["overflow of a product", () => mul(variable(1e200, "big"), 1e200), "mul", "overflow", "scale the operands down"],
    ["the mean of nothing", () => mean(mul(variable(new Float64Array(0), "none"), 2)), "mean", "zeroOverZero", ""],
    ["data that is NaN", () => add(variable([1, Number.NaN], "data"), 1), "variable", "given", "check the data"],
  ])("%s", (_, build, op, cause, advice) => {
    const found = firstBad(build(), { wrt: {} })!;
    expect([found.op, found.cause, found.pass]).toEqual([op, cause, "forward"]);
    expect(found.advice ?? "").toContain(advice);
    expect(found.path[0]!.operands.length).toBe(0);
    expect(found.path[found.path.length - 1]).toBe(found.node);
    expect(found.text()).toContain(found.reason);
  });

  test.each<[string, () => Value, string, string, string]>([
    ["sqrt'(0)", () => sqrt(square(z)), "sqrt", "slopeOfRoot", "sqrt(add(x, 1e-12))"],
    ["a norm by hand", () => sqrt(sum(square(variable([0, 0], "v")))), "sqrt", "slopeOfRoot", "write norm(x)"],
    ["0 x infinity through where", () => where(expr`${z} > 0`, log(z), z), "log", "zeroTimesInfiniteSlope", "use the double where"],
    ["a root behind where", () => where(expr`${z} > 0`, sqrt(z), z), "sqrt", "zeroTimesInfiniteSlope", "use the double where"],
  ])("in the backward pass: %s", (_, build, op, cause, advice) => {
    const f = build();
    expect(firstBad(f, { wrt: {} })).toBeNull();
    const found = firstBad(f)!;
    expect([found.op, found.cause, found.pass]).toEqual([op, cause, "backward"]);
    expect(found.advice).toContain(advice);
    expect(found.facts[found.facts.length - 1]!.name).toBe("upstream gradient");
    expect(found.path[0]).toBe(f.node);
  });

  test("an overflow that only the gradient shows is told as the overflow it is", () => {
    const f = div(1, add(1, exp(mul(y, 200))));
    expect(firstBad(f, { wrt: {} })).toBeNull();
    expect(firstBad(f)).toMatchObject({
      op: "exp",
      cause: "overflow",
      pass: "forward",
      advice: expect.stringContaining("write sigmoid(x)"),
    });
  });

  test("what is written so that nothing bad comes of it is no alarm", () => {
    const healthy = [
      sum(softmax(where(tensor([true, false]), s, Number.NEGATIVE_INFINITY))),
      where(expr`${z} > 0`, log(where(expr`${z} > 0`, z, 1)), z),
      norm(variable([0, 0], "v")),
      logSumExp(s),
      sigmoid(mul(y, 200)),
      exp(constant(Number.NEGATIVE_INFINITY)),
    ];
    for (const f of healthy) expect(firstBad(f)).toBeNull();
    const masked = where(expr`${x} > 0`, log(x), y);
    expect(firstBad(masked)).toBeNull();
    expect(firstBad(masked, { anywhere: true })).toMatchObject({ op: "log", cause: "logOfNegative" });
    expect(firstBad({})).toBeNull();
    expect(firstBad([x, { y }])).toBeNull();
  });
});

describe("what PyTorch's anomaly mode misses (pytorch#160016):", () => {
  test("a NaN loss passes silently there when no backward rule makes a NaN; here the value that made it is named", () => {
    const w = variable([1, 2], "w");
    const loss = mul(add(sum(w), log(sub(x, 1))), 0);
    expect(firstBad(loss)).toMatchObject({ op: "log", cause: "logOfNegative", pass: "forward" });
  });

  test("infinities are found too, not NaN alone", () => {
    expect(firstBad(div(1, sub(y, 5)))).toMatchObject({ op: "div", cause: "overZero" });
  });

  test("the root op is named, and not one behind it through which the NaN only passed", () => {
    const w = variable([0, 3], "w");
    const hidden = sqrt(square(w));
    let h: Value = hidden;
    for (let i = 0; i < 5; i++) h = add(mul(sin(h), 2), 1);
    const found = trace(() => firstBad(sum(h)))!;
    expect(found.node).toBe(hidden.node);
    expect(found.text()).toContain("the derivative of sqrt");
  });
});

describe("a step of a compiled program is replayed by calling its graph on the facts:", () => {
  const params = { w: tensor(new Float32Array(3)) };
  const batch = { x: tensor(new Float32Array([1, -2, 3])) };

  test("a loss that is not finite", async () => {
    const step = graph({ params, x: f32(3) }, ({ params, x }) => {
      const { value, grad } = valueAndGrad((p: { w: Value }) => mean(log(relu(mul(p.w, x)))))(params);
      return { loss: value, params: { w: sub(params.w, mul(0.1, grad.w)) } };
    });
    const program = await compile(step, reference(), { state: { params }, guard: ["loss"] });
    expect(() => program.run(batch)).toThrow("loss is -Infinity at run 1");
    const facts = variables({ ...program.state.read(), ...batch });
    const replay = step(facts);
    expect(firstBad(replay)).toMatchObject({ op: "log", cause: "logOfZero", pass: "forward" });
    expect(firstBad(replay)!.pathNames[0]).toBe("params.w");
    expect(whyZero(replay.loss, facts.params.w)).toMatchObject({ cause: "reluOff", share: 1 });
  });

  test("a gradient that is not finite is told of the forward gate whose rule made it", () => {
    const step = graph({ params, x: f32(3) }, ({ params, x }) => {
      const { value, grad } = valueAndGrad((p: { w: Value }) => sqrt(sum(square(mul(p.w, x)))))(params);
      return { loss: value, params: { w: sub(params.w, mul(0.1, grad.w)) } };
    });
    const found = firstBad(step(variables({ params, ...batch })))!;
    expect(found).toMatchObject({ op: "sqrt", cause: "slopeOfRoot", pass: "backward" });
    expect(found.advice).toContain("write norm(x)");
  });

  test("loops and choices are looked into, at the first round that goes wrong", () => {
    const xs = variable([3, 1, -2, -5], "xs");
    const { out } = scan((c: Value, xi: Value) => ({ carry: add(c, xi), out: log(xi) }), constant(0), xs);
    const found = firstBad(sum(out))!;
    expect(found).toMatchObject({ op: "log", cause: "logOfNegative" });
    expect(found.headline).toContain("inside of scan, round 2: ");
    const back = scan((c: Value, xi: Value) => ({ carry: div(c, add(xi, 2)), out: c }), y, xs, { reverse: true });
    expect(firstBad(back.carry)!.headline).toContain("inside of scan, round 1: ");
    expect(
      firstBad(
        cond(
          greater(y, 0),
          () => log(x),
          () => y,
        ),
      ),
    ).toMatchObject({ op: "log", headline: expect.stringContaining("inside of cond: ") });
    const grown = whileLoop(
      (c: Value) => less(c, 1e300),
      (c: Value) => exp(mul(c, c)),
      y,
    );
    expect(firstBad(grown)).toMatchObject({
      op: "exp",
      cause: "overflow",
      headline: expect.stringContaining("inside of whileLoop, round 1: "),
    });
  });

  test("a graph that is called as one gate is looked into", () => {
    const g = graph({ a: f64() }, ({ a }) => ({ o: add(log(a), 1) }));
    expect(firstBad(mul(call(g, { a: x }).o, 3))).toMatchObject({ op: "log", cause: "logOfNegative" });
  });
});

describe("corners:", () => {
  test("a chain of 20,000 gates is no recursion", () => {
    let h: Value = y;
    for (let i = 0; i < 20_000; i++) h = i === 10_000 ? log(sub(h, h)) : i % 2 ? mul(h, 1.0001) : sin(h);
    expect(firstBad(h)).toMatchObject({ op: "log", cause: "logOfZero" });
  });

  test("Korean, Markdown, LaTeX and JSON", () => {
    const found = firstBad(expr`log(${x}) + ${y}`, { language: "ko" })!;
    expect(found.text()).toContain("음수의 로그: x = -2");
    expect(found.markdown()).toContain("```text");
    expect(found.latex()).toContain("\\begin{description}");
    expect(JSON.parse(JSON.stringify(found))).toMatchObject({ pass: "forward", gates: [{ cause: "logOfNegative", source: "log(${…})" }] });
  });

  test.each<[string, () => unknown, string]>([
    [
      "no Value in wrt",
      () => firstBad(x, { wrt: { x: 3 as unknown as Value } }),
      "firstBad: wrt names x, which is no Value; give the variables themselves: { x: x }",
    ],
    [
      "an integer in wrt",
      () => firstBad(x, { wrt: { i: variable(new Int32Array(1), "i") } }),
      "firstBad: i is i32[1]; integers and truth values have no gradient",
    ],
    ["a language", () => firstBad(x, { language: "fr" as "en" }), 'firstBad: language "fr" is not there'],
  ])("%s is a lesson", (_, run, message) => {
    expect(run).toThrow(message);
  });
});
