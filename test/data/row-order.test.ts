import { describe, expect, test } from "vitest";
import { dataset } from "../../src/data/dataset.ts";
import { loader } from "../../src/data/loader.ts";
import { orderRows, rowOrder } from "../../src/data/row-order.ts";
import { evaluate, random, type Tensor, tensor } from "../../src/index.ts";

describe("the order of the rows", () => {
  test("of a seed is what it always was: runs of earlier versions go on with it", () => {
    expect([...rowOrder(0, 10)]).toEqual([1, 6, 5, 2, 0, 8, 9, 7, 3, 4]);
    expect([...rowOrder(0, 10, 1)]).toEqual([4, 2, 5, 6, 9, 7, 0, 3, 8, 1]);
    expect([...rowOrder(5, 9, 2)]).toEqual([1, 0, 8, 6, 2, 4, 7, 3, 5]);
    expect([...rowOrder(-3, 8, 7)]).toEqual([3, 0, 5, 1, 7, 2, 6, 4]);
    expect([...rowOrder(2 ** 40 + 1, 7, 2 ** 33)]).toEqual([5, 6, 3, 2, 1, 0, 4]);
    expect(rowOrder(7, 1000, 3).reduce((sum, row) => (Math.imul(sum, 31) + row) | 0, 0)).toBe(310786594);
  });

  test("is the permutation of the seed's key with the pass folded in", () => {
    for (const [seed, size, pass] of [
      [0, 1, 0],
      [3, 64, 2],
      [-1, 101, 40],
      [2 ** 50, 12, 2 ** 45],
    ] as const)
      expect([...rowOrder(seed, size, pass)]).toEqual([...evaluate(random.permutation(random.fold(random.key(seed), pass), size)).data]);
  });

  test("is written over whatever was there", () => {
    const order = Int32Array.of(9, 9, 9, 9, 9);
    orderRows(4, order, 1);
    expect(order).toEqual(rowOrder(4, 5, 1));
  });

  test("refuses numbers that are not whole", () => {
    expect(() => rowOrder(0.5, 3)).toThrow("shuffle: the seed is 0.5; it is a whole number");
    expect(() => rowOrder(0, 3, 1.5)).toThrow("shuffle: the pass is 1.5; it is a whole number");
    const batches = loader(dataset({ x: tensor([1, 2, 3]) }), { batch: 2, shuffle: 1 });
    expect(() => [...batches.pass(Number.NaN)]).toThrow("shuffle: the pass is NaN; it is a whole number");
  });
});

describe("passes of a loader", () => {
  const id = tensor(Int32Array.from({ length: 12 }, (_, i) => i));
  const ids = (batch: { readonly id: Tensor }): number[] => [...batch.id.data];

  test("have each their own order, one after the other, one beside the other, left and begun in the middle", () => {
    const [, odd] = dataset({ id }).split(0.25);
    for (const [data, size, place] of [
      [dataset({ id }), 12, (row: number) => row],
      [odd, 9, (row: number) => row + 3],
    ] as const)
      for (const shuffle of [7, undefined]) {
        const batches = loader(data, { batch: 5, ...(shuffle !== undefined && { shuffle }) });
        const whole = (pass: number): number[] =>
          [...(shuffle === undefined ? Array(size).keys() : rowOrder(shuffle, size, pass))].map(place);
        for (const pass of [0, 3, 1]) expect([...batches.pass(pass)].flatMap(ids)).toEqual(whole(pass));
        const [one, other] = [batches.pass(4)[Symbol.iterator](), batches.pass(5)[Symbol.iterator]()];
        const seen: [number[], number[]] = [[], []];
        for (let i = 0; i < Math.ceil(size / 5); i++)
          for (const [k, pass] of [one, other].entries()) seen[k]!.push(...ids(pass.next().value as { id: Tensor }));
        expect(seen).toEqual([whole(4), whole(5)]);
        expect([one.next().done, other.next().done]).toEqual([true, true]);
        for (const first of batches.pass(6)) {
          expect(ids(first)).toEqual(whole(6).slice(0, 5));
          break;
        }
        expect([...batches.pass(7, 1)].flatMap(ids)).toEqual(whole(7).slice(5));
        expect([...batches.rows(2, 1)].map(place)).toEqual(whole(2).slice(5, 10));
      }
  });

  test("of a data set that somebody else made hand it rows that it may keep", () => {
    const data = dataset({ id });
    const asked: Int32Array[] = [];
    const watched = {
      ...data,
      at: (rows: Int32Array) => {
        asked.push(rows);
        return data.at(rows);
      },
    };
    const batches = loader(watched, { batch: 12, shuffle: 2 });
    for (const pass of [0, 1, 2]) for (const batch of batches.pass(pass)) expect(batch.id.data).toEqual(rowOrder(2, 12, pass));
    expect(asked).toEqual([0, 1, 2].map((pass) => rowOrder(2, 12, pass)));
  });
});

test("a data set takes rows of a list too, and refuses those that it does not have", () => {
  const data = dataset({ id: tensor([5, 6, 7, 8], "i32") });
  expect([...data.at([3, 0] as never).id.data]).toEqual([8, 5]);
  expect([...data.split(0.5)[1].at([1, 0] as never).id.data]).toEqual([8, 7]);
  for (const row of [4, -1, 0.5, Number.NaN, undefined])
    expect(() => data.at([0, row] as never)).toThrow(`dataset: there is no row ${row}; rows go from 0 to 3`);
});
