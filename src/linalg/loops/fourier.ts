import type { CompiledLoops } from "../../ir/assembler.ts";
import type { Node } from "../../ir/node.ts";
import { sizeOf } from "../../ir/shape.ts";
import type { Block, LoopWriter, Real, RealCell, Whole } from "../../loops/language.ts";
import { written } from "../../loops/writer.ts";
import { axisLayout } from "../../ops/kernels/walk.ts";
import { fourierInPlace, radicesOf, unitRoot } from "../kernels/fourier.ts";

/** Roots of longer lines are products of two, of short tables: whole tables would be as large as the lines, and stay in memory. */
const longest = 2 ** 21;
/** Places that share one of the two roots. */
const stretch = 2 ** 10;
/** Lines that take more places to transform are the host's: four gigabytes have no room for what that needs meanwhile. */
const most = 2 ** 25;
/** Elements of lines side by side that are transformed together, and the fewest such lines. */
const together = 2 ** 13;
const fewest = 8;

/** Real and imaginary parts of lines: element (i, j) of a part is place i of line j. A part that is null is 0. */
type Parts = readonly [Block | null, Block | null];
/** A complex number; a part may be known to be 0 when the kernel is written. */
type Pair = readonly [Real | number, Real | number];

/** One of the passes over a line: p m places, of which s are side by side. */
interface Pass {
  readonly p: number;
  readonly m: number;
  readonly s: number;
  /** Where its roots begin among those of all passes: p - 1 pairs for each of m places, or, `across`, m numbers for each part of each of the p - 1. */
  readonly at: number;
  readonly across: boolean;
  /** Of how many places there are roots, if not of all: behind them are those of the first of each so many places, p - 1 pairs for each. */
  readonly near: number;
}

/** The passes for a length, and their roots; with at most `near` in a table. */
function passesOf(n: number, lines: number, near: number): { readonly passes: readonly Pass[]; readonly roots: Float64Array } {
  const passes: Pass[] = [];
  const roots: number[] = [];
  let s = 1;
  for (const p of radicesOf(n)!) {
    const m = n / s / p;
    const across = s * lines === 1;
    const least = Math.min(near, m);
    passes.push({ p, m, s, at: roots.length, across, near: least });
    const put = (j: number, k: number, part: 0 | 1): unknown => roots.push(unitRoot((j * k * s) % n, n)[part]);
    const pairs = (to: number, step: number): void => {
      for (let j = 0; j < to; j += step) for (let k = 1; k < p; k++) for (const part of [0, 1] as const) put(j, k, part);
    };
    if (m > 1 && across) for (let k = 1; k < p; k++) for (const part of [0, 1] as const) for (let j = 0; j < least; j++) put(j, k, part);
    if (m > 1 && !across) pairs(least, 1);
    if (least < m) pairs(m, least);
    s *= p;
  }
  return { passes, roots: Float64Array.from(roots) };
}

