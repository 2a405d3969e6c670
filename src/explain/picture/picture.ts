import { formatNumber, type NumberFormat } from "../../draw/format-number.ts";
import { type Layout, layoutScene } from "../../draw/layout/layout-scene.ts";
import type { Direction, GradientState, Scene, SceneGroup, SceneItem, SceneTrunk, SceneWire, Theme } from "../../draw/scene.ts";
import { renderSvg } from "../../draw/svg.ts";
import { type SvgParts, svgParts } from "../../draw/svg-parts.ts";
import { styleSheet } from "../../draw/svg-style.ts";
import { palettes } from "../../draw/theme.ts";
import { settleAll } from "../../evaluate/evaluate.ts";
import { GraphError } from "../../ir/errors.ts";
import { type AnyGraph, isGraph } from "../../ir/graph.ts";
import { inputOp, isValue, variableOp } from "../../ir/leaf.ts";
import { type Node, type Value, valuesOf } from "../../ir/node.ts";
import { sameShape, sizeOf } from "../../ir/shape.ts";
import type { Tensor } from "../../ir/tensor.ts";
import { leaves } from "../../ir/tree.ts";
import { typeText } from "../../ir/type.ts";
import { collect } from "../../ir/walk.ts";
import type { Use } from "../../passes/substitute.ts";
import type { Language } from "../explain.ts";
import { nameOfResult, nameValues } from "../names.ts";
import { type GateStep, type Step, type StepOptions, slotName, steps } from "../steps.ts";
import { inlineCalls } from "./inline-calls.ts";
import { itemOf, moduleItem } from "./items.ts";
import type { Module } from "./modules.ts";
import { gradientText, histogram, shapeText, stateOf, subscript, valueText } from "./numbers.ts";
import { gatePill, gradientPill, type Pill } from "./pills.ts";
import { type Closed, mostItems, type View, type ViewOptions, viewOf } from "./view.ts";
import { graphTitle, pillWordsIn, wordsIn } from "./words.ts";

/** What a picture shows and how. */
export interface PictureOptions extends StepOptions, ViewOptions {
  readonly title?: string;
  readonly theme?: Theme;
  /** `right` (default): from left to right; `down`: from top to bottom. */
  readonly direction?: Direction;
  readonly language?: Language;
  /** Only a part of the picture: an item and what is near it. */
  readonly near?: Near;
  /** The layout of a picture of the same graph with other numbers, so that nothing moves; it is not checked further than by its counts. */
  readonly layout?: Layout;
}

/** An item of a picture, by its id, and how far from it others are shown: `Infinity` steps to feed it shows all that it is made of. */
export interface Near {
  readonly item: string;
  /** How many steps along the wires to what feeds it. */
  readonly feeds: number;
  /** How many steps to what uses it. */
  readonly uses: number;
}

/** A picture of a graph, laid out once, that can be drawn at every step of its two passes without anything moving. */
export interface Picture {
  /** The forward steps, then the backward steps; none for a graph without numbers. */
  readonly steps: readonly Step[];
  /** How many of the steps are forward. */
  readonly forwardSteps: number;
  /** Where everything goes, found out when it is first asked for, by this or by what draws. */
  readonly layout: Layout;
  /** The same picture with a layout of its scene that was made elsewhere: `layoutScene(picture.scene())` in a worker. @throws GraphError for another scene's */
  withLayout(layout: Layout): Picture;
  /**
   * The same graph and walk seen otherwise: other modules open, a part of it, another direction or language. No value and no gradient is computed again,
   * which is what takes long where tensors are large; `wrt` and `inline` stay as they were.
   * @throws GraphError as `picture` does
   */
  seen(options: PictureOptions): Picture;
  /**
   * The picture as data after so many of the steps, the last one lit: 0 shows the leaves alone. After all of them, unlit, when left out.
   * @throws GraphError for a number of steps that the walk does not have
   */
  scene(step?: number): Scene;
  /** The same as SVG. */
  svg(step?: number, theme?: Theme): string;
  /** A scene of this picture element by element, for a page that changes what differs from step to step; `style` is the elements' CSS. */
  parts(scene: Scene): SvgParts;
  style(): string;
  /** The nodes behind an item of the scene: one, or all of a closed module; none behind the name of the end. */
  nodesOf(id: string): readonly Node[];
  /** The item that stands for a node, as it is or within a closed module. */
  itemOf(node: Node): string | undefined;
  /** The value that travels on a wire, by the wire's place in the scene. */
  valueOf(wire: number): Value;
  /** The operands that a wire leads to: one, or all within a closed module; none for the wire to the name of the end. */
  usesOf(wire: number): readonly Use[];
}

