import {
  ChainruleError,
  type CompiledExpression,
  compileExpression,
  evaluate,
  f32,
  f64,
  formatNumber,
  i32,
  type Language,
  type Node,
  named,
  type Picture,
  type PictureOptions,
  picture,
  pictureInParts,
  random,
  type Step,
  type Tensor,
  type ToldStep,
  tellStep,
  tensor,
  thresholds,
  type Value,
  variable,
} from "chainrule";
import { foldByHeadings, type Heading, headingAt, headingsIn } from "./headings.ts";
import { countOf, type HeldNumbers, type HeldPart, sizeOf } from "./held.ts";
import type { Grain, Growth, Reach } from "./state.ts";
import { type Pass, type Stop, stopsOf, type Walk } from "./stops.ts";

/*
 * All of the tab that needs the library: it is loaded beside the page, which can then be shown before it.
 */

/** A fault in what the reader wrote: one line, in English, and where. `faultWords` tells it in the reader's language. */
export interface Fault {
  readonly message: string;
  readonly from: number;
  readonly to: number;
  /** The variable whose value it is, when it is not the formula. */
  readonly variable: string | null;
  /** What is wrong in the boxes of the variables after that one. */
  readonly also?: readonly Fault[];
}

/** A formula that could be read. */
export interface Read {
  readonly source: string;
  readonly compiled: CompiledExpression;
  readonly variables: readonly string[];
  readonly headings: readonly Heading[];
}

export interface ModelOptions {
  readonly language: Language;
  readonly depth: number | null;
  readonly open: readonly string[];
  readonly closed: readonly string[];
  readonly near: string | null;
  readonly reach: Reach;
  readonly direction: Growth;
}

/** A formula at a point, drawn, with its walk. */
export interface Model {
  readonly read: Read;
  readonly f: Value;
  readonly name: string;
  readonly variables: Readonly<Record<string, Value>>;
  /** What the variables were made from: the text in a box, or numbers that no box holds. */
  readonly sources: ReadonlyMap<string, string | Tensor>;
  /** How many numbers its values hold. */
  readonly numbers: number;
  readonly picture: Picture;
  readonly walk: Walk;
  /** The gradient of a value and the step after which it is known. */
  readonly gradients: ReadonlyMap<Value, { readonly tensor: Tensor; readonly at: number }>;
  /** Another one where the layout is another one. */
  readonly layoutKey: string;
  /** How many items have to be laid out before it can be shown; 0 where the layout of the graph before it fits. */
  readonly toLayOut: number;
}

const mostNodes = 5000;
const mostNumbers = 2_000_000;

/** What stands in the address of an error: one line, without the picture with the caret, which the page draws itself. */
function fault(error: unknown, source: string): Fault {
  const text = error instanceof Error ? error.message : String(error);
  const message = text.split("\n")[0]!.replace(/ \(line \d+, column \d+\)$/, "");
  const span = error instanceof ChainruleError ? error.span : undefined;
  return { message, from: span?.from ?? 0, to: span?.to ?? source.length, variable: null };
}

/** Reads a formula. */
export function read(source: string): Read | Fault {
  try {
    const compiled = compileExpression(source);
    const count = compiled.formula.nodes.length;
    if (count > mostNodes) {
      const message = `the formula has ${count} parts and the picture takes ${mostNodes}; shorten it`;
      return { message, from: 0, to: source.length, variable: null };
    }
    return { source, compiled, variables: compiled.variables, headings: headingsIn(source) };
  } catch (error) {
    return fault(error, source);
  }
}

const dtypeFirst = /^\s*(f64|f32|f16|bf16|i32|i16|i8|u8|u16|u32|bool)\s+(?=\S)/;

