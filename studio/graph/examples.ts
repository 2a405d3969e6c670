/** The lecture's graphs, with the numbers of its slides where it has them. */
export interface Example {
  readonly id: ExampleId;
  readonly formula: string;
  readonly values: Readonly<Record<string, string>>;
  /** How many levels of modules are open; as many as are comfortable when left out. */
  readonly depth?: number;
}

export const exampleIds = [
  "product",
  "sigmoid",
  "gates",
  "branches",
  "norm",
  "hinge",
  "softmax",
  "twoLayer",
  "batchNorm",
  "attention",
  "lstm",
] as const;
export type ExampleId = (typeof exampleIds)[number];

const classifier = {
  W: "[[0.01, -0.05, 0.1, 0.05], [0.7, 0.2, 0.05, 0.16], [0, -0.45, -0.2, 0.03]]",
  x: "[-15, 22, -44, 56]",
  b: "[0, 0.2, -0.3]",
  y: "i32 2",
  lambda: "0.1",
};

export const defaultExample: Example = {
  id: "product",
  formula: "f = (x + y) * z",
  values: { x: "-2", y: "5", z: "-4" },
};

export const examples: readonly Example[] = [
  defaultExample,
  {
    id: "sigmoid",
    formula: "f = 1 / (1 + exp(-(w0*x0 + w1*x1 + w2)))",
    values: { w0: "2", x0: "-1", w1: "-3", x1: "-2", w2: "-3" },
  },
  { id: "gates", formula: "f = 2 * (x*y + maximum(z, w))", values: { x: "3", y: "-4", z: "2", w: "-1" } },
  { id: "branches", formula: "q = x * y\nf = q^2 + q*z + x", values: { x: "3", y: "-1", z: "2" } },
  { id: "norm", formula: "q = W @ x\nf = sum(q^2)", values: { W: "[[0.1, 0.5], [-0.3, 0.8]]", x: "[0.2, 0.4]" } },
  { id: "hinge", formula: "s = W @ x + b\nL = hinge(s, y) + lambda * sum(W^2)", values: classifier, depth: 0 },
  { id: "softmax", formula: "s = W @ x + b\nL = softmaxCrossEntropy(s, y) + lambda * sum(W^2)", values: classifier, depth: 0 },
  {
    id: "twoLayer",
    formula: "h = relu(x @ W1 + b1)\np = h @ W2 + b2\nL = mean((p - y)^2)",
    values: {
      x: "[[1, 2], [-1, 0.5], [0.5, -1]]",
      W1: "[[0.5, -0.3, 0.8], [0.2, 0.7, -0.4]]",
      b1: "[0.1, 0, -0.2]",
      W2: "[[0.6], [-0.5], [0.3]]",
      b2: "[0.05]",
      y: "[[1], [0], [1]]",
    },
  },
  {
    id: "batchNorm",
    formula:
      "mu = mean(x, axis=0)\nv = mean((x - mu)^2, axis=0)\nxhat = (x - mu) / sqrt(v + 0.00001)\nout = gamma * xhat + beta\nL = sum(out * t)",
    values: {
      x: "[[1, 2], [3, 6], [5, 1], [2, 3]]",
      gamma: "[1.5, 0.5]",
      beta: "[0.1, -0.2]",
      t: "[[1, 0], [0, 1], [-1, 0.5], [0.5, -1]]",
    },
  },
  {
    id: "attention",
    formula: "a = softmax(Q @ K.T / sqrt(2))\nout = a @ V\nL = sum(out * t)",
    values: {
      Q: "[[1, 0.5], [-0.5, 1], [0.3, -0.8]]",
      K: "[[0.8, -0.2], [0.1, 0.9], [-0.6, 0.4]]",
      V: "[[1, 0], [0, 1], [0.5, -0.5]]",
      t: "[[1, 0], [0, 1], [1, 1]]",
    },
  },
  {
    id: "lstm",
    formula:
      "z = x @ W + h @ U + b\ni = sigmoid(z[0:2])\nf = sigmoid(z[2:4])\no = sigmoid(z[4:6])\ng = tanh(z[6:8])\nc1 = f * c + i * g\nh1 = o * tanh(c1)\nL = sum(h1)",
    values: {
      x: "[1, -0.5]",
      W: "[[0.5, -0.2, 0.1, 0.4, -0.3, 0.6, 0.2, -0.5], [0.3, 0.8, -0.6, 0.2, 0.5, -0.1, 0.7, 0.4]]",
      h: "[0.2, -0.1]",
      U: "[[0.1, 0.2, -0.3, 0.4, 0.5, -0.2, 0.3, 0.1], [-0.4, 0.3, 0.2, -0.1, 0.6, 0.5, -0.2, 0.3]]",
      b: "[0, 0.1, 1, 1, 0, 0.2, 0, -0.1]",
      c: "[0.5, -0.3]",
    },
  },
];