/** What a scene is made from: nodes, the view of them, and numbers if there are any. */
interface Source {
  readonly order: readonly Node[];
  readonly names: ReadonlyMap<Node, string>;
  readonly view: View;
  readonly ends: readonly { readonly v: Value; readonly name: string }[];
  readonly title: string;
  readonly numbers: Numbers | null;
}

interface Numbers {
  readonly steps: readonly Step[];
  readonly forward: number;
  readonly format: NumberFormat;
  readonly factOf: (v: Value) => ValueFact;
  readonly gradientOf: (t: Tensor) => GradientFact;
  /** What each operand's wire carries back, by `node place` and operand. */
  readonly contribution: (node: Node, operand: number) => Contribution | undefined;
  readonly sum: (v: Value) => { readonly t: Tensor; readonly parts: number; readonly at: number } | undefined;
  /** What health would warn of: shares that are off or saturated, tiny gradients. */
  readonly health: (node: Node) => Pill | null;
  /** What is not finite in what a gate passes on, if what arrived at it was. */
  readonly badBackward: (node: Node) => string | null;
  /** The step that computes a node; -1 for leaves. */
  readonly computedAt: ReadonlyMap<Node, number>;
  /** The step at which a gate passes its gradient on. */
  readonly passedAt: ReadonlyMap<Node, number>;
}

/** A source with what every step's scene needs of it, made once. */
interface Plan extends Source {
  readonly ids: ReadonlyMap<Node | Closed, string>;
  readonly drafts: readonly Draft[];
  readonly trunks: readonly Trunk[];
  /** What lies in each closed module. */
  readonly inside: ReadonlyMap<Closed, readonly Node[]>;
  /** The items as they are when the walk has come to them, and those that wait for it. */
  readonly items: readonly { readonly of: Node | Closed; readonly done: SceneItem; readonly pending: SceneItem }[];
  readonly outputs: readonly SceneItem[];
  readonly groups: readonly SceneGroup[];
  /** Wires that no step lights are the same object in every scene, so that a page sees at once that they did not change. */
  readonly plain: Map<string, SceneWire>;
  readonly totals: Map<Draft, Total>;
}

/** All that a wire carries back. */
interface Total {
  readonly parts: readonly Contribution[];
  readonly t: Tensor | null;
  /** The step after which it is known. */
  readonly at: number;
  readonly text: string;
  readonly bars: readonly number[] | null;
  readonly state: GradientState;
}

interface ValueFact {
  readonly text: string;
  readonly bars: readonly number[] | null;
  readonly bad: string | null;
}

interface GradientFact {
  readonly text: string;
  readonly bars: readonly number[];
  readonly state: GradientState;
}

interface Contribution {
  readonly t: Tensor;
  readonly local: Tensor | null;
  readonly at: number;
}

/** Up to this many gates numbers have two decimals, as on the lecture's slides; beyond, three significant digits. */
const small = 24;

/**
 * Lays out a picture: of a scalar, with its values above the wires and its gradients below; or of a graph, with its shapes.
 *
 * Named scopes are modules: drawn closed, as one box, or open, as a frame around their parts (`depth`, `open`, `closed`); closed ones that repeat in
 * a row are drawn once (`fold`).
 * @throws GraphError for more than `maxItems` items; GradientError when `f` is a Value and no floating-point scalar
 */
export function picture(f: Value | AnyGraph, options: PictureOptions = {}): Picture {
  if (!isGraph(f) && !isValue(f)) throw new GraphError("draw: give a Value or a Graph");
  return drawn(isGraph(f) ? graphSource(f, options) : walkedValue(f as Value, options), options);
}

/**
 * The same picture of a scalar, computed piece by piece, so that a page goes on meanwhile: after each value of the graph, each step of its backward pass and each
 * summary of a large tensor it waits for what `pause` gives. A piece is as long as its op takes; what has to be computed is the same.
 *
 * @param pause called between two pieces; nothing to wait for goes on at once
 * @throws GraphError and GradientError as `picture` does
 */
export async function pictureInParts(
  f: Value | AnyGraph,
  options: PictureOptions,
  pause: () => Promise<void> | undefined,
): Promise<Picture> {
  // Of a graph nothing is computed.
  if (!isValue(f)) return picture(f, options);
  const pieces = walkedInParts(f, options, true);
  for (let piece = pieces.next(); ; piece = pieces.next()) {
    if (piece.done) return drawn(piece.value, options);
    const wait = pause();
    if (wait !== undefined) await wait;
  }
}

/** What can be seen in several ways. */
type Seen = (options: PictureOptions) => Source;

