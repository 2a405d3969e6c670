// The language of loops by ops that are declared here: what WebAssembly makes of a kernel against the same in JavaScript.
import { describe, expect, test } from "vitest";
import { compile, f32, f64, graph, type Operand, type Tensor, type TensorType, tensor, type Value } from "../../src/index.ts";
import type { Block, LoopWriter, Real, Test, Whole } from "../../src/loops/language.ts";
import { written } from "../../src/loops/writer.ts";
import { declare, type Op } from "../../src/ops/define.ts";
import { wasm } from "../../src/wasm.ts";

type Numbers = Float64Array | Float32Array;
type Kernel = (w: LoopWriter, x: Block, y: Block) => void;

interface Given {
  /** The operand, which is read as one row. */
  readonly x?: Numbers;
  /** How long the result is. */
  readonly length: number;
  readonly kernel: Kernel;
  readonly temps?: readonly number[];
  readonly products?: number;
  readonly single?: boolean;
  /** What the reference kernel gives, where the compiled one gives up. */
  readonly host?: (x: Numbers) => Float64Array;
}

let made = 0;

/** What a compiled kernel writes into a result of one row. */
async function ran({ x = new Float64Array(1), length, kernel, temps = [], products = 0, single = false, host }: Given): Promise<number[]> {
  const type = single ? f32(length) : f64(length);
  type Fn = (x: Operand) => Value;
  const op: Op<Fn> = declare<Fn, readonly ["x"]>(`loops${made++}`, ["x"], {
    type: () => type,
    eval: ({ x }) => {
      if (host === undefined) throw new Error("the reference kernel was called");
      return host(x.data as Numbers);
    },
    loops: (node) =>
      written(node, { temps, products, operations: 0, kernel: (w) => kernel(w, w.operand(0, x.length), w.result(0, length)) }),
    vjp: null,
  });
  const given: Tensor = tensor(x, x instanceof Float32Array ? f32(x.length) : f64(x.length));
  const types: { readonly x: TensorType } = { x: given.type };
  const program = await compile(
    graph(types, ({ x }) => ({ y: op(x) })),
    wasm(),
  );
  const before = x.slice();
  const first = Array.from((program.run({ x: given }).y as Tensor).data, Number);
  const second = Array.from((program.run({ x: given }).y as Tensor).data, Number);
  expect(second).toEqual(first);
  expect(x).toEqual(before);
  return first;
}

/** The values of expressions, one after the other. */
function values(x: Numbers, of: (w: LoopWriter, x: Block) => readonly (Real | number)[], count: number): Promise<number[]> {
  return ran({
    x,
    length: count,
    kernel: (w, a, y) => {
      const list = of(w, a);
      expect(list.length).toBe(count);
      list.forEach((value, i) => {
        w.put(y, 0, i, value);
      });
    },
  });
}

const truth = (w: LoopWriter, test: Test): Real => w.choose(test, 1, 0);
const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
/** Numbers that differ in all digits. */
const numbers = (count: number, seed = 1): Float64Array =>
  Float64Array.from({ length: count }, (_, i) => Math.sin(7 * i + seed) + 0.01 * i);

const odd = [0, -0, 1.5, -2.25, 1e300, -1e-300, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN];

