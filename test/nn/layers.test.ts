import { describe, expect, test } from "vitest";
import { constant, gelu, type Operand, relu, type Value } from "../../src/index.ts";
import * as nn from "../../src/nn.ts";
import { magnitude, worstError } from "../reference/closeness.ts";
import { fixture } from "../reference/fixture.ts";
import type { Call } from "../reference/op-calls.ts";
import { type OpCase, runCase } from "../reference/run-case.ts";

type Given = Readonly<Record<string, Operand>>;
const own = (f: (given: Given, attrs: never) => unknown): Call => f as Call;
const { linear, batchNorm, attention, crossAttention } = nn;

const { conv1d, conv2d, conv3d, convTranspose1d, convTranspose2d, convTranspose3d, gru, lstm, rnn } = nn;
const convolutions = { conv1d, conv2d, conv3d, convTranspose1d, convTranspose2d, convTranspose3d };
const cells = { rnn, lstm, gru };

function convolution(name: keyof typeof convolutions): Call {
  return own(({ x, w, b }, attrs) => convolutions[name]({ w: w!, b: b! }, x!, attrs));
}

function overs(name: keyof typeof cells): Record<string, Call> {
  const cell = cells[name] as unknown as nn.Cell<unknown, unknown, unknown, { h: Value; c?: Value }>;
  const parts = ({ w, u, b, v, h, c }: Given) => ({
    p: { w, u, b, ...(v !== undefined && { v }) },
    state: { h, ...(c !== undefined && { c }) },
  });
  return {
    [name]: own(({ x, ...rest }) => {
      const { p, state } = parts(rest);
      return cell(p, state, x!);
    }),
    [`${name}.over`]: own(({ x, ...rest }, { reverse = false }: { reverse?: boolean }) => {
      const { p, state } = parts(rest);
      const { out, carry } = cell.over(p, x!, { start: state, reverse });
      return { out, ...carry };
    }),
  };
}

const calls: Readonly<Record<string, Call>> = {
  linear: own(({ x, w, b }) => linear({ w: w!, ...(b !== undefined && { b }) }, x!)),
  ...Object.fromEntries((Object.keys(convolutions) as (keyof typeof convolutions)[]).map((name) => [name, convolution(name)])),
  batchNorm: own(({ x, scale, shift, mean, variance }, attrs) => {
    const { out, stats } = batchNorm({ scale: scale!, shift: shift! }, { mean: mean!, variance: variance! }, x!, attrs);
    return { out, ...stats };
  }),
  layerNorm: own(({ x, scale, shift }) => nn.layerNorm({ scale: scale!, shift: shift! }, x!)),
  rmsNorm: own(({ x, scale }, attrs) => nn.rmsNorm({ scale: scale! }, x!, attrs)),
  groupNorm: own(({ x, scale, shift }, attrs) => nn.groupNorm({ scale: scale!, shift: shift! }, x!, attrs)),
  instanceNorm: own(({ x, scale, shift }) => nn.instanceNorm({ scale: scale!, shift: shift! }, x!)),
  embedding: own(({ table, ids }) => nn.embedding({ table: table! }, ids!)),
  ...overs("rnn"),
  ...overs("lstm"),
  ...overs("gru"),
  attention: own(({ x, qkvW, qkvB, outW, outB, keyMask }, attrs: nn.AttentionOptions) =>
    attention({ qkv: { w: qkvW!, b: qkvB! }, out: { w: outW!, b: outB! } }, x!, { ...attrs, ...(keyMask !== undefined && { keyMask }) }),
  ),
  crossAttention: own(({ x, context, qW, qB, kvW, kvB, outW, outB }, attrs) =>
    crossAttention({ q: { w: qW!, b: qB! }, kv: { w: kvW!, b: kvB! }, out: { w: outW!, b: outB! } }, x!, context!, attrs),
  ),
  transformerBlock: own(({ x, ...g }, { activation, ...attrs }: nn.TransformerBlockOptions & { activation: never }) =>
    nn.transformerBlock(
      {
        ln1: { scale: g["s1"]!, shift: g["t1"]! },
        attn: { qkv: { w: g["qkvW"]!, b: g["qkvB"]! }, out: { w: g["outW"]!, b: g["outB"]! } },
        ln2: { scale: g["s2"]!, shift: g["t2"]! },
        up: { w: g["upW"]!, b: g["upB"]! },
        down: { w: g["downW"]!, b: g["downB"]! },
      },
      x!,
      { ...attrs, activation: activation === "relu" ? relu : gelu },
    ),
  ),
  rotary: own(({ x }, attrs) => nn.rotary(x!, attrs)),
  positions: own(({ table, x }) => nn.positions({ table: table! }, x!)),
  sinusoidal: own((_, { length, size }: { length: number; size: number }) => constant(nn.sinusoidal(length, size, { dtype: "f64" }))),
  adaptiveAveragePool: own(({ x }, { size }: { size: number }) => nn.adaptiveAveragePool(x!, size)),
  adaptiveMaxPool: own(({ x }, { size }: { size: number }) => nn.adaptiveMaxPool(x!, size)),
  globalAveragePool: own(({ x }) => nn.globalAveragePool(x!)),
};

/** How many cases there are of each layer: what is not in this list is not held against PyTorch. */
const counts = {
  linear: 4,
  conv1d: 2,
  conv2d: 2,
  conv3d: 1,
  convTranspose1d: 2,
  convTranspose2d: 2,
  convTranspose3d: 1,
  batchNorm: 9,
  layerNorm: 2,
  rmsNorm: 1,
  groupNorm: 2,
  instanceNorm: 1,
  embedding: 1,
  "rnn.over": 2,
  rnn: 1,
  "lstm.over": 2,
  lstm: 1,
  "gru.over": 2,
  gru: 1,
  attention: 4,
  crossAttention: 1,
  transformerBlock: 2,
  rotary: 3,
  positions: 1,
  sinusoidal: 1,
  adaptiveAveragePool: 3,
  adaptiveMaxPool: 3,
  globalAveragePool: 1,
};

describe("as PyTorch computes it, to 1e-12 of the largest element: value, both derivatives, both modes:", () => {
  const { cases } = fixture<OpCase>("ops-layers");

  test("all layers", () => {
    const found: Record<string, number> = {};
    for (const { op } of cases) found[op] = (found[op] ?? 0) + 1;
    expect(found).toEqual(counts);
    expect(Object.keys(calls).sort()).toEqual(Object.keys(counts).sort());
  });

  test.each(Object.keys(counts))("%s", (layer) => {
    const faults = cases
      .filter(({ op }) => op === layer)
      .flatMap((given) =>
        runCase(given, calls).flatMap(({ part, path, got, want }) => {
          const error = worstError(got, want, Math.max(1, magnitude(want)));
          return error <= 1e-12 ? [] : [`${JSON.stringify(given.attrs)} ${part} ${path}: error ${error}`];
        }),
      );
    expect(faults).toEqual([]);
  });
});
