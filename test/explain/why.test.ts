import { describe, expect, test } from "vitest";
import {
  add,
  argMax,
  cast,
  clip,
  concat,
  constant,
  customGradient,
  detach,
  exp,
  expr,
  type Finding,
  f64,
  gather,
  graph,
  greater,
  input,
  matmul,
  max,
  maximum,
  mul,
  named,
  neg,
  relu,
  round,
  sigmoid,
  sin,
  slice,
  softmax,
  square,
  stack,
  stopGradient,
  sub,
  sum,
  tanh,
  tensor,
  trace,
  type Value,
  variable,
  where,
  why,
  whyZero,
} from "../../src/index.ts";

const x = variable(-2, "x");
const y = variable(5, "y");
const v = variable([1, -2, 3], "v");

function zero(f: Value, of: Value, element?: number): Finding {
  const finding = whyZero(f, of, element === undefined ? {} : { element });
  expect(finding).not.toBeNull();
  return finding!;
}

describe("whyZero names the gate, its operand, the share and the path:", () => {
  test.each<[string, () => Value, Value, Partial<Finding>, string]>([
    ["a relu that is off", () => mul(relu(x), y), x, { cause: "reluOff", op: "relu", operand: "x", upstream: 5 }, "f <- relu <- x"],
    ["a max that lost", () => max(stack([x, y])), x, { cause: "lost", op: "max" }, "f <- concat <- reshape <- x"],
    ["a maximum that lost", () => maximum(y, x), x, { cause: "lost", op: "maximum", operand: "y" }, "f <- x"],
    [
      "a clip that is left",
      () => sum(clip(mul(v, 100), { min: -1, max: 1 })),
      v,
      { cause: "clipped", upstream: 3 },
      "f <- clip <- mul <- v",
    ],
    ["a branch not taken", () => where(greater(y, 0), y, mul(x, x)), x, { cause: "branchNotTaken", operand: "y" }, "f <- mul <- x"],
    ["stopGradient", () => mul(y, stopGradient(sin(x))), x, { cause: "stopped", upstream: 5 }, "f <- stop <- sin <- x"],
    [
      "an index never gathered",
      () => sum(gather(stack([x, y, y]), tensor(new Int32Array([1, 2])))),
      x,
      { cause: "neverRead", op: "gather" },
      "f <- gather <- concat <- reshape <- x",
    ],
    [
      "a slice that leaves it out",
      () => sum(slice(concat([v, tensor([1])]), { start: 3 })),
      v,
      { cause: "neverRead", op: "slice" },
      "f <- slice <- concat <- v",
    ],
    ["a saturated sigmoid", () => sigmoid(mul(x, -500)), x, { cause: "saturated", op: "sigmoid" }, "f <- mul <- x"],
    ["a saturated tanh", () => tanh(mul(x, -500)), x, { cause: "saturated", op: "tanh" }, "f <- mul <- x"],
    [
      "an integer cast",
      () => mul(cast(cast(mul(x, 3), "i32"), "f64"), y),
      x,
      { cause: "integer", op: "cast", upstream: 5 },
      "f <- cast <- cast <- mul <- x",
    ],
    [
      "a comparison",
      () => sum(cast(greater(v, 0), "f64")),
      v,
      { cause: "compared", op: "greater", upstream: 3 },
      "f <- cast <- greater <- v",
    ],
    ["an argMax", () => cast(argMax(v), "f64"), v, { cause: "integer", op: "argMax" }, "f <- argMax <- v"],
    ["rounding", () => mul(round(x), y), x, { cause: "rounded", op: "round" }, "f <- round <- x"],
    ["a zero factor", () => mul(x, sub(y, y)), x, { cause: "zeroFactor", op: "mul", operand: "x" }, "f <- x"],
    [
      "a zero matrix",
      () => sum(matmul(tensor([[0, 0, 0]]), v)),
      v,
      { cause: "zeroFactor", op: "matmul", operand: "b" },
      "f <- matmul <- v",
    ],
    ["branches that cancel", () => sub(mul(x, y), mul(y, x)), x, { cause: "cancels", upstream: 10 }, "f <- mul <- x"],
    ["a sum over broadcasting that cancels", () => sum(mul(tensor([1, -1]), x)), x, { cause: "cancels", op: "mul" }, "f <- mul <- x"],
    [
      "a matrix product that cancels",
      () =>
        sum(
          mul(
            matmul(
              tensor([
                [1, 1, 1],
                [1, 1, 1],
              ]),
              v,
            ),
            tensor([1, -1]),
          ),
        ),
      v,
      { cause: "cancels", op: "matmul" },
      "f <- mul <- matmul <- v",
    ],
    ["a flat place", () => square(mul(x, 0)), x, { cause: "flat", op: "square" }, "f <- mul <- x"],
    [
      "a rule that sends nothing",
      () =>
        customGradient(
          ({ x }: { x: Value }) => square(x),
          () => ({ x: null }),
        )({ x }),
      x,
      { cause: "ruleSendsNothing", op: "customGradient" },
      "f <- x",
    ],
    ["an underflow", () => mul(mul(mul(x, 1e-200), 1e-200), 1), x, { cause: "underflow" }, "f <- mul <- mul <- x"],
  ])("%s", (_, build, of, wanted, way) => {
    const found = zero(build(), of);
    expect(found).toMatchObject({ trouble: "zero", share: 1, ...wanted });
    expect(found.path.map((n, i) => (i === 0 ? "f" : (n.label ?? n.op.name))).join(" <- ")).toBe(way);
    expect(found.text()).toContain("100 %");
    expect(found.path).toContain(found.node);
  });

  test("all gates of a cut are told, the largest first, and what stopped a part on the way", () => {
    const found = zero(sum(mul(relu(v), relu(neg(v)))), v);
    expect(found.gates.map((g) => [g.op, g.cause, g.upstream, g.share])).toEqual([
      ["relu", "reluOff", 4, 1],
      ["relu", "reluOff", 2, 1],
      ["mul", "zeroFactor", 3, expect.closeTo(1 / 3, 12)],
    ]);
  });

  test("one element may be asked about", () => {
    const f = sum(gather(v, tensor(new Int32Array([1, 2]))));
    expect(whyZero(f, v)).toBeNull();
    const found = zero(f, v, 0);
    expect([found.cause, found.op]).toEqual(["neverRead", "gather"]);
    expect(found.facts[0]!.value).toBe("[0]: 1");
    expect(zero(sum(relu(v)), v, 1).cause).toBe("reluOff");
    expect(whyZero(sum(relu(v)), v, { element: [0] })).toBeNull();
  });

  test("a gradient that is there is null, and softmax's own stopGradient is no fault", () => {
    expect(whyZero(mul(x, y), x)).toBeNull();
    expect(whyZero(sum(mul(softmax(v), v)), v)).toBeNull();
  });

  test("the sum of softmax is constant: its branches cancel", () => {
    expect(zero(sum(softmax(v)), v)).toMatchObject({ cause: "cancels", op: "exp" });
  });
});