function drawn(seen: Seen, options: PictureOptions): Picture {
  const { language = "en", layout: given } = options;
  const source = planOf(seen(options), language, options.near);
  const whole = sceneAt(source, options, undefined);
  const rows = { labelRows: source.numbers === null ? 2 : 3, maxItems: whole.items.length } as const;
  let byNode: Map<Node, string> | null = null;
  let byItem: Map<string, Node[]> | null = null;
  const items = (): Map<Node, string> =>
    (byNode ??= new Map(source.order.map((node) => [node, source.ids.get(source.view.shown.get(node)!)!])));
  const nodes = (): Map<string, Node[]> => {
    if (byItem !== null) return byItem;
    byItem = new Map();
    for (const [node, id] of items()) {
      const inside = byItem.get(id);
      if (inside === undefined) byItem.set(id, [node]);
      else inside.push(node);
    }
    return byItem;
  };
  const scene = (step?: number): Scene => (step === undefined ? whole : sceneAt(source, options, checkedStep(step, source)));
  const laidBy = (layoutOf: () => Layout): Picture => ({
    steps: source.numbers?.steps ?? [],
    forwardSteps: source.numbers?.forward ?? 0,
    get layout() {
      return layoutOf();
    },
    withLayout: (layout) => {
      if (!fitsLayout(layout, whole))
        throw new GraphError(`draw: the layout has ${layout.items.length} items, and it is not one of this picture's scene; lay that out`);
      return laidBy(() => layout);
    },
    seen: (other) => drawn(seen, other),
    scene,
    svg: (step, theme) => {
      const shown = scene(step);
      return renderSvg(theme === undefined ? shown : { ...shown, theme }, layoutOf(), { words: wordsIn(language), language });
    },
    parts: (shown) => svgParts(shown, layoutOf(), wordsIn(language)),
    style: () => styleSheet(palettes[options.theme ?? "light"]),
    nodesOf: (id) => nodes().get(id) ?? [],
    itemOf: (node) => items().get(node),
    valueOf: (wire) => source.drafts[wire]!.v,
    usesOf: (wire) => source.drafts[wire]!.uses,
  });
  // The rows of a wire are the same at every step; only a graph without numbers does not need the third one.
  let layout = given !== undefined && fitsLayout(given, whole) ? given : null;
  return laidBy(() => (layout ??= layoutScene(whole, rows)));
}

function fitsLayout(layout: Layout, scene: Scene): boolean {
  return (
    layout.items.length === scene.items.length &&
    layout.wires.length === scene.wires.length &&
    layout.groups.length === (scene.groups ?? []).length &&
    layout.items.every(({ id }, i) => id === scene.items[i]!.id)
  );
}

/** The ids of the items in the order in which they stand in the scene. */
function idsOf({ order, view }: Source): Map<Node | Closed, string> {
  const ids = new Map<Node | Closed, string>();
  order.forEach((node, i) => {
    const item = view.shown.get(node)!;
    if (!ids.has(item)) ids.set(item, isClosed(item) ? item.module.id : `n${i}`);
  });
  return ids;
}

function checkedStep(step: number, { numbers }: Source): number {
  const count = numbers?.steps.length ?? 0;
  if (Number.isInteger(step) && step >= 0 && step <= count) return step;
  if (numbers === null)
    throw new GraphError(`draw: step ${step}: a graph without values has no steps; call it on values and draw the result`);
  throw new GraphError(
    `draw: there is no step ${step}; the walk has ${count} steps, ${numbers.forward} forward and ${count - numbers.forward} backward, and step 0 before them`,
  );
}

function walkedValue(given: Value, options: PictureOptions): Seen {
  const pieces = walkedInParts(given, options, false);
  for (let piece = pieces.next(); ; piece = pieces.next()) if (piece.done) return piece.value;
}

/** Tensors of so many elements are summarised one by one where a picture is made in parts; smaller ones when they are drawn. */
const summarised = 20_000;

