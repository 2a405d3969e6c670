// Bad input, one clear error each: the class, and the words that tell what to write instead.
import { expect, test } from "vitest";
import {
  add,
  at,
  bool,
  call,
  cast,
  compile,
  concat,
  constant,
  conv,
  convTranspose,
  cross,
  customGradient,
  DomainError,
  DTypeError,
  detach,
  div,
  dot,
  draw,
  EngineError,
  einsum,
  evaluate,
  exp,
  expand,
  f32,
  f64,
  GradientError,
  GraphError,
  gather,
  grad,
  gradients,
  graph,
  InternalError,
  i32,
  jacobian,
  jvp,
  log,
  mapTree,
  matmul,
  max,
  maxPool,
  mul,
  op,
  read,
  reference,
  reshape,
  ShapeError,
  scatterAdd,
  slice,
  stack,
  stopGradient,
  sum,
  tensor,
  transpose,
  type Value,
  valueAndGrad,
  variable,
  variables,
  vjp,
} from "../src/index.ts";

const x = variable(tensor([1, 2, 3]), "x");
const m = variable(
  tensor([
    [1, 2, 3],
    [4, 5, 6],
  ]),
  "m",
);
const n = variable(tensor([1, 2], "i32"), "n");
const image = constant(new Float64Array(32)).type && reshape(new Float64Array(32), { shape: [1, 2, 4, 4] });
const kernel = reshape(new Float64Array(36), { shape: [2, 2, 3, 3] });
const cyclic: Record<string, unknown> = {};
cyclic["self"] = cyclic;
const bare = (f: unknown): never => f as never;

