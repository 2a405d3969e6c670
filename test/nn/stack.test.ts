import { describe, expect, test } from "vitest";
import {
  compile,
  evaluate,
  f32,
  graph,
  leaves,
  mean,
  mul,
  type Operand,
  random,
  read,
  reference,
  relu,
  square,
  tensor,
  type Value,
  type Values,
  valueAndGrad,
  variables,
} from "../../src/index.ts";
import { batchNorm, conv2d, dropout, initializers, layer, layerNorm, linear, residual, rmsNorm, sequential } from "../../src/nn.ts";
import { wasm } from "../../src/wasm.ts";

const key = random.key(0);
const ramp = (...shape: number[]) => {
  const size = shape.reduce((a, b) => a * b, 1);
  return tensor(
    Float32Array.from({ length: size }, (_, i) => Math.sin(i)),
    f32(...shape),
  );
};
const stack = sequential({
  conv: layer.conv2d(2, 4, 3, { padding: "same" }),
  bn1: layer.batchNorm(4),
  relu,
  flat: (x: Operand) => relu(x),
  body: residual(sequential({ conv: layer.conv2d(4, 4, 1), gn: layer.groupNorm(4, { groups: 2 }), drop: layer.dropout(0.25) })),
});

/** The layer, evaluated once in training. */
function trained(stackKey = key, x = ramp(3, 2, 5, 5)) {
  const { params, stats } = stack.init(stackKey);
  return stack.apply(variables(params), x, { train: true, key: random.key(7), stats: variables(stats) });
}