/** The value in a variable's box. @throws Error with a sentence for what is none */
export function valueIn(text: string): Tensor {
  const dtype = dtypeFirst.exec(text);
  const rest = dtype === null ? text : text.slice(dtype[0].length);
  if (rest.trim() === "") throw new Error("no value; write a number, a list such as [1, 2], or a formula");
  let given: unknown;
  try {
    given = JSON.parse(rest.replaceAll("−", "-"));
  } catch {
    const t = evaluate(compileExpression(rest, { variables: [] })({}));
    return dtype === null ? t : evaluate(compileExpression(`cast(t, ${dtype[1]})`)({ t }));
  }
  if (typeof given !== "number" && typeof given !== "boolean" && !Array.isArray(given))
    throw new Error(`${rest.slice(0, 40)} is no value; write a number, a list or a formula`);
  const t = tensor(given as number);
  return dtype === null ? t : evaluate(compileExpression(`cast(t, ${dtype[1]})`)({ t }));
}

/** The numbers that a variable begins with, by its place. */
export function firstValue(place: number): string {
  return String([2, -3, 4, -1, 3, -2, 5, 1][place % 8]);
}

function isFault(x: unknown): x is Fault {
  return typeof x === "object" && x !== null && "message" in x;
}

/** Nodes behind a value, operands before users. */
export function nodesBehind(f: Value): Node[] {
  const seen = new Set<Node>([f.node]);
  for (const node of seen) for (const v of node.operands) if (v !== null) seen.add(v.node);
  return [...seen].sort((a, b) => a.serial - b.serial);
}

function nameLines({ compiled }: Read, nodes: readonly Node[]): void {
  const made = new Map<string, Node>();
  for (const node of nodes) {
    const span = node.where?.span;
    if (span != null && node.operands.length > 0) made.set(`${span.from} ${span.to}`, node);
  }
  for (const { name, value } of compiled.formula.statements) {
    const node = name === null ? undefined : made.get(`${value.span.from} ${value.span.to}`);
    if (node !== undefined && node.outputs === null) named(node, name!.name);
  }
}

/** Up to so many numbers beside the address are computed with in double precision, as a box's are; more stay single, as the net has them. */
const mostDouble = 8_000_000;
let lastHeld: { readonly of: HeldNumbers; readonly tensors: ReadonlyMap<string, Tensor> } | null = null;

function asTensor({ dtype, shape }: HeldPart, data: Float32Array | Float64Array | Int32Array): Tensor {
  if (dtype === "i32") return tensor(data as Int32Array, i32(...shape));
  return data instanceof Float64Array ? tensor(data, f64(...shape)) : tensor(data as Float32Array, f32(...shape));
}

/** Numbers beside the address as tensors, one by one; the same ones each time, so that nothing is computed again. */
export function* heldTensors(numbers: HeldNumbers): Generator<void, ReadonlyMap<string, Tensor>, void> {
  if (lastHeld?.of === numbers) return lastHeld.tensors;
  const isDouble = countOf(numbers.tensors) <= mostDouble;
  const tensors = new Map<string, Tensor>();
  for (const [name, { data, ...part }] of Object.entries(numbers.tensors)) {
    tensors.set(name, asTensor(part, isDouble && data instanceof Float32Array ? Float64Array.from(data) : data));
    yield;
  }
  lastHeld = { of: numbers, tensors };
  return tensors;
}

/**
 * Numbers of these shapes from a seed, in the place of those that are missing: matrices and kernels uniform within one over the root of what feeds a unit, as
 * weights begin; other lists of numbers within 0.1; the first axis of a batch, which comes first, from -1 to 1; whole numbers evenly up to the largest there was.
 */
export function* drawnTensors(parts: Readonly<Record<string, HeldPart>>, seed: number): Generator<void, ReadonlyMap<string, Tensor>, void> {
  const dtype = countOf(parts) <= mostDouble ? f64 : f32;
  const key = random.key(seed);
  const tensors = new Map<string, Tensor>();
  for (const [place, [name, part]] of Object.entries(parts).entries()) {
    const { shape } = part;
    const drawn = evaluate(random.uniform(random.fold(key, name), dtype(...shape))).data as Float64Array;
    const into = shape.length === 4 ? sizeOf({ shape: shape.slice(1) }) : (shape[0] ?? 1);
    const reach = place === 0 ? 1 : shape.length < 2 ? 0.1 : 1 / Math.sqrt(Math.max(1, into));
    const made =
      part.dtype === "i32"
        ? asTensor(
            part,
            Int32Array.from(drawn, (u) => Math.floor(u * ((part.most ?? 0) + 1))),
          )
        : tensor(
            drawn.map((u) => (2 * u - 1) * reach),
            dtype(...shape),
          );
    tensors.set(name, made);
    yield;
  }
  return tensors;
}

