import { describe, expect, test } from "vitest";
import {
  evaluate,
  f32,
  f64,
  grad,
  leaves,
  mul,
  type Operand,
  random,
  read,
  slice,
  sub,
  sum,
  tensor,
  toArray,
  type Value,
  variables,
} from "../../src/index.ts";
import {
  adaptiveAveragePool,
  adaptiveMaxPool,
  attention,
  crossAttention,
  embedding,
  flatten,
  globalAveragePool,
  gru,
  layer,
  lstm,
  positions,
  rnn,
  rotary,
  sequential,
  sinusoidal,
  transformerBlock,
} from "../../src/nn.ts";

const key = random.key(0);
const wave = (...shape: number[]) => {
  const size = shape.reduce((a, b) => a * b, 1);
  return tensor(
    Float32Array.from({ length: size }, (_, i) => Math.sin(1 + i * i)),
    f32(...shape),
  );
};
/** Step t of [..., steps, size]. */
const at = (x: Operand, t: number): Value => sum(slice(x, { axis: -2, start: t, end: t + 1 }), { axis: -2 });
const data = (x: Value) => [...evaluate(x).data];

describe("recurrent layers", () => {
  test.each([
    ["rnn", rnn],
    ["lstm", lstm],
    ["gru", gru],
  ] as const)("%s over a sequence is its cell, step by step, from zeros", (_, cell) => {
    const p = variables((cell as typeof lstm).init(key, 3, 4));
    const step = cell as typeof lstm;
    const xs = wave(2, 5, 3);
    let state = step.start(p, [2]);
    const { out, carry } = step.over(p, xs);
    for (let t = 0; t < 5; t++) {
      state = step(p, state, at(xs, t));
      expect(data(sub(state.h, at(out, t))).every((d) => Math.abs(d) < 1e-6)).toBe(true);
    }
    expect(data(carry.h)).toEqual(data(at(out, 4)));
    expect(out.type).toEqual(f32(2, 5, 4));
    expect(step.over(p, wave(5, 3)).out.type).toEqual(f32(5, 4));
  });

  test("steps past the length are zero and change nothing", () => {
    const p = variables(gru.init(key, 3, 4));
    const { out, carry } = gru.over(p, wave(5, 3), { length: 3 });
    expect(data(out).slice(12)).toEqual(new Array(8).fill(0));
    expect(data(carry.h)).toEqual(data(gru.over(p, evaluate(slice(wave(5, 3), { end: 3 }))).carry.h));
  });

  test("in a stack", () => {
    const stack = sequential({ a: layer.lstm(3, 4), b: layer.gru(4, 2, { reverse: true }), c: layer.rnn(2, 2) });
    const { params, stats } = stack.init(key);
    expect(stack.apply(variables(params), wave(2, 5, 3), { train: false, stats: variables(stats) }).out.type).toEqual(f32(2, 5, 2));
    expect(() => stack.apply(variables(params), wave(2, 5, 2), { train: false, stats: variables(stats) })).toThrow(
      "lstm a: x is f32[2,5,2] and w is f32[3,16]; the last axis of x has to be of size 3, the cell's inputs",
    );
  });

  test("refuse what does not fit", () => {
    const p = lstm.init(key, 3, 4);
    expect(() => lstm(p, lstm.start(p), wave(2))).toThrow("lstm: x is f32[2] and w is f32[3,16]");
    expect(() => lstm(p, { h: wave(4), c: wave(3) }, wave(3))).toThrow(
      "lstm: c is f32[3] beside x, f32[3]; the last axis of the state has to be of size 4",
    );
    expect(() => lstm({ ...p, u: wave(4, 4) }, lstm.start(p), wave(3))).toThrow(
      "they are [inputs, 4 hidden], [hidden, 4 hidden] and [4 hidden]",
    );
    expect(() => rnn.over(rnn.init(key, 3, 4), wave(3))).toThrow("rnn: xs is f32[3]; a sequence is [..., steps, inputs]");
    expect(() => gru.init(key, 3, 0)).toThrow("gru.init: hidden is 0");
  });
});

