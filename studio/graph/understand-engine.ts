import {
  add,
  evaluate,
  explain,
  firstBad,
  health,
  type Language,
  mul,
  paths,
  random,
  substitute,
  type ThresholdTable,
  tensor,
  thresholds,
  type Use,
  type Value,
  variable,
  why,
} from "chainrule";
import { checkGradients } from "chainrule/testing";
import { contributionOf, type Model, nodesBehind, valueAt } from "./engine.ts";
import type { About, Answer, CheckRow, Chosen } from "./questions.ts";
import type { Limits } from "./state.ts";

/** The value that is chosen: what travels on a wire, what a node gives. */
function chosenValue({ picture }: Model, what: Chosen | null): Value | null {
  if (what === null) return null;
  if (what.kind === "wire") return picture.valueOf(what.index);
  const nodes = picture.nodesOf(what.id);
  const last = nodes.at(-1);
  return last === undefined || last.outputs !== null ? null : last;
}

/** The uses of a value that the chosen wire leads to; null where a node is chosen, or the wire to the name of the end. */
function wireUses({ picture }: Model, what: Chosen | null): readonly Use[] | null {
  const uses = what?.kind === "wire" ? picture.usesOf(what.index) : [];
  return uses.length === 0 ? null : uses;
}

function told(text: string | null, items: readonly string[] = []): Answer {
  return { text, rows: null, items, failed: false };
}

/** The library's thresholds with the reader's in their place. */
function thresholdsOf(own: Limits): Partial<ThresholdTable> {
  const { gradient, layers, saturation, updateToWeight } = thresholds;
  return {
    gradient: { vanishing: own.vanishing ?? gradient.vanishing, exploding: own.exploding ?? gradient.exploding },
    layers: {
      over: Math.max(1, Math.round(own.over ?? layers.over)),
      vanishing: own.layerVanishing ?? layers.vanishing,
      exploding: own.layerExploding ?? layers.exploding,
    },
    deadUnits: own.deadUnits ?? thresholds.deadUnits,
    saturation: { ...saturation, share: own.saturation ?? saturation.share },
    updateToWeight: { ...updateToWeight, low: own.updateLow ?? updateToWeight.low, high: own.updateHigh ?? updateToWeight.high },
  };
}

/** Answers a question about a graph, with the features of `explain`. */
export function answerTo(about: About, model: Model, what: Chosen | null, language: Language, limits: Limits = {}): Answer {
  try {
    return answered(about, model, what, language, limits);
  } catch (error) {
    return { text: error instanceof Error ? error.message : String(error), rows: null, items: [], failed: true };
  }
}

function answered(about: About, model: Model, what: Chosen | null, language: Language, limits: Limits): Answer {
  const { f, picture } = model;
  const x = chosenValue(model, what);
  const itemsOf = (nodes: readonly Value["node"][]): string[] => nodes.map((node) => picture.itemOf(node)).filter((id) => id !== undefined);
  switch (about) {
    case "why": {
      const finding = why(f, x ?? f, { language });
      return told(finding.text(), itemsOf(finding.path));
    }
    case "paths": {
      const found = paths(f, x ?? f, { language });
      return told(found.text(), itemsOf(found.top.flatMap(({ steps }) => steps.map(({ node }) => node))));
    }
    case "firstBad": {
      const finding = firstBad(f, { language });
      return finding === null ? told(null) : told(finding.text(), itemsOf([finding.node, ...finding.path]));
    }
    case "kinks": {
      const found = health(f, { language }).findings.filter(({ rule }) => rule === "kink");
      const subjects = new Set(found.map(({ subject }) => subject));
      const named = model.walk.steps.filter(({ name }) => subjects.has(name)).map(({ item }) => item);
      return told(found.length === 0 ? null : found.map(({ sentence }) => sentence).join("\n"), [...new Set(named)]);
    }
    case "health": {
      const { rate } = limits;
      const report = health(f, { language, initial: true, thresholds: thresholdsOf(limits), ...(rate !== undefined && { rate }) });
      const profile = [
        ...report.layers.map(({ name, activationRms, gradientRms }) => ({
          kind: "layer" as const,
          name,
          value: activationRms,
          gradient: gradientRms,
        })),
        ...report.parameters.map(({ name, weightRms, gradientRms }) => ({
          kind: "variable" as const,
          name,
          value: weightRms,
          gradient: gradientRms,
        })),
      ];
      return { ...told(report.text()), profile };
    }
    case "latex":
      return told(explain(f, { language }).latex());
    case "markdown":
      return told(explain(f, { language }).markdown());
    case "checkOne":
    case "checkAll":
      return {
        text: null,
        rows: about === "checkAll" ? checked(model, null, null) : checked(model, x, what),
        items: [],
        failed: false,
      };
  }
}

/** Of more numbers each difference takes its time: fewer directions are checked. */
const mostAtLeisure = 200_000;

