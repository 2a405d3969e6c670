import { batch, manyOf } from "../autodiff/batch.ts";
import { pullback, zerosLike } from "../autodiff/pullback.ts";
import { pushforward } from "../autodiff/pushforward.ts";
import { evaluate } from "../evaluate/evaluate.ts";
import { allocate, isFloat } from "../ir/dtype.ts";
import { input, variable } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import { sizeOf } from "../ir/shape.ts";
import { hold, type Tensor } from "../ir/tensor.ts";
import { sameType, tensorType, typeText } from "../ir/type.ts";
import { everyExample } from "../ops/linear/every-example.ts";
import { type Case, constantFrom } from "./case.ts";
import type { Draw } from "./draws.ts";
import { allFinite, type Finding, type Law, largest, weightsLike } from "./point.ts";

/** How far a number computed among others may be from the same number computed alone, relative to the largest of its tensor. */
const tolerance = 1e-9;

/** A case with some operands mapped: for each example what its operands are. */
interface Examples {
  readonly count: number;
  readonly mapped: readonly boolean[];
  readonly operands: readonly (readonly (Tensor | null)[])[];
}

/** Draws which operands are mapped, how many examples there are, and the examples: moved within their room, or turned round. */
function drawExamples(c: Case, draw: Draw): Examples {
  const present = c.operands.flatMap((t, i) => (t === null ? [] : [i]));
  const certain = present[draw.whole(0, present.length - 1)];
  const mapped = c.operands.map((t, i) => t !== null && (i === certain || draw.fraction() < 0.5));
  const count = draw.whole(0, 7) === 0 ? 0 : draw.whole(1, 3);
  const operands = Array.from({ length: count }, (_, k) => {
    if (k === 0) return c.operands;
    const floats = c.operands.map((t, i) => (t !== null && mapped[i] && c.room[i] ? nudged(t, c.room[i], draw) : t));
    const turned = floats.map((t, i) => (t !== null && mapped[i] && !isFloat(t.type.dtype) && k === 1 ? reversed(t) : t));
    // Whole numbers may be places in another operand, for which not every order is good.
    return works(c, turned) ? turned : floats;
  });
  return { count, mapped, operands };
}

function nudged(t: Tensor, room: Float64Array, draw: Draw): Tensor {
  const data = allocate(t.type.dtype, t.data.length);
  for (let i = 0; i < data.length; i++) data[i] = t.data[i]! + 0.4 * (2 * draw.fraction() - 1) * room[i]!;
  return hold(t.type, data);
}

/** The rows of a tensor in reverse order. */
function reversed(t: Tensor): Tensor {
  const rows = t.type.shape[0] ?? 1;
  const size = rows === 0 ? 0 : t.data.length / rows;
  const data = allocate(t.type.dtype, t.data.length);
  for (let r = 0; r < rows; r++) data.set(t.data.subarray(r * size, (r + 1) * size), (rows - 1 - r) * size);
  return hold(t.type, data);
}

function works(c: Case, operands: readonly (Tensor | null)[]): boolean {
  try {
    for (const v of c.apply(constants(operands))) evaluate(v);
    return true;
  } catch {
    return false;
  }
}

function constants(operands: readonly (Tensor | null)[]): (Value | null)[] {
  return operands.map((t) => (t === null ? null : constantFrom(t)));
}

/** Tensors of one type side by side, the examples on axis 0. */
function stacked(ts: readonly Tensor[], like: Tensor): Tensor {
  const size = sizeOf(like.type.shape);
  const data = allocate(like.type.dtype, ts.length * size);
  ts.forEach((t, k) => {
    data.set(t.data, k * size);
  });
  return hold(tensorType(like.type.dtype, [ts.length, ...like.type.shape]), data);
}

function summed(ts: readonly Tensor[], like: Tensor): Tensor {
  const data = allocate(like.type.dtype, like.data.length);
  for (const t of ts) for (let i = 0; i < data.length; i++) data[i]! += t.data[i]!;
  return hold(like.type, data);
}