describe("expressions", () => {
  test("of one number have the values of JavaScript", async () => {
    for (const x of odd) {
      const got = await values(
        Float64Array.of(x),
        (w, a) => {
          const z = w.get(a, 0);
          return [w.abs(z), w.neg(z), w.sqrt(z), w.floor(z), w.add(z, 1), w.sub(1, z), w.mul(z, -3), w.div(1, z)];
        },
        8,
      );
      expect(got).toEqual([Math.abs(x), -x, Math.sqrt(x), Math.floor(x), x + 1, 1 - x, x * -3, 1 / x]);
    }
  });

  test("of two numbers too, comparisons and choices among them", async () => {
    for (const x of odd)
      for (const y of odd) {
        const got = await values(
          Float64Array.of(x, y),
          (w, a) => {
            const [p, q] = [w.get(a, 0), w.get(a, 0, 1)];
            const tests = [w.less(p, q), w.atMost(p, q), w.unequal(p, q)];
            const [less, most, unequal] = tests as [Test, Test, Test];
            return [
              w.min(p, q),
              w.max(p, q),
              ...tests.map((t) => truth(w, t)),
              truth(w, w.not(less)),
              truth(w, w.both(most, unequal)),
              truth(w, w.either(less, w.not(most))),
              w.choose(less, p, q),
            ];
          },
          9,
        );
        const bit = (t: boolean): number => (t ? 1 : 0);
        const [less, most, unequal] = [x < y, x <= y, x !== y];
        expect(got).toEqual([
          Math.min(x, y),
          Math.max(x, y),
          bit(less),
          bit(most),
          bit(unequal),
          bit(!less),
          bit(most && unequal),
          bit(less || !most),
          less ? x : y,
        ]);
      }
  });

  test("of whole numbers are of 32 bits", async () => {
    const got = await values(
      Float64Array.of(7.9, -7.9, 1e20, Number.NaN),
      (w, a) => {
        const [p, q, r, s] = [0, 1, 2, 3].map((i) => w.toWhole(w.get(a, i))) as [Whole, Whole, Whole, Whole];
        const least = w.least(p, q);
        return [
          ...[p, q, r, s, w.plus(p, 3), w.minus(3, p), w.times(p, q), w.plus(r, 1), least, w.least(5, p), w.least(9, p)].map((i) =>
            w.toReal(i),
          ),
          truth(w, w.before(q, p)),
          truth(w, w.before(p, 7)),
          truth(w, w.same(p, 7)),
          truth(w, w.same(p, q)),
        ];
      },
      15,
    );
    expect(got).toEqual([7, -7, 2 ** 31 - 1, 0, 10, -4, -49, -(2 ** 31), -7, 5, 7, 1, 0, 1, 0]);
  });

  test("log and exp are right to a few digits of the last place", async () => {
    for (const x of [1e-300, 0.5, 1, 3, 700]) {
      const [log, exp] = await values(Float64Array.of(x), (w, a) => [w.log(w.get(a, 0)), w.exp(w.get(a, 0))], 2);
      expect(Math.abs(log! - Math.log(x))).toBeLessThanOrEqual(4e-16 * Math.abs(Math.log(x)));
      expect(Math.abs(exp! / Math.exp(x) - 1)).toBeLessThan(1e-15);
    }
  });

  test("are computed where they stand, and cells when they are set", async () => {
    const got = await values(
      Float64Array.of(2),
      (w, a) => {
        const [cell, count] = [w.real(w.get(a, 0)), w.whole(5)];
        const [twice, more] = [w.mul(cell, 2), w.plus(count, 1)];
        const [kept, keptCount] = [w.real(twice), w.whole(more)];
        cell.set(w.add(cell, 8));
        count.set(w.times(count, count));
        return [twice, kept, w.toReal(more), w.toReal(keptCount)];
      },
      4,
    );
    expect(got).toEqual([20, 4, 26, 6]);
  });
});

