// An SGD step of a dense network with classes as a person would write it in ONNX for that one network, as lean as ONNX allows: the update is the addend of the gradient's Gemm, biases are rows,
// labels become one-hot by a comparison, and nothing is checked. ONNX Runtime is called directly, with all tensors made before and two places for each parameter: what it takes at least.

const element = { float32: 1, int32: 6, int64: 7 };
const text = new TextEncoder();

/** @param {number} n @returns {number[]} */
function varint(n) {
  const bytes = [];
  let rest = BigInt.asUintN(64, BigInt(n));
  for (; rest >= 128n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return [...bytes, Number(rest)];
}

const whole = (field, n) => [...varint(field << 3), ...varint(n)];
const part = (field, bytes) => [...varint((field << 3) | 2), ...varint(bytes.length), ...bytes];
const named = (field, name) => part(field, text.encode(name));
const raw = (numbers) => new Uint8Array(numbers.buffer);

/** Whole numbers and floats alone: alpha and beta are the only attributes here that are no whole numbers. */
const attribute = ([name, value]) =>
  name === "alpha" || name === "beta"
    ? [...named(1, name), ...varint((2 << 3) | 5), ...raw(Float32Array.of(value)), ...whole(20, 1)]
    : [...named(1, name), ...whole(3, value), ...whole(20, 2)];

/** The bytes of a model in operator set 18. */
function modelOf(inputs, outputs, constants, nodes) {
  const node = ([type, reads, makes, attributes = {}]) => [
    ...reads.flatMap((name) => named(1, name)),
    ...named(2, makes),
    ...named(4, type),
    ...Object.entries(attributes).flatMap((a) => part(5, attribute(a))),
  ];
  const dims = (shape) => shape.flatMap((n) => part(1, whole(1, n)));
  const value = ([name, { type, dims: shape }]) => [
    ...named(1, name),
    ...part(2, part(1, [...whole(1, element[type]), ...part(2, dims(shape))])),
  ];
  const constant = ([name, { type, dims: shape, data }]) => [
    ...shape.flatMap((n) => whole(1, n)),
    ...whole(2, element[type]),
    ...named(8, name),
    ...part(9, raw(data)),
  ];
  const graph = [
    ...nodes.flatMap((n) => part(1, node(n))),
    ...named(2, "step"),
    ...Object.entries(constants).flatMap((c) => part(5, constant(c))),
    ...Object.entries(inputs).flatMap((v) => part(11, value(v))),
    ...Object.entries(outputs).flatMap((v) => part(12, value(v))),
  ];
  return Uint8Array.from([...whole(1, 8), ...part(7, graph), ...part(8, [...named(1, ""), ...whole(2, 18)])]);
}

/**
 * @param {any} ort the module `onnxruntime-node`
 * @param {number} threads
 * @param {{ sizes: readonly number[], batch: number, rate: number, layers: readonly any[], x: any, y: any }} net
 * @returns {Promise<() => Promise<number>>} does a step and tells the loss
 */
export async function denseByHand(ort, threads, { sizes, batch, rate, layers, x, y }) {
  const last = layers.length - 1;
  const f32 = (data, dims) => new ort.Tensor("float32", data, dims);
  const classes = sizes[last + 1];
  const constants = {
    classes: new ort.Tensor(
      "int32",
      Int32Array.from({ length: classes }, (_, i) => i),
      [1, classes],
    ),
    zero: f32(Float32Array.of(0), []),
    each: f32(Float32Array.of(-1 / batch), []),
    all: new ort.Tensor("int64", BigInt64Array.of(0n, 1n), [2]),
    ones: f32(new Float32Array(batch).fill(1), [1, batch]),
  };
  const given = { x: f32(x.data, [batch, sizes[0]]), y: new ort.Tensor("int32", y.data, [batch, 1]) };
  const places = [{}, {}];
  layers.forEach(({ w, b }, i) => {
    for (const place of places) {
      place[`w${i}`] = f32(w.data.slice(), [sizes[i], sizes[i + 1]]);
      place[`b${i}`] = f32(b.data.slice(), [1, sizes[i + 1]]);
    }
  });
  const next = (place) => Object.fromEntries(Object.entries(place).map(([name, t]) => [`${name}.next`, t]));
  const loss = f32(new Float32Array(1), []);

  const nodes = [];
  const op = (type, reads, makes, attributes) => {
    nodes.push([type, reads, makes, attributes]);
    return makes;
  };
  const h = ["x"];
  for (let i = 0; i <= last; i++) {
    const z = op("Gemm", [h[i], `w${i}`, `b${i}`], `z${i}`);
    h.push(i === last ? z : op("Relu", [z], `h${i}`));
  }
  const hot = op("Cast", [op("Equal", ["y", "classes"], "equal")], "hot", { to: 1 });
  const logs = op("Mul", [op("LogSoftmax", [h[last + 1]], "logs", { axis: 1 }), hot], "picked");
  op("Mul", [op("ReduceSum", [logs, "all"], "total", { keepdims: 0 }), "each"], "loss");
  let d = op("Sub", [op("Softmax", [h[last + 1]], "p", { axis: 1 }), hot], `d${last}`);
  for (let i = last; i >= 0; i--) {
    const alpha = -rate / batch;
    op("Gemm", ["ones", d, `b${i}`], `b${i}.next`, { alpha, beta: 1 });
    op("Gemm", [h[i], d, `w${i}`], `w${i}.next`, { transA: 1, alpha, beta: 1 });
    if (i === 0) break;
    const back = op("Gemm", [d, `w${i}`], `back${i}`, { transB: 1 });
    d = op("Where", [op("Greater", [h[i], "zero"], `open${i}`), back, "zero"], `d${i - 1}`);
  }

  const bytes = modelOf({ ...places[0], ...given }, { ...next(places[0]), loss }, constants, nodes);
  const session = await ort.InferenceSession.create(bytes, { intraOpNumThreads: threads, interOpNumThreads: 1, logSeverityLevel: 4 });
  const feeds = places.map((place) => ({ ...place, ...given }));
  const fetches = places.toReversed().map((place) => ({ ...next(place), loss }));
  let at = 0;
  return async () => {
    await session.run(feeds[at], fetches[at]);
    at = 1 - at;
    return loss.data[0];
  };
}
