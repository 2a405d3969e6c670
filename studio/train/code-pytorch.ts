import { lossInUse } from "./losses.ts";
import { described, type NetFacts, shortest } from "./net-facts.ts";
import type { Activation, FeatureName, OptimizerName, ScheduleName } from "./state.ts";

const featureCode: Readonly<Record<FeatureName, string>> = {
  x1: "x1",
  x2: "x2",
  "x1^2": "x1**2",
  "x2^2": "x2**2",
  "x1*x2": "x1 * x2",
  "sin(x1)": "torch.sin(x1)",
  "sin(x2)": "torch.sin(x2)",
  "cos(x1)": "torch.cos(x1)",
  "cos(x2)": "torch.cos(x2)",
  "abs(x1)": "torch.abs(x1)",
  "abs(x2)": "torch.abs(x2)",
  "sqrt(x1^2+x2^2)": "torch.sqrt(x1**2 + x2**2)",
};

const activationCode: Readonly<Record<Activation, string>> = {
  tanh: "torch.tanh",
  relu: "F.relu",
  sigmoid: "torch.sigmoid",
  leakyRelu: "F.leaky_relu",
  elu: "F.elu",
  gelu: "F.gelu",
  silu: "F.silu",
  sin: "torch.sin",
  identity: "nn.Identity()",
};

const optimizerCode = (name: OptimizerName, rate: number): string => {
  const lr = shortest(rate);
  const decayed =
    '[{"params": [p for n, p in net.named_parameters() if n.endswith("weight")]}, {"params": [p for n, p in net.named_parameters() if n.endswith("bias")], "weight_decay": 0}]';
  return {
    sgd: `torch.optim.SGD(net.parameters(), lr=${lr})`,
    momentum: `torch.optim.SGD(net.parameters(), lr=${lr}, momentum=0.9)`,
    nesterov: `torch.optim.SGD(net.parameters(), lr=${lr}, momentum=0.9, nesterov=True)`,
    adam: `torch.optim.Adam(net.parameters(), lr=${lr})`,
    adamW: `torch.optim.AdamW(${decayed}, lr=${lr})`,
    rmsProp: `torch.optim.RMSprop(net.parameters(), lr=${lr})`,
    adagrad: `torch.optim.Adagrad(net.parameters(), lr=${lr})`,
    lion: `torch.optim.AdamW(net.parameters(), lr=${lr})  # it learnt with Lion, which PyTorch does not bring`,
    muon: `torch.optim.AdamW(net.parameters(), lr=${lr})  # it learnt with Muon, which older versions of PyTorch do not bring`,
  }[name];
};

/** What the rate is multiplied by at step t of `steps`; null for a rate that stays. */
const courseCode = (schedule: ScheduleName): readonly string[] | null => {
  const cosine = (t: string, steps: string): string => `0.5 * (1 + math.cos(math.pi * min(1, ${t} / ${steps})))`;
  return {
    constant: null,
    cosine: [`    return ${cosine("t", "steps")}`],
    step: ["    return 0.5 ** (t // max(1, round(steps / 5)))"],
    exponential: ["    return 0.01 ** (t / steps)"],
    warmup: [
      "    rise = min(steps - 1, max(1, round(steps / 20)))",
      "    if t < rise:",
      "        return (t + 1) / (rise + 1)",
      `    return ${cosine("(t - rise)", "(steps - rise)")}`,
    ],
  }[schedule];
};

const number = (v: number): string => {
  const text = shortest(v);
  return text === "NaN" ? "float('nan')" : text.includes("Infinity") ? `float('${text.replace("inity", "").toLowerCase()}')` : text;
};

/** Nested lists of a matrix, turned round (PyTorch's weights are [outputs, inputs]), a vector or a kernel. */
function nested(data: ArrayLike<number>, shape: readonly number[]): string {
  if (shape.length === 2) {
    const [rows, columns] = shape as [number, number];
    const row = (c: number): string => `[${Array.from({ length: rows }, (_, r) => number(data[r * columns + c]!)).join(", ")}]`;
    return `[${Array.from({ length: columns }, (_, c) => row(c)).join(", ")}]`;
  }
  const text = (from: number, axis: number): string => {
    if (axis === shape.length) return number(data[from]!);
    const size = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
    return `[${Array.from({ length: shape[axis]! }, (_, i) => text(from + i * size, axis + 1)).join(", ")}]`;
  };
  return text(0, 0);
}

function lossCode({ problem: { task }, settings, shape }: NetFacts): string {
  const kind = lossInUse(task.kind, settings.loss);
  if (task.kind === "classes") {
    // The margins of PyTorch are divided by the number of classes.
    if (kind === "hinge") return `${shape.outputs} * F.multi_margin_loss(out, y)`;
    if (kind === "squared") return `((F.softmax(out, 1) - F.one_hot(y, ${shape.outputs}))**2).sum(1).mean()`;
    return "F.cross_entropy(out, y)";
  }
  const z = "out[:, 0]";
  if (task.kind === "number")
    return { absolute: `F.l1_loss(${z}, y)`, huber: `F.huber_loss(${z}, y)` }[kind as string] ?? `F.mse_loss(${z}, y)`;
  if (kind === "hinge") return `F.relu(1 - (2 * y - 1) * ${z}).mean()`;
  if (kind === "squared") return `0.5 * ((torch.tanh(${z}) - (2 * y - 1))**2).mean()`;
  return `F.binary_cross_entropy_with_logits(${z}, y)`;
}