/** @param ahead whether values and summaries are computed piece by piece, before they are asked for */
function* walkedInParts(given: Value, options: PictureOptions, ahead: boolean): Generator<void, Seen, void> {
  const { roots, moved } = options.inline === false ? { roots: [given], moved: (v: Value) => v } : inlineCalls([given]);
  const f = roots[0]!;
  // What is no Value is left for `steps` to refuse.
  const wrt =
    options.wrt === undefined
      ? undefined
      : Object.fromEntries(Object.entries(options.wrt).map(([name, v]) => [name, isValue(v) ? moved(v) : v]));
  // Before anything is computed for a picture that would be too large.
  const behind = collect([f]);
  if (behind.length > (options.maxItems ?? mostItems)) viewOf(behind, options);
  // An input without a value is told by the whole graph.
  if (ahead && f.type.shape.length === 0 && !behind.some(({ op }) => op === inputOp))
    for (const node of behind) {
      settleAll(valuesOf(node));
      yield;
    }
  const stepper = steps(f, wrt === undefined ? {} : { wrt });
  const { order, names } = stepper;
  // Before anything is computed, what cannot be drawn is refused.
  let first: View | null = viewOf(order, options);
  const all: Step[] = [];
  const contributions = new Map<Node, Map<number, Contribution>>();
  const sums = new Map<Value, { readonly t: Tensor; readonly parts: number; readonly at: number }>();
  const badBackward = new Map<Node, string>();
  const computedAt = new Map<Node, number>();
  const passedAt = new Map<Node, number>();
  const atParameter = new Map<Node, Tensor>();
  const note = (s: Step): void => {
    const at = all.push(s) - 1;
    if (s.pass === "forward") computedAt.set(s.node, at);
    else if (s.kind === "gate") {
      passedAt.set(s.node, at);
      const bad = firstBad(s.upstream) === null ? s.flows.map((flow) => firstBad(flow.contribution)).find((text) => text !== null) : null;
      if (bad != null) badBackward.set(s.node, bad);
      const found = contributionsOf(s, at);
      contributions.set(s.node, found);
      for (const [operand, { t }] of found) {
        const from = s.node.operands[operand]!.node;
        if (from.op === variableOp && !atParameter.has(from)) atParameter.set(from, t);
      }
    } else if (s.kind === "sum") {
      const v = valuesOf(s.node).find((o) => nameOfResult(names, o) === s.name) ?? s.node;
      sums.set(v, { t: s.gradient, parts: s.parts.length, at });
      if (v.node.op === variableOp) atParameter.set(v.node, s.gradient);
    }
  };
  for (const step of stepper.forward()) {
    note(step);
    yield;
  }
  const gates = all.length;
  for (const step of stepper.backward()) {
    note(step);
    yield;
  }
  const format: NumberFormat = { style: gates <= small ? "decimals" : "significant" };
  const facts = new Map<Value, ValueFact>();
  const factOf = (v: Value): ValueFact => {
    let fact = facts.get(v);
    if (fact === undefined) {
      const { value } = stepper.at(v);
      const bars = v.type.shape.length > 0 ? histogram(value) : null;
      facts.set(v, (fact = { text: valueText(value, format), bars, bad: firstBad(value) }));
    }
    return fact;
  };
  const slopes = new WeakMap<Tensor, GradientFact>();
  const gradientOf = (t: Tensor): GradientFact => {
    let fact = slopes.get(t);
    if (fact === undefined) slopes.set(t, (fact = { text: gradientText(t, format), bars: histogram(t), state: stateOf(t) }));
    return fact;
  };
  if (ahead) {
    for (const v of order.flatMap(valuesOf))
      if (sizeOf(v.type.shape) >= summarised) {
        factOf(v);
        yield;
      }
    const slope = [...contributions.values()].flatMap((found) => [...found.values()]);
    for (const { t } of [...slope, ...sums.values()])
      if (t.data.length >= summarised) {
        gradientOf(t);
        yield;
      }
  }
  const pillsIn = new Map<Language, Map<Node, Pill | null>>();
  const pillOf = (node: Node, language: Language): Pill | null => {
    let pills = pillsIn.get(language);
    if (pills === undefined) pillsIn.set(language, (pills = new Map()));
    let pill = pills.get(node);
    if (pill !== undefined) return pill;
    const words = pillWordsIn(language);
    const gradient = atParameter.get(node);
    // What no gradient passes through is no matter of health.
    pill =
      gradient !== undefined
        ? gradientPill(gradient, words)
        : passedAt.has(node)
          ? gatePill(node, (v) => stepper.at(v).value, words)
          : null;
    pills.set(node, pill);
    return pill;
  };
  if (ahead)
    for (const node of order) {
      pillOf(node, options.language ?? "en");
      yield;
    }
  const name = names.get(f.node)!;
  return (now) => {
    const view = first ?? viewOf(order, now);
    first = null;
    return {
      order,
      names,
      view,
      ends: [{ v: f, name }],
      title: now.title ?? name,
      numbers: {
        steps: all,
        forward: gates,
        format,
        factOf,
        gradientOf,
        contribution: (node, operand) => contributions.get(node)?.get(operand),
        sum: (v) => sums.get(v),
        health: (node) => pillOf(node, now.language ?? "en"),
        badBackward: (node) => badBackward.get(node) ?? null,
        computedAt,
        passedAt,
      },
    };
  };
}