type Row = readonly [name: string, run: () => unknown, kind: abstract new (...args: never[]) => Error, message: string];
const rows: readonly Row[] = [
  // shapes and dtypes
  [
    "broadcasting",
    () => add(x, m.type.shape.length && variable([1, 2], "y")),
    ShapeError,
    "add: x is f64[3] and y is f64[2]; aligned at the right, sizes must be equal or 1",
  ],
  ["mixed dtypes", () => mul(x, new Float32Array(3)), DTypeError, 'mul: x is f64[3] and y is f32[3]; write cast(y, "f64")'],
  ["half beside integers", () => mul(n, 0.5), DTypeError, "0.5 beside i32: i32 cannot hold it"],
  ["exp of integers", () => exp(n), DTypeError, 'exp: x is i32[2] and exp takes floating-point numbers; write cast(x, "f32")'],
  [
    "adding truth values",
    () => add(tensor([true]), tensor([false])),
    DTypeError,
    "add: x is bool[1] and add takes numbers, not truth values",
  ],
  ["inner sizes", () => matmul(m, m), ShapeError, "matmul: a is f64[2,3] and b is f64[2,3]; the inner sizes 3 and 2 must match"],
  ["matmul of a scalar", () => matmul(2, m), ShapeError, "a matrix product takes vectors or matrices: write mul for a scalar factor"],
  [
    "batches",
    () => matmul(reshape(new Float64Array(12), { shape: [2, 2, 3] }), reshape(new Float64Array(9 * 3), { shape: [3, 3, 3] })),
    ShapeError,
    "the sizes before the last two must be equal or 1",
  ],
  ["matmul of bool", () => matmul(tensor([true]), tensor([true])), DTypeError, "matmul: a is bool[1] and matmul takes numbers"],
  [
    "dot",
    () => dot(x, n.type.shape.length && variable([1, 2])),
    ShapeError,
    "dot: a is f64[3] and b is f64[2]; both have a last axis of one size",
  ],
  ["cross", () => cross(x, variable([1, 2])), ShapeError, "cross: b is f64[2]; its last axis has size 3"],
  ["axis out of range", () => sum(x, { axis: 1 }), ShapeError, "sum: axis 1 is out of range for rank 1; axes are -1..0"],
  ["axis of a scalar", () => sum(1, { axis: 0 }), ShapeError, "sum: axis 0 of a scalar; a scalar has no axes, leave axis out"],
  ["axis twice", () => sum(m, { axis: [0, -2] }), ShapeError, "sum: axis 0 is named twice in [0,-2]; name each axis once"],
  [
    "reshape",
    () => reshape(x, { shape: [2, -1] }),
    ShapeError,
    "reshape: x is f64[3] with 3 elements and cannot take shape [2,-1]; the sizes must multiply to 3",
  ],
  [
    "expand",
    () => expand(x, { shape: [2] }),
    ShapeError,
    "expand: x is f64[3] and cannot be repeated to [2]; only axes of size 1 and new leading axes grow",
  ],
  ["transpose", () => transpose(m, { axes: [0, 0] }), ShapeError, "transpose: axes [0,0] do not name each of the 2 axes of f64[2,3] once"],
  ["slice of a scalar", () => slice(1), ShapeError, "slice: x is f64[], a scalar; it has no axis to slice"],
  ["slice by 0", () => slice(x, { step: 0 }), DomainError, "slice: step is 0; it is a whole number other than 0"],
  ["slice at 0.5", () => slice(x, { start: 0.5 }), DomainError, "slice: start is 0.5; it is a whole number"],
  ["at out of range", () => at(m, 2), DomainError, "at: index 2 on axis 0 is out of range for size 2; indices are -2..1"],
  ["concat of nothing", () => concat([]), ShapeError, "concat: the list is empty; give one tensor or more"],
  [
    "concat of shapes",
    () => concat([m, x]),
    ShapeError,
    "concat: xs[0] is f64[2,3] and xs[1] is f64[3]; all sizes but that of axis 0 must be equal",
  ],
  ["stack of nothing", () => stack([]), ShapeError, "stack: the list is empty; give one tensor or more"],
  ["stack of shapes", () => stack([x, m]), ShapeError, "stack: xs[0] is f64[3] and xs[1] is f64[2,3]; all must have one shape"],
  ["gather out of range", () => read(sum(gather(x, tensor([0, 3], "i32")))), DomainError, "3"],
  ["scatter out of range", () => read(sum(scatterAdd(x, tensor([9], "i32"), tensor([1])))), DomainError, "9"],
  ["max of nothing", () => max(new Float64Array(0)), Error, "of nothing is not defined"],
  [
    "integer division by zero",
    () => evaluate(div(n, tensor([1, 0], "i32"))),
    DomainError,
    "div: integer division of 2 by zero; integers have no infinity: cast to a float first, or guard with where",
  ],
  ["a negative size", () => f64(2, -1), ShapeError, "f64[2,-1]: a size is -1; sizes are whole numbers, 0 or more"],
  // convolutions
  [
    "conv channels",
    () => conv(image, reshape(new Float64Array(27), { shape: [1, 3, 3, 3] })),
    ShapeError,
    "conv: x is f64[1,2,4,4] and w is f64[1,3,3,3] with groups 1; w is [O, C / groups, ...kernel]",
  ],
  ["conv bias", () => conv(image, kernel, tensor([1])), ShapeError, "conv: bias is f64[1] and w has 2 output channels; bias is [2]"],
  [
    "conv too small",
    () => conv(image, kernel, { dilation: 2 }),
    ShapeError,
    "does not fit x, f64[1,2,4,4], padded by 0 and 0 on spatial axis 0; pad more or use a smaller kernel",
  ],
  ["conv of a matrix", () => conv(m, kernel), ShapeError, "with the same 1 to 3 spatial axes"],
  ["conv stride", () => conv(image, kernel, { stride: [1] }), ShapeError, "conv: stride has 1 numbers and there are 2 spatial axes"],
  ["conv stride 0", () => conv(image, kernel, { stride: 0 }), DomainError, "conv: stride is [0,0]; whole numbers of 1 or more are wanted"],
  [
    "conv padding",
    () => conv(image, kernel, { padding: bare("full") }),
    DomainError,
    'conv: padding is "full"; write "same", "valid", a number, one per axis, or pairs',
  ],
  [
    "conv padding -1",
    () => conv(image, kernel, { padding: -1 }),
    DomainError,
    "conv: padding has -1; whole numbers of 0 or more, or pairs of them",
  ],
  [
    "convTranspose channels",
    () => convTranspose(image, reshape(new Float64Array(27), { shape: [3, 1, 3, 3] })),
    ShapeError,
    "convTranspose: x is f64[1,2,4,4] and w is f64[3,1,3,3]; w is [C, O / groups, ...kernel] with x's C channels",
  ],
  [
    "convTranspose groups",
    () => convTranspose(image, reshape(new Float64Array(18), { shape: [2, 1, 3, 3] }), { groups: 3 }),
    ShapeError,
    "convTranspose: groups is 3 and x has 2 channels; the groups must divide the channels evenly",
  ],
  [
    "convTranspose same",
    () => convTranspose(image, kernel, { padding: "same" }),
    ShapeError,
    'convTranspose: padding "same" has no meaning here; give numbers',
  ],
  [
    "convTranspose output padding",
    () => convTranspose(image, kernel, { outputPadding: 1 }),
    ShapeError,
    "outputPadding 1 on spatial axis 0 is not smaller than stride 1 or dilation 1",
  ],
  [
    "convTranspose of nothing",
    () => convTranspose(image, kernel, { padding: 5 }),
    ShapeError,
    "convTranspose: padding 5 and 5 leaves nothing of spatial axis 0",
  ],
  [
    "pool window",
    () => maxPool(image, { size: 5 }),
    ShapeError,
    "maxPool: a window of 5 with dilation 1 does not fit x, f64[1,2,4,4], on spatial axis 0",
  ],
  [
    "pool padding",
    () => maxPool(image, { size: 2, padding: 2 }),
    ShapeError,
    "maxPool: padding 2 and 2 on spatial axis 0 gives the window, which reaches over 2, nothing but padding; pad by less than 2",
  ],
  // einsum
  ["einsum spec", () => einsum(bare(x), x), ShapeError, 'einsum: the first argument is the specification, such as "ij,jk->ik"'],
  ["einsum operands", () => einsum("ij,jk->ik", m), ShapeError, 'einsum "ij,jk->ik": 2 operands are described and 1 were given'],
  ["einsum rank", () => einsum("i->i", m), ShapeError, 'operand 0 is f64[2,3] with 2 axes, and "i" labels 1'],
  ["einsum label", () => einsum("i1->i", m), ShapeError, '"1" is no label; labels are single letters'],
  ["einsum sizes", () => einsum("ij,ij->i", m, transpose(m)), ShapeError, "label i stands for sizes 2 and 3"],
  ["einsum diagonal", () => einsum("ii->i", m), ShapeError, "label i stands for sizes 2 and 3 of one operand"],
  ["einsum result", () => einsum("ij->ijk", m), ShapeError, "the result has label k, which no operand has"],
  ["einsum result twice", () => einsum("ij->ii", m), ShapeError, "the result names a label twice"],
  [
    "einsum ellipsis",
    () => einsum("...j->j", m),
    ShapeError,
    'the operands have an ellipsis and the result has none; write "..." in the result',
  ],
  // operands and trees
  [
    "a list as operand",
    () => add(bare([1, 2]), 1),
    GraphError,
    "add: x is a list; a vector is tensor([1, 2]); operands are Values, Tensors, typed arrays and numbers",
  ],
  ["a missing operand", () => (add as (...a: unknown[]) => unknown)(1), GraphError, "add: y is missing"],
  [
    "one operand too many",
    () => (add as (...a: unknown[]) => unknown)(1, 2, {}, 3),
    GraphError,
    "add takes 2 operands and one attribute record; 4 arguments were given",
  ],
  [
    "attributes that are none",
    () => (sum as (...a: unknown[]) => unknown)(x, 0),
    GraphError,
    "sum: the last argument is a number; attributes are one record",
  ],
  ["a list for a variadic operand", () => concat(bare(x)), GraphError, "concat: xs is a list of operands: concat([a, b])"],
  [
    "a ragged list",
    () => tensor([[1, 2], [3]]),
    ShapeError,
    "tensor: row [1] has 1 elements and the first row has 2; all rows must have one length",
  ],
  ["a list among numbers", () => tensor([1, [2]]), ShapeError, "tensor: element [1] is a list of 1, others there are numbers"],
  ["a number among lists", () => tensor([[1], 2]), ShapeError, "tensor: element [1] is number, others there are lists"],
  ["elements and type", () => tensor(new Float64Array(3), f64(2)), ShapeError, "tensor: 3 elements do not fill f64[2], which has 2"],
  [
    "shape and type",
    () =>
      tensor(
        [
          [1, 2],
          [3, 4],
        ],
        f64(4),
      ),
    ShapeError,
    "tensor: the data is [2,2] and the type is f64[4]; they must have one shape",
  ],
  [
    "a dtype by another library's name",
    () => tensor([1], "float32" as never),
    DTypeError,
    "tensor: float32 is no dtype; write one of f64, f32",
  ],
  ["integers that do not fit", () => tensor([300], "u8"), DTypeError, "tensor: element 0 is 300, which u8 cannot hold; use another dtype"],
  [
    "64-bit integers beyond 2^53",
    () => tensor(new BigInt64Array([2n ** 60n])),
    DTypeError,
    "64-bit integers are whole numbers, exact up to 2^53 here",
  ],
  [
    "a list inside itself",
    () => {
      const list: unknown[] = [];
      list.push(list);
      return tensor(list as never);
    },
    ShapeError,
    "tensor: lists are nested deeper than 64; is one inside itself?",
  ],
  ["a tree inside itself", () => evaluate(cyclic), GraphError, "is it inside itself?"],
  [
    "a tree of strings",
    () => evaluate({ a: "b" }),
    GraphError,
    "a is string; trees are records and lists of Values, Tensors, types, typed arrays and numbers",
  ],
  ["a Value as data", () => variable(x, "y"), GraphError, "variable: a Value is not data; pass evaluate(value), or use the Value as it is"],
  ["types have no value: evaluate", () => evaluate({ a: f64(2) }), GraphError, "evaluate: a is a type and has no value"],
  ["types have no value: detach", () => detach({ a: f64(2) }), GraphError, "detach: a is a type and has no value"],
  ["types have no value: mapTree", () => mapTree({ a: f64(2) }, (v) => v), GraphError, "mapTree: a is a type and has no value"],
  [
    "types have no value: variables",
    () => variables({ a: f64(2) }),
    GraphError,
    "variables: a is a type and has no value; give a Tensor or a number",
  ],
  ["types have no value: stopGradient", () => stopGradient({ a: f64(2) }), GraphError, "stopGradient: a is a type"],
  [
    "types have no value: grad",
    () => grad((v: Value) => v)(bare(f64())),
    GraphError,
    "grad: the argument is a type; transforms take Values, Tensors, typed arrays and numbers",
  ],
  // reading
  ["reading a vector", () => read(x), EngineError, "read: x is f64[3]; use evaluate(v).data"],
  [
    "reading an input",
    () => graph({ a: f64() }, ({ a }) => mul(1, read(a))),
    GraphError,
    "read: a depends on input a, which has no value while a graph is built; use where, cond or whileLoop",
  ],
  // graphs
  ["a type as output", () => graph({ a: f64() }, () => ({ b: f64() })), GraphError, "graph: output b is a type; outputs are Values"],
  [
    "a missing input",
    () => graph({ a: f64(), b: f64() }, ({ a, b }) => add(a, b))(bare({ a: 1 })),
    GraphError,
    "graph: missing b; wanted a, b",
  ],
  ["an unknown input", () => graph({ a: f64() }, ({ a }) => a)(bare({ a: 1, c: 2 })), GraphError, "graph: unknown c; wanted a"],
  ["an input of another shape", () => graph({ a: f64(2) }, ({ a }) => a)({ a: tensor([1]) }), ShapeError, "a is f64[2]; f64[1] was given"],
  [
    "an input of another dtype",
    () => graph({ a: f64(2) }, ({ a }) => a)({ a: new Float32Array(2) }),
    DTypeError,
    "a is f64[2]; the typed array given is f32",
  ],
  [
    "a Tensor of another dtype",
    () => graph({ a: f64(2) }, ({ a }) => a)({ a: tensor([1, 2], "f32") }),
    DTypeError,
    'a is f64[2]; f32[2] was given; write cast(..., "f64")',
  ],
  [
    "a type for an input",
    () => graph({ a: f64() }, ({ a }) => a)(bare({ a: f64() })),
    GraphError,
    "graph: a is a type; calling a graph takes Values, Tensors, typed arrays and numbers",
  ],
  [
    "call with a type",
    () =>
      call(
        graph({ a: f64() }, ({ a }) => a),
        bare({ a: f64() }),
      ),
    GraphError,
    "call: a is a type",
  ],
  ["draw of nothing", () => draw(bare(3)), GraphError, "draw: give a Value or a Graph"],
  // derivatives
  [
    "grad of a vector",
    () => grad((v: Value) => v)(x),
    GradientError,
    "grad: the function returned f64[3]; a gradient is of a scalar: take sum or mean, or use jacobian or vjp",
  ],
  [
    "grad of an integer result",
    () => grad(bare((_: Value) => sum(n)))(bare(1)),
    GradientError,
    "grad: the function returned i32[]; only floating-point values have gradients",
  ],
  [
    "grad with respect to integers",
    () => grad(bare((p: { w: Value; ids: Value }) => sum(p.w)))(bare({ w: x, ids: n })),
    GradientError,
    "grad: ids is i32[2]; integers have no gradient: grad(f, { wrt: [...] })",
  ],
  [
    "grad with respect to truth values",
    () => grad((v: Value) => cast(v, "f64"))(tensor(true, bool())),
    GradientError,
    "grad: the argument is bool[]; truth values have no gradient: grad(f, { wrt: [...] })",
  ],
  [
    "wrt a name that is not there",
    () =>
      grad(
        bare((p: { w: Value }) => sum(p.w)),
        bare({ wrt: ["v"] }),
      )(bare({ w: x })),
    GradientError,
    "grad: wrt names v, and the first argument has w",
  ],
  [
    "an asynchronous function",
    () => grad(bare(async (v: Value) => v))(bare(1)),
    GradientError,
    "a transform's function must be synchronous (await before, and pass the data in)",
  ],
  [
    "a record without loss",
    () => valueAndGrad(bare((v: Value) => ({ value: v })))(bare(1)),
    GradientError,
    'the function returned a record without a Value "loss"; return a scalar, or { loss, ... }',
  ],
  ["a type as result", () => grad(bare(() => f64()))(bare(1)), GradientError, "grad: the function returned a type"],
  [
    "gradients of a constant",
    () => gradients(x.type.shape.length ? sum(x) : x, { dc: constant(1) }),
    GradientError,
    "gradients: dc is a constant; make it variable(…) to ask for its gradient",
  ],
  [
    "gradients of integers",
    () => gradients(sum(x), { dn: n }),
    GradientError,
    "gradients: n is i32[2]; integers and truth values have no gradient",
  ],
  ["gradients of what is no Value", () => gradients(sum(x), bare({ d: "x" })), GradientError, "gradients: d is no Value"],
  [
    "jacobian of nothing",
    () => jacobian(bare(() => undefined))(bare(1)),
    GradientError,
    "jacobian: the function returned no Value; it returns a Value of any shape, or a tree of them",
  ],
  [
    "jacobian of integers",
    () => jacobian(bare(() => n))(bare(1)),
    GradientError,
    "jacobian: the function returned i32[2]; only floating-point values have derivatives",
  ],
  [
    "jacobian of integers in a tree",
    () => jacobian(bare(() => ({ count: n })))(bare(1)),
    GradientError,
    "jacobian: the function returned i32[2] as count; only floating-point values have derivatives",
  ],
  [
    "a direction of another tree",
    () => jvp((p: { a: Value }) => p.a)({ a: 1 }, bare({ b: 1 })),
    GraphError,
    "jvp: the direction: missing a; unknown b; wanted a",
  ],
  [
    "a direction of another dtype",
    () => jvp((v: Value) => v)(x, new Float32Array(3)),
    GradientError,
    "jvp: x is f64[3] and its direction is f32[3]; they must have one dtype",
  ],
  [
    "a direction of another shape",
    () => jvp((v: Value) => v)(x, tensor([1, 2])),
    ShapeError,
    "expand: x is f64[2] and cannot be repeated to [3]",
  ],
  [
    "a cotangent of another tree",
    () => vjp((v: Value) => ({ out: v }))(x).pull(bare({ y: 1 })),
    GraphError,
    "pull: missing out; unknown y; wanted out",
  ],
  [
    "a custom rule that forgets an input",
    () =>
      read(
        grad((v: Value) =>
          customGradient(
            ({ a, b }: { a: Value; b: Value }) => mul(a, b),
            bare(({ ct }: { ct: Value }) => ({ a: ct })),
          )({ a: v, b: 2 }),
        )(1),
      ),
    GradientError,
    'customGradient: the rule says nothing of b; return an entry for it, or null for "no gradient"',
  ],
  [
    "a custom rule of another shape",
    () =>
      read(
        sum(
          grad((v: Value) =>
            sum(
              customGradient(
                ({ a }: { a: Value }) => mul(a, 1),
                () => ({ a: tensor([1, 2]) }),
              )({ a: v }),
            ),
          )(x),
        ),
      ),
    GradientError,
    "customGradient: the rule gives f64[2] for a, which is f64[3]; a cotangent has its input's type",
  ],
  [
    "a custom function of a Value",
    () =>
      customGradient(
        bare((v: Value) => v),
        bare(() => ({})),
      )(bare(1)),
    GradientError,
    "customGradient: the function takes one record of inputs",
  ],
  [
    "a custom function of two results",
    () =>
      customGradient(
        bare(({ a }: { a: Value }) => ({ a, b: a })),
        bare(() => ({})),
      )(bare({ a: 1 })),
    GradientError,
    "customGradient: the function returned no single Value",
  ],
  ["a type among results", () => vjp(bare(() => ({ y: f64() })))(bare(1)), GradientError, "vjp: result y is a type"],
  // ops of one's own
  [
    "an op without an owner",
    () => op(bare("cbrt"), ["x"], { type: ({ x: t }) => bare(t), eval: bare(() => 0), vjp: null }),
    DomainError,
    'op: "cbrt" is no name for an outside op; write "owner.name"',
  ],
  [
    "a rule that says nothing",
    () =>
      read(
        grad((v: Value) =>
          op<(x: Value) => Value, readonly ["x"]>("acme.half", ["x"], {
            type: ({ x: t }) => t,
            eval: ({ x: t }) => t.data,
            vjp: bare(() => ({})),
          })(v),
        )(1),
      ),
    GradientError,
    'acme.half: its rule says nothing of x; return an entry for it, or null for "no gradient"',
  ],
  [
    "a rule of another dtype",
    () =>
      grad((v: Value) =>
        op<(x: Value) => Value, readonly ["x"]>("acme.odd", ["x"], {
          type: ({ x: t }) => t,
          eval: ({ x: t }) => t.data,
          vjp: () => ({ x: tensor(1, "f32") }),
        })(v),
      )(1),
    GradientError,
    "acme.odd: its rule gives f32[] for operand x, which is f64[]; a cotangent has its operand's dtype",
  ],
  [
    "a kernel of another size",
    () =>
      read(
        sum(
          op<(x: Value) => Value, readonly ["x"]>("acme.short", ["x"], {
            type: ({ x: t }) => t,
            eval: () => new Float64Array(1),
            vjp: null,
          })(x),
        ),
      ),
    InternalError,
    "acme.short: its kernel returned 1 elements for f64[3], which has 3",
  ],
];

test.each(rows)("%s", (_, run, kind, message) => {
  expect(run).toThrow(message);
  expect(run).toThrow(kind as new (...args: never[]) => Error);
});

test("a disposed program and an unknown state are lessons", async () => {
  const program = await compile(
    graph({ a: f32() }, ({ a }) => a),
    reference(),
  );
  program.dispose();
  expect(() => program.run({ a: 1 })).toThrow("run: the program was disposed");
  await expect(
    compile(
      graph({ a: i32() }, ({ a }) => a),
      reference(),
      bare({ state: 3 }),
    ),
  ).rejects.toThrow("compile: state is a record of trees of tensors");
});

test("IEEE results stay IEEE results", () => {
  expect(read(div(1, variable(0)))).toBe(Number.POSITIVE_INFINITY);
  expect(read(log(variable(-1)))).toBe(Number.NaN);
  expect(read(sum(new Float64Array(0)))).toBe(0);
  expect(evaluate(mul(new Float64Array(0), 2)).data).toEqual(new Float64Array(0));
});
