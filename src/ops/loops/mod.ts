import type { CompiledLoops } from "../../ir/assembler.ts";
import type { Node } from "../../ir/node.ts";
import { broadcastStrides, sizeOf } from "../../ir/shape.ts";
import type { LoopWriter, Real } from "../../loops/language.ts";
import { written } from "../../loops/writer.ts";
import { joinAxes } from "../kernels/walk.ts";

/** A product of doubles and what its rounding took away, by halves of 26 bits whose products are exact (Dekker, 1971). */
function exactProduct(w: LoopWriter, x: Real, y: Real): readonly [Real, Real] {
  const halves = (v: Real): readonly [Real, Real] => {
    const scaled = w.real(w.mul(v, 2 ** 27 + 1));
    const high = w.real(w.sub(scaled, w.sub(scaled, v)));
    return [high, w.real(w.sub(v, high))];
  };
  const [a, b] = halves(x);
  const [c, d] = halves(y);
  const product = w.real(w.mul(x, y));
  return [product, w.add(w.add(w.add(w.sub(w.mul(a, c), product), w.mul(a, d)), w.mul(b, c)), w.mul(b, d))];
}

/**
 * The remainder as JavaScript's % has it, exact, and its sum with y where their signs differ: of a quotient below 2^53 (2^29 for f32, whose products need no halves)
 * the whole part, which rounding may have made 1 too large. Other quotients, and numbers that are not finite or so large or small that halves are not, are the
 * host's.
 */
export function modLoops(node: Node): CompiledLoops {
  const { shape, dtype } = node.type;
  const narrow = dtype === "f32";
  const { sizes, strides } = joinAxes(
    shape,
    node.operands.map((v) => broadcastStrides(v!.type.shape, shape)),
  );
  const count = sizes.pop()!;
  const steps = strides.map((s) => s.pop()!);
  return written(node, {
    operations: sizeOf(shape) * 30,
    kernel(w) {
      if (sizeOf(shape) === 0) return;
      const blocks = [0, 1].map((i) => w.spaced(w.operand(i, 0), 0, steps[i]!));
      const to = w.result(0, 1);
      const own = sizes.map((_, axis) => sizes.slice(axis + 1).reduce((n, size) => n * size, count));
      const moved = [...blocks.map((block, i) => ({ block, steps: strides[i]! })), { block: to, steps: own }];
      w.each(sizes, moved, () => {
        // What a row shares is read once.
        const along = blocks.filter((_, i) => steps[i] !== 0);
        const shared = blocks.flatMap((block, i) => (steps[i] === 0 ? [w.get(block, 0)] : []));
        const odd = w.fold(count, [...along, to], shared, 1, (elements, fixed) => {
          const x = steps[0] === 0 ? fixed[0]! : elements[0]!;
          const y = steps[1] === 0 ? fixed.at(-1)! : elements[along.length - 1]!;
          const [size, by] = [w.real(w.abs(x)), w.real(w.abs(y))];
          const whole = w.real(w.floor(w.div(size, by)));
          const [product, lost] = narrow ? [w.mul(whole, by), 0] : exactProduct(w, whole, by);
          const first = w.sub(size, product);
          // Where the whole part is 1 too large this is below 0, and what follows comes out the same.
          const rest = w.real(narrow ? first : w.sub(first, lost));
          const [below, under] = [w.less(x, 0), w.less(y, 0)];
          // A remainder of 0 has the sign of x.
          const cut = w.real(w.choose(w.unequal(rest, 0), w.choose(below, w.neg(rest), rest), w.mul(0, x)));
          const apart = w.either(w.both(w.less(cut, 0), w.less(0, y)), w.both(w.less(0, cut), under));
          const usual = w.both(w.less(whole, narrow ? 2 ** 29 : 2 ** 53), w.both(w.less(2 ** -900, by), w.less(w.max(size, by), 2 ** 990)));
          return { sum: [w.choose(usual, 0, 1)], put: [...along.map(() => null), w.choose(apart, w.add(cut, y), cut)] };
        });
        w.if(w.less(0, odd[0]!), () => w.giveUp());
      });
    },
  });
}
