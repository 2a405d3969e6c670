import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseSafetensors, serializeSafetensors } from "../../src/data/safetensors.ts";
import { type DType, dtypes } from "../../src/ir/dtype.ts";
import { DomainError, DTypeError } from "../../src/ir/errors.ts";
import { hold, type Tensor, tensor } from "../../src/ir/tensor.ts";
import { tensorType } from "../../src/ir/type.ts";
import { expectEveryCutToFail, parseErrorOf } from "./fixture.ts";

function file(header: unknown, data: Uint8Array = new Uint8Array(0)): Uint8Array {
  const text = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const out = new Uint8Array(8 + text.length + data.length);
  new DataView(out.buffer).setUint32(0, text.length, true);
  out.set(text, 8);
  out.set(data, 8 + text.length);
  return out;
}

const floats: readonly number[] = [1.5, -0, 0.1, Infinity, -65504, 2 ** -24];
function sample(dtype: DType): Tensor {
  if (dtype === "bool") return tensor([true, false, true, true, false, false], "bool");
  if (dtype.startsWith("f") || dtype === "bf16") return tensor([...floats], dtype);
  return tensor(dtype.startsWith("u") ? [0, 1, 2, 3, 255, 7] : [0, -1, 2, -128, 127, 7], dtype);
}
const every: Record<string, Tensor> = Object.fromEntries(
  dtypes.map((dtype) => [`x.${dtype}`, hold(tensorType(dtype, [2, 3]), sample(dtype).data)]),
);

test("every dtype comes back as it went", () => {
  const { tensors, metadata } = parseSafetensors(serializeSafetensors(every, { format: "pt", note: "한글 \u0000" }));
  expect(metadata).toEqual({ format: "pt", note: "한글 \u0000" });
  expect(Object.keys(tensors).sort()).toEqual(Object.keys(every).sort());
  for (const [name, { type, data }] of Object.entries(every)) {
    expect(tensors[name]!.type).toEqual(type);
    expect(tensors[name]!.data).toEqual(data);
  }
});

test("the layout is the official library's: widest dtypes first, then names; header padded to 8; the same bytes for any order of names", () => {
  const x = (dtype: DType) => tensor([1], dtype);
  const bytes = serializeSafetensors({ b: x("f32"), 𐀀: x("u8"), "｡": x("u8"), a: x("f32"), i: x("i64"), d: x("f64"), h: x("bf16") });
  const size = new DataView(bytes.buffer).getUint32(0, true);
  expect(size % 8).toBe(0);
  const text = new TextDecoder().decode(bytes.subarray(8, 8 + size));
  expect(text.trimEnd()).toBe(
    '{"i":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},"d":{"dtype":"F64","shape":[1],"data_offsets":[8,16]},' +
      '"a":{"dtype":"F32","shape":[1],"data_offsets":[16,20]},"b":{"dtype":"F32","shape":[1],"data_offsets":[20,24]},' +
      '"h":{"dtype":"BF16","shape":[1],"data_offsets":[24,26]},"｡":{"dtype":"U8","shape":[1],"data_offsets":[26,27]},' +
      '"𐀀":{"dtype":"U8","shape":[1],"data_offsets":[27,28]}}',
  );
  const reversed = Object.fromEntries(Object.entries(every).reverse());
  expect(serializeSafetensors(reversed, { b: "1", a: "2" })).toEqual(serializeSafetensors(every, { a: "2", b: "1" }));
});

test("the bytes of a file by hand", () => {
  const data = new Uint8Array([0, 0, 128, 63, 0, 0, 0, 192]);
  const { tensors } = parseSafetensors(file({ w: { dtype: "F32", shape: [2], data_offsets: [0, 8] } }, data));
  expect([...tensors["w"]!.data]).toEqual([1, -2]);
  expect(parseSafetensors(file("{}"))).toEqual({ tensors: {}, metadata: {} });
});

test("aligned tensors are views, others copies; a Buffer gives plain arrays", () => {
  const bytes = serializeSafetensors({ a: tensor([1, 2], "f32"), c: tensor([1], "u8") });
  const { tensors } = parseSafetensors(Buffer.from(bytes.buffer));
  expect(tensors["a"]!.data.buffer).toBe(bytes.buffer);
  expect(Object.getPrototypeOf(tensors["c"]!.data)).toBe(Uint8Array.prototype);
  const shifted = new Uint8Array(bytes.length + 1);
  shifted.set(bytes, 1);
  const copied = parseSafetensors(shifted.subarray(1)).tensors["a"]!;
  expect([...copied.data]).toEqual([1, 2]);
  expect(copied.data.buffer).not.toBe(shifted.buffer);
});

test("names that objects have by nature, and empty tensors", () => {
  const tensors = Object.fromEntries(
    ["__proto__", "constructor", ""].map((name) => [name, tensor(new Float32Array(0), tensorType("f32", [0, 3]))]),
  );
  const back = parseSafetensors(serializeSafetensors(tensors)).tensors;
  expect(Object.keys(back).sort()).toEqual(["", "__proto__", "constructor"]);
  expect(back["constructor"]!.type.shape).toEqual([0, 3]);
});

