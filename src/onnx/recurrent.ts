import { scan } from "../control/scan.ts";
import { constant, lift } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import { sameShape } from "../ir/shape.ts";
import { tensor } from "../ir/tensor.ts";
import { tensorType, typeText } from "../ir/type.ts";
import {
  abs,
  add,
  cast,
  clip,
  concat,
  div,
  elu,
  expand,
  flip,
  gatherElements,
  leakyRelu,
  less,
  matmul,
  mul,
  relu,
  reshape,
  sigmoid,
  slice,
  softplus,
  split,
  sub,
  tanh,
  transpose,
  unsqueeze,
  where,
  zeros,
} from "../ops/index.ts";
import type { Application, Family } from "./application.ts";
import { hardSigmoidOf } from "./elementwise.ts";

type Curve = (x: Value) => Value;
type Make = (alpha: number | undefined, beta: number | undefined) => Curve;

/** Activations by the names of the standard, in lower case, with their parameters. */
const curves: Readonly<Record<string, Make>> = {
  relu: () => relu,
  tanh: () => tanh,
  sigmoid: () => sigmoid,
  softplus: () => softplus,
  softsign: () => (x) => div(x, add(1, abs(x))),
  elu:
    (alpha = 1) =>
    (x) =>
      elu(x, { alpha }),
  leakyrelu:
    (slope = 0.01) =>
    (x) =>
      leakyRelu(x, { slope }),
  affine:
    (alpha = 1, beta = 0) =>
    (x) =>
      add(mul(alpha, x), beta),
  scaledtanh:
    (alpha = 1, beta = 1) =>
    (x) =>
      mul(alpha, tanh(mul(beta, x))),
  hardsigmoid:
    (alpha = 0.2, beta = 0.5) =>
    (x) =>
      hardSigmoidOf(x, alpha, beta),
  thresholdedrelu:
    (alpha = 1) =>
    (x) =>
      where(less(alpha, x), x, 0),
};

/** What the gates of one direction are made of. */
interface Cell {
  readonly w: Value;
  readonly r: Value;
  /** Biases of the input and of the recurrence. */
  readonly wb: Value;
  readonly rb: Value;
  /** The activations f, g, h of the direction. */
  readonly f: readonly Curve[];
  readonly hidden: number;
}

interface State {
  readonly h: Value;
  readonly c: Value | null;
}

type Step = (cell: Cell, x: Value, state: State) => State;

function activationsOf(n: Application, fallback: readonly string[], directions: number): Curve[][] {
  const names = n.texts("activations") ?? Array.from({ length: directions }, () => fallback).flat();
  const alphas = n.floats("activation_alpha") ?? [];
  const betas = n.floats("activation_beta") ?? [];
  const limit = n.hasAttribute("clip") ? n.float("clip", 0) : null;
  const each = names.map((name, i): Curve => {
    const make = curves[name.toLowerCase()] ?? n.refuse(`activation ${JSON.stringify(name)} is none of ${Object.keys(curves).join(", ")}`);
    const curve = make(alphas[i], betas[i]);
    return limit === null ? curve : (x) => curve(clip(x, { min: -limit, max: limit }));
  });
  return Array.from({ length: directions }, (_, d) => each.slice(d * fallback.length, (d + 1) * fallback.length));
}

/** One of the directions' parts of a weight [directions, ...]. */
function direction(x: Value, d: number): Value {
  return reshape(slice(x, { start: d, end: d + 1 }), { shape: x.type.shape.slice(1) });
}

/** Each sequence turned round on its own length; what lies behind its end stays. */
function reversed(x: Value, lengths: Value | null): Value {
  if (lengths === null) return flip(x, { axis: 0 });
  const [time, batch, width] = x.type.shape as readonly [number, number, number];
  const steps = constant(
    tensor(
      Int32Array.from({ length: time }, (_, t) => t),
      tensorType("i32", [time, 1]),
    ),
  );
  const from = where(less(steps, lengths), sub(sub(lengths, 1), steps), steps);
  return gatherElements(x, expand(reshape(from, { shape: [time, batch, 1] }), { shape: [time, batch, width] }), { axis: 0 });
}

