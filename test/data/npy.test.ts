import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseNpy, serializeNpy } from "../../src/data/npy.ts";
import { DTypeError } from "../../src/ir/errors.ts";
import { numberToF16 } from "../../src/ir/half.ts";
import { hold, tensor } from "../../src/ir/tensor.ts";
import { tensorType } from "../../src/ir/type.ts";
import { contentOf, expectEveryCutToFail, expectedOf, fixture, halves, parseErrorOf } from "./fixture.ts";

const dtypes = {
  f8: "f64",
  f4: "f32",
  f2: "f16",
  i8: "i64",
  i4: "i32",
  i2: "i16",
  i1: "i8",
  u8: "u64",
  u4: "u32",
  u2: "u16",
  u1: "u8",
  b1: "bool",
} as const;
const codes: readonly (keyof typeof dtypes)[] = Object.keys(dtypes) as (keyof typeof dtypes)[];

function file(header: string, data: Uint8Array = new Uint8Array(0), version = 1): Uint8Array {
  const text = new TextEncoder().encode(header);
  const before = version === 1 ? 10 : 12;
  const out = new Uint8Array(before + text.length + data.length);
  out.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0, text.length & 255, text.length >> 8]);
  out.set(text, before);
  out.set(data, before + text.length);
  return out;
}

describe("what NumPy wrote", () => {
  test.each(codes)("%s, little-endian, and written again as the same bytes", (code) => {
    const read = parseNpy(fixture(`${code}.npy`));
    expect(read.type.dtype).toBe(dtypes[code]);
    expect(contentOf(read)).toEqual(expectedOf(`${code}.npy`));
    expect(serializeNpy(read)).toEqual(fixture(`${code}.npy`));
  });
  test.each(codes.filter((code) => code[1] !== "1"))("%s, big-endian", (code) => {
    const read = parseNpy(fixture(`${code}-big.npy`));
    expect(read.type.dtype).toBe(dtypes[code]);
    expect(contentOf(read)).toEqual(expectedOf(`${code}-big.npy`));
  });
  test.each(["version1", "version2", "version3", "fortran", "scalar", "empty", "large-integer"])("%s", (name) => {
    expect(contentOf(parseNpy(fixture(`${name}.npy`)))).toEqual(expectedOf(`${name}.npy`));
  });
  test("f16 is rounded as NumPy rounds", () => {
    const { doubles, bits } = halves();
    expect(doubles.map(numberToF16)).toEqual(bits);
  });
  test("aligned data is a view", () => {
    const bytes = fixture("f8.npy");
    expect(parseNpy(bytes).data.buffer).toBe(bytes.buffer);
  });
});