describe("attention", () => {
  const p = variables(attention.init(key, 8));
  test("causal: a step does not depend on later ones", () => {
    const x = variables({ x: wave(2, 5, 8) }).x;
    const third = (v: Value) => sum(slice(attention(p, v, { heads: 2, causal: true }), { axis: 1, start: 2, end: 3 }));
    const g = toArray(grad(third)(x)) as number[][][];
    expect(g.every((rows) => rows[3]!.concat(rows[4]!).every((d) => d === 0) && rows[0]!.some((d) => d !== 0))).toBe(true);
  });

  test("what is masked as padding is not seen; a mask of truth values and one of numbers say the same", () => {
    const x = wave(2, 3, 8);
    const there = tensor([
      [true, true, false],
      [true, true, false],
    ]);
    const short = evaluate(slice(x, { axis: 1, end: 2 }));
    const seen = slice(attention(p, x, { heads: 2, keyMask: there }), { axis: 1, end: 2 });
    const alone = attention(p, short, { heads: 2 });
    expect(data(sub(seen, alone)).every((d) => Math.abs(d) < 1e-6)).toBe(true);
    const truths = tensor([
      [true, false, true],
      [true, true, true],
      [true, true, true],
    ]);
    const numbers = tensor(
      [
        [0, -1e30, 0],
        [0, 0, 0],
        [0, 0, 0],
      ],
      "f32",
    );
    for (const keyMask of [undefined, there]) {
      const more = keyMask === undefined ? {} : { keyMask };
      const [a, b] = [truths, numbers].map((mask) => attention(p, x, { heads: 2, mask, ...more }));
      expect(data(sub(a!, b!)).every((d) => Math.abs(d) < 1e-6)).toBe(true);
    }
  });

  test("rotary positions make scores depend on distance alone", () => {
    const q = wave(1, 8);
    const dot = (from: number, to: number) => read(sum(mul(rotary(q, { offset: from }), rotary(wave(1, 8), { offset: to }))));
    expect(dot(3, 5)).toBeCloseTo(dot(10, 12), 5);
    expect(Math.abs(dot(3, 5) - dot(3, 9))).toBeGreaterThan(0.01);
    const plain = attention(p, wave(2, 3, 8), { heads: 2 });
    const turned = attention(p, wave(2, 3, 8), { heads: 2, rotary: true });
    expect(data(sub(plain, turned)).some((d) => Math.abs(d) > 1e-3)).toBe(true);
    expect(data(attention(p, wave(2, 3, 8), { heads: 2, rotary: { base: 10_000 } }))).toEqual(data(turned));
  });

  test("refuses what does not fit", () => {
    expect(() => attention(p, wave(2, 3, 8), { heads: 3 })).toThrow(
      "attention: heads is 3 and the size is 8; heads must divide the size evenly",
    );
    expect(() => attention(p, wave(8), { heads: 2 })).toThrow("attention: x is f32[8]; it is [..., steps, size]");
    expect(() => attention(p, wave(2, 3, 6), { heads: 2 })).toThrow("attention.qkv: x is f32[2,3,6] and w is f32[8,24]");
    expect(() => attention(p, wave(2, 3, 8), { heads: 2, keyMask: tensor([true, true]) })).toThrow(
      "attention: keyMask is bool[2]; it is bool[2,3], true for the keys that are there",
    );
    const cross = crossAttention.init(key, 8, 6);
    expect(crossAttention(cross, wave(2, 3, 8), wave(2, 5, 6), { heads: 2 }).type).toEqual(f32(2, 3, 8));
    expect(() => crossAttention(cross, wave(2, 3, 8), wave(6), { heads: 2 })).toThrow("crossAttention: context is f32[6]");
    expect(() => crossAttention(cross, wave(2, 3, 8), wave(2, 5, 6), { heads: 5 })).toThrow("heads is 5 and the size is 8");
  });
});

describe("transformer", () => {
  test("a block begins near the identity's spread, and drops in training alone", () => {
    const p = variables(transformerBlock.init(key, 8, { hidden: 16 }));
    const x = wave(2, 3, 8);
    const calm = transformerBlock(p, x, { heads: 2 });
    const dropped = transformerBlock(p, x, { heads: 2, dropout: { rate: 0.5, key: random.key(1) } });
    expect(data(sub(calm, dropped)).some((d) => d !== 0)).toBe(true);
    const stack = sequential({ block: layer.transformerBlock(8, { heads: 2, hidden: 16, dropout: 0.5 }) });
    const { params, stats } = stack.init(key);
    expect(leaves(params).length).toBe(12);
    const call = { train: true, stats: variables(stats) };
    expect(() => stack.apply(variables(params), x, call)).toThrow("transformerBlock block: there is no key to draw from");
    const [a, b] = [1, 1].map(() => data(stack.apply(variables(params), x, { ...call, key: random.key(2) }).out));
    expect(a).toEqual(b);
    expect(() => layer.transformerBlock(8, { heads: 2, dropout: 1 })).toThrow("dropout: rate is 1");
  });

  test("nodes are named by part, and errors too", () => {
    const own = variables({ blocks: [transformerBlock.init(key, 8)] });
    const out = transformerBlock(own.blocks[0]!, wave(1, 2, 8), { heads: 2 });
    expect(out.node.where?.scope).toBe("blocks.0");
    expect(() => transformerBlock(own.blocks[0]!, wave(1, 2, 6), { heads: 2 })).toThrow(
      "transformerBlock blocks.0.ln1: scale is f32[8] and x is f32[1,2,6]",
    );
  });
});

