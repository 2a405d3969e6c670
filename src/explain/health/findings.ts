import { isFloat } from "../../ir/dtype.ts";
import { constantOp } from "../../ir/leaf.ts";
import { type Node, type Value, valuesOf } from "../../ir/node.ts";
import type { Tensor } from "../../ir/tensor.ts";
import { nameOfResult } from "../names.ts";
import { numberText } from "../number-text.ts";
import type { Finding, HealthFacts, LayerFacts, ParameterFacts, Report } from "./facts.ts";
import { guessOf } from "./first-loss.ts";
import { reluInput, saturatedShare } from "./gate-shares.ts";
import { held } from "./gradients-everywhere.ts";
import { conventionOf, elementsOnKink } from "./kinks.ts";
import { layersOf } from "./layers.ts";
import { type Measures, measuresOf, offUnits } from "./measures.ts";
import type { HealthWords } from "./words.ts";

/** All findings, the gravest first, with the tables of parameters and layers. */
export function findingsOf(facts: HealthFacts): {
  readonly findings: readonly Finding[];
  readonly parameters: readonly ParameterFacts[];
  readonly layers: readonly LayerFacts[];
} {
  const findings: Finding[] = [];
  const report: Report = (rule, level, { name, node }, sentence, measured = null, limit = null) => {
    findings.push({ rule, level, subject: name, scope: node?.where?.scope ?? null, measured, limit, sentence });
  };
  const broken = nonFinite(facts, report);
  gates(facts, report);
  const parameters = facts.parameters.map((p) => parameterOf(p, facts, report, broken));
  firstLoss(facts, report);
  inputScales(facts, report);
  const layers = layerRows(facts, report, broken);
  const weight = { bad: 0, warn: 1, note: 2 };
  findings.sort((a, b) => weight[a.level] - weight[b.level]);
  return { findings, parameters, layers };
}

const percent = (x: number): string => `${Number((100 * x).toPrecision(3))}%`;
const short = (x: number): string => numberText(x, 3);

function kindOf({ nans, infinities }: Measures): string {
  return nans > 0 ? (infinities > 0 ? "NaN, Infinity" : "NaN") : "Infinity";
}

/** The first value forward and the first gradient backward that are not finite. */
function nonFinite({ order, names, gradients, words, f }: HealthFacts, report: Report): boolean {
  let found = false;
  search: for (const node of order)
    for (const v of valuesOf(node)) {
      if (!isFloat(v.type.dtype)) continue;
      const m = measuresOf(held(v));
      const count = m.nans + m.infinities;
      if (count === 0) continue;
      // Minus infinity as a mask, written by the user, is no fault until something makes it NaN.
      if (node.op === constantOp && m.nans === 0) continue;
      const name = nameOfResult(names, v);
      report("non-finite", "bad", { name, node }, words.nonFiniteValue(name, node.op.name, count, m.size, kindOf(m)), count, 0);
      found = true;
      break search;
    }
  const users = new Map<Node, Node>();
  for (const node of order) for (const v of node.operands) if (v !== null) users.set(v.node, node);
  for (let i = order.length - 1; i >= 0; i--) {
    const node = order[i]!;
    const list = gradients.get(node);
    if (list === undefined) continue;
    for (const v of valuesOf(node)) {
      const g = list[v.index];
      if (g == null) continue;
      const m = measuresOf(g);
      const count = m.nans + m.infinities;
      if (count === 0) continue;
      const name = nameOfResult(names, v);
      const by = users.get(node)?.op.name ?? f.node.op.name;
      report("non-finite", "bad", { name, node }, words.nonFiniteGradient(name, count, m.size, kindOf(m), by), count, 0);
      return true;
    }
  }
  return found;
}

function operandsOf(node: Node): Tensor[] {
  return node.operands.flatMap((v) => (v === null ? [] : [held(v)]));
}