describe("refuses", () => {
  const head = (descr: string, rest = "'fortran_order': False, 'shape': (2,), ") => `{'descr': ${descr}, ${rest}}`;
  test.each<[string, Uint8Array, string]>([
    [
      "objects",
      fixture("bad-object.npy"),
      "npy: the array holds Python objects; save an array of numbers: np.save(path, array.astype(np.float64))",
    ],
    [
      "complex numbers",
      fixture("bad-complex.npy"),
      "npy: the array holds complex numbers, which are not supported; save array.real and array.imag",
    ],
    ["records", fixture("bad-structured.npy"), "npy: the array holds raw or structured records; save each field by itself"],
    ["text", fixture("bad-text.npy"), "npy: the array holds text; save numbers"],
    ["dates", fixture("bad-date.npy"), "npy: the array holds dates; save array.astype(np.int64) (descr '<M8[D]')"],
    ["large integers", fixture("bad-large-integer.npy"), "npy: i64 element 1 is 9007199254740993, beyond 2^53"],
    ["a zip file", fixture("stored.npz"), "npy: this is a zip file, as np.savez writes; call it .npz"],
    ["another file", new Uint8Array(100), "npy: the file does not begin with \\x93NUMPY; it is no .npy file"],
    ["version 4", file("{}", undefined, 4), "npy: format version 4.0; 1, 2 and 3 are known"],
    ["a cut header", fixture("f8.npy").slice(0, 40), "npy: the file ends after 40 bytes, within its header; it is cut short"],
    ["cut data", fixture("f8.npy").slice(0, -1), "npy: f64[2,3] takes 48 bytes and the file has 47 after its header; it is cut short"],
    [
      "more data",
      Uint8Array.from([...fixture("f8.npy"), 0]),
      "npy: f64[2,3] takes 48 bytes and 1 more follow; save several arrays with np.savez",
    ],
    ["an unknown dtype", file(head("'<q3'")), `npy: descr "<q3" is no NumPy dtype`],
    ["a float of 16 bytes", file(head("'<f16'")), "npy: the array holds floats of an unusual width; save array.astype(np.float64)"],
    ["no descr", file("{'shape': ()}"), "npy: the header has no descr"],
    [
      "a negative size",
      file(head("'<f4'", "'fortran_order': False, 'shape': (-2,)")),
      "npy: the header's shape must be a tuple of whole numbers, 0 or more",
    ],
    ["no order", file(head("'<f4'", "'shape': (2,)")), "npy: the header's fortran_order must be True or False"],
    ["a list", file("[1, 2]"), "npy: the header must be a dict with descr, fortran_order and shape"],
    ["a key twice", file("{'a': 1, 'a': 2}"), "npy: the header needs each key once (a is there twice)"],
    ["an open dict", file("{'a': 1"), "npy: the header needs , or } at character 7 and has the end"],
    ["a missing colon", file("{'a' 1}"), 'npy: the header needs : at character 4 and has " 1}"'],
    ["a key without quotes", file("{1: 1}"), "npy: the header needs a key in quotes"],
    ["an open list", file("(1 2)"), "npy: the header needs , or ) at character 2"],
    ["a call", file("eval('x')"), "npy: the header needs a value at character 0"],
    ["more after it", file("{} {}"), "npy: the header needs nothing more at character 2"],
    ["deep lists", file("(".repeat(60000)), "npy: the header needs lists nested no deeper than 32"],
    [
      "bytes that are not UTF-8",
      Uint8Array.from([...file("", undefined, 3).subarray(0, 8), 1, 0, 0, 0, 255]),
      "npy: the header is not UTF-8",
    ],
  ])("%s", async (_, bytes, message) => {
    const error = await parseErrorOf(() => parseNpy(bytes));
    expect(error?.message.slice(0, message.length)).toBe(message);
  });

  test("bf16 when writing", () => {
    expect(() => serializeNpy(tensor([1], "bf16"))).toThrow(
      new DTypeError('npy: NumPy has no bf16; write cast(x, "f32") first, or save as safetensors'),
    );
  });
});

test("headers as Python 2 and hand-written files have them", () => {
  const data = new Uint8Array([1, 0, 2, 0]);
  const read = parseNpy(file(`{"shape": [2L], 'fortran_order':True,"descr":"=u2"}`, data));
  expect(contentOf(read)).toEqual({ shape: [2], data: [1, 2] });
});

test("column-major is row-major with the axes the other way round", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(4), { maxLength: 4 }), (shape) => {
      const length = shape.reduce((a, b) => a * b, 1);
      const data = Uint8Array.from({ length }, (_, i) => i % 251);
      const sizes = `(${shape.map((n) => `${n},`).join("")})`;
      const read = parseNpy(file(`{'descr': '|u1', 'fortran_order': True, 'shape': ${sizes}}`, data));
      let at = 0;
      const visit = (axis: number, from: number, step: number): void => {
        if (axis === shape.length) expect(read.data[at++]).toBe(data[from]);
        else for (let i = 0; i < shape[axis]!; i++) visit(axis + 1, from + i * step, step * shape[axis]!);
      };
      visit(0, 0, 1);
      expect(at).toBe(length);
    }),
    { seed: 5 },
  );
});

test("a header too long for version 1 is written as version 2", () => {
  const type = tensorType("u8", new Array<number>(30000).fill(1));
  const bytes = serializeNpy(hold(type, new Uint8Array([7])));
  expect(bytes[6]).toBe(2);
  expect(parseNpy(bytes).type.shape.length).toBe(30000);
});

test("every beginning of a good file is refused", async () => {
  await expectEveryCutToFail(fixture("f8.npy"), parseNpy);
  await expectEveryCutToFail(fixture("version3.npy"), parseNpy);
});
