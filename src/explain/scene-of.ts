import { formatNumber, type NumberFormat } from "../draw/format-number.ts";
import type { GradientState, Scene, SceneItem, SceneTrunk, SceneWire, Theme } from "../draw/scene.ts";
import type { Graph } from "../ir/graph.ts";
import { nodesOf } from "../ir/graph.ts";
import { inputOp, variableOp } from "../ir/leaf.ts";
import type { Node, Value } from "../ir/node.ts";
import { sameShape } from "../ir/shape.ts";
import type { Tensor } from "../ir/tensor.ts";
import { leaves } from "../ir/tree.ts";
import { type TensorType, typeText } from "../ir/type.ts";
import { isFixed, nameOfResult, nameValues } from "./names.ts";
import { type BackwardStep, type StepOptions, slotName, steps } from "./steps.ts";

/** What a picture of a value shows. */
export interface SceneOptions extends StepOptions {
  readonly title?: string;
  readonly theme?: Theme;
  /** Show the backward pass after this many of its steps, with the last one lit; all of it, unlit, when left out. */
  readonly backwardSteps?: number;
}

const glyphs: Readonly<Record<string, string>> = {
  add: "+",
  sub: "−",
  mul: "×",
  div: "÷",
  neg: "−",
  pow: "^",
  matmul: "@",
  reciprocal: "1/x",
  square: "x²",
  equal: "=",
  less: "<",
  lessEqual: "≤",
  greater: ">",
  greaterEqual: "≥",
  maximum: "max",
  minimum: "min",
  sum: "Σ",
};

/** Up to this many gates numbers have two decimals, as on the lecture's slides; beyond, three significant digits. */
const small = 24;
const bins = 11;

function shapeOf(type: TensorType): string {
  return type.shape.join("×");
}

function valueText(t: Tensor, format: NumberFormat): string {
  return t.type.shape.length === 0 ? formatNumber(t.data[0]!, format) : shapeOf(t.type);
}

function norm(t: Tensor): number {
  let s = 0;
  for (let i = 0; i < t.data.length; i++) s += t.data[i]! * t.data[i]!;
  return Math.sqrt(s);
}

function gradientText(t: Tensor, format: NumberFormat): string {
  return t.type.shape.length === 0 ? formatNumber(t.data[0]!, format) : `‖∇‖ ${formatNumber(norm(t))}`;
}

function stateOf(t: Tensor): GradientState {
  for (let i = 0; i < t.data.length; i++) if (t.data[i] !== 0) return "number";
  return "zero";
}

/** Heights of an 11-bin histogram of the finite elements. */
function histogram(t: Tensor): readonly number[] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < t.data.length; i++) {
    const x = t.data[i]!;
    if (!Number.isFinite(x)) continue;
    low = Math.min(low, x);
    high = Math.max(high, x);
  }
  const counts = new Array<number>(bins).fill(0);
  if (low > high) return counts;
  for (let i = 0; i < t.data.length; i++) {
    const x = t.data[i]!;
    if (Number.isFinite(x)) counts[high === low ? (bins - 1) / 2 : Math.min(bins - 1, Math.floor(((x - low) / (high - low)) * bins))]!++;
  }
  const most = Math.max(...counts);
  return counts.map((c) => c / most);
}

function itemOf(node: Node, id: string, name: string): SceneItem {
  const type = node.outputs === null ? typeText(node.type) : node.outputs.map((o) => typeText(o.type)).join(", ");
  const title = `${name}: ${node.op.name} ${type}`;
  const shape = node.type.shape.length > 0 && node.operands.length === 0 ? { shape: shapeOf(node.type) } : {};
  if (node.op === variableOp) return { id, kind: "parameter", label: name, title, ...shape };
  if (node.op === inputOp) return { id, kind: "input", label: name, title, ...shape };
  if (isFixed(node)) {
    const scalar = typeof node.memo === "number" && node.type.dtype !== "bool";
    return {
      id,
      kind: "constant",
      label: scalar ? formatNumber(node.memo as number) : node.type.shape.length === 0 ? name : "const",
      title,
      ...shape,
    };
  }
  return { id, kind: "op", label: glyphs[node.op.name] ?? node.op.name, title };
}

function isElementwise(node: Node): boolean {
  const { family } = node.op.facts;
  return family === "unary" || family === "binary";
}

/** The wires of a graph without numbers: types above, nothing below. */
function bareWires(order: readonly Node[], id: (n: Node) => string): SceneWire[] {
  return order.flatMap((node) =>
    node.operands.flatMap((v, j): SceneWire[] =>
      v === null
        ? []
        : [
            {
              from: id(v.node),
              output: v.index,
              to: id(node),
              input: j,
              above: v.type.shape.length === 0 ? "" : shapeOf(v.type),
              below: "",
              gradient: "not yet",
              tensor: v.type.shape.length > 0,
              broadcast: isElementwise(node) && !sameShape(v.type.shape, node.type.shape),
            },
          ],
    ),
  );
}

