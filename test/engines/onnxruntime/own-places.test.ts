import { expect, test } from "vitest";
import { OwnPlaces } from "../../../src/engines/onnxruntime/own-places.ts";
import { tensor } from "../../../src/index.ts";
import type { Held } from "../../../src/ir/tensor.ts";

test("places serve again once they are back, and not before", () => {
  const places = new OwnPlaces();
  const x = tensor([1, 2], "f32");
  const first = places.take([x, 0.5]);
  const second = places.take([tensor([3, 4], "f32"), 0.25]);
  x.data.fill(9);
  expect(first.map((h) => (typeof h === "number" ? h : [...h.data]))).toEqual([[1, 2], 0.5]);
  expect(second[0]).not.toBe(first[0]);
  const [place] = first;
  places.back(first);
  places.back(first);
  const third = places.take([x, 0.75]);
  expect([third[0], third[1], [...(third[0] as typeof x).data]]).toEqual([place, 0.75, [9, 9]]);
  expect(places.take([x, 1])[0]).not.toBe(place);
});

test("entries that are not there stay as they are, and what was not taken here is not kept", () => {
  const places = new OwnPlaces();
  const given = new Array<Held>(2);
  given[1] = tensor([5], "f32");
  const own = places.take(given);
  expect(0 in own).toBe(false);
  const others: Held[] = [tensor([7], "f32"), tensor([7], "f32")];
  places.back(others);
  expect(places.take(given)[1]).not.toBe(others[1]);
});
