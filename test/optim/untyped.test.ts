import { describe, expect, test } from "vitest";
import { type ChainruleError, square, tensor } from "../../src/index.ts";
import * as optim from "../../src/optim.ts";

/** As in JavaScript: nothing is known of anything. */
const calls = optim as unknown as Readonly<Record<string, (...given: unknown[]) => unknown>>;

/** What is thrown: an error of ours, and never one that JavaScript makes by itself. */
function refused(name: string, ...given: unknown[]): string {
  try {
    calls[name]!(...given);
  } catch (error) {
    expect((error as ChainruleError).code, String(error)).toBeTypeOf("string");
    return (error as Error).message;
  }
  throw new Error(`${name} was not refused`);
}

const optimizers = ["sgd", "adam", "adamW", "rmsProp", "adagrad", "adadelta", "adamax", "nadam", "lion", "lamb", "muon"];

describe.each(optimizers)("%s refuses", (name) => {
  test("what is no record of options", () => {
    expect(refused(name)).toBe(`${name}: the options are missing; they are one record: ${name}({ rate: 1e-3 })`);
    expect(refused(name, null)).toContain(`${name}: the options are null; they are`);
    expect(refused(name, 0.1)).toContain(`${name}: the options are 0.1; they are`);
  });

  test("options by the names of other libraries, and misspelt ones, which would do nothing", () => {
    for (const own of ["lr", "learningRate", "learning_rate"])
      expect(refused(name, { [own]: 0.1 })).toBe(`${name}: there is no option ${own}; write rate`);
    expect(refused(name, { rate: 0.1, weight_decay: 0.1 })).toBe(`${name}: there is no option weight_decay; write weightDecay`);
    expect(refused(name, { rate: 0.1, betas: [0.9, 0.99] })).toBe(`${name}: there is no option betas; write beta1 and beta2`);
    expect(refused(name, { rate: 0.1, frezze: ["w"] })).toBe(`${name}: there is no option frezze; write freeze`);
    expect(refused(name, { rate: 0.1, zzzzzz: 1 })).toContain(`${name}: there is no option zzzzzz; there are rate, clipNorm`);
  });
});

describe("an optimiser refuses options of another kind:", () => {
  test.each<[string, object, string]>([
    ["a rate in a text", { rate: "0.1" }, 'sgd: rate is "0.1"; give a number as 1e-3, or a schedule'],
    ["a list of rates", { rate: [0.1] }, "sgd: rate is a list; give a number"],
    ["a record for a rate", { rate: {} }, "sgd: rate is a record; give a number"],
    ["no momentum", { momentum: null }, "sgd: momentum is null; it is a number from 0 on"],
    ["momentum that is true", { momentum: true }, "sgd: momentum is true; it is a number from 0 on"],
    ["a flag in a text", { momentum: 0.9, nesterov: "yes" }, 'sgd: nesterov is "yes"; it is true or false'],
    ["a norm in a text", { clipNorm: "1" }, 'sgd: clipNorm is "1"; gradients are cut to a magnitude above 0'],
    ["one pattern", { only: "fc.*" }, 'sgd: only is "fc.*"; it is a list of patterns: only: ["features.*"]'],
    ["patterns that are none", { freeze: [3] }, "sgd: freeze is a list of other things; it is a list of patterns: freeze: "],
    ["one group", { groups: { only: ["w"] } }, "sgd: groups is a record; it is a list of records: groups: [{ only: "],
    ["no group", { groups: [null] }, "sgd: groups: the options are null; they are one record: { only: "],
    ["a group of nothing", { groups: [{ rate: 1 }] }, "sgd: groups: only is missing; it is a list of patterns"],
    ["a group with other words", { groups: [{ only: ["w"], lr: 1 }] }, "sgd: groups: there is no option lr; write rate"],
  ])("%s", (_, given, message) => {
    expect(refused("sgd", { rate: 0.1, ...given })).toContain(message);
  });

  test("but not one that is undefined, in a group either", () => {
    const given = { rate: 0.1, momentum: undefined, lr: undefined, groups: [{ only: ["w"], momentum: undefined }] };
    expect(Object.keys((calls["sgd"]!(given) as optim.Optimizer).init({ w: tensor([1]), b: tensor([1]) }))).toEqual(["step", "rate"]);
  });
});

test("update and stepCount say what they were not given", () => {
  const { update } = optim.sgd({ rate: 0.1 }) as unknown as { update: (step?: unknown) => unknown };
  const params = { w: tensor([1]) };
  expect(() => update()).toThrow("sgd: update has no params; write update({ params, grad, opt }), opt being what init or");
  expect(() => update({ params, grads: params })).toThrow("sgd: update has no grad; write");
  expect(() => update({ params, grad: params })).toThrow("sgd: update has no opt; write");
  expect(refused("stepCount")).toBe("stepCount: opt has no step, only nothing; pass what optimizer.init gave");
  expect(refused("averaged", optim.sgd)).toBe(
    "averaged: the optimiser is a function; it is what a call makes: averaged(sgd({ rate: 0.1 }))",
  );
  expect(refused("averaged", optim.sgd({ rate: 1 }), { decay: 0.9 })).toBe("averaged: there is no option decay; write keep");
});

describe("a schedule refuses", () => {
  test.each(["step", "exponential", "ramp", "polynomial", "cosine", "cosineRestarts", "oneCycle", "plateau"])(
    "in %s what is no record, and other words",
    (name) => {
      expect(refused(name)).toContain(`${name}: the options are missing; they are one record: ${name}({ `);
      expect(refused(name, 0.1)).toContain(`${name}: the options are 0.1; they are one record`);
      const first = name === "oneCycle" ? "peak" : "from";
      expect(refused(name, { lr: 0.1 })).toBe(`${name}: there is no option lr; write ${first}`);
    },
  );

  test("other words of PyTorch, and settings of another kind", () => {
    expect(refused("cosine", { from: 0.1, T_max: 100 })).toBe("cosine: there is no option T_max; write steps");
    expect(refused("step", { from: 0.1, gamma: 0.1 })).toBe("step: there is no option gamma; write factor");
    expect(refused("step", { from: 0.1, factor: 0.1, at: 30 })).toBe("step: at is 30; it is a list of steps: at: [300, 600]");
    expect(refused("oneCycle", { peak: 0.1, steps: 100, shape: "lin" })).toBe('oneCycle: shape is lin; it has to be "cosine" or "linear"');
    expect(refused("plateau", { from: 0.1, best: "min" })).toBe('plateau: best is "min"; it is "lowest" or "highest"');
    expect(refused("warmup")).toBe("warmup: rate is missing; give a number as 1e-3, or a schedule");
    expect(refused("warmup", { from: 0.1 }, 10)).toContain("warmup: rate is a record; give");
  });
});

describe.each(["minimize", "leastSquares"])("%s refuses", (name) => {
  test("no function, no record, and other words", () => {
    expect(refused(name)).toBe(`${name}: the function is missing; write ${name}(f, start, { limit: 100 })`);
    expect(refused(name, square, tensor([1]), null)).toContain(`${name}: the options are null; they are one record`);
    expect(refused(name, square, tensor([1]), { steps: 100 })).toBe(`${name}: there is no option steps; write limit`);
    expect(refused(name, square, tensor([1]), { tolerances: 1 })).toBe(`${name}: there is no option tolerances; write tolerance`);
  });
});