describe("a stack", () => {
  test("has parameters and statistics by the names of its children", () => {
    const { params, stats } = stack.init(key);
    expect(leaves(params).map(({ path }) => path)).toEqual([
      "conv.w",
      "conv.b",
      "bn1.scale",
      "bn1.shift",
      "body.conv.w",
      "body.conv.b",
      "body.gn.scale",
      "body.gn.shift",
    ]);
    expect(leaves(stats).map(({ path }) => path)).toEqual(["bn1.mean", "bn1.variance"]);
    expect([params.conv.w.type, stats.bn1.mean.type]).toEqual([f32(4, 2, 3, 3), f32(4)]);
    expect(params.relu).toEqual({});
  });

  test("threads statistics in training and leaves them alone in evaluation", () => {
    const { params, stats } = stack.init(key);
    const made = trained();
    expect(made.out.type).toEqual(f32(3, 4, 5, 5));
    expect(evaluate(made.stats.bn1.mean).data.some((x) => x !== 0)).toBe(true);
    const calm = stack.apply(variables(params), ramp(3, 2, 5, 5), { train: false, stats: variables(stats) });
    expect(evaluate(calm.stats.bn1)).toEqual(stats.bn1);
  });

  test("adding a layer changes no other's numbers, neither weights nor dropout", () => {
    const small = sequential({ a: layer.linear(3, 4), drop: layer.dropout(0.5) });
    const large = sequential({ first: layer.linear(3, 3), a: layer.linear(3, 4), other: layer.dropout(0.5), drop: layer.dropout(0.5) });
    expect(large.init(key).params.a).toEqual(small.init(key).params.a);
    expect(large.init(key).params.first.w).not.toEqual(small.init(key).params.a.w);
    const ones = tensor(new Float32Array(64).fill(1), f32(64));
    const one = sequential({ drop: layer.dropout(0.5) });
    const two = sequential({ relu, drop: layer.dropout(0.5) });
    const call = { train: true, key: random.key(3) };
    const apply = (s: typeof one | typeof two) =>
      evaluate(s.apply({ drop: {}, relu: {} }, ones, { ...call, stats: { drop: {}, relu: {} } }).out);
    expect(apply(two)).toEqual(apply(one));
  });

  test("the same key gives the same numbers, another key others", () => {
    expect(stack.init(random.key(0)).params).toEqual(stack.init(key).params);
    expect(stack.init(random.key(1)).params.conv.w).not.toEqual(stack.init(key).params.conv.w);
    expect(evaluate(trained().out)).toEqual(evaluate(trained().out));
  });

  test("reference and compiled engine drop the same elements and give the same step", async () => {
    const born = stack.init(key);
    const step = graph({ ...born, key: random.key(1), x: f32(3, 2, 5, 5) }, ({ params, stats, key: now, x }) => {
      const loss = (p: Values<typeof born.params>) => {
        const made = stack.apply(p, x, { train: true, key: now, stats });
        return { loss: mean(square(made.out)), stats: made.stats, out: made.out };
      };
      const { value, grad } = valueAndGrad(loss)(params);
      return { ...value, grad };
    });
    const given = { ...born, key: random.key(1), x: ramp(3, 2, 5, 5) };
    const [plain, fast] = [(await compile(step, reference())).run(given), (await compile(step, wasm())).run(given)];
    const zero = ({ data }: { data: ArrayLike<number> }) => Array.from(data, (x) => x === 0);
    expect(zero(fast.out)).toEqual(zero(plain.out));
    leaves(plain).forEach(({ path, leaf }, i) => {
      const [a, b] = [leaf, leaves(fast)[i]!.leaf] as { data: Float32Array }[];
      for (const [j, x] of a!.data.entries()) expect(Math.abs(x - b!.data[j]!), path).toBeLessThan(1e-4 * (1 + Math.abs(x)));
    });
  });

  test("names the nodes of each layer by its path, layers inside layers too", () => {
    const scopes = (x: Value): Set<string> => {
      const found = new Set<string>();
      const queue = [x];
      for (const v of queue) {
        if (v.node.where?.scope) found.add(v.node.where.scope);
        queue.push(...v.node.operands.filter((o) => o !== null));
      }
      return found;
    };
    const { out } = trained();
    expect([...scopes(out)]).toContain("body/conv");
    expect([...scopes(out)]).toContain("body/drop/dropout");
    expect([...scopes(out)]).toContain("conv");
    const own = variables({ fc1: linear.init(key, 3, 4) });
    expect([...scopes(linear(own.fc1, ramp(2, 3)))]).toEqual(["fc1"]);
    const step = graph({ params: { net: { fc1: linear.init(key, 3, 4) } }, x: f32(2, 3) }, ({ params, x }) => linear(params.net.fc1, x));
    expect([...scopes(step.outputs)]).toEqual(["net.fc1"]);
    expect([...scopes(linear(linear.init(key, 3, 4), ramp(2, 3)))]).toEqual(["linear"]);
    const deep = sequential({ a: layer.linear(3, 3) });
    const inside = variables({ tower: deep.init(key).params });
    expect([...scopes(deep.apply(inside.tower, ramp(2, 3), { train: false, stats: { a: {} } }).out)]).toEqual(["tower/a"]);
  });

  test("refuses names that would be reordered or confused with paths, and what is no layer", () => {
    expect(() => sequential({ 1: relu })).toThrow('is called "1"; names are words without dots and slashes');
    expect(() => sequential({ "a.b": relu })).toThrow("names are words");
    expect(() => sequential({ a: 3 as never })).toThrow("sequential: a is number; a child is layer.…(sizes) or a function of x");
  });

  test("refuses parameters and statistics of another stack", () => {
    const { params, stats } = sequential({ a: layer.linear(2, 2) }).init(key);
    const two = sequential({ a: layer.linear(2, 2), b: layer.batchNorm(2) });
    expect(() => two.apply(variables(params) as never, ramp(2, 2), { train: false, stats: stats as never })).toThrow(
      "params has no b; it has a; use what init(key) of this stack made",
    );
    expect(() => two.apply(variables(two.init(key).params), ramp(2, 2), { train: false, stats: { a: {} } as never })).toThrow(
      "stats has no b",
    );
  });

  test("an error names the layer by its path", () => {
    const { params, stats } = sequential({ tower: sequential({ fc1: layer.linear(3, 4), bn: layer.batchNorm(5) }) }).init(key);
    const tower = sequential({ tower: sequential({ fc1: layer.linear(3, 4), bn: layer.batchNorm(5) }) });
    expect(() => tower.apply(variables(params), ramp(2, 7), { train: true, stats: variables(stats) })).toThrow(
      "linear tower.fc1: x is f32[2,7] and w is f32[3,4]; the last axis of x has to be of size 3, the layer's inputs",
    );
    expect(() => tower.apply(variables(params), ramp(2, 3), { train: true, stats: variables(stats) })).toThrow(
      "batchNorm tower.bn: scale is f32[5] and x is f32[2,4]; scale has one number for each of x's 4 channels",
    );
  });

  test("two children draw from two keys, also in stacks inside it", () => {
    const twice = sequential({ a: layer.dropout(0.5), b: layer.dropout(0.5), inner: sequential({ a: layer.dropout(0.5) }) });
    const { params, stats } = twice.init(key);
    const ones = tensor(new Float32Array(4000).fill(1), f32(4000));
    const { out } = twice.apply(variables(params), ones, { train: true, key, stats: variables(stats) });
    // One half of one half of one half; with one key for two of them it would be a quarter.
    expect(evaluate(out).data.filter((x) => x !== 0).length / 4000).toBeCloseTo(1 / 8, 1);
    expect(evaluate(out).data.filter((x) => x !== 0).length).toBeLessThan(700);
  });

  test("whether it trains is a plain truth value: a Value would count as true", () => {
    const { params, stats } = stack.init(key);
    const call = { stats: variables(stats) };
    const train = variables({ train: 0 }).train;
    expect(() => stack.apply(variables(params), ramp(3, 2, 5, 5), { ...call, train } as never)).toThrow(
      "sequential: train is a Value; it is true or false",
    );
    const bn = batchNorm.init(3);
    expect(() => batchNorm(bn.params, bn.stats, ramp(4, 3), {} as never)).toThrow(
      "batchNorm: train is missing; it is true or false, known while the graph",
    );
  });

  test("dropout in training without a key is refused, in evaluation it is nothing", () => {
    const drop = sequential({ drop: layer.dropout(0.5) });
    const x = ramp(4);
    expect(() => drop.apply({ drop: {} }, x, { train: true, stats: { drop: {} } })).toThrow("dropout drop: there is no key to draw from");
    expect(evaluate(drop.apply({ drop: {} }, x, { train: false, stats: { drop: {} } }).out)).toEqual(x);
  });
});