/** A loop over the time axis, with states that stop where a sequence ends. */
function run(x: Value, start: State, cell: Cell, step: Step, lengths: Value | null): { readonly out: Value; readonly last: State } {
  const { dtype } = x.type;
  const time = x.type.shape[0]!;
  const steps = constant(
    tensor(
      Int32Array.from({ length: time }, (_, t) => t),
      tensorType("i32", [time]),
    ),
  );
  const body = (state: State, row: Value, t: Value): { readonly next: State; readonly out: Value } => {
    const next = step(cell, row, state);
    if (lengths === null) return { next, out: next.h };
    const going = reshape(less(t, lengths), { shape: [lengths.type.shape[0]!, 1] });
    const h = where(going, next.h, state.h);
    const c = next.c === null ? null : where(going, next.c, state.c!);
    return { next: { h, c }, out: where(going, next.h, lift(0, dtype)) };
  };
  if (start.c === null) {
    const { carry, out } = scan(
      ({ h }: { h: Value }, row: { x: Value; t: Value }) => {
        const { next, out } = body({ h, c: null }, row.x, row.t);
        return { carry: { h: next.h }, out };
      },
      { h: start.h },
      { x, t: steps },
    );
    return { out: out as Value, last: { h: carry.h, c: null } };
  }
  const { carry, out } = scan(
    ({ h, c }: { h: Value; c: Value }, row: { x: Value; t: Value }) => {
      const { next, out } = body({ h, c }, row.x, row.t);
      return { carry: { h: next.h, c: next.c! }, out };
    },
    { h: start.h, c: start.c },
    { x, t: steps },
  );
  return { out: out as Value, last: { h: carry.h, c: carry.c } };
}

/** What the three recurrent operators have in common: directions, layouts, biases and lengths. */
function recurrent(n: Application, gates: number, fallback: readonly string[], step: Step, hasCell: boolean): readonly (Value | null)[] {
  const batchFirst = n.int("layout", 0) === 1;
  const given = n.get(0);
  const x = batchFirst ? transpose(given, { axes: [1, 0, 2] }) : given;
  const [w, r] = [n.get(1), n.get(2)];
  const [, batch] = x.type.shape as readonly [number, number, number];
  const directions = w.type.shape[0]!;
  const hidden = n.int("hidden_size", r.type.shape[2]!);
  const way = n.text("direction", "forward");
  if ((way === "bidirectional") !== (directions === 2)) n.refuse(`its direction is ${way} and its weights have ${directions} directions`);
  const { dtype } = x.type;
  const inputs = x.type.shape[2]!;
  const wide = gates * hidden;
  for (const [i, name, shape] of [
    [1, "W", [directions, wide, inputs]],
    [2, "R", [directions, wide, hidden]],
    [3, "B", [directions, 2 * wide]],
    [5, "initial_h", batchFirst ? [batch, directions, hidden] : [directions, batch, hidden]],
    [6, "initial_c", batchFirst ? [batch, directions, hidden] : [directions, batch, hidden]],
  ] as const) {
    const given = n.maybe(i);
    if (given !== null && !sameShape(given.type.shape, shape))
      n.refuse(
        `${name} is ${typeText(given.type)}, and for ${inputs} inputs, ${hidden} hidden units and ${gates} gates it is [${shape.join()}]; ONNX has no projections: export it without proj_size`,
      );
  }
  const lengths = n.has(4) ? cast(n.get(4), "i32") : null;
  const bias = n.maybe(3) ?? zeros(tensorType(dtype, [directions, 2 * gates * hidden]));
  const functions = activationsOf(n, fallback, directions);
  const startOf = (i: number): Value => {
    const v = n.maybe(i);
    if (v === null) return zeros(tensorType(dtype, [directions, batch, hidden]));
    return batchFirst ? transpose(v, { axes: [1, 0, 2] }) : v;
  };
  const [h0, c0] = [startOf(5), hasCell ? startOf(6) : null];
  const peepholes = hasCell ? n.maybe(7) : null;
  const results = Array.from({ length: directions }, (_, d) => {
    const backward = way === "reverse" || d === 1;
    const [wb, rb] = split(direction(bias, d), { parts: 2 }) as [Value, Value];
    const cell: Cell & { readonly peephole: Value | null } = {
      w: direction(w, d),
      r: direction(r, d),
      wb,
      rb,
      f: functions[d]!,
      hidden,
      peephole: peepholes && direction(peepholes, d),
    };
    const data = backward ? reversed(x, lengths) : x;
    const { out, last } = run(data, { h: direction(h0, d), c: c0 && direction(c0, d) }, cell, step, lengths);
    return { out: backward ? reversed(out, lengths) : out, last };
  });
  const stackAt = (values: readonly Value[], axis: number): Value =>
    concat(
      values.map((v) => unsqueeze(v, { axis })),
      { axis },
    );
  const y = stackAt(
    results.map((s) => s.out),
    1,
  );
  const last = (values: readonly Value[]): Value => {
    const joined = stackAt(values, 0);
    return batchFirst ? transpose(joined, { axes: [1, 0, 2] }) : joined;
  };
  return [
    batchFirst ? transpose(y, { axes: [2, 0, 1, 3] }) : y,
    last(results.map((s) => s.last.h)),
    hasCell ? last(results.map((s) => s.last.c!)) : null,
  ];
}

