import { lossInUse } from "./losses.ts";
import { described, type NetFacts, nested } from "./net-facts.ts";
import type { FeatureName, TrainState } from "./state.ts";

const featureCode: Readonly<Record<FeatureName, string>> = {
  x1: "x1",
  x2: "x2",
  "x1^2": "square(x1)",
  "x2^2": "square(x2)",
  "x1*x2": "mul(x1, x2)",
  "sin(x1)": "sin(x1)",
  "sin(x2)": "sin(x2)",
  "cos(x1)": "cos(x1)",
  "cos(x2)": "cos(x2)",
  "abs(x1)": "abs(x1)",
  "abs(x2)": "abs(x2)",
  "sqrt(x1^2+x2^2)": "sqrt(add(square(x1), square(x2)))",
};

/** The rate by step, as the studio's own training has it, over the `steps` of the training that is asked for. */
const rateCode = ({ rate, schedule }: TrainState): string =>
  ({
    constant: `${rate}`,
    cosine: `cosine({ from: ${rate}, steps })`,
    step: `step({ from: ${rate}, factor: 0.5, every: Math.max(1, Math.round(steps / 5)) })`,
    exponential: `exponential({ from: ${rate}, factor: 0.01 ** (1 / steps) })`,
    warmup: `cosine({ from: ${rate}, steps, warmup: Math.min(steps - 1, Math.max(1, Math.round(steps / 20))) })`,
  })[schedule];

const optimizerCode = (settings: TrainState): { name: string; call: string } => {
  const { optimizer } = settings;
  const name = optimizer === "momentum" || optimizer === "nesterov" ? "sgd" : optimizer;
  const more = { momentum: ", momentum: 0.9", nesterov: ", momentum: 0.9, nesterov: true", adamW: ', decay: ["*.w"]' } as Record<
    string,
    string
  >;
  return { name, call: `${name}({ rate: ${rateCode(settings)}${more[optimizer] ?? ""} })` };
};

/** The body of the net: one line a layer. */
function netCode({ shape }: NetFacts): string[] {
  const { layers, activation, kind } = shape;
  const act = (inner: string): string => `${activation}(${inner})`;
  const lines = layers.map((_, i) =>
    kind === "conv" ? `  h = ${act(`conv2d(p.layer${i + 1}, h, { padding: 1 })`)};` : `  h = ${act(`linear(p.layer${i + 1}, h)`)};`,
  );
  if (kind === "conv") {
    lines.unshift("  let h: Value = reshape(x, { shape: [-1, 1, 8, 8] });");
    lines.push(`  h = reshape(maxPool(h, { size: 2 }), { shape: [-1, ${layers.at(-1)! * 16}] });`);
  } else lines.unshift(`  ${layers.length === 0 ? "const" : "let"} h: Value = x;`);
  return [...lines, "  return linear(p.output, h);"];
}

function lossCode({ problem: { task }, settings, shape }: NetFacts): string {
  const kind = lossInUse(task.kind, settings.loss);
  if (task.kind === "classes") {
    if (kind === "hinge") return "hinge(out, y)";
    if (kind === "squared") return `mean(sum(square(sub(softmax(out), oneHot(y, { depth: ${shape.outputs} }))), { axis: 1 }))`;
    return "softmaxCrossEntropy(out, y)";
  }
  const z = "reshape(out, { shape: [-1] })";
  if (task.kind === "number")
    return { absolute: `meanAbsoluteError(${z}, y)`, huber: `huber(${z}, y)` }[kind as string] ?? `mean(square(sub(${z}, y)))`;
  const sign = "sub(mul(2, y), 1)";
  if (kind === "hinge") return `mean(relu(sub(1, mul(${sign}, ${z}))))`;
  if (kind === "squared") return `mul(0.5, mean(square(sub(tanh(${z}), ${sign}))))`;
  return `binaryCrossEntropy(${z}, y)`;
}

function saidCode({ problem: { task, target }, settings }: NetFacts): string {
  if (task.kind === "classes") return "softmax(out)";
  if (task.kind === "number") return target.scale === 1 && target.center === 0 ? "out" : `add(mul(out, ${target.scale}), ${target.center})`;
  return lossInUse(task.kind, settings.loss) === "crossEntropy" ? "sigmoid(out)" : "mul(0.5, add(1, tanh(out)))";
}

