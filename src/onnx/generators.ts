import { type DType, isFloat } from "../ir/dtype.ts";
import { constant, lift } from "../ir/leaf.ts";
import { isKept, type Value } from "../ir/node.ts";
import { sizeOf } from "../ir/shape.ts";
import { tensor } from "../ir/tensor.ts";
import { tensorType } from "../ir/type.ts";
import { add, cast, ceil, div, full, less, mul, range, reshape, sub } from "../ops/index.ts";
import { bernoulli, fold, key, normal, uniform } from "../random/random.ts";
import { type Application, type Family, knownNumber, type Rule } from "./application.ts";
import { dtypeOfElement } from "./tensor-data.ts";

/** More elements than a node may make out of nothing. */
const most: number = 2 ** 28;

function shapeFrom(n: Application, shape: readonly number[]): readonly number[] {
  if (shape.some((s) => s < 0) || sizeOf(shape) > most)
    n.refuse(`it makes a tensor of shape [${shape.join(",")}]; at most ${most} elements are made from nothing`);
  return shape;
}

function constantOf(n: Application): Value {
  const whole = n.tensor("value");
  if (whole !== undefined) return constant(whole);
  if (n.hasAttribute("value_float")) return constant(n.float("value_float", 0), "f32");
  if (n.hasAttribute("value_int")) return lift(n.int("value_int", 0), "i64");
  const floats = n.floats("value_floats");
  if (floats !== undefined) return constant(tensor(Float32Array.from(floats)));
  const ints = n.ints("value_ints");
  if (ints !== undefined) return constant(tensor(Float64Array.from(ints), tensorType("i64", [ints.length])));
  return n.refuse("its value is missing, sparse or text; re-export the model with dense numbers");
}

function filled(n: Application): Value {
  const value = n.tensor("value");
  const dtype = value?.type.dtype ?? "f32";
  return full(tensorType(dtype, shapeFrom(n, n.known(0, "its shape"))), lift(value?.data[0] ?? 0, dtype));
}

function eye(n: Application): Value {
  const x = n.get(0);
  const dtype = n.hasAttribute("dtype") ? dtypeOfElement(n.int("dtype", 1), "attribute dtype") : x.type.dtype;
  const [rows, columns] = x.type.shape as readonly [number, number];
  const data = new Float64Array(rows * columns);
  const offset = n.int("k", 0);
  for (let row = 0; row < rows; row++) {
    const column = row + offset;
    if (column >= 0 && column < columns) data[row * columns + column] = 1;
  }
  return constant(tensor(data, tensorType(dtype, [rows, columns])));
}

/** Start and step flow on as values, and so do their gradients; only how many numbers there are has to be known. */
function steps(n: Application): Value {
  const { dtype } = n.get(0).type;
  const [start, limit, delta] = [0, 1, 2].map((i) => cast(reshape(n.get(i), { shape: [] }), "f64")) as [Value, Value, Value];
  const wanted = n.number("how many numbers it makes", () => ceil(div(sub(limit, start), delta)));
  if (Number.isNaN(wanted)) n.refuse("how many numbers it makes is not a number: start, limit or delta is NaN, or the delta is 0");
  const count = Math.max(0, wanted);
  shapeFrom(n, [count]);
  const exact = range(0, count, 1, { dtype: "f64" });
  const plain = (v: Value): Value => (n.hangs(v) || isKept(v) ? v : lift(knownNumber(v), "f64"));
  return cast(add(mul(exact, plain(delta)), plain(start)), dtype);
}

/** A key of the node's own: by its seed where it has one, and by its name, so that two nodes do not draw the same numbers. */
function keyOf(n: Application): ReturnType<typeof key> {
  // Dropout writes its seed as a whole number, the others as a number.
  const seed = n.hasAttribute("seed") ? Math.trunc(n.op === "Dropout" ? n.int("seed", 0) : n.float("seed", 0)) : 0;
  return fold(key(seed), n.message.output?.[0] ?? n.op);
}

function drawn(n: Application, dtype: DType, shape: readonly number[]): Value {
  const type = tensorType(isFloat(dtype) ? dtype : "f32", shapeFrom(n, shape));
  const from = keyOf(n);
  if (n.op.startsWith("RandomUniform")) {
    const [low, high] = [n.float("low", 0), n.float("high", 1)];
    return add(mul(uniform(from, type), high - low), low);
  }
  return add(mul(normal(from, type), n.float("scale", 1)), n.float("mean", 0));
}

const random: Rule = (n) =>
  drawn(n, dtypeOfElement(n.int("dtype", 1), "attribute dtype"), n.ints("shape") ?? n.refuse("its shape is missing"));

const randomLike: Rule = (n) => {
  const { dtype, shape } = n.get(0).type;
  return drawn(n, n.hasAttribute("dtype") ? dtypeOfElement(n.int("dtype", 1), "attribute dtype") : dtype, shape);
};

function coin(n: Application): Value {
  const p = n.get(0);
  const dtype = n.hasAttribute("dtype") ? dtypeOfElement(n.int("dtype", 1), "attribute dtype") : p.type.dtype;
  const hit = less(uniform(keyOf(n), tensorType("f64", p.type.shape)), cast(p, "f64"));
  return dtype === "bool" ? hit : cast(hit, dtype);
}

/**
 * The identity unless it trains: then elements are dropped with the ratio and the rest scaled up. The mask is drawn from the node's own key, the same at
 * every run: training with another mask each step needs dropout of `chainrule/nn` and its key.
 */
function dropout(n: Application): readonly Value[] {
  const x = n.get(0);
  const ratio = n.opset < 12 ? n.float("ratio", 0.5) : (n.knownOr(1, "its ratio")?.[0] ?? 0.5);
  const training =
    n.opset < 7
      ? n.int("is_test", 0) === 0 && n.opset > 1 && n.hasAttribute("is_test")
      : (n.knownOr(2, "its training mode")?.[0] ?? 0) !== 0;
  const everything = tensorType("bool", x.type.shape);
  if (!training || ratio === 0) return [x, full(everything, lift(1, "bool"))];
  const kept = bernoulli(keyOf(n), 1 - ratio, everything);
  return [mul(mul(x, cast(kept, x.type.dtype)), 1 / (1 - ratio)), kept];
}

/** A window function's numbers as the exporters ask for them. */
/* @__NO_SIDE_EFFECTS__ */
function windowed(weights: readonly number[]): Rule {
  return (n) => {
    const size = n.known(0, "its size")[0]!;
    shapeFrom(n, [size]);
    const dtype = dtypeOfElement(n.int("output_datatype", 1), "attribute output_datatype");
    const span = n.int("periodic", 1) !== 0 ? size : size - 1;
    const data = Float64Array.from({ length: size }, (_, i) =>
      weights.reduce((s, w, k) => s + (k % 2 === 0 ? w : -w) * Math.cos((2 * Math.PI * k * i) / span), 0),
    );
    return cast(constant(tensor(data)), dtype);
  };
}

/** Operators that make tensors. */
export const generators: Family = {
  Bernoulli: coin,
  BlackmanWindow: windowed([0.42, 0.5, 0.08]),
  Constant: constantOf,
  ConstantOfShape: filled,
  Dropout: dropout,
  EyeLike: eye,
  HammingWindow: windowed([25 / 46, 21 / 46]),
  HannWindow: windowed([0.5, 0.5]),
  RandomNormal: random,
  RandomNormalLike: randomLike,
  RandomUniform: random,
  RandomUniformLike: randomLike,
  Range: steps,
};