test("bool bytes other than 0 and 1 are true", () => {
  const { tensors } = parseSafetensors(file({ m: { dtype: "BOOL", shape: [3], data_offsets: [0, 3] } }, new Uint8Array([0, 7, 1])));
  expect([...tensors["m"]!.data]).toEqual([0, 1, 1]);
});

describe("refuses", () => {
  const w = (more: object) => ({ w: { dtype: "F32", shape: [2], data_offsets: [0, 8], ...more } });
  const eight = new Uint8Array(8);
  const long = new Uint8Array(16);
  long.set([0, 0, 0, 0, 1], 0);
  test.each<[string, Uint8Array, string]>([
    ["few bytes", new Uint8Array(7), "safetensors: the file has 7 bytes; its first 8 must give the header's length"],
    ["a huge header", long, "safetensors: the header would have 4294967296 bytes, more than the 100 MB allowed"],
    [
      "a cut header",
      file(w({}), eight).slice(0, 20),
      "safetensors: the header should end at byte 62 and the file ends at 20; it is cut short",
    ],
    ["no JSON", file("{nope"), "safetensors: the header is not JSON in UTF-8"],
    ["no object", file("[]"), "safetensors: the header must be a JSON object of tensors by name"],
    ["a name twice", file('{"a":1,"\\u0061":2}'), 'safetensors: the name "a" is in the header twice'],
    ["metadata of numbers", file({ __metadata__: { a: 1 } }), 'safetensors: __metadata__ holds strings only, and "a" is none'],
    ["metadata as list", file({ __metadata__: [] }), "safetensors: __metadata__ must be an object of strings"],
    ["an entry that is none", file({ w: 1 }), "safetensors: w: must be an object with dtype, shape and data_offsets"],
    ["an unknown dtype", file(w({ dtype: "F8_E4M3" }), eight), 'safetensors: w: dtype "F8_E4M3"; known are BOOL U8'],
    ["no dtype", file({ w: {} }), "safetensors: w: dtype is missing; known are"],
    ["a negative size", file(w({ shape: [-2] }), eight), "safetensors: w: shape must be a list of whole numbers, 0 or more"],
    ["three offsets", file(w({ data_offsets: [0, 4, 8] }), eight), "safetensors: w: data_offsets must be two whole numbers"],
    [
      "an overflowing shape",
      file(w({ shape: [2 ** 50, 2 ** 50] }), eight),
      "safetensors: w: shape [1125899906842624,1125899906842624] is too large",
    ],
    ["offsets backwards", file(w({ data_offsets: [8, 0] }), eight), "safetensors: w: data_offsets [8,0] end before they begin"],
    ["a wrong length", file(w({ shape: [3] }), eight), "safetensors: w: f32[3] takes 12 bytes and data_offsets [0,8] hold 8"],
    ["data cut short", file(w({}), eight.subarray(1)), "safetensors: w: data_offsets [0,8] pass the end of the data, which has 7 bytes"],
    ["bytes at the end", file(w({}), new Uint8Array(9)), "safetensors: 1 bytes at the end belong to no tensor"],
    ["a gap", file(w({ data_offsets: [4, 12] }), new Uint8Array(12)), "safetensors: 4 bytes before w belong to no tensor"],
    [
      "an overlap",
      file({ ...w({}), v: { dtype: "U8", shape: [4], data_offsets: [6, 10] } }, new Uint8Array(10)),
      "safetensors: w and v overlap: one ends at 8 and the other begins at 6",
    ],
    [
      "large integers",
      file({ w: { dtype: "I64", shape: [1], data_offsets: [0, 8] } }, new Uint8Array([1, 0, 0, 0, 0, 0, 32, 0])),
      "safetensors: w: i64 element 0 is 9007199254740993, beyond 2^53",
    ],
  ])("%s", async (_, bytes, message) => {
    const error = await parseErrorOf(() => parseSafetensors(bytes));
    expect(error?.message.slice(0, message.length)).toBe(message);
  });

  test("a reserved name and inexact integers when writing", () => {
    expect(() => serializeSafetensors({ __metadata__: tensor([1]) })).toThrow(
      new DomainError("safetensors: a tensor cannot be called __metadata__, which the format keeps for text; name it otherwise"),
    );
    const bad = hold(tensorType("u64", [2]), new Float64Array([1, -1]));
    expect(() => serializeSafetensors({ bad })).toThrow(
      new DTypeError("u64 element 1 is -1; a 64-bit integer must be a whole number, 0 or more, of at most 2^53 to be written exactly"),
    );
  });
});

test("64-bit integers to 2^53 on both sides", () => {
  fc.assert(
    fc.property(fc.array(fc.maxSafeInteger()), (values) => {
      const x = tensor([...values, 2 ** 53, -(2 ** 53), -(2 ** 53) + 1], "i64");
      expect(parseSafetensors(serializeSafetensors({ x })).tensors["x"]!.data).toEqual(x.data);
    }),
    { seed: 3 },
  );
});

test("every beginning of a good file is refused", async () => {
  await expectEveryCutToFail(serializeSafetensors(every, { a: "b" }), parseSafetensors);
});