function contributionsOf({ node, flows }: GateStep, at: number): Map<number, Contribution> {
  const found = new Map<number, Contribution>();
  const operandOf = new Map<string, number>();
  node.operands.forEach((v, i) => {
    if (v !== null) operandOf.set(slotName(node, i), i);
  });
  for (const { slot, contribution, local } of flows) found.set(operandOf.get(slot)!, { t: contribution, local, at });
  return found;
}

function firstBad({ data }: Tensor): string | null {
  for (let i = 0; i < data.length; i++) if (!Number.isFinite(data[i])) return formatNumber(data[i]!);
  return null;
}

function graphSource(g: AnyGraph, options: PictureOptions): Seen {
  const given = leaves(g.outputs);
  const ends = given.map(({ leaf }) => leaf as Value);
  const roots = options.inline === false ? ends : inlineCalls(ends).roots;
  const outputs = given.map(({ path }, i) => ({ name: path === "" ? "output" : path, v: roots[i]! }));
  const order = collect([...leaves(g.inputs).map(({ leaf }) => leaf as Value), ...roots]);
  const names = order.length === 0 ? new Map<Node, string>() : nameValues(order, outputs[0]?.v ?? order[order.length - 1]!);
  return (now) => ({
    order,
    names,
    view: viewOf(order, now),
    ends: outputs,
    title:
      now.title ??
      graphTitle(
        outputs.map(({ name }) => name),
        now.language ?? "en",
      ),
    numbers: null,
  });
}

function isElementwise(node: Node): boolean {
  const { family } = node.op.facts;
  return family === "unary" || family === "binary";
}

const isClosed = (item: Node | Closed): item is Closed => "module" in item;

/** A wire in the making: one operand of a node, or all the uses of one value in a closed module. */
interface Draft {
  readonly v: Value;
  readonly from: Node | Closed;
  readonly output: number;
  readonly to: Node | Closed | null;
  readonly input: number;
  readonly uses: { readonly node: Node; readonly operand: number }[];
  readonly end: string;
}

/** The wires of a view: from port to port, in order of the consumers. */
function draftsOf({ order, view, ends }: Source): Draft[] {
  const drafts: Draft[] = [];
  const ways = new Map<Closed, { ins: Map<Value, Draft>; outs: Map<Value, number> }>();
  const waysOf = (item: Closed): { ins: Map<Value, Draft>; outs: Map<Value, number> } => {
    let found = ways.get(item);
    if (found === undefined) ways.set(item, (found = { ins: new Map(), outs: new Map() }));
    return found;
  };
  const outputOf = (v: Value, item: Node | Closed): number => {
    if (!isClosed(item)) return v.index;
    const { outs } = waysOf(item);
    let port = outs.get(v);
    if (port === undefined) outs.set(v, (port = outs.size));
    return port;
  };
  for (const node of order) {
    const to = view.shown.get(node)!;
    node.operands.forEach((v, operand) => {
      if (v === null) return;
      const from = view.shown.get(v.node)!;
      if (from === to) return;
      const use = { node, operand };
      const known = isClosed(to) ? waysOf(to).ins.get(v) : undefined;
      if (known !== undefined) known.uses.push(use);
      else {
        const input = isClosed(to) ? waysOf(to).ins.size : operand;
        const draft: Draft = { v, from, output: outputOf(v, from), to, input, uses: [use], end: "" };
        drafts.push(draft);
        if (isClosed(to)) waysOf(to).ins.set(v, draft);
      }
    });
  }
  ends.forEach(({ v }, i) => {
    const from = view.shown.get(v.node)!;
    drafts.push({ v, from, output: outputOf(v, from), to: null, input: 0, uses: [], end: `end${i}` });
  });
  return drafts;
}

