// The programs of the gallery: small graphs whose texts, steps and pictures are kept as files and shown on docs/gallery.md.
import {
  add,
  batchMoments,
  batchNormalization,
  call,
  cast,
  clip,
  div,
  exp,
  expr,
  f64,
  gather,
  graph,
  greater,
  hinge,
  less,
  log,
  matmul,
  maximum,
  meanSquaredError,
  mul,
  type PictureOptions,
  relu,
  scaledDotProductAttention,
  scope,
  sigmoid,
  softmaxCrossEntropy,
  split,
  sqrt,
  square,
  stopGradient,
  sub,
  sum,
  tanh,
  tensor,
  type Value,
  variable,
  variables,
  where,
} from "../../src/index.ts";

/** A program of the gallery. */
export interface GalleryProgram {
  readonly name: string;
  readonly title: string;
  /** What it shows, in a sentence or two. */
  readonly about: string;
  readonly make: () => Value;
  readonly picture?: PictureOptions;
  /** A step of the walk that is drawn too, counted in backward steps. */
  readonly backwardStep?: number;
}

const scalar = (value: number, name: string): Value => variable(value, name);

/** Numbers between -1 and 1 that look random and are always the same. */
function spread(rows: number, columns: number, name: string, seed = 1): Value {
  let state = 7919 * seed;
  const next = (): number => {
    state = (state * 48271) % 2147483647;
    return Math.round((state / 2147483647) * 200 - 100) / 100;
  };
  return variable(tensor(Array.from({ length: rows }, () => Array.from({ length: columns }, next))), name);
}

function lstmStep(): Value {
  const x = spread(1, 3, "x", 1);
  const h = spread(1, 2, "h", 2);
  const c = spread(1, 2, "c", 3);
  const gates = add(add(matmul(x, spread(3, 8, "Wx", 4)), matmul(h, spread(2, 8, "Wh", 5))), spread(1, 8, "b", 6));
  const [i, f, g, o] = split(gates, { axis: 1, sizes: [2, 2, 2, 2] }) as unknown as [Value, Value, Value, Value];
  const cell = add(mul(sigmoid(f), c), mul(sigmoid(i), tanh(g)));
  return sum(mul(sigmoid(o), tanh(cell)));
}

function blocks(count: number): Value {
  let h = exp(scalar(-0.5, "x"));
  for (let i = 0; i < count; i++) {
    const w = scalar(1 + i / 10, `blocks.${i}.w`);
    const b = scalar(0.1 * i, `blocks.${i}.b`);
    const before = h;
    h = scope(`blocks.${i}`, () =>
      add(
        before,
        scope("gate", () => tanh(add(mul(w, before), b))),
      ),
    );
  }
  return square(h);
}

function twoLayers(): Value {
  const p = variables({
    fc1: {
      w: tensor([
        [0.5, -1, 0.3],
        [0.8, 0.2, -0.6],
      ]),
      b: tensor([0.1, 0, -0.1]),
    },
    fc2: { w: tensor([[1], [-0.5], [0.7]]), b: tensor([0.2]) },
  });
  const x = variable(
    tensor([
      [1, 2],
      [-1, 0.5],
      [0.3, -0.8],
      [2, 1],
    ]),
    "x",
  );
  const y = variable(tensor([[1], [0], [0.5], [1.5]]), "y");
  const hidden = scope("fc1", () => relu(add(matmul(x, p.fc1.w), p.fc1.b)));
  return meanSquaredError(
    scope("fc2", () => add(matmul(hidden, p.fc2.w), p.fc2.b)),
    y,
  );
}