function agree(what: string, got: Tensor, wanted: Tensor): Finding {
  if (!sameType(got.type, wanted.type)) return `${what} is ${typeText(got.type)}, the stack is ${typeText(wanted.type)}`;
  const allowed = tolerance * largest(wanted) + 1e-12;
  for (let i = 0; i < got.data.length; i++) {
    const [a, b] = [got.data[i]!, wanted.data[i]!];
    if (Object.is(a, b) || Math.abs(a - b) <= allowed) continue;
    return `${what}: element ${i} of ${typeText(got.type)} is ${a}, in the stack ${b}`;
  }
  return null;
}

/** One example by itself: results, cotangents of operands for the cotangents of results, and tangents. */
interface Alone {
  readonly outs: readonly Tensor[];
  readonly pulled: readonly Tensor[];
  readonly pushed: readonly Tensor[];
}

function alone(
  c: Case,
  operands: readonly (Tensor | null)[],
  cts: readonly Tensor[],
  live: readonly number[],
  along: readonly Tensor[],
): Alone {
  const ps = operands.map((t) => (t === null ? null : variable(t)));
  const outs = c.apply(ps);
  const wrt = c.floats.map((i) => ps[i]!);
  const roots = live.map((i) => outs[i]!);
  const values = (vs: readonly (Value | null)[], like: readonly Value[]): Tensor[] =>
    vs.map((v, i) => evaluate(v ?? zerosLike(like[i]!)) as Tensor);
  return {
    outs: outs.map((v) => evaluate(v) as Tensor),
    pulled: values(pullback(roots, cts.map(constantFrom), wrt), wrt),
    pushed: values(pushforward(roots, wrt, along.map(constantFrom)), roots),
  };
}

/**
 * `vmap` of a function is the stack of the function over the examples, whichever operands are mapped: in value, in vjp and jvp of the batched
 * graph, in the batch of the vjp (per-example gradients), and in a batch of a batch.
 */