function planOf(source: Source, language: Language, near: Near | undefined): Plan {
  const { order, names, view, ends, numbers } = source;
  const ids = idsOf(source);
  const every = draftsOf(source);
  const kept = near === undefined ? null : keptNear(near, ids, every);
  const drafts = kept === null ? every : every.filter(({ from, to }) => kept.has(from) && (to === null || kept.has(to)));
  const inside = new Map<Closed, Node[]>();
  for (const node of order) {
    const item = view.shown.get(node)!;
    if (!isClosed(item)) continue;
    const nodes = inside.get(item);
    if (nodes === undefined) inside.set(item, [node]);
    else nodes.push(node);
  }
  const items = [...ids].flatMap(([of, id]) => {
    if (kept !== null && !kept.has(of)) return [];
    const group = view.around.get(of);
    const made = isClosed(of) ? moduleItem(of, language) : itemOf(of, id, names.get(of) ?? of.op.name);
    const note = numbers === null ? null : noteOf(of, names, numbers, isClosed(of) ? (inside.get(of) ?? []) : [of]);
    const done: SceneItem = {
      ...made,
      ...(note !== null && { note: note.short, title: `${made.title}, ${note.told}` }),
      ...(group !== undefined && { group: group.id }),
    };
    return [{ of, done, pending: { ...done, pending: true } }];
  });
  const isEndKept = ({ v }: { readonly v: Value }): boolean => kept === null || kept.has(view.shown.get(v.node)!);
  const used = new Set<Module>();
  for (const { of } of items) for (let m = view.around.get(of) ?? null; m !== null; m = m.parent) used.add(m);
  return {
    ...source,
    ids,
    drafts,
    trunks: trunksIn(drafts, numbers),
    inside,
    items,
    outputs: ends.flatMap(({ v, name }, i) =>
      isEndKept({ v }) ? [{ id: `end${i}`, kind: "output", label: name, title: `${name}: ${typeText(v.type)}` } as const] : [],
    ),
    groups: view.open
      .filter((module) => kept === null || used.has(module))
      .map(({ id, label, path, parent }) => ({ id, label, title: path, ...(parent !== null && { group: parent.id }) })),
    plain: new Map(),
    totals: new Map(),
  };
}

/** The items within so many steps of one, along the wires. @throws GraphError for an item that the picture does not have */
function keptNear({ item, feeds, uses }: Near, ids: Plan["ids"], drafts: readonly Draft[]): Set<Node | Closed> {
  const start = [...ids].find(([, id]) => id === item)?.[0] ?? drafts.find(({ end }) => end === item)?.from;
  if (start === undefined)
    throw new GraphError(
      `draw: near names the item ${JSON.stringify(item.slice(0, 60))}, and the picture has none of that id; take one of scene().items`,
    );
  const sources = new Map<Node | Closed, (Node | Closed)[]>();
  const users = new Map<Node | Closed, (Node | Closed)[]>();
  for (const { from, to } of drafts) {
    if (to === null) continue;
    const into = sources.get(to);
    if (into === undefined) sources.set(to, [from]);
    else into.push(from);
    const out = users.get(from);
    if (out === undefined) users.set(from, [to]);
    else out.push(to);
  }
  const kept = new Set<Node | Closed>([start]);
  for (const [next, steps] of [
    [sources, feeds],
    [users, uses],
  ] as const) {
    let edge: readonly (Node | Closed)[] = [start];
    const seen = new Set<Node | Closed>(edge);
    for (let step = 0; step < steps && edge.length > 0; step++) {
      const found: (Node | Closed)[] = [];
      for (const at of edge)
        for (const other of next.get(at) ?? [])
          if (!seen.has(other)) {
            seen.add(other);
            found.push(other);
          }
      edge = found;
    }
    for (const at of seen) kept.add(at);
  }
  return kept;
}

/** Whether a wire's value is stretched to its user's shape. */
function stretchedBy({ v, to }: Draft): Node | null {
  const user = to !== null && !isClosed(to) ? to : null;
  return user !== null && isElementwise(user) && !sameShape(v.type.shape, user.type.shape) ? user : null;
}

function totalAt(plan: Plan, draft: Draft, numbers: Numbers): Total {
  const known = plan.totals.get(draft);
  if (known !== undefined) return known;
  const parts = draft.uses.flatMap(({ node, operand }) => numbers.contribution(node, operand) ?? []);
  const t = parts.length > 0 ? totalOf(parts) : null;
  const user = stretchedBy(draft);
  const fact = t === null ? null : numbers.gradientOf(t);
  const total: Total = {
    parts,
    t,
    at: parts.reduce((last, { at }) => Math.max(last, at), -1),
    text: fact === null ? "" : user !== null ? stretchedGradient(draft.v, user, fact.text) : fact.text,
    bars: draft.v.type.shape.length > 0 ? (fact?.bars ?? null) : null,
    state: fact?.state ?? "none",
  };
  plan.totals.set(draft, total);
  return total;
}