/** A graph in double precision, and what stands in it for a value of the graph that is shown. */
interface Double {
  readonly f: Value;
  readonly variables: Readonly<Record<string, Value>>;
  of(v: Value): Value;
}

/** The graph with its floats as f64: differences of smaller ones would be rounding, and what is moved is f64. @throws Error where an op makes it another graph */
function inDouble({ read, f, variables }: Model): Double {
  const nodes = nodesBehind(f);
  if (nodes.every(({ type }) => type.dtype === "f64" || !isFloat(type.dtype))) return { f, variables, of: (v) => v };
  const wide = Object.fromEntries(
    Object.entries(variables).map(([name, v]) => {
      if (!isFloat(v.type.dtype)) return [name, v];
      return [name, variable(tensor(Float64Array.from(evaluate(v).data), { ...v.type, dtype: "f64" }), name)];
    }),
  );
  const made = read.compiled(wide);
  const twins = nodesBehind(made);
  const places = new Map(nodes.map((node, i) => [node, i]));
  return {
    f: made,
    variables: wide,
    of: (v) => {
      const name = Object.keys(variables).find((one) => variables[one] === v);
      if (name !== undefined) return wide[name]!;
      const twin = twins.length === nodes.length ? twins[places.get(v.node)!] : undefined;
      if (twin === undefined || twin.op !== v.node.op) throw new Error("this graph has another form in f64; check its variables instead");
      return twin.outputs?.[v.index] ?? twin;
    },
  };
}

const isFloat = (dtype: string): boolean => /^b?f\d/.test(dtype);

/** Differences against the gradient: of one value by moving what travels there, along one wire alone where that is chosen, or of every variable. */
function checked(model: Model, x: Value | null, what: Chosen | null): readonly CheckRow[] {
  const { read, variables, f, picture, gradients } = model;
  const double = inDouble(model);
  const numbers = Object.values(variables).reduce((n, v) => n + evaluate(v).data.length, 0);
  const how = { order: 1, ...(numbers > mostAtLeisure && { directions: 1 }) } as const;
  const uses = wireUses(model, what);
  if (x !== null && (uses !== null || !Object.values(variables).includes(x))) {
    const at = valueAt(model, x);
    const isAsked = x === f || (what?.kind === "wire" && uses !== null ? contributionOf(model, what.index) !== null : gradients.has(x));
    if (at === null || !isAsked) return [];
    const wide = double.of(x);
    const wideUses = uses?.map(({ node, operand }) => ({ node: double.of(node.outputs?.[0] ?? node).node, operand }));
    const moved = (v: Value): Value => substitute(double.f, wide, v, wideUses);
    const name = nameOf(model, x);
    const user = uses?.length === 1 ? picture.steps.find(({ node }) => node === uses[0]!.node)?.name : undefined;
    return rowsOf(checkGradients(moved, evaluate(wide) as never, how).rows, user === undefined ? name : `${name} → ${user}`);
  }
  if (x === null && numbers > mostAtLeisure) return allAtOnce(model, double);
  const wanted = Object.entries(variables).filter(([, v]) => x === null || v === x);
  const rows: CheckRow[] = [];
  for (const [name, v] of wanted) {
    if (!isFloat(v.type.dtype)) continue;
    const at = evaluate(double.variables[name]!);
    rows.push(
      ...rowsOf(checkGradients((moved: Value) => read.compiled({ ...double.variables, [name]: moved }), at as never, how).rows, name),
    );
  }
  return rows;
}

/** All variables moved together along one random direction: the differences of each by itself would take minutes. */
function allAtOnce({ read }: Model, double: Double): readonly CheckRow[] {
  const floats = Object.entries(double.variables).filter(([, v]) => isFloat(v.type.dtype));
  const ways = floats.map(([name, v]) => {
    const way = evaluate(random.normal(random.fold(random.key(0), name), v.type));
    return tensor(way.data, v.type);
  });
  const moved = (t: Value): Value =>
    read.compiled({ ...double.variables, ...Object.fromEntries(floats.map(([name, v], i) => [name, add(v, mul(t, ways[i]!))])) });
  return rowsOf(checkGradients(moved, 0 as never, { order: 1 }).rows, floats.map(([name]) => name).join(" + "));
}

function nameOf({ variables, picture }: Model, x: Value): string {
  const variable = Object.entries(variables).find(([, v]) => v === x)?.[0];
  return variable ?? picture.steps.find(({ node }) => node === x.node)?.name ?? x.node.label ?? x.node.op.name;
}

function rowsOf(rows: ReturnType<typeof checkGradients>["rows"], name: string): CheckRow[] {
  return rows.map(({ index, direction, analytic, numeric, error, verdict }) => ({
    name: index !== null && index.length > 0 ? `${name}[${index.join(",")}]` : direction === null ? name : `${name} →${direction + 1}`,
    analytic,
    numeric,
    error,
    verdict,
  }));
}