/** What a variable is made from: what stands in its box, else numbers that were given beside the boxes, else the one it begins with. */
function sourceOf(
  name: string,
  place: number,
  values: Readonly<Record<string, string>>,
  beside: ReadonlyMap<string, Tensor>,
): string | Tensor {
  return (Object.hasOwn(values, name) ? values[name] : undefined) ?? beside.get(name) ?? firstValue(place);
}

/** A formula at values: what is the same however it is drawn. */
interface Worked {
  readonly f: Value;
  readonly variables: Readonly<Record<string, Value>>;
  readonly sources: ReadonlyMap<string, string | Tensor>;
  /** How many numbers its values hold. */
  readonly numbers: number;
}

/** Puts values into a formula; the graph before it where both are the same. */
function worked(
  source: Read,
  values: Readonly<Record<string, string>>,
  beside: ReadonlyMap<string, Tensor>,
  before: Model | null,
): Worked | Fault {
  const sources = new Map(source.variables.map((name, place) => [name, sourceOf(name, place, values, beside)]));
  if (before?.read === source && [...sources].every(([name, from]) => before.sources.get(name) === from)) return before;
  const variables: Record<string, Value> = {};
  // Each of them is told: what was written last may not wait for the first to be mended.
  const faults: Fault[] = [];
  for (const [name, from] of sources) {
    try {
      // What is written in the place of single precision is of it too.
      const single = beside.get(name)?.type.dtype === "f32" && typeof from === "string" && !dtypeFirst.test(from) ? "f32 " : "";
      variables[name] = variable(typeof from === "string" ? valueIn(single + from) : from, name);
    } catch (error) {
      const at = source.compiled.formula.nodes.find((n) => n.kind === "name" && n.name === name)?.span;
      faults.push({ ...fault(error, source.source), from: at?.from ?? 0, to: at?.to ?? 0, variable: name });
    }
  }
  const [first, ...also] = faults;
  if (first !== undefined) return { ...first, also };
  const f = source.compiled(variables);
  const nodes = nodesBehind(f);
  const most = mostNumbers + roomBeside(beside);
  let numbers = 0;
  for (const node of nodes) numbers += node.type.shape.reduce((a, b) => a * b, 1);
  if (numbers > most) {
    const message = `the graph holds ${numbers} numbers and this page computes up to ${most}; make the tensors smaller`;
    return { message, from: 0, to: source.source.length, variable: null };
  }
  nameLines(source, nodes);
  foldByHeadings(source.headings, nodes, variables);
  return { f, variables, sources, numbers };
}

/** Numbers beside the boxes are counted apart: there is room for them, and for what a penalty makes of each. */
function roomBeside(beside: ReadonlyMap<string, Tensor>): number {
  let room = 0;
  for (const { data } of beside.values()) room += 4 * data.length;
  return room;
}

/** Puts values into a formula and draws it. `beside` has numbers that no box holds, by variable; a box goes before them. */
export function build(
  source: Read,
  values: Readonly<Record<string, string>>,
  options: ModelOptions,
  before: Model | null,
  beside: ReadonlyMap<string, Tensor> = nothing,
): Model | Fault {
  const made = begin(source, values, options, before, beside);
  return isFault(made) ? made : made.now();
}

/** A graph that is not drawn yet. */
export interface Begun {
  /** Whether it is computed so long that a page has to go on meanwhile. */
  readonly isLong: boolean;
  now(): Model | Fault;
  /** @param pause what is waited for between two pieces of it, if it is anything */
  inParts(pause: () => Promise<void> | undefined): Promise<Model | Fault>;
}

/** Graphs that hold more numbers than this are computed in parts. */
const mostAtOnce = 200_000;