/** What single gates show: units that are off, saturation, kinks. */
function gates(facts: HealthFacts, report: Report): void {
  const { order, names, gradients, limits, words, convention } = facts;
  for (const node of order) {
    // What no gradient passes through does not matter here.
    if (gradients.get(node)?.some((g) => g !== null) !== true || node.operands.length === 0) continue;
    const name = names.get(node)!;
    const about = { name, node };
    const x = reluInput(node);
    if (x !== null) {
      const { share, units, samples } = offUnits(held(x));
      if (samples > 1 && share > limits.deadUnits)
        report("dead-units", "warn", about, words.deadUnits(name, percent(share), units, samples), share, limits.deadUnits);
      else if (samples === 1 && share === 1) report("dead-units", "warn", about, words.deadUnit(name), 1, limits.deadUnits);
    }
    const flat = saturatedShare(node, held(node), limits.saturation.slope);
    if (flat !== null && flat > limits.saturation.share)
      report("saturation", "warn", about, words.saturated(name, node.op.name, percent(flat)), flat, limits.saturation.share);
    kinksOf(node, about, facts, report, convention);
  }
}

function kinksOf(
  node: Node,
  about: { readonly name: string; readonly node: Node },
  { words }: HealthFacts,
  report: Report,
  convention: "pytorch" | "jax",
): void {
  let at = node;
  if (node.op.name === "where") {
    // A choice by comparison, as in leakyRelu: the comparison has the tie. Inside our own losses it is no kink.
    const test = node.operands[0]?.node;
    if (test === undefined || test.op.facts.kink === null || test.operands.some((v) => v !== null && !isFloat(v.type.dtype))) return;
    if (node.where?.scope != null && conventionOf(node) === null) return;
    at = test;
  } else if (node.operands.some((v) => v !== null && !isFloat(v.type.dtype))) return;
  if (at.operands.length === 0) return;
  const count = elementsOnKink(at, operandsOf(at), held(at));
  if (count === 0) return;
  const size = held(at).data.length;
  const known = conventionOf(node);
  const shown = node.op.name === "where" ? (node.where?.scope?.split("/").at(-1) ?? at.op.name) : node.op.name;
  if (known === null) {
    report("kink", "note", about, words.kinkUnknown(about.name, shown, count, size), count);
    return;
  }
  report("kink", "note", about, words.kink(about.name, shown, count, size, known.pytorch, known.jax, known.pytorch), count);
  if (convention === "jax" && known.jax !== known.pytorch)
    report("kink", "warn", about, words.jaxDiffers(about.name, shown, known.jax), count);
}

function parameterOf(
  parameter: { readonly name: string; readonly of: Value },
  { gradients, updates, limits, words }: HealthFacts,
  report: Report,
  broken: boolean,
): ParameterFacts {
  const { name, of } = parameter;
  const node = of.node;
  const about = { name, node };
  const weights = measuresOf(held(of));
  const g = gradients.get(node)?.[of.index] ?? null;
  const gradient = g === null ? { norm: 0, rms: 0, size: 0, nans: 0, infinities: 0 } : measuresOf(g);
  const update = updates(parameter, gradient.norm);
  const ratio = update === null || weights.norm === 0 ? null : update / weights.norm;
  const rate = weights.norm === 0 || gradient.norm === 0 ? null : (limits.updateToWeight.aim * weights.norm) / gradient.norm;
  const { low, high, aim } = limits.updateToWeight;
  if (broken || of.type.shape.includes(0)) return { name, type: of.type, weightRms: weights.rms, gradientRms: gradient.rms, ratio, rate };
  if (g === null) report("no-gradient", "warn", about, words.noGradient(name));
  else if (gradient.norm === 0) report("no-gradient", "warn", about, words.zeroGradient(name), 0);
  else {
    if (ratio !== null && ratio < low) report("update-ratio", "warn", about, words.updateLow(name, short(ratio), short(aim)), ratio, low);
    if (ratio !== null && ratio > high)
      report("update-ratio", "warn", about, words.updateHigh(name, short(ratio), short(aim)), ratio, high);
    const { vanishing, exploding } = limits.gradient;
    if (gradient.rms < vanishing) report("vanishing", "warn", about, words.vanishing(name, short(gradient.rms)), gradient.rms, vanishing);
    if (gradient.rms > exploding) report("exploding", "warn", about, words.exploding(name, short(gradient.rms)), gradient.rms, exploding);
  }
  return { name, type: of.type, weightRms: weights.rms, gradientRms: gradient.rms, ratio, rate };
}

