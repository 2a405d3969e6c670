import { GraphError, ShapeError } from "../ir/errors.ts";
import { isValue, lift } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import type { Operand } from "../ir/op.ts";
import { scope } from "../ir/scope.ts";
import { sameShape } from "../ir/shape.ts";
import type { Tensor } from "../ir/tensor.ts";
import type { Values } from "../ir/tree.ts";
import { typeText } from "../ir/type.ts";
import { isRecord, kindText } from "../notation/given.ts";
import { add } from "../ops/arithmetic.ts";
import { fold } from "../random/random.ts";
import { checkKey, checkTrain } from "./layer-checks.ts";
import { pathOf } from "./layer-name.ts";

/** What applying a layer of a stack takes beside its parameters and x. */
export interface LayerCall<S> {
  readonly train: boolean;
  /** What dropout draws from, in training: each child gets the key folded with its name. */
  readonly key?: Operand;
  readonly stats: Values<S>;
  /** Sums over ranks, for batch norm: as in {@link BatchNormOptions}. */
  readonly across?: ((x: Value) => Value) | undefined;
  /** What errors and pictures call the layer; a stack gives it to its children. */
  readonly path?: string;
}

/** What applying a layer of a stack gives: the result, and the statistics to go on with. */
export interface LayerResult<S> {
  readonly out: Value;
  readonly stats: Values<S>;
}

/** A layer with its sizes, for stacks: types of parameters and statistics come from it; it holds none of them. */
export interface Layer<P, S> {
  init(key: Tensor): { params: P; stats: S };
  apply(params: Values<P>, x: Operand, call: LayerCall<S>): LayerResult<S>;
}

/** A function of x alone, such as `relu`. */
export type Plain = (x: Operand) => Value;
/** The parameters of a stack, by name. */
export type ParamsOf<L> = { [K in keyof L]: L[K] extends Layer<infer P, infer _S> ? P : {} };
/** The statistics of a stack, by name. */
export type StatsOf<L> = { [K in keyof L]: L[K] extends Layer<infer _P, infer S> ? S : {} };

type AnyLayer = Layer<unknown, unknown>;
type Named<T> = Readonly<Record<string, T>>;

/** The call of a child: its statistics, the key folded with its name, the path with its name. */
function callOf(name: string, { train, key, stats, path, across }: LayerCall<unknown>): LayerCall<unknown> {
  return {
    train,
    ...(across !== undefined && { across }),
    stats: (stats as Named<Values<unknown>>)[name]!,
    path: path === undefined ? name : `${path}.${name}`,
    ...(key === undefined ? {} : { key: fold(key, name) }),
  };
}

function checkNames(layers: Named<unknown>): void {
  const { init, apply } = ((layers as unknown) ?? {}) as Named<unknown>;
  if (!isRecord(layers) || (typeof init === "function" && typeof apply === "function"))
    throw new GraphError(
      `sequential: the layers are ${isRecord(layers) ? "a single layer" : kindText(layers)}; they are a record by name: sequential({ fc1: layer.linear(2, 3), relu })`,
      { op: "sequential" },
    );
  for (const [name, child] of Object.entries(layers)) {
    if (/^\d+$/.test(name) || /[./]/.test(name) || name === "")
      throw new GraphError(
        `sequential: a child is called "${name}"; names are words without dots and slashes (JavaScript moves whole numbers to the front), as fc1`,
        { op: "sequential" },
      );
    if (typeof child !== "function" && (typeof child !== "object" || child === null || !("apply" in child)))
      throw new GraphError(
        `sequential: ${name} is ${child === null ? "null" : typeof child}; a child is layer.…(sizes) or a function of x`,
        {
          op: "sequential",
        },
      );
  }
}

function childOf(tree: unknown, name: string, what: string, path: string | undefined): unknown {
  const found = typeof tree === "object" && tree !== null ? (tree as Named<unknown>)[name] : undefined;
  if (found !== undefined) return found;
  const has = typeof tree === "object" && tree !== null ? Object.keys(tree).join(", ") : typeof tree;
  throw new GraphError(
    `sequential${path === undefined ? "" : ` ${path}`}: ${what} has no ${name}; it has ${has || "nothing"}; use what init(key) of this stack made`,
    { op: "sequential" },
  );
}

/**
 * A stack by name: `sequential({ fc1: layer.linear(64, 100), relu, fc2: layer.linear(100, 10) })`. Children are layers with their sizes, stacks among
 * them, or functions of x; parameters and statistics are records by the same names. Each child's key is the stack's key folded with its name, in
 * `init` and in `apply`, so adding a layer changes no other's numbers. Pictures fold by the names.
 * @throws GraphError for a name that is empty, a number, or has dots or slashes, for a child that is no layer, and for parameters of another stack
 */