describe("why", () => {
  test("an unconnected value is missing, and a twin of its name is pointed at", () => {
    const found = why(mul(variable(1, "x"), y), x);
    expect(found).toMatchObject({ trouble: "missing", cause: "unconnected" });
    expect(found.text()).toContain("another value called x is in the graph");
    expect(whyZero(sum(mul(detach(v), v)), variable([1], "u"))!.text()).toContain("build the loss from this u");
  });

  test("a tiny gradient names the gate that shrank it, or says that many did", () => {
    expect(why(mul(sigmoid(mul(x, 10)), y), x)).toMatchObject({ trouble: "tiny", cause: "saturated", op: "sigmoid" });
    let h: Value = x;
    for (let i = 0; i < 60; i++) h = mul(0.5, tanh(h));
    const found = why(h, x);
    expect(found).toMatchObject({ trouble: "tiny", cause: "manyShrink" });
    expect(found.text()).toMatch(/no gate alone: \d+ gates on the path scale the gradient by 0\.\d+ each/);
    expect(why(mul(x, 1e-3), x, { tiny: 1e-2 }).trouble).toBe("tiny");
  });

  test("a huge gradient names the gate that blew it", () => {
    expect(why(mul(exp(mul(y, 10)), 2), y)).toMatchObject({ trouble: "huge", cause: "grows", op: "exp" });
    expect(why(mul(x, 100), x, { huge: 10 }).trouble).toBe("huge");
  });

  test("a NaN gradient names the rule that made it, or the forward value behind it", () => {
    const z = variable(0, "z");
    expect(why(expr`where(${z} > 0, log(${z}), ${z})`, z)).toMatchObject({
      trouble: "notFinite",
      cause: "zeroTimesInfiniteSlope",
      op: "log",
      pass: "backward",
    });
    expect(why(expr`log(${x}) * 2`, x)).toMatchObject({ trouble: "notFinite", cause: "logOfNegative", op: "log", pass: "forward" });
  });

  test("an ordinary gradient is called that, x itself too", () => {
    expect(why(mul(x, y), x).text()).toContain("df/dx is ordinary: its largest element is 5");
    expect(why(x, x).text()).toContain("every gate between x and x passes the gradient on");
  });

  test("the span of a formula stands under the gate, the line of code inside trace, else how to get one", () => {
    expect(zero(expr`3 * relu(${x})`, x).text()).toContain("  3 * relu(${…})\n             ^^^^^^^^^^");
    const traced = zero(
      trace(() => mul(3, relu(x))),
      x,
    ).text();
    expect(traced).toMatch(/at .*why\.test\.ts:\d+:\d+\n/);
    expect(zero(mul(3, relu(x)), x).text()).toContain(
      "no source line is known: build it inside trace(() => ...), or set CHAINRULE_TRACE=1",
    );
  });

  test("both languages, Markdown, LaTeX and JSON; names with markup are escaped", () => {
    const evil = variable(-1, "<script>|$_%{}");
    const found = why(mul(relu(evil), y), evil, { language: "ko" });
    expect(found.text()).toContain("relu가 꺼져 있습니다");
    expect(found.markdown()).not.toContain("<script>");
    expect(found.latex()).not.toContain("<script>");
    expect(found.latex()).toContain("\\textless{}script\\textgreater{}|\\$\\_\\%\\{\\}");
    expect(JSON.parse(JSON.stringify(found))).toMatchObject({
      trouble: "zero",
      gates: [{ cause: "reluOff", share: 1 }],
      path: ["f", "q1", "<script>|$_%{}"],
    });
  });

  test("values on the way, several results and calls are gone through", () => {
    const q = named(mul(x, 3), "q");
    expect(zero(relu(q), q).path.map((n) => n.label ?? n.op.name)).toEqual(["relu", "q"]);
    expect(whyZero(relu(q), y)!.trouble).toBe("missing");
  });

  test.each<[string, () => unknown, string]>([
    ["a tensor", () => why(mul(v, 2), v), "why: mul is f64[3]; a gradient starts at a scalar: take sum or mean first"],
    [
      "an integer",
      () => whyZero(x, variable(new Int32Array([1]), "i")),
      "whyZero: i is i32[1]; integers and truth values have no gradient",
    ],
    ["no Value", () => why(3 as unknown as Value, x), "why: the loss is no Value; write why(loss, x) with the Values themselves"],
    ["an element out of range", () => why(sum(v), v, { element: 3 }), "why: element is 3, and v is f64[3], with 3 elements"],
    ["an input", () => why(mul(x, input(f64(), "i")), x), "depends on input i, which has no value"],
    ["a language", () => why(x, x, { language: "fr" as "en" }), 'why: language "fr" is not there'],
    [
      "a forgotten history",
      () => {
        const f = sin(constant(2));
        whyZero(mul(f, x), x);
        return why(f, x);
      },
      "why: sin depends on no variable, so how it was made is forgotten",
    ],
  ])("%s is a lesson", (_, run, message) => {
    expect(run).toThrow(message);
  });

  test("a graph that is called on facts can be asked like any other", () => {
    const g = graph({ w: f64(2) }, ({ w }) => ({ loss: sum(relu(mul(w, -1))) }));
    const w = variable([1, 2], "w");
    expect(zero(g({ w }).loss, w)).toMatchObject({ cause: "reluOff", op: "relu" });
    expect(zero(add(g({ w }).loss, 0), w).share).toBe(1);
  });
});