/** Puts values into a formula, as `build` does, and leaves open how it is drawn. */
export function begin(
  source: Read,
  values: Readonly<Record<string, string>>,
  options: ModelOptions,
  before: Model | null,
  beside: ReadonlyMap<string, Tensor> = nothing,
): Begun | Fault {
  try {
    const found = worked(source, values, beside, before);
    if (isFault(found)) return found;
    // Of the same graph nothing is computed again, whatever is opened in it.
    const same = before?.f === found.f ? before : null;
    const now = (whole: Picture | null): Model | Fault => {
      try {
        return modelOf(source, found, options, before, same, whole);
      } catch (error) {
        return fault(error, source.source);
      }
    };
    return {
      isLong: same === null && found.numbers > mostAtOnce,
      now: () => now(null),
      inParts: async (pause) => {
        let whole: Picture;
        try {
          whole = await pictureInParts(found.f, { language: options.language }, pause);
        } catch (error) {
          return fault(error, source.source);
        }
        for (const { tensor } of gradientsOf(whole.steps).values()) {
          short(tensor);
          await pause();
        }
        return now(whole);
      },
    };
  } catch (error) {
    return fault(error, source.source);
  }
}

/** @param whole a picture of it, where there is one: others of the same numbers are made from it */
function modelOf(
  source: Read,
  { f, variables, sources, numbers }: Worked,
  options: ModelOptions,
  before: Model | null,
  same: Model | null,
  whole: Picture | null,
): Model {
  const view = `${options.depth} ${options.open.join()} ${options.closed.join()} ${options.language} ${options.near} ${options.reach} ${options.direction}`;
  const shapes = Object.values(variables).map((v) => `${v.type.dtype}${v.type.shape.join()}`);
  const layoutKey = JSON.stringify([source.source, view, shapes]);
  const depth = options.depth === null ? {} : { depth: options.depth < 0 ? ("all" as const) : options.depth };
  const { language, open, closed, direction } = options;
  const fits = before?.layoutKey === layoutKey;
  const how = { language, open, closed, direction, ...depth, ...(fits && { layout: before.picture.layout }) };
  const first = same?.picture ?? whole;
  const made = partOf(first === null ? (as) => picture(f, as) : (as) => first.seen(as), how, options);
  const { steps, forwardSteps: forward } = made;
  const seed = steps[forward];
  return {
    read: source,
    f,
    name: seed?.pass === "backward" ? seed.name : "f",
    variables,
    sources,
    numbers,
    picture: made,
    walk: walkOf(source, made, steps, forward),
    gradients: same?.gradients ?? gradientsOf(steps),
    layoutKey,
    toLayOut: fits ? 0 : made.scene().items.length,
  };
}

const nothing: ReadonlyMap<string, Tensor> = new Map();

/** The picture, or what is asked for of it; the whole where that item is no longer in it. */
function partOf(draw: (as: PictureOptions) => Picture, how: PictureOptions, { near: item, reach }: ModelOptions): Picture {
  if (item === null) return draw(how);
  const near = reach === "feeds" ? { item, feeds: Number.POSITIVE_INFINITY, uses: 0 } : { item, feeds: Number(reach), uses: Number(reach) };
  try {
    return draw({ ...how, near });
  } catch (error) {
    if (!(error instanceof ChainruleError)) throw error;
    return draw(how);
  }
}

function gradientsOf(steps: readonly Step[]): Map<Value, { tensor: Tensor; at: number }> {
  const found = new Map<Value, { tensor: Tensor; at: number }>();
  steps.forEach((step, t) => {
    if (step.pass === "forward") return;
    if (step.kind === "gate") {
      for (const flow of step.flows) if (flow.branches === 1) found.set(flow.to, { tensor: flow.contribution, at: t + 1 });
    } else if (step.node.outputs === null) found.set(step.node, { tensor: step.gradient, at: t + 1 });
  });
  return found;
}