/* @__NO_SIDE_EFFECTS__ */
export function sequential<const L extends { readonly [name: string]: Layer<unknown, unknown> | Plain }>(
  layers: L,
): Layer<ParamsOf<L>, StatsOf<L>> {
  checkNames(layers);
  const children = Object.entries(layers);
  const stack: AnyLayer = {
    init: (key) => {
      checkKey("init", key);
      const params: Record<string, unknown> = {};
      const stats: Record<string, unknown> = {};
      for (const [name, child] of children) {
        const made = typeof child === "function" ? { params: {}, stats: {} } : child.init(fold(key, name));
        params[name] = made.params;
        stats[name] = made.stats;
      }
      return { params, stats };
    },
    apply: (params, x, call) => {
      if (!isRecord(call))
        throw new GraphError(`sequential: the call is ${kindText(call)}; write apply(params, x, { train: false, stats })`, {
          op: "sequential",
        });
      const path = call.path ?? pathOf(params) ?? undefined;
      checkTrain(path === undefined ? "sequential" : `sequential ${path}`, call.train);
      const first = lift(x, "f64");
      const build = (): LayerResult<unknown> => {
        let out = first;
        const stats: Record<string, unknown> = {};
        for (const [name, child] of children) {
          if (typeof child === "function") {
            const before = out;
            out = scope(name, () => child(before));
            if (!isValue(out))
              throw new GraphError(
                `sequential: ${name} gave ${kindText(out)}; a function of x gives a Value, and a layer is what a call makes: layer.linear(2, 3)`,
                { op: "sequential" },
              );
            stats[name] = {};
            continue;
          }
          const own = childOf(params, name, "params", path) as Values<unknown>;
          childOf(call.stats, name, "stats", path);
          const before = out;
          const made = scope(name, () => child.apply(own, before, callOf(name, path === undefined ? call : { ...call, path })));
          out = made.out;
          stats[name] = made.stats;
        }
        return { out, stats: stats as Values<unknown> };
      };
      // A stack inside another has been given its path, and its scope with it.
      return path !== undefined && call.path === undefined ? scope(path, build) : build();
    },
  };
  return stack as Layer<ParamsOf<L>, StatsOf<L>>;
}

function added(body: Value, skip: Value, path: string | undefined): Value {
  if (!sameShape(body.type.shape, skip.type.shape))
    throw new ShapeError(
      `residual${path === undefined ? "" : ` ${path}`}: the body gives ${typeText(body.type)} and the way around it ${typeText(skip.type)}; both have one shape: give a second layer for the way around, residual(body, skip)`,
      { op: "residual" },
    );
  return add(body, skip);
}

/** The parameters and the statistics of a layer, or of a function of x, which has none. */
type PartOf<L> = L extends Layer<infer P, infer S> ? { params: P; stats: S } : { params: {}; stats: {} };

/** A layer as it is; a function of x as a layer without parameters. @throws GraphError for what is neither */
function asLayer(part: AnyLayer | Plain, what: string): AnyLayer {
  if (typeof part === "function")
    return {
      init: () => ({ params: {}, stats: {} }),
      apply: (_, x) => ({ out: part(lift(x, "f64")), stats: {} as Values<unknown> }),
    };
  if (typeof part !== "object" || part === null || !("apply" in part))
    throw new GraphError(
      `residual: ${what} is ${part === null ? "null" : typeof part}; it is layer.…(sizes), a stack, or a function of x`,
      {
        op: "residual",
      },
    );
  return part;
}

/**
 * `x + body(x)`: the gradient has a way around the body, which is a layer, a stack, or a function of x. Parameters and statistics are the body's own; with
 * a second one for the way around, `body(x) + skip(x)`, they are `{ body, skip }`. Source: He, Zhang, Ren, Sun, "Deep residual learning for image
 * recognition", 2015.
 * @throws GraphError for a body or a way around that is neither a layer nor a function; ShapeError, with the path, where the two do not have one shape
 */
export function residual<B extends Layer<unknown, unknown> | Plain>(body: B): Layer<PartOf<B>["params"], PartOf<B>["stats"]>;
export function residual<B extends Layer<unknown, unknown> | Plain, K extends Layer<unknown, unknown> | Plain>(
  body: B,
  skip: K,
): Layer<{ body: PartOf<B>["params"]; skip: PartOf<K>["params"] }, { body: PartOf<B>["stats"]; skip: PartOf<K>["stats"] }>;
/* @__NO_SIDE_EFFECTS__ */
export function residual(body: AnyLayer | Plain, skip?: AnyLayer | Plain): AnyLayer {
  const inner = asLayer(body, "the body");
  if (skip === undefined)
    return {
      init: (key) => inner.init(key),
      apply: (params, x, call) => {
        const v = lift(x, "f64");
        const made = inner.apply(params, v, call);
        return { out: added(made.out, v, call.path), stats: made.stats };
      },
    };
  const way = asLayer(skip, "the way around");
  return {
    init: (key) => {
      const [b, s] = [inner.init(fold(key, "body")), way.init(fold(key, "skip"))];
      return { params: { body: b.params, skip: s.params }, stats: { body: b.stats, skip: s.stats } };
    },
    apply: (params, x, call) => {
      const own = params as Named<Values<unknown>>;
      const made = scope("body", () => inner.apply(own["body"]!, x, callOf("body", call)));
      const around = scope("skip", () => way.apply(own["skip"]!, x, callOf("skip", call)));
      return { out: added(made.out, around.out, call.path), stats: { body: made.stats, skip: around.stats } as Values<unknown> };
    },
  };
}