describe("blocks", () => {
  test("are parts, turned, spaced and ahead, and begin before where they are read", async () => {
    const x = Float64Array.from(upTo(24));
    const got = await values(
      x,
      (w, a) => {
        const m = w.spaced(a, 6, 1);
        const two = w.whole(2);
        const part = w.part(m, 1, two);
        const turned = w.turned(part);
        const ahead = w.ahead(part, 1, 1);
        return [
          w.get(m, 3, 5),
          w.get(m, two, 1),
          w.get(part, 0),
          w.get(part, two, 3),
          w.get(turned, 3, two),
          w.get(turned, two),
          w.get(ahead, 0),
          w.get(w.part(ahead, 1, 0), two),
          w.get(w.spaced(part, 2, 3), 1, two),
          w.get(part, -1, -1),
          w.get(w.ahead(part, -1, -2), two, two),
          w.get(w.part(part, -1, 1), 0),
        ];
      },
      12,
    );
    expect(got).toEqual([23, 13, 8, 23, 23, 20, 15, 23, 16, 1, 14, 3]);
  });

  test("of f32 are read and written in it, and computed in double", async () => {
    const x = new Float32Array(numbers(5));
    const got = await ran({
      x,
      length: 6,
      single: true,
      kernel: (w, a, y) => {
        w.for(0, 5, (i) => w.put(y, 0, i, w.mul(w.get(a, i), 0.1)));
        w.put(w.ahead(y, 0, 4), 0, 1, w.get(w.part(a, 0, 2), 1));
      },
    });
    expect(got).toEqual([...Array.from(x, (z) => Math.fround(z * 0.1)), x[3]]);
  });
});

describe("control", () => {
  test("branches are taken one or the other way", async () => {
    const got = await ran({
      x: Float64Array.of(1, -1),
      length: 4,
      kernel: (w, a, y) =>
        w.for(0, 2, (i) => {
          w.put(y, 0, i, 0);
          w.if(
            w.less(0, w.get(a, i)),
            () => w.put(y, 0, i, 5),
            () => w.put(y, 0, i, 7),
          );
          w.put(y, 0, w.plus(i, 2), 0);
          w.if(w.less(w.get(a, i), 0), () => w.put(y, 0, w.plus(i, 2), 9));
        }),
    });
    expect(got).toEqual([5, 7, 0, 9]);
  });

  test.each([
    [0, 5, 1],
    [2, 11, 3],
    [2, 2, 1],
    [3, 1, 1],
    [-4, 3, 2],
  ])("loops run from %i to %i in steps of %i, known or not", async (from, to, step) => {
    const want: number[] = [];
    for (let i = from; i < to; i += step) want.push(i);
    for (const known of [true, false])
      expect(
        await ran({
          length: want.length + 1,
          kernel: (w, _, y) => {
            const at = w.whole(0);
            const end = w.whole(to);
            w.for(
              known ? from : w.whole(from),
              known ? to : end,
              (i) => {
                w.put(y, 0, at, w.toReal(i));
                at.set(w.plus(at, 1));
                // The end is what it was when the loop began.
                end.set(0);
              },
              step,
            );
            w.put(y, 0, at, -1);
          },
        }),
      ).toEqual([...want, -1]);
  });

  test("loops in loops have bounds of their own", async () => {
    const got = await ran({
      length: 10,
      kernel: (w, _, y) => {
        const at = w.whole(0);
        w.for(0, 4, (i) =>
          w.for(i, 4, (j) => {
            w.put(y, 0, at, w.toReal(w.plus(w.times(i, 10), j)));
            at.set(w.plus(at, 1));
          }),
        );
      },
    });
    expect(got).toEqual([0, 1, 2, 3, 11, 12, 13, 22, 23, 33]);
  });

  test("what goes on for ever is left from within branches and loops, and then the one that it is called for alone", async () => {
    const got = await ran({
      length: 4,
      kernel: (w, _, y) => {
        const [rounds, inner, turns] = [w.whole(0), w.whole(0), w.whole(0)];
        w.forever((leave) => {
          rounds.set(w.plus(rounds, 1));
          w.forever((out) => {
            inner.set(w.plus(inner, 1));
            w.if(w.same(w.whole(0), 1), () => out(), () => w.if(w.before(2, inner), () => w.if(w.before(0, inner), out))); // biome-ignore format: one test
          });
          w.for(0, 10, (i) => {
            turns.set(w.plus(turns, 1));
            w.if(w.same(i, 3), () => w.if(w.same(rounds, 5), leave));
          });
        });
        for (const [i, count] of [rounds, inner, turns].entries()) w.put(y, 0, i, w.toReal(count));
        w.put(y, 0, 3, 1);
      },
    });
    // Five rounds; the inner one leaves at its third turn and then at once; four whole loops, and one up to its fourth turn.
    expect(got).toEqual([5, 7, 44, 1]);
  });

  test.each([
    { shape: [], steps: [] },
    { shape: [4], steps: [3] },
    { shape: [1], steps: [3] },
    { shape: [0], steps: [3] },
    { shape: [2, 3], steps: [9, 3] },
    { shape: [3, 2], steps: [0, 3] },
    { shape: [2, 1, 2], steps: [6, 100, 3] },
    { shape: [3, 0], steps: [6, 3] },
    { shape: [0, 3], steps: [6, 3] },
  ])("each place of $shape has its part of a block, which is at its beginning again", async ({ shape, steps }) => {
    const x = numbers(24);
    const count = shape.reduce((p, s) => p * s, 1);
    const want: number[] = [];
    for (let i = 0; i < count; i++) {
      let [rest, at] = [i, 0];
      for (let axis = shape.length - 1; axis >= 0; axis--) {
        at += (rest % shape[axis]!) * steps[axis]!;
        rest = Math.floor(rest / shape[axis]!);
      }
      want.push(x[at]! + x[at + 1]!);
    }
    for (const single of [false, true]) {
      const given = single ? new Float32Array(x) : x;
      const got = await ran({
        x: given,
        length: count + 2,
        kernel: (w, a, y) => {
          const own = shape.map((_, axis) => shape.slice(axis + 1).reduce((p, s) => p * s, 1));
          w.each(
            shape,
            [
              { block: a, steps },
              { block: y, steps: own },
            ],
            () => w.put(y, 0, 0, w.add(w.get(a, 0), w.get(w.ahead(a, 0, 1), 0))),
          );
          w.put(y, 0, count, w.get(a, 0));
          w.put(y, 0, count + 1, 3);
        },
      });
      for (const [i, z] of [...want, x[0]!, 3].entries()) expect(Math.abs(got[i]! - z)).toBeLessThan(single ? 1e-6 : 1e-15);
    }
  });
});

