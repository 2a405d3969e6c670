// What people write in JavaScript, where no type checker says that it is wrong: each is a lesson, none a result of something else.
import { inspect } from "node:util";
import { expect, test } from "vitest";
import * as chainrule from "../../src/index.ts";
import { ChainruleError, f64, graph, random, reference, tensor, variable } from "../../src/index.ts";
import { wasm } from "../../src/wasm.ts";

// biome-ignore lint/suspicious/noExplicitAny: plain JavaScript is what is tested
const js = chainrule as any;
const x = variable([[1, 2, 3], [4, 5, 6]], "x"); // biome-ignore format: a matrix
const square = graph({ a: f64() }, ({ a }) => ({ y: js.mul(a, a) }));

test.each<readonly [string, () => unknown, string]>([
  ["PyTorch's dim", () => js.sum(x, { dim: 0 }), "sum: dim is no attribute; there are axis, keepDims; operands come first, in order"],
  ["a misspelt attribute", () => js.softmax(x, { axes: 0 }), "softmax: axes is no attribute; there are axis"],
  ["an attribute of a gate that has none", () => js.relu(x, { slope: 0.1 }), "relu: slope is no attribute; there are none"],
  ["an axis by place", () => js.softmax(x, 0), "softmax: the last argument is a number; attributes are one record"],
  ["an axis by place, of a function of ops", () => js.squeeze(x, 0), "squeeze: the last argument is a number; attributes are one record"],
  ["no attributes where one is needed", () => js.unsqueeze(x), "unsqueeze: the last argument is missing; attributes are one record"],
  ["null for attributes", () => js.gelu(x, null), "gelu: the last argument is null; attributes are one record"],
  ["an axis that is a text", () => js.sum(x, { axis: "rows" }), "sum: axis rows is out of range for rank 2"],
  [
    "an attribute of a loss",
    () => js.softmaxCrossEntropy(x, tensor([0, 1], "i32"), { smoothing: 0.1 }),
    "softmaxCrossEntropy: smoothing is no attribute; there are labelSmoothing, weights, ignoreIndex, axis, reduction",
  ],
  [
    "an attribute of a normalisation",
    () => js.layerNormalization(x, { eps: 1e-6 }),
    "layerNormalization: eps is no attribute; there are axis, epsilon",
  ],
  ["an attribute of a triplet loss", () => js.tripletMargin(x, x, x, { p: 1 }), "tripletMargin: p is no attribute"],
  ["sizes for a type", () => js.ones([2, 3]), "ones: a type is wanted and this is a list; write f64(2, 3)"],
  ["a size for a type", () => js.zeros(3), "zeros: a type is wanted and this is number"],
  ["no type", () => js.full(undefined, 1), "full: a type is wanted and this is undefined"],
  ["sizes of what is drawn", () => js.random.normal(random.key(1), [3]), "random.normal: a type is wanted and this is a list"],
  ["nothing to draw", () => js.random.uniform(random.key(1)), "random.uniform: a type is wanted and this is undefined"],
  ["NumPy's name of a dtype", () => js.tensor([1, 2], "float32"), "tensor: float32 is no dtype; write one of f64, f32"],
  ["a record for a type", () => js.tensor([1, 2], { dtype: "f32" }), "tensor: a type is wanted and this is object"],
  ["a gradient of nothing", () => js.gradients(js.sum(x)), "gradients: name the Values: { dx: x }"],
  ["a gradient of one Value", () => js.gradients(js.sum(x), x), "gradients: name the Values"],
  ["to read nothing", () => js.read(), "read: give a Value or a Tensor"],
  ["to read a text", () => js.read("x"), "read: give a Value or a Tensor"],
  ["a formula in brackets", () => js.expr("x * 2"), "expr: it is a tag, written without parentheses"],
  ["a function where a graph is wanted", () => js.compile((a: unknown) => a, reference()), "compile: the first argument is no graph"],
  ["a Value where a graph is wanted", () => js.compile(js.sum(x), reference()), "compile: the first argument is no graph"],
  ["no function of a graph", () => js.graph({ x: js.f64() }), "graph: the second argument is no function; write graph(types, "],
  ["a function that returns nothing", () => js.graph({ x: js.f64() }, () => undefined), "graph: the function returns nothing"],
  [
    "an option of compile that is none",
    () => js.compile(square, reference(), { stat: {} }),
    "compile: there is no option stat; there are state, guard, signal",
  ],
  ["an option of wasm that is none", () => wasm({ thread: 2 } as never), "wasm: there is no option thread; there are threads, worker"],
  ["no engine", () => js.compile(square), "compile: the second argument is no engine; write wasm() or reference()"],
  ["an engine that nobody made", () => js.compile(square, reference), "compile: the second argument is no engine"],
  [
    "JAX's argnums",
    () => js.grad((a: unknown) => a, { argnums: 1 })(x),
    "grad: argnums is no option; there are wrt, mode; what f takes comes in a second call: grad(f)(x)",
  ],
  [
    "a point beside the function",
    () => js.grad((a: unknown) => a, { x: 1, y: 2 }),
    "grad: x is no option; there are wrt, mode; what f takes",
  ],
  [
    "a number beside the function",
    () => js.valueAndGrad((a: unknown) => a, 3),
    "valueAndGrad: a value is no option; there are wrt, mode; what f takes",
  ],
  [
    "a tensor beside the function",
    () => js.jacobian((a: unknown) => a, x),
    "jacobian: a value is no option; there are mode; what f takes comes in a second call: jacobian(f)(x)",
  ],
  ["an option of grad", () => js.jacobian((a: unknown) => a, { wrt: ["a"] }), "jacobian: wrt is no option; there are mode; what f takes"],
  ["a gradient of a Value", () => js.grad(js.sum(x))(1), "grad: the first argument is no function; write grad((x) => ...)(x)"],
  ["tensors side by side instead of in a list", () => js.stack(x, x), "stack: xs is a list of operands: stack([a, b])"],
  ["a product with a star", () => (x as never) * 2, "x is no number; write mul(x, y), greater(x, 0), read(x)"],
  ["a sum with a plus", () => js.mul(x, 2) + 1, "mul is no number"],
  ["a comparison", () => js.mul(x, 2) > 0, "mul is no number"],
  ["no engine for jit", () => js.jit((a: unknown) => a), "jit: the second argument is the engine"],
])("%s", async (_, write, lesson) => {
  let told: unknown;
  try {
    await write();
  } catch (error) {
    told = error;
  }
  expect(told).toBeInstanceOf(ChainruleError);
  expect((told as Error).message).toContain(lesson);
});