describe("tables", () => {
  test("rows by id", () => {
    const p = embedding.init(key, 5, 3);
    expect(evaluate(embedding(p, new Int32Array([4, 0]))).data).toEqual(
      new Float32Array([...p.table.data.slice(12), ...p.table.data.slice(0, 3)]),
    );
    const own = variables({ tok: p });
    expect(() => evaluate(embedding(own.tok, new Int32Array([0, 5])))).toThrow(
      "embedding tok: ids[1] is 5 and the table has 5 rows; ids are 0..4",
    );
    expect(() => evaluate(embedding(own.tok, new Int32Array([-1])))).toThrow(
      "embedding tok: ids[0] is -1 and the table has 5 rows; ids are 0..4",
    );
    expect(() => embedding(p, wave(2))).toThrow('embedding: ids are f32[2]; they are whole numbers: cast(ids, "i32")');
    expect(() => embedding({ table: wave(3) }, new Int32Array(1))).toThrow(
      "embedding: table is f32[3]; it is [count, size], a row for each id",
    );
  });

  test("positions", () => {
    const p = positions.init(key, 4, 3);
    expect(
      data(sub(positions(p, wave(2, 2, 3)), wave(2, 2, 3)))
        .slice(0, 6)
        .every((d, i) => Math.abs(d - p.table.data[i]!) < 1e-6),
    ).toBe(true);
    expect(() => positions(p, wave(5, 3))).toThrow(
      "positions: x is f32[5,3] and table is f32[4,3]; x is [..., steps, 3] with 4 steps at most",
    );
    expect(sinusoidal(3, 5).type).toEqual(f32(3, 5));
    expect(() => sinusoidal(3, 4, { base: 0 })).toThrow("sinusoidal: base is 0; it is a number above 0");
    expect(() => rotary(wave(2, 3))).toThrow("rotary: x is f32[2,3]; it is [..., steps, size] with an even size");
    expect(() => rotary(wave(2, 4), { offset: -1 })).toThrow("rotary: offset is -1; it is the position of the first step");
    expect(() => rotary(tensor([[1, 2]], "i32"))).toThrow("rotary: x is i32[1,2]; it is of floats");
    const stack = sequential({
      tok: layer.embedding(5, 4),
      pos: layer.positions(3, 4),
      attn: layer.attention(4, { heads: 2, causal: true }),
    });
    const { params, stats } = stack.init(key);
    const ids = tensor([[1, 2, 3]], "i32");
    expect(stack.apply(variables(params), ids, { train: false, stats: variables(stats) }).out.type).toEqual(f32(1, 3, 4));
  });
});

describe("pooling", () => {
  test("in a stack, down to a vector for each example", () => {
    const stack = sequential({
      conv: layer.conv2d(1, 2, 3, { padding: 1 }),
      pool: layer.maxPool({ size: 2 }),
      mean: layer.averagePool({ size: 2, stride: 1 }),
      flat: (x) => flatten(x),
    });
    const { params, stats } = stack.init(key);
    expect(stack.apply(variables(params), wave(3, 1, 6, 6), { train: false, stats: variables(stats) }).out.type).toEqual(f32(3, 8));
    expect(globalAveragePool(wave(2, 3, 4)).type).toEqual(f32(2, 3));
    expect(flatten(wave(2, 3, 4), { from: 0 }).type).toEqual(f32(24));
  });
  test("refuses what has no space", () => {
    expect(() => globalAveragePool(wave(2, 3))).toThrow("globalAveragePool: x is f32[2,3]; it is [N, C, ...space]");
    expect(() => adaptiveAveragePool(wave(2, 3, 4), [2, 2])).toThrow("adaptiveAveragePool: there are 2 sizes and 1 spatial axes");
    expect(() => adaptiveAveragePool(wave(2, 3, 4), 0)).toThrow("adaptiveAveragePool: a size is 0; sizes are whole numbers of 1 or more");
    expect(() => adaptiveMaxPool(wave(2, 3), 2)).toThrow("adaptiveMaxPool: x is f32[2,3]; it is [N, C, ...space]");
    expect(() => adaptiveMaxPool(wave(2, 3, 4), [2, 2])).toThrow("adaptiveMaxPool: there are 2 sizes and 1 spatial axes");
    expect(() => adaptiveMaxPool(wave(2, 3, 4), 1.5)).toThrow("adaptiveMaxPool: a size is 1.5; sizes are whole numbers of 1 or more");
    expect(() => flatten(wave(2), { from: 3 })).toThrow("flatten: x is f32[2] and the first axis to join is 3; x has 1 axes");
  });
});

test("parameters in f64 give a layer in f64", () => {
  const p = lstm.init(key, 2, 3, { dtype: "f64" });
  expect(lstm.over(p, tensor([[1, 2]])).out.type).toEqual(f64(1, 3));
  expect(
    leaves(transformerBlock.init(key, 4, { dtype: "f64" })).every(({ leaf }) => (leaf as { type: { dtype: string } }).type.dtype === "f64"),
  ).toBe(true);
});
