import { lift } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import { add, cast, div, greater, mul, pow, reshape, sqrt, square, sub, where } from "../ops/index.ts";
import type { Application, Family } from "./application.ts";

/** Calls `update` for each tensor: operands are the rate, the step, then lists of tensors of one length, results lists again. */
function each(
  n: Application,
  kinds: number,
  update: (rate: Value, step: Value, parts: readonly Value[]) => readonly Value[],
): readonly Value[] {
  const tensors = n.all().slice(2);
  const count = tensors.length / kinds;
  if (!Number.isInteger(count) || count < 1) n.refuse(`it has ${tensors.length} tensors, which are no ${kinds} lists of one length`);
  const made = Array.from({ length: count }, (_, i) => {
    const parts = Array.from({ length: kinds }, (_, k) => tensors[k * count + i]!);
    const { dtype } = parts[0]!.type;
    const scalar = (v: Value): Value => reshape(v.type.dtype === dtype ? v : cast(v, dtype), { shape: [] });
    return update(scalar(n.get(0)), scalar(n.get(1)), parts);
  });
  return made[0]!.flatMap((_, k) => made.map((results) => results[k]!));
}

/** The gradient with that of half the squared weights, times a factor, added. */
function decayed(n: Application, x: Value, g: Value): Value {
  const factor = n.float("norm_coefficient", 0);
  return factor === 0 ? g : add(mul(factor, x), g);
}

function adagrad(n: Application): readonly Value[] {
  return each(n, 3, (rate, step, [x, g, h]) => {
    const slope = decayed(n, x!, g!);
    const now = div(rate, add(1, mul(step, n.float("decay_factor", 0))));
    const total = add(h!, square(slope));
    return [sub(x!, div(mul(now, slope), add(sqrt(total), n.float("epsilon", 1e-6)))), total];
  });
}

function adam(n: Application): readonly Value[] {
  const [alpha, beta] = [n.float("alpha", 0.9), n.float("beta", 0.999)];
  return each(n, 4, (rate, step, [x, g, v, h]) => {
    const slope = decayed(n, x!, g!);
    const momentum = add(mul(alpha, v!), mul(1 - alpha, slope));
    const squares = add(mul(beta, h!), mul(1 - beta, square(slope)));
    const { dtype } = step.type;
    const after = greater(step, 0);
    const safe = where(after, step, lift(1, dtype));
    const power = (base: number): Value => sub(1, pow(lift(base, dtype), safe));
    const now = where(after, mul(rate, div(sqrt(power(beta)), power(alpha))), rate);
    const moved = sub(x!, mul(now, div(momentum, add(sqrt(squares), n.float("epsilon", 1e-6)))));
    return [mul(1 - n.float("norm_coefficient_post", 0), moved), momentum, squares];
  });
}

function momentum(n: Application): readonly Value[] {
  const [alpha, beta] = [n.float("alpha", 0), n.float("beta", 0)];
  return each(n, 3, (rate, step, [x, g, v]) => {
    const slope = decayed(n, x!, g!);
    const { dtype } = step.type;
    const share = where(greater(step, 0), lift(beta, dtype), lift(1, dtype));
    const next = add(mul(alpha, v!), mul(share, slope));
    const way = n.text("mode", "standard") === "nesterov" ? add(slope, mul(alpha, next)) : next;
    return [sub(x!, mul(rate, way)), next];
  });
}

/** The optimisers of ai.onnx.preview.training. */
export const trainingOperators: Family = { Adagrad: adagrad, Adam: adam, Momentum: momentum };