describe("residual", () => {
  test("adds its input, or what a second layer makes of it", () => {
    const plain = residual(layer.linear(2, 2, { weight: initializers.zeros(), biasWeight: initializers.ones() }));
    const { params, stats } = plain.init(key);
    expect([...evaluate(plain.apply(variables(params), tensor([[1, 2]], "f32"), { train: false, stats }).out).data]).toEqual([2, 3]);
    const wide = residual(layer.linear(2, 3), layer.linear(2, 3, { bias: false }));
    const born = wide.init(key);
    expect(leaves(born.params).map(({ path }) => path)).toEqual(["body.w", "body.b", "skip.w"]);
    const x = ramp(4, 2);
    const sum = evaluate(wide.apply(variables(born.params), x, { train: false, stats: born.stats }).out);
    expect(sum.type).toEqual(f32(4, 3));
  });

  test("takes functions of x and stacks, as the body and as the way around", () => {
    const bent = residual(relu);
    const none = bent.init(key);
    expect(leaves(none)).toEqual([]);
    expect([...evaluate(bent.apply(none.params, tensor([-1, 2]), { train: false, stats: none.stats }).out).data]).toEqual([-1, 4]);
    const deep = sequential({
      in: layer.linear(2, 3),
      block: residual(sequential({ bn: layer.batchNorm(3), fc: layer.linear(3, 3), drop: layer.dropout(0.5) }), (x) => mul(2, x)),
    });
    const { params, stats } = deep.init(key);
    expect(leaves(params).map(({ path }) => path)).toEqual(["in.w", "in.b", "block.body.bn.scale", "block.body.bn.shift", "block.body.fc.w", "block.body.fc.b"]); // biome-ignore format: names
    const x = ramp(4, 2);
    const seen = deep.apply(variables(params), x, { train: true, key: random.fold(key, "step"), stats: variables(stats) });
    // The statistics of the body go through the block, by name.
    expect(evaluate(seen.stats.block.body.bn.mean).data).not.toEqual(stats.block.body.bn.mean.data);
    const zero = { ...params, block: { ...params.block, body: { ...params.block.body, fc: { w: tensor(new Float32Array(9), f32(3, 3)), b: tensor([0, 0, 0], "f32") } } } }; // biome-ignore format: one change
    const doubled = evaluate(deep.apply(variables(zero), x, { train: false, stats: variables(stats) }).out);
    expect([...doubled.data]).toEqual([...evaluate(mul(2, linear(params.in, x))).data]);
  });

  test("refuses what is neither a layer nor a function", () => {
    expect(() => residual(3 as never)).toThrow("residual: the body is number; it is layer.…(sizes), a stack, or a function of x");
    expect(() => residual(relu, null as never)).toThrow("residual: the way around is null; it is layer.…(sizes)");
  });

  test("refuses a body that changes the shape", () => {
    const wide = sequential({ block: residual(layer.linear(2, 3)) });
    const { params, stats } = wide.init(key);
    expect(() => wide.apply(variables(params), ramp(4, 2), { train: false, stats: variables(stats) })).toThrow(
      "residual block: the body gives f32[4,3] and the way around it f32[4,2]; both have one shape",
    );
  });
});