/** A scalar with both passes as a picture: values above the wires, gradients below. */
export function sceneOf(f: Value, { wrt, title, theme, backwardSteps }: SceneOptions = {}): Scene {
  const stepper = steps(f, wrt === undefined ? {} : { wrt });
  const { order, names } = stepper;
  const all = [...stepper.backward()];
  const shown = backwardSteps === undefined ? all.length : Math.max(0, Math.min(backwardSteps, all.length));
  const active: BackwardStep | undefined = backwardSteps === undefined ? undefined : all[shown - 1];
  const gates = order.reduce((n, node) => n + (node.operands.length > 0 ? 1 : 0), 0);
  const format: NumberFormat = { style: gates <= small ? "decimals" : "significant" };
  const ids = new Map(order.map((node, i) => [node, `n${i}`]));
  const id = (n: Node): string => ids.get(n)!;

  const contributions = new Map<string, { readonly t: Tensor; readonly local: Tensor | null; readonly at: number }>();
  const sums = new Map<string, { readonly t: Tensor; readonly at: number }>();
  all.forEach((s, at) => {
    if (s.kind === "gate")
      for (const flow of s.flows) {
        const j = s.node.operands.findIndex((v, i) => v !== null && slotName(s.node, i) === flow.slot);
        contributions.set(`${id(s.node)} ${j}`, { t: flow.contribution, local: flow.local, at });
      }
    else if (s.kind === "sum") {
      const v = (s.node.outputs ?? [s.node]).find((o) => nameOfResult(names, o) === s.name) ?? s.node;
      sums.set(`${id(s.node)} ${v.index}`, { t: s.gradient, at });
    }
  });

  const wires: SceneWire[] = [];
  const users = new Map<string, number>();
  for (const node of order)
    node.operands.forEach((v, j) => {
      if (v === null) return;
      const from = id(v.node);
      users.set(`${from} ${v.index}`, (users.get(`${from} ${v.index}`) ?? 0) + 1);
      const { value } = stepper.at(v);
      const tensor = v.type.shape.length > 0;
      const c = contributions.get(`${id(node)} ${j}`);
      const isActive = active?.kind === "gate" && active.node === node && c !== undefined;
      wires.push({
        from,
        output: v.index,
        to: id(node),
        input: j,
        above: valueText(value, format),
        below: c === undefined || c.at >= shown ? "" : gradientText(c.t, format),
        gradient: c === undefined ? "none" : c.at >= shown ? "not yet" : stateOf(c.t),
        tensor,
        broadcast: isElementwise(node) && !sameShape(v.type.shape, node.type.shape),
        ...(tensor && { aboveBars: histogram(value) }),
        ...(tensor && c !== undefined && c.at < shown && { belowBars: histogram(c.t) }),
        ...(isActive && { flow: "downstream" as const, fresh: "gradient" as const }),
        ...(isActive && c.local !== null && c.local.type.shape.length === 0 && { localGradient: formatNumber(c.local.data[0]!, format) }),
        ...(active?.kind === "gate" && active.node === v.node && { flow: "upstream" as const }),
      });
    });
  const end = names.get(f.node)!;
  wires.push({
    from: id(f.node),
    output: f.index,
    to: "end",
    input: 0,
    above: valueText(stepper.at(f).value, format),
    below: shown > 0 ? formatNumber(1, format) : "",
    gradient: shown > 0 ? "number" : "not yet",
    ...(active?.kind === "gate" && active.node === f.node && { flow: "upstream" as const }),
    ...(active?.kind === "seed" && { fresh: "gradient" as const }),
  });
  const trunks: SceneTrunk[] = [];
  for (const node of order)
    for (const v of node.outputs ?? [node]) {
      const key = `${id(node)} ${v.index}`;
      const s = sums.get(key);
      if (s === undefined || (users.get(key) ?? 0) < 2) continue;
      trunks.push({
        from: id(node),
        output: v.index,
        above: valueText(stepper.at(v).value, format),
        below: s.at < shown ? gradientText(s.t, format) : "",
        gradient: s.at < shown ? stateOf(s.t) : "not yet",
        active: active?.kind === "sum" && s.at === shown - 1,
      });
    }
  const items = order.map((node) => itemOf(node, id(node), names.get(node)!));
  return {
    title: title ?? `${end}: values above the wires, gradients below`,
    items: [...items, { id: "end", kind: "output", label: end, title: end }],
    wires,
    trunks,
    ...(active !== undefined && active.kind === "gate" && { active: id(active.node) }),
    ...(theme !== undefined && { theme }),
  };
}

/** A graph without numbers as a picture: shapes above the wires. */
export function sceneOfGraph(
  g: Graph<never, unknown> | Graph<unknown, unknown>,
  { title, theme }: Pick<SceneOptions, "title" | "theme"> = {},
): Scene {
  const order = nodesOf(g);
  const outputs = leaves(g.outputs).map(({ path, leaf }) => ({ path: path === "" ? "output" : path, v: leaf as Value }));
  const names = order.length === 0 ? new Map<Node, string>() : nameValues(order, outputs[0]?.v ?? order[order.length - 1]!);
  const ids = new Map(order.map((node, i) => [node, `n${i}`]));
  const id = (n: Node): string => ids.get(n)!;
  const wires = bareWires(order, id);
  const items = order.map((node) => itemOf(node, id(node), names.get(node) ?? node.op.name));
  outputs.forEach(({ path, v }, i) => {
    items.push({ id: `end${i}`, kind: "output", label: path, title: `${path}: ${typeText(v.type)}` });
    wires.push({
      from: id(v.node),
      output: v.index,
      to: `end${i}`,
      input: 0,
      above: v.type.shape.length === 0 ? "" : shapeOf(v.type),
      below: "",
      gradient: "not yet",
      tensor: v.type.shape.length > 0,
    });
  });
  return { title: title ?? `graph of ${outputs.map((o) => o.path).join(", ")}`, items, wires, ...(theme !== undefined && { theme }) };
}