/** A classification loss against what guessing gives. */
function firstLoss({ order, names, limits, words, initial }: HealthFacts, report: Report): void {
  for (const { node, guess, what } of guessOf(order)) {
    const loss = held(node).data[0]!;
    const name = names.get(node)!;
    const off = Math.abs(loss - guess) > limits.firstLoss * guess;
    const say = initial && off ? words.firstLossOff : words.firstLoss;
    report("first-loss", initial && off ? "warn" : "note", { name, node }, say(name, short(loss), short(guess), what), loss, guess);
  }
}

/** Data beside weights in a product. */
function inputScales({ order, names, parameters, gradients, limits, words }: HealthFacts, report: Report): void {
  const own = new Set(parameters.map(({ of }) => of.node));
  const seen = new Set<Node>();
  for (const node of order) {
    if (node.op.name !== "matmul" && node.op.name !== "conv") continue;
    const weights = node.operands.find((v) => v !== null && own.has(v.node));
    const data = node.operands.find((v) => v !== null && !own.has(v.node) && !gradients.has(v.node));
    if (weights == null || data == null || seen.has(data.node) || data.type.shape.includes(0)) continue;
    seen.add(data.node);
    const { rms } = measuresOf(held(data));
    const { low, high } = limits.inputScale;
    const name = nameOfResult(names, data);
    if (rms > high || (rms < low && rms > 0))
      report(
        "input-scale",
        "warn",
        { name, node: data.node },
        words.inputScale(name, nameOfResult(names, weights), short(rms)),
        rms,
        rms > high ? high : low,
      );
  }
}

/** Layers with the gradient at their results, and where it vanishes or explodes from one to another. */
function layerRows(facts: HealthFacts, report: Report, broken: boolean): LayerFacts[] {
  const { gradients, limits, words } = facts;
  const layers = layersOf(facts);
  const rows = layers.map(({ name, end }) => ({
    name,
    activationRms: measuresOf(held(end)).rms,
    gradientRms: measuresOf(gradients.get(end.node)?.[end.index] ?? { data: [] as never }).rms,
  }));
  if (broken) return rows;
  const { over, vanishing, exploding } = limits.layers;
  const pairs = rows.flatMap((row, i) =>
    rows
      .slice(i + 1, i + 1 + over)
      .map((near, k) => ({ from: i, to: i + 1 + k, ratio: near.gradientRms === 0 ? Number.NaN : row.gradientRms / near.gradientRms })),
  );
  // The worst pair stands for all of them.
  const shrunk = pairs.filter(({ ratio }) => ratio > 0 && ratio < vanishing).sort((a, b) => a.ratio - b.ratio)[0];
  const grown = pairs.filter(({ ratio }) => ratio > exploding).sort((a, b) => b.ratio - a.ratio)[0];
  const tell = (
    found: (typeof pairs)[number] | undefined,
    rule: "vanishing" | "exploding",
    say: HealthWords["shrinking"],
    limit: number,
  ): void => {
    if (found === undefined) return;
    const [from, to] = [rows[found.from]!.name, rows[found.to]!.name];
    report(rule, "warn", { name: from, node: layers[found.from]!.end.node }, say(from, to, short(found.ratio)), found.ratio, limit);
  };
  tell(shrunk, "vanishing", words.shrinking, vanishing);
  tell(grown, "exploding", words.growing, exploding);
  return rows;
}