const lengths = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 20];

describe("sweeps", () => {
  test.each(lengths)(
    "of %i elements write what the body says and nothing after it, known or not how many, whatever the block",
    async (n) => {
      const room = 4 * (n + 1);
      const x = numbers(room);
      for (const known of [true, false])
        for (const column of [1, 3])
          for (const [narrow, single] of [
            [false, false],
            [true, false],
            [false, true],
            [true, true],
          ]) {
            // biome-ignore format: a list
            const given = narrow ? new Float32Array(x) : x;
            const got = await ran({
              x: given,
              length: room,
              single: single!,
              kernel: (w, a, y) => {
                w.for(0, room, (i) => w.put(y, 0, i, -1));
                const [from, to] = [w.spaced(w.part(a, 0, 1), 1, column), w.spaced(w.ahead(y, 0, 1), 1, column)];
                w.sweep(known ? n : w.whole(n), [to, from, w.ahead(to, 0, 0)], [w.get(a, 0), 2], ([old, z], [f, two]) => [
                  w.add(old!, w.mul(w.mul(z!, f!), two!)),
                  null,
                  null,
                ]);
              },
            });
            const want = new Float64Array(room).fill(-1);
            for (let i = 0; i < n; i++) want[1 + i * column] = -1 + given[1 + i * column]! * given[0]! * 2;
            expect(got).toEqual([...(single ? new Float32Array(want) : want)]);
          }
    },
  );

  test.each(lengths)("of %i elements have several results, of blocks that are one, too", async (n) => {
    const x = numbers(2 * n);
    const got = await ran({
      x,
      length: 2 * n,
      kernel: (w, a, y) => {
        const [p, q] = [y, w.part(y, 0, n)];
        w.sweep(2 * n, [y, a], [], ([, z]) => [z!, null]);
        // An exchange: all is read before anything is written.
        w.sweep(w.whole(n), [p, q], [], ([s, t]) => [t!, s!]);
        // The last of two results for one block stays.
        w.sweep(n, [p, p, q], [], ([s, same, t]) => [w.mul(s!, 100), w.add(same!, 1), w.sub(t!, 1)]);
      },
    });
    expect(got).toEqual([...Array.from(x.subarray(n), (z) => z + 1), ...Array.from(x.subarray(0, n), (z) => z - 1)]);
  });

  test("of more blocks than registers, and with cells and choices in the body", async () => {
    for (const n of lengths) {
      const x = numbers(8 * n);
      const got = await ran({
        x,
        length: 2 * n,
        kernel: (w, a, y) => {
          const rows = upTo(8).map((i) => w.part(a, 0, i * n));
          w.sweep(w.whole(n), [y, w.part(y, 0, n), ...rows], [3], ([, , ...z], [f]) => {
            const sum = w.real(z.reduce((s, t) => w.add(s, t)));
            const positive = w.both(w.less(0, sum), w.not(w.either(w.unequal(f!, f!), w.atMost(f!, 0))));
            return [
              w.choose(positive, w.mul(sum, sum), -1),
              w.max(w.min(w.floor(sum), w.abs(w.neg(f!))), w.sqrt(w.div(f!, 300))),
              ...z.map(() => null),
            ];
          });
        },
      });
      const sums = upTo(n).map((j) => upTo(8).reduce((s, i) => (i === 0 ? x[j]! : s + x[i * n + j]!), 0));
      expect(got).toEqual([...sums.map((s) => (s > 0 ? s * s : -1)), ...sums.map((s) => Math.max(Math.min(Math.floor(s), 3), 0.1))]);
    }
  });

  test("begin before the beginning of a part, too", async () => {
    for (const column of [1, 2]) {
      const x = numbers(20);
      const got = await ran({
        x,
        length: 5,
        kernel: (w, a, y) => {
          const own = w.part(w.spaced(a, 1, column), 4 * column, 0);
          w.sweep(5, [y, w.ahead(own, 0, -3), own], [], ([, p, q]) => [w.sub(p!, q!), null, null]);
        },
      });
      expect(got).toEqual(upTo(5).map((i) => x[(4 + i - 3) * column]! - x[(4 + i) * column]!));
    }
  });

  test("have log and exp in vectors", async () => {
    const x = numbers(7).map((z) => Math.abs(z) + 0.1);
    const got = await ran({ x, length: 7, kernel: (w, a, y) => w.sweep(7, [y, a], [], ([, z]) => [w.exp(w.log(z!)), null]) });
    for (const [i, z] of got.entries()) expect(Math.abs(z / x[i]! - 1)).toBeLessThan(1e-14);
  });
});