/** The programs, in the order of the page. */
export const gallery: readonly GalleryProgram[] = [
  {
    name: "lecture",
    title: "(x + y) z",
    about: "The first example of the lecture: an add gate hands its gradient on, a mul gate switches the values.",
    make: () => expr`(${scalar(-2, "x")} + ${scalar(5, "y")}) * ${scalar(-4, "z")}`,
    backwardStep: 2,
  },
  {
    name: "neuron",
    title: "A sigmoid neuron, gate by gate",
    about: "1 / (1 + exp(-(w0 x0 + w1 x1 + w2))) taken apart: local gradients -1/x², 1, exp(x) and -1 multiply up along the chain.",
    make: () =>
      expr`1 / (1 + exp(-(${scalar(2, "w0")} * ${scalar(-1, "x0")} + ${scalar(-3, "w1")} * ${scalar(-2, "x1")} + ${scalar(-3, "w2")})))`,
    backwardStep: 9,
  },
  {
    name: "neuron-sigmoid",
    title: "The same neuron with a sigmoid gate",
    about: "Any part can be one gate: the sigmoid's local gradient is (1 - s) s.",
    make: () => sigmoid(expr`${scalar(2, "w0")} * ${scalar(-1, "x0")} + ${scalar(-3, "w1")} * ${scalar(-2, "x1")} + ${scalar(-3, "w2")}`),
  },
  {
    name: "gates",
    title: "2 (x y + max(z, w))",
    about: "Add distributes, max routes, mul switches: the operand of max that lost gets 0, and its wire is dotted.",
    make: () => expr`2 * (${scalar(3, "x")} * ${scalar(-4, "y")} + max(${scalar(2, "z")}, ${scalar(-1, "w")}))`,
  },
  {
    name: "branches",
    title: "x² y + x",
    about: "Where a value is used more than once its gradients add up: the badge on the trunk counts them.",
    make: () => {
      const x = scalar(3, "x");
      return add(mul(mul(x, x), scalar(-1, "y")), x);
    },
    backwardStep: 5,
  },
  {
    name: "norm",
    title: "‖W x‖²",
    about: "The lecture's vector example: dW = 2 q xᵀ and dx = 2 Wᵀ q.",
    make: () =>
      sum(
        square(
          matmul(
            variable(
              tensor([
                [0.1, 0.5],
                [-0.3, 0.8],
              ]),
              "W",
            ),
            variable(tensor([[0.2], [0.4]]), "x"),
          ),
        ),
      ),
    backwardStep: 4,
  },
  {
    name: "svm",
    title: "A linear classifier with hinge loss and weight decay",
    about: "W is used twice, so its gradient is the sum of the data's and the penalty's.",
    make: () => {
      const w = spread(3, 3, "W", 8);
      const scores = matmul(spread(4, 3, "x", 7), w);
      return add(hinge(scores, tensor(new Int32Array([0, 1, 2, 1]))), mul(0.1, sum(square(w))));
    },
  },
  {
    name: "softmax",
    title: "A softmax classifier",
    about: "The loss is a module of its own, drawn closed; its gradient at the scores is p - y, divided by the batch.",
    make: () =>
      softmaxCrossEntropy(
        add(matmul(spread(5, 3, "x", 9), spread(3, 4, "W", 10)), variable(tensor([0.1, 0, -0.1, 0.2]), "b")),
        tensor(new Int32Array([0, 3, 1, 2, 2])),
      ),
    picture: { depth: 0 },
  },
  {
    name: "two-layers",
    title: "A network of two layers",
    about:
      "Two named layers, open: parameters stand with the layer that uses them, biases are stretched over the batch and their gradients summed.",
    make: twoLayers,
    picture: { depth: "all" },
  },
  {
    name: "two-layers-closed",
    title: "The same network, layers closed, from top to bottom",
    about: "A closed module's wires carry the values and gradients at its border.",
    make: twoLayers,
    picture: { depth: 0, direction: "down" },
  },
  {
    name: "batch-norm",
    title: "Batch normalisation",
    about: "Three ways lead from x to the result: directly, through the mean and through the variance.",
    make: () => {
      const x = variable(tensor([[1], [2], [4], [-1]]), "x");
      const moments = batchMoments(x);
      const normal = batchNormalization(
        x,
        variable(tensor([1.5]), "scale"),
        variable(tensor([0.5]), "bias"),
        moments.mean,
        moments.variance,
      );
      return sum(mul(normal, tensor([[1], [0], [-1], [2]])));
    },
    picture: { depth: "all" },
  },
  {
    name: "attention",
    title: "Attention",
    about: "Queries meet keys, a softmax weighs the values.",
    make: () => sum(square(scaledDotProductAttention(spread(3, 2, "q", 11), spread(3, 2, "k", 12), spread(3, 2, "v", 13)))),
    picture: { depth: "all" },
  },
  {
    name: "lstm",
    title: "A step of an LSTM",
    about: "Four gates are cut from one product; one op with four results.",
    make: lstmStep,
  },
  {
    name: "rnn",
    title: "A recurrent network over three steps",
    about: "One weight used three times: its gradient is the sum over the steps.",
    make: () => {
      const w = scalar(0.8, "w");
      let h = scalar(0, "h0");
      for (let t = 0; t < 3; t++) h = tanh(add(mul(w, h), scalar([0.5, -0.3, 0.9][t]!, `x${t}`)));
      return square(sub(h, 1));
    },
  },
  {
    name: "deep",
    title: "Twenty blocks, drawn once",
    about: "Blocks of one structure in a row are folded; the number says how many there are.",
    make: () => blocks(20),
    picture: { depth: 0 },
  },
  {
    name: "block-open",
    title: "Two blocks, open",
    about: "Modules within modules, with wires that enter and leave in order.",
    make: () => blocks(2),
    picture: { depth: "all" },
  },
  {
    name: "call",
    title: "A graph called twice",
    about: "A graph applied with call is one node, shared and differentiated once.",
    make: () => {
      const g = graph({ a: f64(), b: f64() }, ({ a, b }) => tanh(add(mul(a, b), 0.5)));
      const x = scalar(0.7, "x");
      return call(g, { a: call(g, { a: x, b: scalar(2, "w") }), b: x });
    },
  },
  {
    name: "dead-relu",
    title: "Trap: a relu that is off",
    about: "The input is negative, the local gradient is 0, and everything before it is dead.",
    make: () => mul(relu(add(mul(scalar(2, "w"), scalar(-1.5, "x")), scalar(1, "b"))), scalar(3, "v")),
  },
  {
    name: "lost-max",
    title: "Trap: a max that lost",
    about: "Only the winner gets the gradient.",
    make: () => square(maximum(mul(scalar(0.5, "a"), scalar(2, "x")), scalar(4, "b"))),
  },
  {
    name: "clip-edge",
    title: "Trap: beyond the edge of clip",
    about: "Outside of its edges clip is flat.",
    make: () => mul(clip(mul(scalar(3, "w"), scalar(2, "x")), { min: -1, max: 1 }), scalar(2, "v")),
  },
  {
    name: "where-branch",
    title: "Trap: the branch that where did not take",
    about: "The condition chose the other side.",
    make: () => {
      const x = scalar(-1, "x");
      return where(greater(x, 0), mul(x, scalar(2, "a")), scalar(0.1, "b"));
    },
  },
  {
    name: "stop-gradient",
    title: "Trap: stopGradient on the way",
    about: "The value goes through, the gradient does not: no gradient is computed behind the stop.",
    make: () => {
      const x = scalar(1.5, "x");
      return mul(stopGradient(square(x)), add(x, scalar(2, "y")));
    },
  },
  {
    name: "never-gathered",
    title: "Trap: rows that no index asks for",
    about: "Three of the table's five rows get a gradient of zero.",
    make: () => sum(square(gather(spread(5, 2, "table", 14), tensor(new Int32Array([1, 3, 1]))))),
  },
  {
    name: "saturated-sigmoid",
    title: "Trap: a saturated sigmoid",
    about: "Far from 0 the local gradient (1 - s) s is tiny.",
    make: () => square(sub(sigmoid(mul(scalar(8, "w"), scalar(3, "x"))), 0.5)),
  },
  {
    name: "integer-cast",
    title: "Trap: a cast to integers",
    about: "Integers have no gradient, so nothing flows back through the cast.",
    make: () => {
      const x = scalar(2.7, "x");
      return mul(cast(cast(x, "i32"), "f64"), x);
    },
  },
  {
    name: "zero-factor",
    title: "Trap: a factor of zero",
    about: "The switcher hands x the value of w, which is 0.",
    make: () => add(mul(scalar(0, "w"), scalar(3, "x")), scalar(1, "b")),
  },
  {
    name: "log-of-zero",
    title: "Trap: the log of 0",
    about: "-∞ forward, 1/0 backward.",
    make: () => mul(log(mul(scalar(0, "p"), scalar(2, "q"))), -1),
  },
  {
    name: "zero-times-infinity",
    title: "Trap: 0 times infinity through where",
    about: "where did not take the bad side, but its gradient 0 is multiplied by the infinite local gradient of the square root: NaN.",
    make: () => {
      const x = scalar(0, "x");
      return where(less(x, 0.5), mul(x, 2), sqrt(x));
    },
  },
  {
    name: "sqrt-at-zero",
    title: "Trap: the square root at 0",
    about: "The slope of the square root at 0 is infinite: a distance of exactly zero.",
    make: () => sqrt(add(square(scalar(0, "dx")), square(scalar(0, "dy")))),
  },
  {
    name: "exp-overflow",
    title: "Trap: exp overflows",
    about: "A softmax without the shift: e^800 is infinite and infinity over infinity is NaN.",
    make: () => {
      const a = exp(scalar(800, "a"));
      return div(a, add(a, exp(scalar(1, "b"))));
    },
  },
  {
    name: "zero-by-zero",
    title: "Trap: 0 / 0",
    about: "A mean over nothing.",
    make: () => div(mul(scalar(0, "total"), 1), scalar(0, "count")),
  },
];