export const batchLaw: Law = (p) => {
  const { c, draw, live } = p;
  if (c.operands.every((t) => t === null)) return undefined;
  const { count, mapped, operands } = drawExamples(c, draw);
  const isMapped = (i: number): boolean => mapped[i] === true;
  const along = c.floats.map((_, k) => p.along[k]!);
  const cts = operands.map(() => p.cts.map((t) => weightsLike(t, draw)));
  const each = operands.map((own, k) => alone(c, own, cts[k]!, live, along));
  const finite = p.finite && each.every(({ outs, pulled }) => [...outs, ...pulled].every(allFinite));

  const many = c.operands.map((t, i) =>
    t !== null && isMapped(i)
      ? stacked(
          operands.map((own) => own[i]!),
          t,
        )
      : t,
  );
  // What the function sees: one example where mapped, the operand itself elsewhere; and what stands for it among many.
  const all = many.map((t) => (t === null ? null : variable(t)));
  const ones = c.operands.map((t, i) => (t !== null && isMapped(i) ? input(t.type, `x${i}`) : all[i]!));
  const chosen = mapped.flatMap((m, i) => (m ? [i] : []));
  const outs = c.apply(ones);
  const over = (roots: readonly Value[], extra: readonly Value[] = [], extraMany: readonly Value[] = []): Value[] =>
    batch(roots, [...chosen.map((i) => ones[i]!), ...extra], [...chosen.map((i) => all[i]!), ...extraMany], count).map(
      (v, i) => v ?? everyExample(roots[i]!, false, count),
    );
  const batched = over(outs);
  for (const [i, v] of batched.entries()) {
    const stack = stacked(
      each.map((e) => e.outs[i]!),
      p.outs[i]!,
    );
    const fault = agree(`result ${i} over ${count} examples`, evaluate(v) as Tensor, stack);
    if (fault !== null) return fault;
  }
  const twice = nested(c, many, mapped, batched, each, count, p.outs);
  if (twice !== null) return twice;
  if (!finite || live.length === 0 || c.floats.length === 0) return null;

  const roots = live.map((i) => batched[i]!);
  const ctsMany = live.map((i, k) =>
    stacked(
      cts.map((own) => own[k]!),
      p.outs[i]!,
    ),
  );
  const wrt = c.floats.map((i) => all[i]!);
  const pulled = pullback(roots, ctsMany.map(constantFrom), wrt);
  for (const [k, i] of c.floats.entries()) {
    const pieces = each.map((e) => e.pulled[k]!);
    const wanted = isMapped(i) ? stacked(pieces, c.operands[i]!) : summed(pieces, c.operands[i]!);
    const fault = agree(
      `the cotangent of operand ${i} over ${count} examples`,
      evaluate(pulled[k] ?? zerosLike(wrt[k]!)) as Tensor,
      wanted,
    );
    if (fault !== null) return fault;
  }
  const directions = c.floats.map((i, k) =>
    constantFrom(
      isMapped(i)
        ? stacked(
            operands.map(() => along[k]!),
            along[k]!,
          )
        : along[k]!,
    ),
  );
  const pushed = pushforward(roots, wrt, directions);
  for (const [k, i] of live.entries()) {
    const wanted = stacked(
      each.map((e) => e.pushed[k]!),
      p.outs[i]!,
    );
    const fault = agree(`the tangent of result ${i} over ${count} examples`, evaluate(pushed[k] ?? zerosLike(roots[k]!)) as Tensor, wanted);
    if (fault !== null) return fault;
  }
  const oneCts = live.map((i) => input(p.outs[i]!.type, `ct${i}`));
  const oneWrt = c.floats.map((i) => ones[i]!);
  const oneRoots = live.map((i) => outs[i]!);
  const perExample = over(
    pullback(oneRoots, oneCts, oneWrt).map((v, k) => v ?? zerosLike(oneWrt[k]!)),
    oneCts,
    ctsMany.map(constantFrom),
  );
  for (const [k, i] of c.floats.entries()) {
    const wanted = stacked(
      each.map((e) => e.pulled[k]!),
      c.operands[i]!,
    );
    const fault = agree(`the cotangent of operand ${i} for each of ${count} examples`, evaluate(perExample[k]!) as Tensor, wanted);
    if (fault !== null) return fault;
  }
  return null;
};

/** A batch of the batched graph, over its own examples and the same in reverse order. */
function nested(
  c: Case,
  many: readonly (Tensor | null)[],
  mapped: readonly boolean[],
  batched: readonly Value[],
  each: readonly Alone[],
  count: number,
  outs: readonly Tensor[],
): Finding {
  const chosen = mapped.flatMap((m, i) => (m ? [i] : []));
  const rows = chosen.map((i) => input(many[i]!.type, `rows${i}`));
  const ones = c.operands.map((t, i) => (t !== null && mapped[i] ? input(t.type, `x${i}`) : t === null ? null : constantFrom(t)));
  const roots = c.apply(ones);
  const inner = batch(
    roots,
    chosen.map((i) => ones[i]!),
    rows,
    count,
  ).map((v, i) => v ?? everyExample(roots[i]!, false, count));
  const pairs = chosen.map((i) => constantFrom(stacked([many[i]!, reversed(many[i]!)], many[i]!)));
  const outer = batch(inner, rows, pairs, 2);
  for (const [i, v] of outer.entries()) {
    const stack = stacked(
      each.map((e) => e.outs[i]!),
      outs[i]!,
    );
    const wanted = stacked([stack, reversed(stack)], stack);
    const made = v ?? everyExample(batched[i]!, false, 2);
    if (!sameType(made.type, manyOf(stack.type, 2))) return `a batch of the batch of result ${i} is ${typeText(made.type)}`;
    const fault = agree(`a batch of the batch of result ${i}`, evaluate(made) as Tensor, wanted);
    if (fault !== null) return fault;
  }
  return null;
}