/** Sums and products of complex numbers, within a sweep. */
class Sums {
  readonly #w: LoopWriter;
  constructor(w: LoopWriter) {
    this.#w = w;
  }
  #plus(x: Real | number, y: Real | number): Real | number {
    return x === 0 ? y : y === 0 ? x : this.#w.add(x, y);
  }
  #minus(x: Real | number, y: Real | number): Real | number {
    return y === 0 ? x : x === 0 ? this.#w.neg(y) : this.#w.sub(x, y);
  }
  #scaled(x: Real | number, by: Real): Real | number {
    return x === 0 ? 0 : this.#w.mul(x, by);
  }
  add([a, b]: Pair, [c, d]: Pair): Pair {
    return [this.#plus(a, c), this.#plus(b, d)];
  }
  sub([a, b]: Pair, [c, d]: Pair): Pair {
    return [this.#minus(a, c), this.#minus(b, d)];
  }
  /** x + -i y, and x - -i y. */
  addTurned([a, b]: Pair, [c, d]: Pair): Pair {
    return [this.#plus(a, d), this.#minus(b, c)];
  }
  subTurned([a, b]: Pair, [c, d]: Pair): Pair {
    return [this.#minus(a, d), this.#plus(b, c)];
  }
  scale([a, b]: Pair, by: Real): Pair {
    return [this.#scaled(a, by), this.#scaled(b, by)];
  }
  mul(x: Pair, root: Pair): Pair {
    const [c, d] = root as readonly [Real, Real];
    const [a, b] = this.kept(x);
    return [this.#minus(this.#scaled(a, c), this.#scaled(b, d)), this.#plus(this.#scaled(a, d), this.#scaled(b, c))];
  }
  /** In cells, as it is used more than once. */
  kept(x: Pair): Pair {
    const [a, b] = x.map((part) => (part === 0 ? 0 : this.#w.real(part)));
    return [a!, b!];
  }

  /** The sums over p numbers times the powers of the p-th roots of 1; `own` are their cosines and sines, of odd p. */
  of(xs: readonly Pair[], own: readonly Real[]): Pair[] {
    const p = xs.length;
    const [first, ...others] = xs as [Pair, ...Pair[]];
    if (p === 2) return [this.add(first, xs[1]!), this.sub(first, xs[1]!)];
    if (p === 4) {
      const [sum, gap] = [this.kept(this.add(first, xs[2]!)), this.kept(this.sub(first, xs[2]!))];
      const [side, turned] = [this.kept(this.add(xs[1]!, xs[3]!)), this.kept(this.sub(xs[1]!, xs[3]!))];
      return [this.add(sum, side), this.addTurned(gap, turned), this.sub(sum, side), this.subTurned(gap, turned)];
    }
    // The roots of k and of p - k are conjugate: they go by the sums and differences of the numbers at r and p - r.
    const half = (p - 1) / 2;
    const sums: Pair[] = [];
    const gaps: Pair[] = [];
    for (let r = 0; r < half; r++) {
      sums.push(this.kept(this.add(others[r]!, others[p - 2 - r]!)));
      gaps.push(this.kept(this.sub(others[r]!, others[p - 2 - r]!)));
    }
    const results: Pair[] = Array.from({ length: p });
    results[0] = sums.reduce((total, x) => this.add(total, x), first);
    for (let k = 1; k <= half; k++) {
      let even = first;
      let odd: Pair = [0, 0];
      for (let r = 1; r <= half; r++) {
        const turns = (k * r) % p;
        const near = Math.min(turns, p - turns) - 1;
        even = this.add(even, this.scale(sums[r - 1]!, own[2 * near]!));
        const side = this.scale(gaps[r - 1]!, own[2 * near + 1]!);
        odd = turns > half ? this.sub(odd, side) : this.add(odd, side);
      }
      const [x, y] = [this.kept(even), this.kept(odd)];
      results[k] = this.addTurned(x, y);
      results[p - k] = this.subTurned(x, y);
    }
    return results;
  }
}

/** Cosines and sines of the p-th roots of 1, up to half a turn. */
function ownRoots(p: number): number[] {
  return p % 2 === 0 ? [] : Array.from({ length: (p - 1) / 2 }, (_, k) => [unitRoot(k + 1, p)[0], -unitRoot(k + 1, p)[1]]).flat();
}

/** A sweep over complex numbers, without the parts that are 0: those of `reads` are read, and the body's results are written. */
function sweepPairs(
  w: LoopWriter,
  count: Whole | number,
  reads: readonly Parts[],
  writes: readonly Parts[],
  fixed: readonly (Real | number)[],
  body: (xs: readonly Pair[], fixed: readonly Real[]) => readonly Pair[],
): void {
  const there = (all: readonly Parts[]): Block[] => all.flat().filter((x) => x !== null);
  const [sources, targets] = [there(reads), there(writes)];
  w.sweep(count, [...sources, ...targets], fixed, (elements, numbers) => {
    let next = 0;
    const xs = reads.map((parts) => parts.map((x) => (x === null ? 0 : elements[next++]!)) as unknown as Pair);
    const results = body(xs, numbers).flat();
    return [...sources.map(() => null), ...results.map((x) => (typeof x === "number" ? w.real(x) : x))];
  });
}

/** What a function makes of both parts. */
function both(parts: Parts, f: (block: Block) => Block): Parts {
  return [parts[0] && f(parts[0]), parts[1] && f(parts[1])];
}

/**
 * One pass, from parts to parts. Its results stand in the order that the next pass reads, so no reordering is needed.
 * Source: C. Van Loan, "Computational Frameworks for the Fast Fourier Transform", 1992, 1.7 (Stockham).
 */
function writePass(w: LoopWriter, pass: Pass, roots: Block, from: Parts, to: Parts, lines: number, count: Whole | number): void {
  const { p, m, s, at, across, near } = pass;
  const sums = new Sums(w);
  const own = ownRoots(p);
  const places = Array.from({ length: p }, (_, k) => k);
  const reads = (parts: Parts): Parts[] => places.map((r) => both(parts, (x) => w.ahead(x, r * s * m, 0)));
  const writes = (parts: Parts): Parts[] => places.map((k) => both(parts, (x) => w.ahead(x, k * s, 0)));
  const pairs = (j: Whole, after: number): RealCell[] => {
    const table = w.part(w.spaced(roots, 2 * (p - 1), 1), j, after);
    return Array.from({ length: 2 * (p - 1) }, (_, i) => w.real(w.get(table, i)));
  };
  const pairOf = (numbers: readonly Real[], i: number): Pair => [numbers[2 * i]!, numbers[2 * i + 1]!];
  /** The body for each stretch of places, and the roots of its first place: none if there is one stretch. */
  const stretches = (body: (first: Whole | null, places: Whole | number, high: readonly RealCell[]) => void): void => {
    if (near === m) body(null, m, []);
    else
      w.for(0, Math.ceil(m / near), (i) => {
        const first = w.whole(w.times(i, near));
        body(first, w.least(near, w.minus(m, first)), pairs(i, at + 2 * (p - 1) * near));
      });
  };
  if (across && m > 1) {
    const table = places
      .slice(1)
      .map((k): Parts => [w.ahead(roots, 0, at + 2 * (k - 1) * near), w.ahead(roots, 0, at + (2 * k - 1) * near)]);
    const along = (by: number) => (parts: Parts) => both(parts, (x) => w.spaced(x, 0, by * x.row));
    stretches((first, length, high) => {
      const [source, target] = first === null ? [from, to] : [moved(w, from, first, 1), moved(w, to, first, p)];
      sweepPairs(w, length, [...reads(source).map(along(1)), ...table], writes(target).map(along(p)), [...own, ...high], (xs, fixed) =>
        sums.of(xs.slice(0, p), fixed).map((x, k) => {
          if (k === 0) return x;
          const root = xs[p - 1 + k]!;
          return sums.mul(x, first === null ? root : sums.kept(sums.mul(root, pairOf(fixed.slice(own.length), k - 1))));
        }),
      );
    });
    return;
  }
  const sweep = (numbers: Whole | number, source: Parts, target: Parts, twiddles: readonly Real[]): void =>
    sweepPairs(w, numbers, reads(source), writes(target), [...own, ...twiddles], (xs, fixed) =>
      sums.of(xs, fixed).map((x, k) => (k === 0 || m === 1 ? x : sums.mul(x, pairOf(fixed.slice(own.length), k - 1)))),
    );
  const whole = [...from, ...to].every((x) => x === null || x.row === lines);
  const go = (source: Parts, target: Parts, twiddles: readonly Real[]): void => {
    if (whole) sweep(s * lines, source, target, twiddles);
    else if (s === 1) sweep(count, source, target, twiddles);
    else w.for(0, s, (q) => sweep(count, moved(w, source, q, 1), moved(w, target, q, 1), twiddles));
  };
  if (m === 1) go(from, to, []);
  else
    stretches((first, length, high) =>
      w.for(0, length, (i) => {
        const low = pairs(i, at);
        const twiddles = places
          .slice(1)
          .flatMap((k) => (first === null ? pairOf(low, k - 1) : sums.mul(pairOf(low, k - 1), pairOf(high, k - 1))));
        const j = first === null ? i : w.whole(w.plus(first, i));
        go(moved(w, from, j, s), moved(w, to, j, p * s), twiddles as Real[]);
      }),
    );
}

/** The parts that begin `by` times i places on. */
function moved(w: LoopWriter, parts: Parts, i: Whole, by: number): Parts {
  return both(parts, (x) => w.spaced(w.part(w.spaced(x, by * x.row, 1), i, 0), x.row, 1));
}

/** Products with the numbers of a table, place by place. */
function multiply(w: LoopWriter, places: number, from: Parts, to: Parts, table: Parts, lines: number, count: Whole | number): void {
  const sums = new Sums(w);
  if (lines === 1) {
    const [source, target] = [from, to].map((parts) => both(parts, (x) => w.spaced(x, 0, x.row))) as [Parts, Parts];
    sweepPairs(w, places, [source, table], [target], [], ([x, root]) => [sums.mul(x!, root!)]);
  } else
    w.for(0, places, (k) =>
      sweepPairs(
        w,
        count,
        [moved(w, from, k, 1)],
        [moved(w, to, k, 1)],
        table.map((x) => w.get(x!, k)),
        ([x], [c, d]) => [sums.mul(x!, [c!, d!])],
      ),
    );
}

/** The shortest length that is cheap to transform, of `least` and more. */
function cheapFrom(least: number): number {
  return Math.min(...[1, 3, 5, 9, 15].map((c) => c * 2 ** Math.max(0, Math.ceil(Math.log2(least / c)))));
}

/** Tables of Bluestein's convolution at length `size`: parts of the chirp `exp(-i pi k^2 / n)`, and of the transform of its conjugate divided by `size`. */
function chirpOf(n: number, size: number): readonly [Float64Array, Float64Array] {
  const chirp = new Float64Array(2 * n);
  const [re, im] = [new Float64Array(size), new Float64Array(size)];
  for (let k = 0; k < n; k++) {
    // k^2 modulo 2 n is exact; the angle of k^2 itself would lose digits.
    const [c, s] = unitRoot((k * k) % (2 * n), 2 * n);
    chirp[k] = c;
    chirp[n + k] = s;
    for (const at of [k, (size - k) % size]) {
      re[at] = c;
      im[at] = -s;
    }
  }
  fourierInPlace(re, im, false);
  const kernel = new Float64Array(2 * size);
  for (let k = 0; k < size; k++) {
    kernel[k] = re[k]! / size;
    kernel[size + k] = im[k]! / size;
  }
  return [chirp, kernel];
}

/** Roots of a whole turn in n steps: those of the first `near` steps, then those of every so many. */
function rootsOfTwo(n: number, near: number): Float64Array {
  const pairs: number[] = [];
  for (let i = 0; i < near; i++) pairs.push(...unitRoot(i % n, n));
  for (let i = 0; i < n; i += near) pairs.push(...unitRoot(i, n));
  return Float64Array.from(pairs);
}

/** The tables of {@link chirpOf} before the transform, made where they are needed; `near` is a power of 2. */
function writeChirp(w: LoopWriter, n: number, size: number, chirp: Parts, kernel: Parts, roots: Block, near: number): void {
  const sums = new Sums(w);
  w.sweep(2 * size, [kernel[0]!], [], () => [w.real(0)]);
  // k^2 modulo 2 n.
  const square = w.whole(0);
  w.for(0, n, (k) => {
    const high = w.whole(w.toWhole(w.mul(w.toReal(square), 1 / near)));
    const pair = (i: Whole): Pair => [w.get(roots, i, 0), w.get(roots, i, 1)];
    const [c, s] = sums.kept(sums.mul(pair(w.minus(square, w.times(high, near))), sums.kept(pair(w.plus(near, high))))) as [Real, Real];
    w.put(chirp[0]!, 0, k, c);
    w.put(chirp[1]!, 0, k, s);
    const mirrored = w.whole(w.minus(size, k));
    w.if(w.same(k, 0), () => mirrored.set(0));
    for (const at of [k, mirrored]) {
      w.put(kernel[0]!, 0, at, c);
      w.put(kernel[1]!, 0, at, w.neg(s));
    }
    square.set(w.plus(square, w.plus(w.times(k, 2), 1)));
    w.if(w.not(w.before(square, 2 * n)), () => square.set(w.minus(square, 2 * n)));
  });
}

/**
 * The transform in passes of radix 4, 2 and odd primes, over places of several lines side by side; other lengths by a convolution with a chirp.
 * Source: C. Van Loan, "Computational Frameworks for the Fast Fourier Transform", 1992; L. I. Bluestein, "A linear filtering approach to the computation
 * of discrete Fourier transform", IEEE Trans. Audio Electroacoustics 18 (1970).
 */
export function fourierLoops(node: Node, whole: number = longest, near: number = stretch): CompiledLoops | null {
  const { axis, inverse } = node.attrs as { readonly axis: number; readonly inverse: boolean };
  const { shape } = node.operands[0]!.type;
  const { outer, size: n, inner } = axisLayout(shape, axis);
  if (sizeOf(shape) === 0) return written(node, { operations: 0, kernel: () => {} });
  const direct = radicesOf(n) !== null;
  const size = direct ? n : cheapFrom(2 * n - 1);
  if (size > most) return null;
  const long = n > whole;
  const lines = long ? 1 : Math.min(inner, Math.max(fewest, Math.floor(together / size / fewest) * fewest));
  const { passes, roots } = passesOf(size, lines, long ? near : size);
  const room = 2 * size * lines;
  const tables = direct ? [] : long ? [2 * n, 2 * size, rootsOfTwo(2 * n, near)] : chirpOf(n, size);
  return written(node, {
    temps: [roots, room, room, ...tables],
    operations: 5 * sizeOf(shape) * Math.log2(n + 1) * (direct ? 1 : (3 * size) / n),
    kernel(w) {
      const given = [0, 1].map((i) => (node.operands[i] == null ? null : w.operand(i, inner)));
      const results = [0, 1].map((i) => w.result(i, inner));
      const table = w.temp(0, 1);
      const [first, second] = [1, 2].map((i): Parts => [w.temp(i, lines), w.ahead(w.temp(i, lines), size, 0)]) as [Parts, Parts];
      // The other sign is the transform with the parts exchanged.
      const ordered = (parts: readonly (Block | null)[]): Parts => (inverse ? [parts[1]!, parts[0]!] : [parts[0]!, parts[1]!]);
      const write = (from: Parts, to: Parts, count: Whole | number): void =>
        passes.forEach((pass, i) => {
          const source = i === 0 ? from : i % 2 === 1 ? second : first;
          const target = i === passes.length - 1 ? to : i % 2 === 0 ? second : first;
          writePass(w, pass, table, source, target, lines, count);
        });
      const tableOf = (i: number): Parts => {
        const own = w.temp(i, 1);
        return [own, w.ahead(own, 0, i === 3 ? n : size)];
      };
      const transform = (from: Parts, to: Parts, count: Whole | number): void => {
        if (n === 1) sweepPairs(w, count, [from], [to], [], (xs) => xs);
        else if (direct) write(from, to, count);
        else {
          const [chirp, kernel] = [3, 4].map(tableOf) as [Parts, Parts];
          const end = passes.length % 2 === 0 ? first : second;
          multiply(w, n, from, first, chirp, lines, count);
          for (const x of first) w.sweep((size - n) * lines, [w.ahead(x!, n, 0)], [], () => [w.real(0)]);
          w.for(0, 2, (turn) => {
            write(first, end, lines);
            w.if(w.same(turn, 0), () => multiply(w, size, end, [first[1], first[0]], kernel, lines, lines));
          });
          multiply(w, n, [end[1], end[0]], to, chirp, lines, count);
        }
      };
      /** What is not finite shows in the first results, which are sums of all: how it spreads depends on the order of sums, so it is the host's. */
      const check = (count: number, apart: number): void => {
        const sum = w.total(
          count,
          results.map((x) => w.spaced(x, 0, apart)),
          ([x, y]) => w.mul(0, w.add(x!, y!)),
        );
        w.if(w.unequal(sum, 0), () => w.giveUp());
      };
      if (long && !direct) {
        const kernel = tableOf(4);
        writeChirp(w, n, size, tableOf(3), kernel, w.temp(5, 2), near);
        write(kernel, kernel, 1);
        w.sweep(2 * size, [kernel[0]!], [], ([x]) => [w.div(x!, size)]);
      }
      w.each(
        [outer],
        [...given, ...results].flatMap((block) => (block === null ? [] : [{ block, steps: [n * inner] }])),
        () => {
          const [from, to] = [ordered(given), ordered(results)];
          if (lines === inner) transform(from, to, inner);
          else
            w.for(
              0,
              inner,
              (line) => {
                const at = (x: Block): Block => w.part(x, 0, line);
                transform(both(from, at), both(to, at), w.whole(w.least(lines, w.minus(inner, line))));
              },
              lines,
            );
          if (inner > 1) check(inner, 1);
        },
      );
      if (inner === 1) check(outer, n);
    },
  });
}