test("attributes that are there are taken as before, undefined ones too", () => {
  const rows = (v: unknown): unknown => js.toArray(v);
  expect(rows(js.sum(x, { axis: undefined }))).toBe(21);
  expect(rows(js.sum(x, { axis: 0, keepDims: true }))).toEqual([[5, 7, 9]]);
  expect(rows(js.slice(x, { axis: 1, start: 1, end: 3 }))).toEqual([[2, 3], [5, 6]]); // biome-ignore format: a matrix
  expect(js.split(x, { axis: 1, parts: 3 })).toHaveLength(3);
});

test("a value in a console and in a text is its name, its type and what is known of it", () => {
  const at = variable(-2, "x");
  expect(String(at)).toBe("Value x: f64[] = -2");
  expect(`${js.mul(at, 3)}`).toBe("Value mul: f64[] = -6");
  const rows = js.mul(x, 2);
  expect(String(rows)).toBe("Value mul: f64[2,3]");
  js.evaluate(rows);
  expect(inspect(rows)).toBe("Value mul: f64[2,3] = 2, 4, 6, 8, 10, 12");
  expect(inspect({ long: js.tensor(new Float64Array(9)), of: js.neg(variable(new Float64Array(9), "nine")) }, { depth: 0 })).toContain(
    "Value neg: f64[9]",
  );
  expect(String(js.slogDet(tensor([[2, 0], [0, 3]])).logAbsDet)).toBe("Value slogDet: f64[]"); // biome-ignore format: a matrix
});