function affine(x: Value, w: Value): Value {
  return matmul(x, transpose(w));
}

/** h' = f(x W^T + h R^T + b). */
const plainStep: Step = ({ w, r, wb, rb, f }, x, { h }) => ({
  h: f[0]!(add(add(affine(x, w), affine(h, r)), add(wb, rb))),
  c: null,
});

/** Gates in the order z, r, h. */
function gatedStep(linearBeforeReset: boolean): Step {
  return ({ w, r, wb, rb, f }, x, { h }) => {
    const [wz, wr, wh] = split(w, { parts: 3 }) as [Value, Value, Value];
    const [rz, rr, rh] = split(r, { parts: 3 }) as [Value, Value, Value];
    const [bz, br, bh] = split(wb, { parts: 3 }) as [Value, Value, Value];
    const [cz, cr, ch] = split(rb, { parts: 3 }) as [Value, Value, Value];
    const gate = (a: Value, b: Value, p: Value, q: Value): Value => f[0]!(add(add(affine(x, a), affine(h, b)), add(p, q)));
    const update = gate(wz, rz, bz, cz);
    const reset = gate(wr, rr, br, cr);
    const recurrence = linearBeforeReset ? mul(reset, add(affine(h, rh), ch)) : add(affine(mul(reset, h), rh), ch);
    const fresh = f[1]!(add(add(affine(x, wh), recurrence), bh));
    return { h: add(mul(sub(1, update), fresh), mul(update, h)), c: null };
  };
}

/** Gates in the order i, o, f, c; peepholes in the order i, o, f. */
function memoryStep(coupled: boolean): Step {
  return (cell, x, { h, c }) => {
    const { w, r, wb, rb, f } = cell;
    const { peephole } = cell as Cell & { readonly peephole: Value | null };
    const all = add(add(affine(x, w), affine(h, r)), add(wb, rb));
    const [i, o, forget, g] = split(all, { parts: 4, axis: 1 }) as [Value, Value, Value, Value];
    const [pi, po, pf] = peephole === null ? [null, null, null] : (split(peephole, { parts: 3 }) as [Value, Value, Value]);
    const peeped = (v: Value, p: Value | null, memory: Value): Value => (p === null ? v : add(v, mul(p, memory)));
    const input = f[0]!(peeped(i, pi, c!));
    const kept = coupled ? sub(1, input) : f[0]!(peeped(forget, pf, c!));
    const memory = add(mul(kept, c!), mul(input, f[1]!(g)));
    const shown = f[0]!(peeped(o, po, memory));
    return { h: mul(shown, f[2]!(memory)), c: memory };
  };
}

/** Recurrent networks, one loop each. */
export const recurrence: Family = {
  GRU: (n) => recurrent(n, 3, ["Sigmoid", "Tanh"], gatedStep(n.int("linear_before_reset", 0) !== 0), false),
  LSTM: (n) => recurrent(n, 4, ["Sigmoid", "Tanh", "Tanh"], memoryStep(n.int("input_forget", 0) !== 0), true),
  RNN: (n) => recurrent(n, 1, ["Tanh"], plainStep, false),
};