/** The net, its weights, its loss and how it was trained, as TypeScript against the public interface. It runs. */
export function typescriptCode(facts: NetFacts): string {
  const { problem, params, settings } = facts;
  const { features, space, task } = problem;
  const loss = lossCode(facts);
  const said = saidCode(facts);
  const net = netCode(facts);
  const { name: optimizer, call } = optimizerCode(settings);
  const scaled = problem.shape === "table";
  const body: string[] = [];
  if (scaled) {
    body.push("/** Columns in their own units, as the net learnt them: minus their mean, by their deviation. */");
    body.push(`const center = tensor([${problem.center.join(", ")}], "f32");`);
    body.push(`const scale = tensor([${problem.scale.join(", ")}], "f32");`, "");
  }
  const seenCode: string[] = [];
  if (features !== null) {
    const columns = features.map((f) => featureCode[f]);
    const rows = "at.type.shape[0]!";
    const used = (name: string): boolean => columns.some((c) => c.includes(name));
    if (used("x1")) seenCode.push("  const x1 = slice(at, { axis: 1, start: 0, end: 1 });");
    if (used("x2")) seenCode.push("  const x2 = slice(at, { axis: 1, start: 1, end: 2 });");
    const lifted = columns.map((c) => (c === "x1" || c === "x2" ? c : `reshape(${c}, { shape: [${rows}, 1] })`));
    seenCode.push(columns.length === 1 ? `  return ${lifted[0]};` : `  return concat([${lifted.join(", ")}], { axis: 1 });`);
  } else if (scaled) seenCode.push("  return div(sub(at, center), scale);");
  else if (problem.shape === "image") seenCode.push("  return mul(at, 1 / 16);");
  body.push(`/** What the net sees of its input [rows, ${space}]${problem.shape === "image" ? ", pixels from 0 to 16" : ""}. */`);
  body.push("export function seen(at: Value): Value {", ...seenCode, "}", "");
  body.push("/** The net, before the loss's own function. */");
  body.push("export function net(p: Params, x: Value): Value {", ...net, "}", "");
  body.push(
    `/** The loss over a batch: ${task.kind === "classes" ? "y are classes, i32" : task.kind === "binary" ? "y are 0 or 1, f32" : "y are numbers, f32"}. */`,
  );
  body.push(
    "export function loss(p: Params, at: Value, y: Value): Value {",
    "  const out = net(p, seen(at));",
    `  return ${loss};`,
    "}",
    "",
  );
  const says = task.kind === "classes" ? "the probability of each class" : task.kind === "binary" ? "how likely class 1 is" : "the number";
  body.push(`/** What the net says of rows: ${says}. */`);
  body.push("export function predict(rows: number[][], p: Params = variables(params)): number[][] {");
  body.push(`  const out = net(p, seen(constant(tensor(rows.flat(), f32(rows.length, ${space})))));`);
  body.push(`  return toArray(${said}) as number[][];`, "}", "");
  const { penalty, penaltyRate } = settings;
  if (penalty !== "none") {
    const one = penalty === "l1" ? "sum(abs(w))" : "mul(0.5, sum(square(w)))";
    const what = penalty === "l1" ? "the absolute values of all weights together" : "half the squares of all weights together";
    body.push(`/** What large weights cost: ${what}. */`);
    body.push("export function penalty(p: Params): Value {");
    body.push(`  return Object.values(p).map(({ w }) => ${one}).reduce((a, b) => add(a, b));`, "}", "");
  }
  const objective = penalty === "none" ? "loss(p, at, y)" : `add(loss(p, at, y), mul(${penaltyRate}, penalty(p)))`;
  const yType = task.kind === "classes" ? 'tensor(y, "i32")' : 'tensor(y, "f32")';
  body.push("/** Goes on learning from rows, and gives the new weights. */");
  body.push("export async function learn(rows: number[][], y: number[], epochs: number) {");
  body.push(`  const rowsAndAnswers = dataset({ at: tensor(rows.flat(), f32(rows.length, ${space})), y: ${yType} });`);
  body.push(`  const data = loader(rowsAndAnswers, { batch: Math.min(${settings.batch}, rows.length), shuffle: ${settings.seed} });`);
  if (settings.schedule !== "constant") body.push("  const steps = epochs * data.length;");
  body.push("  const training = train(");
  body.push(`    { params, loss: (p: Params, { at, y }) => ${objective} },`);
  body.push(`    { data, optimizer: ${call}, engine: wasm(), epochs },`);
  body.push("  );");
  body.push("  return (await training.finish()).params;", "}", "");
  body.push(`console.log(predict([${facts.sample.map((row) => `[${row.join(", ")}]`).join(", ")}]));`);
  const weights = Object.entries(params).map(
    ([name, { w, b }]) => `  ${name}: { w: tensor(${nested(w)}, "f32"), b: tensor(${nested(b)}, "f32") },`,
  );
  const all = body.join("\n");
  const uses = (word: string): boolean => new RegExp(`(?<![.\\w])${word}\\(`).test(all);
  const names = [
    "abs add binaryCrossEntropy concat constant cos div elu f32 gelu hinge huber identity leakyRelu maxPool mean meanAbsoluteError mul oneHot",
    "relu reshape sigmoid silu sin slice softmax softmaxCrossEntropy sqrt square sub sum tanh toArray",
  ]
    .join(" ")
    .split(" ")
    .filter(uses);
  const imported = [...names, "tensor", "variables", "type Value", "type Values"];
  const rates = ["cosine", "exponential", "step"].filter((word) => call.includes(`rate: ${word}(`));
  const layers = [uses("conv2d") ? "conv2d" : "", "linear"].filter((n) => n !== "");
  return [
    `// A net from the chainrule studio: ${described(facts)}.`,
    `// It learnt with ${call}, batches of ${settings.batch}${penalty === "none" ? "" : `, an ${penalty} penalty of ${penaltyRate}`}.`,
    `import { ${imported.join(", ")} } from "chainrule";`,
    'import { dataset, loader } from "chainrule/data";',
    `import { ${layers.join(", ")} } from "chainrule/nn";`,
    `import { ${[optimizer, ...rates].sort().join(", ")} } from "chainrule/optim";`,
    'import { train } from "chainrule/train";',
    'import { wasm } from "chainrule/wasm";',
    "",
    "/** The weights: w [inputs, outputs], b [outputs]. */",
    "export const params = {",
    ...weights,
    "};",
    "export type Params = Values<typeof params>;",
    "",
    all,
    "",
  ].join("\n");
}