/** A value's numbers, from the step that computes it or from one that uses it. */
export function valueAt({ picture: made }: Model, v: Value): Tensor | null {
  for (const step of made.steps) {
    if (step.pass !== "forward") break;
    if (step.node === v.node) return step.values[v.index] ?? null;
    const place = step.node.operands.indexOf(v);
    if (place >= 0) return step.operands[step.node.operands.slice(0, place).filter((x) => x !== null).length]?.value ?? null;
  }
  return null;
}

/** What a wire alone carries back, and the step after which it is known; null where no gradient passes, and for the wire to the name of the end. */
export function contributionOf({ picture: made }: Model, wire: number): { readonly tensor: Tensor; readonly at: number } | null {
  const uses = made.usesOf(wire);
  let total: Tensor | null = null;
  let at = 0;
  made.steps.forEach((step, t) => {
    if (step.pass !== "backward" || step.kind !== "gate") return;
    const operands = operandsOf(step);
    for (const { node, operand } of uses) {
      const flow = node === step.node ? step.flows[operands.indexOf(operand)] : undefined;
      if (flow === undefined) continue;
      at = t + 1;
      const before: Tensor | null = total;
      total =
        before === null
          ? flow.contribution
          : { ...before, data: before.data.map((x: number, i: number) => x + flow.contribution.data[i]!) as typeof before.data };
    }
  });
  return total === null ? null : { tensor: total, at };
}

function walkOf(source: Read, made: Picture, steps: readonly Step[], forward: number): Walk {
  const lines = source.compiled.formula.statements;
  const scene = made.scene();
  const labels = new Map(scene.items.map(({ id, label }) => [id, label]));
  const unitOf = (node: Node): string => {
    const span = node.where?.span;
    const heading = span == null ? -1 : headingAt(source.headings, span.from);
    if (heading >= 0 && source.headings[heading]!.name !== "") return `heading ${heading}`;
    const line = span == null ? -1 : lines.findIndex((s) => s.span.from <= span.from && span.to <= s.span.to);
    if (lines.length > 1 && line >= 0) return `line ${line}`;
    return node.where?.scope?.split("/")[0] ?? `node ${node.serial}`;
  };
  return {
    forward,
    steps: steps.map((step) => {
      const id = made.itemOf(step.node) ?? "";
      const pass: Pass = step.pass;
      const kind = step.pass === "forward" ? "forward" : step.kind;
      const single = made.nodesOf(id).length === 1;
      return {
        pass,
        kind,
        item: id,
        label: kind === "seed" ? "1" : kind === "sum" ? "Σ" : single ? (labels.get(id) ?? "") : step.node.op.name,
        name: step.name,
        unit: kind === "seed" ? "seed" : unitOf(step.node),
        edges: kind === "gate" && single && step.pass === "backward" && step.kind === "gate" ? step.flows.length : 1,
      };
    }),
  };
}

/** The operand of each thing that a gate sends. */
function operandsOf(step: Step): number[] {
  if (step.pass !== "backward" || step.kind !== "gate") return [];
  const found: number[] = [];
  step.node.operands.forEach((v, i) => {
    if (v !== null && step.flows[found.length]?.to === v) found.push(i);
  });
  return found;
}

/** The scene at a stop. Where only some of a gate's operands have their gradient, the other wires are as before the gate. */
export function sceneAt({ picture: made }: Model, { t, edge }: Stop): ReturnType<Picture["scene"]> {
  const scene = made.scene(t);
  const step = made.steps[t - 1];
  if (edge === null || step?.pass !== "backward" || step.kind !== "gate") return scene;
  const past = made.scene(t - 1);
  const operands = operandsOf(step);
  const id = made.itemOf(step.node);
  return {
    ...scene,
    wires: scene.wires.map((wire, i) => {
      const place = wire.to === id ? operands.indexOf(wire.input) : -1;
      if (place < 0 || place === edge - 1) return wire;
      if (place >= edge) return past.wires[i]!;
      const { fresh: _, flow: __, ...rest } = wire;
      return rest;
    }),
  };
}

export function stopsIn(model: Model, grain: Grain): readonly Stop[] {
  return stopsOf(model.walk, grain);
}