describe("sums", () => {
  test.each([...lengths, 8, 16, 17, 31])("of %i elements are of them all", async (n) => {
    for (const narrow of [false, true])
      for (const column of [1, 2]) {
        const x = narrow ? new Float32Array(numbers(4 * n + 2)) : numbers(4 * n + 2);
        const [total, known, first, second, ...rest] = await ran({
          x,
          length: 4 + n,
          kernel: (w, a, y) => {
            const [p, q] = [w.spaced(a, 1, column), w.spaced(w.part(a, 0, 2 * n), 1, column)];
            w.put(
              y,
              0,
              0,
              w.total(w.whole(n), [p, q], ([s, t]) => w.mul(s!, t!)),
            );
            w.put(
              y,
              0,
              1,
              w.total(n, [p, q], ([s, t]) => w.mul(s!, t!)),
            );
            const sums = w.fold(w.whole(n), [w.part(y, 0, 4), p, q], [0.5], 2, ([, s, t], [f]) => {
              const half = w.real(w.mul(s!, f!));
              return { sum: [half, w.mul(half, t!)], put: [w.add(half, t!), null, null] };
            });
            for (const [i, sum] of sums.entries()) w.put(y, 0, 2 + i, sum);
          },
        });
        let [products, halves] = [0, 0];
        for (let i = 0; i < n; i++) {
          products += x[i * column]! * x[2 * n + i * column]!;
          halves += x[i * column]! / 2;
        }
        expect(Math.abs(total! - products)).toBeLessThan(1e-14 * (n + 1));
        expect(Math.abs(known! - products)).toBeLessThan(1e-14 * (n + 1));
        expect(Math.abs(first! - halves)).toBeLessThan(1e-14 * (n + 1));
        expect(Math.abs(second! - products / 2)).toBeLessThan(1e-14 * (n + 1));
        expect(rest).toEqual(upTo(n).map((i) => x[i * column]! / 2 + x[2 * n + i * column]!));
      }
  });
});