/** The scene after so many steps; all of them, unlit, when `step` is undefined. */
function sceneAt(plan: Plan, options: PictureOptions, step: number | undefined): Scene {
  const { view, numbers, ids, drafts } = plan;
  const { theme, direction, language = "en" } = options;
  const count = numbers?.steps.length ?? 0;
  const shown = step ?? count;
  const active = step === undefined || step === 0 ? undefined : numbers?.steps[step - 1];
  const activeItem = active === undefined ? undefined : view.shown.get(active.node);
  const id = (item: Node | Closed): string => ids.get(item)!;
  const isGate = active?.pass === "backward" && active.kind === "gate";
  const wires = drafts.map((draft, place): SceneWire => {
    const { v, from, to, uses } = draft;
    if (numbers === null) return plainWire(plan, place, false, false);
    const isKnown = (numbers.computedAt.get(v.node) ?? -1) < shown;
    const isNew = active?.pass === "forward" && active.node === v.node;
    const isUpstream = isGate && activeItem === from && from !== to;
    if (to === null) {
      const plain = plainWire(plan, place, isKnown, shown > numbers.forward);
      const isSeed = active?.pass === "backward" && active.kind === "seed";
      if (!isNew && !isUpstream && !isSeed) return plain;
      return {
        ...plain,
        ...(isNew && { fresh: "value" }),
        ...(isUpstream && { flow: "upstream" }),
        ...(isSeed && { fresh: "gradient" }),
      };
    }
    const { parts, at } = totalAt(plan, draft, numbers);
    const isActive = isGate && uses.some(({ node, operand }) => node === active.node && numbers.contribution(node, operand) !== undefined);
    const plain = plainWire(plan, place, isKnown, parts.length > 0 && at < shown);
    if (!isNew && !isUpstream && !isActive) return plain;
    const single = isActive && uses.length === 1 ? parts[0] : undefined;
    return {
      ...plain,
      ...(isNew && { fresh: "value" }),
      ...(isUpstream && { flow: "upstream" }),
      ...(isActive && { flow: "downstream", fresh: "gradient" }),
      ...(single !== undefined && chipOf(single, uses[0]!, numbers.format)),
    };
  });
  const trunks = numbers === null ? [] : plan.trunks.map((trunk) => trunkAt(trunk, plan, numbers, shown, active));
  const items = plan.items.map(({ of, done, pending }) => (numbers !== null && isPending(of, plan, numbers, shown) ? pending : done));
  items.push(...plan.outputs);
  const words = wordsIn(language);
  return {
    title: plan.title,
    description: numbers === null ? words.shapesDescription : words.description,
    items,
    wires,
    trunks,
    ...(plan.groups.length > 0 && { groups: plan.groups }),
    ...(direction !== undefined && { direction }),
    ...(activeItem !== undefined &&
      plan.items.some(({ of }) => of === activeItem) &&
      !(active?.pass === "backward" && active.kind !== "gate") && { active: id(activeItem) }),
    ...(theme !== undefined && { theme }),
  };
}

/** A wire that no step lights: with its value or not yet, with its gradient or not yet. */
function plainWire(plan: Plan, place: number, isKnown: boolean, hasGradient: boolean): SceneWire {
  const key = `${place}${isKnown ? "v" : ""}${hasGradient ? "g" : ""}`;
  let wire = plan.plain.get(key);
  if (wire === undefined) plan.plain.set(key, (wire = makeWire(plan, plan.drafts[place]!, isKnown, hasGradient)));
  return wire;
}

function makeWire(plan: Plan, draft: Draft, isKnown: boolean, hasGradient: boolean): SceneWire {
  const { ids, numbers } = plan;
  const { v, from, output, to, input, end } = draft;
  const ends = { from: ids.get(from)!, output, to: to === null ? end : ids.get(to)!, input };
  const tensor = v.type.shape.length > 0;
  const user = stretchedBy(draft);
  const shape = { ...(tensor && { tensor }), ...(user !== null && { broadcast: true }) };
  if (numbers === null) {
    const above = tensor ? (user !== null ? stretchText(v, user) : shapeText(v.type)) : "";
    return { ...ends, above, below: "", gradient: "unknown", ...shape };
  }
  const fact = numbers.factOf(v);
  const value = {
    above: !isKnown ? "" : user !== null ? `${fact.text} ⇢ ${shapeText(user.type)}` : fact.text,
    ...(isKnown && fact.bars !== null && { aboveBars: fact.bars }),
  };
  if (to === null)
    return {
      ...ends,
      ...value,
      ...shape,
      below: hasGradient ? formatNumber(1, numbers.format) : "",
      gradient: hasGradient ? "number" : "not yet",
    };
  const { parts, text, bars, state } = totalAt(plan, draft, numbers);
  return {
    ...ends,
    ...value,
    ...shape,
    below: hasGradient ? text : "",
    gradient: parts.length === 0 ? "none" : hasGradient ? state : "not yet",
    ...(hasGradient && bars !== null && { belowBars: bars }),
  };
}

function totalOf(parts: readonly Contribution[]): Tensor {
  const [first, ...rest] = parts;
  if (rest.length === 0) return first!.t;
  const data = first!.t.data.slice();
  for (const { t } of rest) for (let i = 0; i < data.length; i++) data[i]! += t.data[i]!;
  return { ...first!.t, data };
}

