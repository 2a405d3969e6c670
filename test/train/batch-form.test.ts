import { expect, test } from "vitest";
import { tensor } from "../../src/index.ts";
import { BatchForm, BatchForms } from "../../src/train/batch-form.ts";

const x = tensor([[1, 2]], "f32");
const y = tensor([3], "i32");

test("a form fits batches of the same names and types, and no others", () => {
  const form = new BatchForm({ x, more: [y, { z: x }] }, 1);
  expect(form.signature).toBe("x:f32[1,2] more.0:i32[1] more.1.z:f32[1,2]");
  expect(form.fits({ x: tensor([[5, 6]], "f32"), more: [y, { z: x }] })).toBe(true);
  expect(form.fits({ more: [y, { z: x }], x })).toBe(true);
  for (const other of [
    { x },
    { more: [y, { z: y }], x },
    { more: [y, { z: x }], x, extra: y },
    { x, more: [y, { z: y }] },
    { x, more: [y, { z: tensor([[1], [2]], "f32") }] },
    { x, more: [y] },
    { x, more: { 0: y, 1: { z: x } } },
    { x, more: [y, { z: x }], extra: y },
    { x, less: [y, { z: x }] },
    { x, more: [y, { z: [1, 2] }] },
    x,
    null,
  ])
    expect(form.fits(other)).toBe(false);
  expect(new BatchForm(x, 1).fits(x)).toBe(true);
  // A tree without names has nothing to go by: the long way then tells a Map from a record.
  expect(new BatchForm({}, 0).fits(new Map())).toBe(false);
});

test("a batch that has no rows is refused under its name, whatever was seen before", () => {
  const forms = new BatchForms();
  const first = forms.of({ x, y }, () => "batch 0");
  expect(first.rows).toBe(1);
  for (const n of [2, 3, 4, 5]) expect(forms.of({ x: tensor(new Float32Array(n)) }, () => "").rows).toBe(n);
  expect(forms.of({ x, y }, () => "")).not.toBe(first);
  expect(forms.of({ x, y }, () => "")).toBe(forms.of({ x, y }, () => ""));
  expect(() => forms.of({ x, y: tensor([1, 2], "i32") }, () => "batch 7 of data")).toThrow(
    "train: batch 7 of data is ragged: x has 1 rows and y is i32[2]",
  );
});