function saidCode({ problem: { task, target }, settings }: NetFacts): string {
  if (task.kind === "classes") return "F.softmax(out, 1)";
  if (task.kind === "number") return target.scale === 1 && target.center === 0 ? "out" : `out * ${target.scale} + ${target.center}`;
  return lossInUse(task.kind, settings.loss) === "crossEntropy" ? "torch.sigmoid(out)" : "0.5 * (1 + torch.tanh(out))";
}

/** How it goes on learning: the penalty, the course of the rate, the loop. */
function learnCode({ settings, problem: { task } }: NetFacts): string[] {
  const { penalty, penaltyRate, schedule, batch } = settings;
  const lines: string[] = [];
  if (penalty !== "none") {
    const one = penalty === "l1" ? "p.abs().sum()" : "0.5 * (p**2).sum()";
    lines.push("def penalty():", '    """What large weights cost."""');
    lines.push(`    return sum(${one} for n, p in net.named_parameters() if n.endswith("weight"))`, "", "");
  }
  const course = courseCode(schedule);
  if (course !== null) lines.push("def course(t, steps):", '    """What the rate is multiplied by at step t."""', ...course, "", "");
  const objective =
    penalty === "none" ? "loss(net(at[rows]), y[rows])" : `loss(net(at[rows]), y[rows]) + ${shortest(penaltyRate)} * penalty()`;
  lines.push(
    "def learn(rows, y, epochs):",
    '    """Goes on learning from rows."""',
    "    at = torch.tensor(rows, dtype=torch.float32)",
    `    y = torch.tensor(y, dtype=torch.${task.kind === "classes" ? "long" : "float32"})`,
    `    batch = min(${batch}, len(at))`,
  );
  if (course !== null)
    lines.push(
      "    steps = epochs * -(-len(at) // batch)",
      "    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda t: course(t, steps))",
    );
  lines.push(
    "    for _ in range(epochs):",
    "        order = torch.randperm(len(at))",
    "        for start in range(0, len(at), batch):",
    "            rows = order[start:start + batch]",
    "            optimizer.zero_grad()",
    `            (${objective}).backward()`,
    "            optimizer.step()",
    ...(course === null ? [] : ["            scheduler.step()"]),
    "",
    "",
  );
  return lines;
}

/** The net with its weights as a PyTorch module, its loss, its optimiser, and how it goes on learning. */
export function pytorchCode(facts: NetFacts): string {
  const { problem, params, settings, shape } = facts;
  const { features } = problem;
  const { layers, kind, activation } = shape;
  const act = activationCode[activation];
  const lines: string[] = [];
  let before = kind === "conv" ? 1 : shape.inputs;
  const made = layers.map((units, i) => {
    const line =
      kind === "conv"
        ? `self.layer${i + 1} = nn.Conv2d(${before}, ${units}, 3, padding=1)`
        : `self.layer${i + 1} = nn.Linear(${before}, ${units})`;
    before = units;
    return line;
  });
  made.push(`self.output = nn.Linear(${kind === "conv" ? before * 16 : before}, ${shape.outputs})`);
  const seen = features === null ? [] : features.map((f) => featureCode[f]);
  lines.push(
    `# A net from the chainrule studio: ${described(facts)}.`,
    ...(courseCode(settings.schedule) === null ? [] : ["import math"]),
    "import torch",
    "from torch import nn",
    "from torch.nn import functional as F",
    "",
    "",
    "class Net(nn.Module):",
    "    def __init__(self):",
    "        super().__init__()",
    ...made.map((line) => `        ${line}`),
    "",
    "    def seen(self, at):",
    `        """What the net sees of its input [rows, ${problem.space}]."""`,
  );
  if (features !== null) {
    lines.push(`        x1, x2 = at[:, 0], at[:, ${problem.space === 1 ? 0 : 1}]`);
    lines.push(`        return torch.stack([${seen.join(", ")}], 1)`);
  } else if (problem.shape === "table")
    lines.push(`        return (at - torch.tensor([${problem.center.join(", ")}])) / torch.tensor([${problem.scale.join(", ")}])`);
  else lines.push("        return at / 16");
  lines.push("", "    def forward(self, at):", "        h = self.seen(at)");
  if (kind === "conv") lines.push("        h = h.reshape(-1, 1, 8, 8)");
  layers.forEach((_, i) => {
    lines.push(`        h = ${act}(self.layer${i + 1}(h))`);
  });
  if (kind === "conv") lines.push("        h = F.max_pool2d(h, 2).flatten(1)");
  lines.push("        return self.output(h)", "", "", "def loss(out, y):", `    return ${lossCode(facts)}`, "", "");
  lines.push("def predict(rows):", "    with torch.no_grad():", "        out = net(torch.tensor(rows, dtype=torch.float32))");
  lines.push(`        return (${saidCode(facts)}).tolist()`, "", "");
  lines.push("net = Net()", "net.load_state_dict({");
  for (const [name, { w, b }] of Object.entries(params)) {
    lines.push(`    "${name}.weight": torch.tensor(${nested(w.data as Float32Array, w.type.shape)}),`);
    lines.push(`    "${name}.bias": torch.tensor(${nested(b.data as Float32Array, b.type.shape)}),`);
  }
  lines.push("})", `optimizer = ${optimizerCode(settings.optimizer, settings.rate)}`, "", "");
  lines.push(...learnCode(facts));
  lines.push(
    'if __name__ == "__main__":',
    `    print(predict([${facts.sample.map((row) => `[${row.map(number).join(", ")}]`).join(", ")}]))`,
    "",
  );
  return lines.join("\n");
}
