// The problem of the PyTorch trajectories, as one graph for each optimiser.
import { readFileSync } from "node:fs";
import {
  add,
  compile,
  type Engine,
  graph,
  mean,
  mul,
  pow,
  read,
  sin,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
  type Value,
  type Values,
  valueAndGrad,
} from "../../src/index.ts";
import type { Optimizer } from "../../src/optim.ts";

export interface Run {
  readonly optimiser: string;
  readonly options: Readonly<Record<string, number | boolean | readonly [number, number] | string>>;
  readonly after: Readonly<Record<string, { readonly W: number[][]; readonly b: number[]; readonly loss: number }>>;
}

interface Recorded {
  readonly W0: number[][];
  readonly b0: number[];
  readonly TW: number[][];
  readonly TB: number[];
  readonly loss0: number;
  readonly runs: readonly Run[];
  readonly schedules: readonly {
    readonly schedule: string;
    readonly options: Readonly<Record<string, number | readonly number[]>>;
    readonly base: number;
    readonly values: readonly number[];
  }[];
}

export const recorded: Recorded = JSON.parse(
  readFileSync(new URL("../fixtures/optim/trajectories.json", import.meta.url), "utf8"),
) as Recorded;

export const start: { readonly W: Tensor; readonly b: Tensor } = { W: tensor(recorded.W0), b: tensor(recorded.b0) };
type Params = Values<typeof start>;

/** mean((W + b - TW)^2) + 0.1 sum(sin(3 W)) + 0.05 sum((b - TB)^4) */
export function loss({ W, b }: Params): Value {
  const distance = mean(square(sub(add(W, b), tensor(recorded.TW))));
  return add(add(distance, mul(0.1, sum(sin(mul(3, W))))), mul(0.05, sum(pow(sub(b, tensor(recorded.TB)), 4))));
}

/** Parameters and loss after each step. */
export async function* trajectory(optimizer: Optimizer, engine: Engine<"sync">): AsyncGenerator<{ W: Tensor; b: Tensor; loss: number }> {
  const state = { params: start, opt: optimizer.init(start) };
  const step = graph(state, ({ params, opt }) => {
    const { value, grad } = valueAndGrad(loss)(params);
    const next = optimizer.update({ params, grad, opt });
    return { ...next, before: value, after: loss(next.params) };
  });
  const program = await compile(step, engine, { state });
  for (;;) {
    const { after } = program.run({});
    yield { ...program.state.read().params, loss: read(after) };
  }
}