describe("products", () => {
  test.each([
    [1, 1, 1],
    [3, 2, 5],
    [5, 4, 8],
    [6, 4, 32],
    [7, 9, 3],
    [4, 8, 0],
    [0, 3, 3],
    [3, 0, 3],
    [31, 33, 40],
    [95, 61, 200],
  ])("of %i by %i, %i inner steps, are added, either operand turned, and nothing beside them is touched", async (m, n, k) => {
    const a = numbers(m * k, 2);
    const b = numbers(k * n, 3);
    const step = n + 2;
    const length = (m + 2) * step;
    const x = Float64Array.from([...a, ...b]);
    const turnedOf = (t: Float64Array, rows: number, columns: number) =>
      Float64Array.from({ length: t.length }, (_, at) => t[(at % rows) * columns + Math.floor(at / rows)]!);
    for (const [flipA, flipB] of [
      [false, false],
      [true, false],
      [false, true],
      [true, true],
    ]) {
      // biome-ignore format: a list
      const given = Float64Array.from([...(flipA ? turnedOf(a, m, k) : a), ...(flipB ? turnedOf(b, k, n) : b), 0]);
      const got = await ran({
        x: given,
        length,
        temps: [1 + x.length],
        products: Math.max(m, n, k, 1),
        kernel: (w, all, y) => {
          w.for(0, length, (i) => w.put(y, 0, i, w.toReal(i)));
          const own = w.ahead(w.temp(0, 1), 1, 0);
          w.sweep(x.length, [w.spaced(own, 1, 1), all], [], ([, z]) => [z!, null]);
          const left = flipA ? w.turned(w.spaced(own, m, 1)) : w.spaced(own, k, 1);
          const right = w.spaced(w.part(w.spaced(own, 1, 1), 0, m * k), flipB ? k : n, 1);
          const c = w.ahead(w.spaced(y, step, 1), 1, 1);
          w.addProduct(c, left, flipB ? w.turned(right) : right, m, w.whole(n), w.whole(k));
        },
      });
      for (let at = 0; at < length; at++) {
        const [i, j] = [Math.floor(at / step) - 1, (at % step) - 1];
        let [sum, size] = [at, at];
        if (i >= 0 && i < m && j >= 0 && j < n)
          for (let p = 0; p < k; p++) {
            sum += a[i * k + p]! * b[p * n + j]!;
            size += Math.abs(a[i * k + p]! * b[p * n + j]!);
          }
        expect(Math.abs(got[at]! - sum)).toBeLessThanOrEqual(2 ** -52 * (k + 1) * size);
      }
    }
  });
});

describe("giving up", () => {
  test("leaves all of the result to the reference kernel, from within loops and branches", async () => {
    for (const bad of [false, true]) {
      const got = await ran({
        x: Float64Array.of(1, bad ? -1 : 1, 1),
        length: 3,
        kernel: (w, a, y) =>
          w.for(0, 3, (i) => {
            w.put(y, 0, i, 8);
            w.forever((leave) => w.if(w.less(w.get(a, i), 0), () => w.giveUp(), leave));
          }),
        ...(bad ? { host: (x: Numbers) => Float64Array.from(x, (z) => z * 2) } : {}),
      });
      expect(got).toEqual(bad ? [2, -2, 2] : [8, 8, 8]);
    }
  });
});
