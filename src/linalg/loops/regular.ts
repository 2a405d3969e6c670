import type { CompiledLoops } from "../../ir/assembler.ts";
import type { Node } from "../../ir/node.ts";
import { sizeOf } from "../../ir/shape.ts";
import type { Block, LoopWriter, Real, RealCell, Whole } from "../../loops/language.ts";
import { type Written, written } from "../../loops/writer.ts";
import { wellConditioned } from "../kernels/well-conditioned.ts";
import { batchOf } from "../matrices.ts";
import { blocked, type Factors, factors, lower, temps } from "./lu.ts";
import { overMatrices } from "./over-matrices.ts";
import { copyRows, overSystems, systemsOf } from "./systems.ts";
import { solveBlocks, solveInPlace, stride, together } from "./triangular.ts";

const upper = { forward: false, unitDiagonal: false };

/** Where row or column i comes from, or goes to. */
const placeOf = (w: LoopWriter, { order }: Factors, i: Whole): Whole => w.whole(w.toWhole(w.get(order, i)));

/** `solve`. */
export function solveLoops(node: Node): CompiledLoops {
  const systems = systemsOf(node);
  const { n, columns, count, doubles } = systems;
  const { transpose } = node.attrs as { readonly transpose: boolean };
  const own = temps(n);
  // Where rows are put in order at the end, they cannot be solved where they go.
  const direct = doubles && !transpose;
  return written(node, {
    temps: [...own, together * columns, ...(direct ? [] : [n * columns])],
    products: blocked(n) ? Math.max(n, columns) : 0,
    operations: (count * 2 * n ** 3) / 3 + count * 2 * n * n * columns,
    kernel(w) {
      const minus = w.temp(own.length, columns);
      overSystems(
        w,
        systems,
        (a) => factors(w, a, n, true),
        (f, b, y) => {
          const x = direct ? y : w.temp(own.length + 1, columns);
          if (transpose) {
            copyRows(w, b, x, n, columns);
            const turned = w.turned(f.lu);
            solveInPlace(w, turned, x, n, columns, minus, { forward: true, unitDiagonal: false });
            solveInPlace(w, turned, x, n, columns, minus, { forward: false, unitDiagonal: true });
            w.for(0, n, (i) => w.sweep(columns, [w.part(y, placeOf(w, f, i), 0), w.part(x, i, 0)], [], ([, z]) => [z!, null]));
            return;
          }
          w.for(0, n, (i) => w.sweep(columns, [w.part(x, i, 0), w.part(b, placeOf(w, f, i), 0)], [], ([, z]) => [z!, null]));
          solveInPlace(w, f.lu, x, n, columns, minus, lower);
          solveInPlace(w, f.lu, x, n, columns, minus, upper);
          if (!direct) copyRows(w, x, y, n, columns);
        },
      );
    },
  });
}

/** A kernel that factors each matrix of the operand. */
function eachFactored(
  node: Node,
  more: Omit<Written, "kernel" | "operations"> & { readonly whole: boolean; readonly operations: number },
  body: (w: LoopWriter, n: number, f: Factors, results: readonly Block[], extra: number) => void,
): CompiledLoops {
  const { type } = node.operands[0]!;
  const n = type.shape.at(-1)!;
  const own = temps(n);
  return written(node, {
    temps: [...own, ...(more.temps ?? [])],
    products: blocked(n) ? n : 0,
    operations: sizeOf(batchOf(type)) * more.operations * n ** 3,
    kernel: (w) => overMatrices(w, node, (a, results) => body(w, n, factors(w, a, n, more.whole), results, own.length)),
  });
}

/** Sets x to so much on its diagonal. */
function diagonal(w: LoopWriter, x: Block, n: number, size: Real | number): void {
  w.for(0, n, (i) => {
    w.sweep(n, [w.part(x, i, 0)], [], () => [w.mul(0, 0)]);
    w.put(x, i, i, size);
  });
}

/** `inverse`. */
export function inverseLoops(node: Node): CompiledLoops {
  const n = node.type.shape.at(-1)!;
  return eachFactored(node, { whole: true, operations: 2, temps: [together * n, n * stride(n)] }, (w, n, f, [y], extra) => {
    const [minus, x] = [w.temp(extra, n), w.temp(extra + 1, stride(n))];
    diagonal(w, x, n, 1);
    solveBlocks(w, f.lu, x, n, n, minus, lower, true);
    solveBlocks(w, f.lu, x, n, n, minus, upper);
    // (P^T L U)^-1 has its columns in P's order.
    w.for(0, n, (j) => {
      const to = placeOf(w, f, j);
      w.sweep(n, [w.turned(w.part(y!, 0, to)), w.turned(w.part(x, 0, j))], [], ([, z]) => [z!, null]);
    });
  });
}

/** The signed product of the pivots. */
function determinant(w: LoopWriter, { lu, parity }: Factors, n: number): RealCell {
  w.for(0, n, (i) => parity.set(w.mul(parity, w.get(lu, i, i))));
  return parity;
}

/** `cofactor`. Pivots that leave the inverse too few digits are the host's, and so is a determinant that is not in the middle of the range. */
export function cofactorLoops(node: Node): CompiledLoops {
  const n = node.type.shape.at(-1)!;
  return eachFactored(node, { whole: true, operations: 2, temps: [together * n, n * stride(n)] }, (w, n, f, [y], extra) => {
    const [minus, x] = [w.temp(extra, n), w.temp(extra + 1, stride(n))];
    const [least, most] = [w.real(Number.POSITIVE_INFINITY), w.real(0)];
    w.for(0, n, (i) => {
      const size = w.real(w.abs(w.get(f.lu, i, i)));
      least.set(w.min(least, size));
      most.set(w.max(most, size));
    });
    const det = determinant(w, f, n);
    const size = w.abs(det);
    if (n > 0)
      w.if(w.not(w.both(w.less(w.mul(most, wellConditioned), least), w.both(w.less(1e-280, size), w.less(size, 1e280)))), () => w.giveUp());
    diagonal(w, x, n, det);
    const turned = w.turned(f.lu);
    solveBlocks(w, turned, x, n, n, minus, { forward: true, unitDiagonal: false }, true);
    solveBlocks(w, turned, x, n, n, minus, { forward: false, unitDiagonal: true });
    w.for(0, n, (i) => w.sweep(n, [w.part(y!, placeOf(w, f, i), 0), w.part(x, i, 0)], [], ([, z]) => [z!, null]));
  });
}

/** `det`. */
export function detLoops(node: Node): CompiledLoops {
  return eachFactored(node, { whole: false, operations: 2 / 3 }, (w, n, f, [y]) => {
    // A determinant of 0 has no sign.
    w.put(y!, 0, 0, w.add(determinant(w, f, n), 0));
  });
}

/** `slogDet`. */
export function slogDetLoops(node: Node): CompiledLoops {
  return eachFactored(node, { whole: false, operations: 2 / 3 }, (w, n, f, [sign, log]) => {
    const sum = w.real(0);
    w.for(0, n, (i) => {
      const pivot = w.real(w.get(f.lu, i, i));
      w.if(w.less(pivot, 0), () => f.parity.set(w.neg(f.parity)));
      sum.set(w.add(sum, w.log(w.abs(pivot))));
    });
    w.put(sign!, 0, 0, f.parity);
    w.put(log!, 0, 0, sum);
  });
}