function stretchText(v: Value, user: Node): string {
  return `${v.type.shape.length === 0 ? "1" : shapeText(v.type)} ⇢ ${shapeText(user.type)}`;
}

/** `Σ₆₄ ‖∇‖ 0.02`: the gradient of a stretched operand is summed over as many copies. */
function stretchedGradient(v: Value, user: Node, total: string): string {
  const copies = sizeOf(user.type.shape) / Math.max(1, sizeOf(v.type.shape));
  return copies > 1 ? `Σ${subscript(copies)} ${total}` : total;
}

/** The local gradient: a number, the range of a tensor's, or the rule for ops that are not elementwise. */
function chipOf({ local }: Contribution, { node, operand }: Draft["uses"][number], format: NumberFormat): Partial<SceneWire> {
  if (local !== null) {
    if (local.type.shape.length === 0) return { localGradient: formatNumber(local.data[0]!, format) };
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < local.data.length; i++) {
      low = Math.min(low, local.data[i]!);
      high = Math.max(high, local.data[i]!);
    }
    if (local.data.length === 0) return {};
    return low === high ? { localGradient: formatNumber(low) } : { rule: `∂ ∈ [${formatNumber(low)}, ${formatNumber(high)}]` };
  }
  const { slots, facts } = node.op;
  const slot = slots[Math.min(operand, slots.length - 1)];
  const formula = slot === undefined ? undefined : facts.formula?.[slot.name];
  return formula === undefined ? {} : { rule: formula.replaceAll("^T", "ᵀ") };
}

/** A value whose gradients are added on its way back, with the first of its wires. */
interface Trunk {
  readonly v: Value;
  readonly first: Draft;
}

function trunksIn(drafts: readonly Draft[], numbers: Numbers | null): Trunk[] {
  const firsts = new Map<Value, Draft>();
  const shared = new Set<Value>();
  for (const draft of drafts)
    if (firsts.has(draft.v)) shared.add(draft.v);
    else firsts.set(draft.v, draft);
  return [...firsts].filter(([v]) => shared.has(v) && numbers?.sum(v) !== undefined).map(([v, first]) => ({ v, first }));
}

function trunkAt({ v, first }: Trunk, { ids }: Plan, numbers: Numbers, shown: number, active: Step | undefined): SceneTrunk {
  const sum = numbers.sum(v)!;
  const done = sum.at < shown;
  return {
    from: ids.get(first.from)!,
    output: first.output,
    above: (numbers.computedAt.get(v.node) ?? -1) < shown ? numbers.factOf(v).text : "",
    below: done ? numbers.gradientOf(sum.t).text : "",
    gradient: done ? numbers.gradientOf(sum.t).state : "not yet",
    branches: sum.parts,
    active: active?.pass === "backward" && active.kind === "sum" && sum.at === shown - 1,
  };
}

/** Whether nothing of an op or a module has been computed, or, backward, passed on yet. */
function isPending(item: Node | Closed, { inside }: Plan, numbers: Numbers, shown: number): boolean {
  const at = shown <= numbers.forward ? numbers.computedAt : numbers.passedAt;
  const isDone = (node: Node): boolean => (at.get(node) ?? -1) < shown;
  if (!isClosed(item)) return item.operands.length > 0 && !isDone(item);
  let some = false;
  for (const node of inside.get(item) ?? []) {
    if (!at.has(node)) continue;
    if (isDone(node)) return false;
    some = true;
  }
  return some;
}

/**
 * The pill of an item made of `nodes`: on the gate that made a value that is not finite out of finite ones, or, backward, such a gradient; else what
 * health would warn of. A closed module has that of the first node in it with one, named.
 */
function noteOf(item: Node | Closed, names: Source["names"], numbers: Numbers, nodes: readonly Node[]): Pill | null {
  const tell = (node: Node, pill: Pill): Pill => (isClosed(item) ? { ...pill, told: `${names.get(node)}: ${pill.told}` } : pill);
  for (const node of nodes) {
    const made = valuesOf(node)
      .map((v) => numbers.factOf(v).bad)
      .find((bad) => bad !== null);
    if (made == null || node.operands.length === 0) continue;
    if (node.operands.every((v) => v === null || numbers.factOf(v).bad === null)) return tell(node, { short: made, told: made });
  }
  for (const node of nodes) {
    const bad = numbers.badBackward(node);
    if (bad !== null) return tell(node, { short: `∇ ${bad}`, told: `∇ ${bad}` });
  }
  for (const node of nodes) {
    const pill = numbers.health(node);
    if (pill !== null) return tell(node, pill);
  }
  return null;
}
