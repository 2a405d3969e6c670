// PyTorch's own steps, in f64.
import { describe, expect, test } from "vitest";
import { reference } from "../../src/index.ts";
import { adadelta, adagrad, adam, adamax, adamW, minimize, nadam, type Optimizer, rmsProp, sgd } from "../../src/optim.ts";
import { wasm } from "../../src/wasm.ts";
import { loss, type Run, recorded, start, trajectory } from "./problem.ts";

type Options = Readonly<Record<string, number | boolean | undefined>>;

/** PyTorch's names for what we call otherwise. */
function ours(options: Run["options"]): { readonly rate: number } & Options {
  const names: Readonly<Record<string, string>> = {
    lr: "rate",
    eps: "epsilon",
    weight_decay: "weightDecay",
    lr_decay: "rateDecay",
    initial_accumulator_value: "start",
    alpha: "smoothing",
  };
  const found: Record<string, number | boolean> = {};
  for (const [key, x] of Object.entries(options)) {
    if (key === "betas") [found["beta1"], found["beta2"]] = x as readonly [number, number];
    else found[names[key] ?? key] = x as number;
  }
  return found as { readonly rate: number } & Options;
}

const makers: Readonly<Record<string, (options: { readonly rate: number }) => Optimizer>> = {
  SGD: sgd,
  Adam: adam,
  AdamW: adamW,
  RMSprop: rmsProp,
  Adagrad: adagrad,
  Adadelta: adadelta,
  Adamax: adamax,
  NAdam: nadam,
};
const runs = recorded.runs.filter(({ optimiser }) => optimiser !== "LBFGS");

describe.each([
  ["reference", reference, 50],
  // The compiler's exp and rounding differ in the last place, which thirty more steps of NAdam make larger than the tolerance.
  ["wasm", wasm, 20],
] as const)("on the engine %s,", (_, engine, last) => {
  test.each(runs.map((run) => [`${run.optimiser} ${JSON.stringify(run.options)}`, run] as const))(
    "%s",
    async (_, { optimiser, options, after }) => {
      let steps = 0;
      for await (const { W, b, loss } of trajectory(makers[optimiser]!(ours(options)), engine())) {
        const wanted = after[++steps];
        if (wanted === undefined) continue;
        const differences = [...W.data, ...b.data, loss].map((x, i) => Math.abs(x - [...wanted.W.flat(), ...wanted.b, wanted.loss][i]!));
        expect(Math.max(...differences), `after ${steps} steps`).toBeLessThan(1e-9);
        if (steps === last) break;
      }
      expect(steps).toBe(last);
    },
  );
});

test("minimize ends in a minimum of the same function that is no higher than that of PyTorch's L-BFGS", () => {
  const { loss: value } = recorded.runs.find(({ optimiser }) => optimiser === "LBFGS")!.after["50"]!;
  for (const method of ["lbfgs", "newton"] as const) {
    const found = minimize(loss, start, { method });
    expect(found.reason).toBe("gradient");
    expect(found.value).toBeLessThan(value + 1e-10);
  }
});