/** A step in words and formulas; null at the start. */
export function told(model: Model, t: number, language: Language): ToldStep | null {
  const step = model.picture.steps[t - 1];
  return step === undefined ? null : tellStep(step, model.name, { language });
}

/** A tensor in a few characters. */
export function short(t: Tensor): string {
  if (t.type.shape.length === 0) return formatNumber(t.data[0]!, { style: "decimals" });
  let text = norms.get(t);
  if (text === undefined) norms.set(t, (text = normText(t)));
  return text;
}

/** Norms that were told before: each step tells them again, of tensors that may be large. */
const norms = new WeakMap<Tensor, string>();

function normText(t: Tensor): string {
  let most = 0;
  let square = 0;
  const { data } = t;
  for (let i = 0; i < data.length; i++) {
    const x = data[i]!;
    most = Math.max(most, Math.abs(x));
    square += x * x;
  }
  return `‖·‖ ${formatNumber(Number.isFinite(most) ? Math.sqrt(square) : most)}`;
}

const mostInLine = 12;

/** A tensor as a line of text: its numbers where they are few, else the first of them and its shape. */
export function line(t: Tensor): string {
  const number = (x: number): string =>
    t.type.dtype === "bool" ? String(x === 1) : String(Number.isFinite(x) ? Number(x.toPrecision(4)) : x);
  if (t.type.shape.length === 0) return number(t.data[0]!);
  const shown = Array.from(t.data.subarray(0, mostInLine) as ArrayLike<number>, number).join(", ");
  return `${t.type.shape.join("×")} [${shown}${t.data.length > mostInLine ? ", …" : ""}]`;
}

/** The parts of the formula that made the nodes of an item or a value, the smallest first. */
export function spansOf(nodes: readonly Node[], source: string): readonly { readonly from: number; readonly to: number }[] {
  const found = new Map<string, { from: number; to: number }>();
  for (const node of nodes) {
    const where = node.where;
    if (where?.span != null && where.source === source) found.set(`${where.span.from} ${where.span.to}`, where.span);
  }
  return [...found.values()].sort((a, b) => a.to - a.from - (b.to - b.from));
}

/** Where a variable stands in the formula. */
export function spansOfVariable({ read: { compiled } }: Model, name: string): readonly { readonly from: number; readonly to: number }[] {
  return compiled.formula.nodes.flatMap((n) => (n.kind === "name" && n.name === name ? [n.span] : []));
}

/** The items that the part of the formula at an offset stands for. */
export function itemsAt(model: Model, offset: number): readonly string[] {
  const { picture: made, variables, read: source } = model;
  let best: { from: number; to: number } | null = null;
  let name: string | null = null;
  for (const n of source.compiled.formula.nodes) {
    const { from, to } = n.span;
    if (from > offset || offset >= to) continue;
    if (best !== null && to - from >= best.to - best.from) continue;
    best = n.span;
    name = n.kind === "name" ? n.name : null;
  }
  if (best === null) return [];
  if (name !== null && Object.hasOwn(variables, name)) return [made.itemOf(variables[name]!.node)].filter((id) => id !== undefined);
  const found = new Set<string>();
  for (const step of made.steps) {
    if (step.pass !== "forward") break;
    const span = step.node.where?.span;
    if (span != null && span.from === best.from && span.to === best.to) {
      const id = made.itemOf(step.node);
      if (id !== undefined) found.add(id);
    }
  }
  return [...found];
}

/** How large the gradient is at the items of a scene: its root mean square, of the last value that each gives and that the walk has come to. */
export function gradientSizes({ picture: made, f, gradients, walk }: Model, t: number): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const { id } of made.scene().items) {
    const last = made.nodesOf(id).at(-1);
    if (last === undefined || last.outputs !== null) continue;
    if (last === f) {
      if (t > walk.forward) found.set(id, 1);
      continue;
    }
    const known = gradients.get(last);
    if (known === undefined || known.at > t) continue;
    let square = 0;
    for (const x of known.tensor.data as Iterable<number>) square += x * x;
    found.set(id, Math.sqrt(square / Math.max(1, known.tensor.data.length)));
  }
  return found;
}

export { formatNumber, isFault, thresholds };