describe("bad input", () => {
  const p = linear.init(key, 3, 4);
  test("sizes that are no sizes", () => {
    expect(() => linear.init(key, 0, 4)).toThrow("linear.init: inputs is 0; a layer's sizes are whole numbers of 1 or more");
    expect(() => batchNorm.init(1.5)).toThrow("batchNorm.init: size is 1.5");
    expect(() => conv2d.init(key, 3, 4, [3])).toThrow("conv2d.init: kernel has 1 sizes and there are 2 spatial axes");
    expect(() => conv2d.init(key, 3, 4, 3, { groups: 2 })).toThrow(
      "conv2d.init: groups is 2 and inChannels is 3; groups must divide inChannels evenly",
    );
  });
  test("shapes that do not fit", () => {
    expect(() => linear({ w: p.b }, ramp(2, 3))).toThrow("w is f32[4]; it is [inputs, outputs]");
    expect(() => linear({ w: p.w, b: ramp(3) }, ramp(2, 3))).toThrow(
      "linear: b is f32[3] and w is f32[3,4]; b is [4], one number an output",
    );
    expect(() => linear(p, 3)).toThrow("x is f32[] and w is f32[3,4]");
    const kernel = conv2d.init(key, 2, 4, 3);
    expect(() => conv2d(kernel, ramp(1, 3, 5, 5))).toThrow(
      "x is f32[1,3,5,5] and w is f32[4,2,3,3]; x is [batch, 2, ...space] with 2 spatial axes",
    );
    expect(() => conv2d({ w: kernel.w, b: ramp(2) }, ramp(1, 2, 5, 5))).toThrow(
      "b is f32[2] and w is f32[4,2,3,3]; b is [4], one number a channel",
    );
    expect(() => layerNorm(layerNorm.init(4), ramp(2, 3))).toThrow(
      "layerNorm: scale is f32[4] and x is f32[2,3]; the last axis of x must be as in scale",
    );
    expect(() => rmsNorm(rmsNorm.init([2, 4]), ramp(4))).toThrow("rmsNorm: scale is f32[2,4] and x is f32[4]; the last axes of x");
    const norm = batchNorm.init(3);
    expect(() => batchNorm(norm.params, norm.stats, ramp(3), { train: true })).toThrow("batchNorm: x is f32[3]; channels are axis 1");
  });
  test("running statistics of one example", () => {
    const { params, stats } = batchNorm.init(3);
    expect(() => batchNorm(params, stats, ramp(1, 3), { train: true })).toThrow(
      "batchNorm: x is f32[1,3], one number a channel, which has no variance",
    );
    expect(() => batchNorm(params, stats, ramp(0, 3), { train: true })).toThrow("no number a channel");
    expect(batchNorm(params, stats, ramp(1, 3), { train: false }).out.type).toEqual(f32(1, 3));
    expect(batchNorm(params, stats, ramp(1, 3, 2), { train: true }).out.type).toEqual(f32(1, 3, 2));
    expect(() => batchNorm(params, stats, ramp(2, 3), { train: true, momentum: 2 })).toThrow(
      "momentum is 2; it is the weight of a batch, between 0 and 1",
    );
  });
  test("dropout", () => {
    for (const rate of [1, -0.1, Number.NaN])
      expect(() => dropout(ramp(3), { rate, key })).toThrow(`dropout: rate is ${rate}; it is the share of elements set to 0`);
    expect(() => layer.dropout(1)).toThrow("(nothing would be left)");
    expect(() => dropout(new Int32Array(3), { rate: 0.5, key })).toThrow("dropout: x is i32[3]; it is of floats");
  });
});

test("dropout keeps the mean, drops the share it is told, and scales what is left", () => {
  const ones = tensor(new Float32Array(20_000).fill(1), f32(100, 200));
  const { data } = evaluate(dropout(ones, { rate: 0.3, key }));
  const kept = data.filter((x) => x !== 0);
  expect(new Set(kept)).toEqual(new Set([Math.fround(1 / 0.7)]));
  expect(kept.length / 20_000).toBeCloseTo(0.7, 2);
  expect(evaluate(dropout(ones, { rate: 0, key }))).toEqual(ones);
  const other = evaluate(dropout(ones, { rate: 0.3, key: random.key(9) })).data;
  expect(other).not.toEqual(data);
  expect(read(mean(dropout(ones, { rate: 0.3, key })))).toBeCloseTo(1, 1);
});
