import { createContext, runInContext } from "node:vm";
import { beforeEach, describe, expect, test } from "vitest";
import { limitArrays, limitEngines, mostBytes, whenOver } from "../../../studio/code/limits.ts";

/** A global object of its own, so that what is replaced in it is not replaced for the test. */
let realm: Record<string, unknown>;
let told: string[];

beforeEach(() => {
  told = [];
  whenOver((text) => told.push(text));
  realm = createContext({}) as Record<string, unknown>;
});

/** Runs a text in that realm; what it gives, or the name of what it throws. */
function says(text: string): unknown {
  return runInContext(`try { (() => { ${text} })() } catch (error) { error.name }`, realm);
}

const pages = mostBytes / 65536;

describe("the memory of engines", () => {
  beforeEach(() => {
    limitEngines(runInContext("WebAssembly", realm) as typeof WebAssembly);
  });

  test("is all that may be had, and not a page more", () => {
    expect(says(`return new WebAssembly.Memory({ initial: ${pages} }).buffer.byteLength`)).toBe(mostBytes);
    expect(told).toEqual([]);
    expect(says("new WebAssembly.Memory({ initial: 1 })")).toBe("RangeError");
    expect(told).toEqual([expect.stringContaining("may use 512 MiB of engine memory, all its engines together; make the batch smaller")]);
  });

  test("is counted over all of them, made and grown", () => {
    expect(says(`globalThis.kept = [${pages / 2}, ${pages / 2 - 2}].map((initial) => new WebAssembly.Memory({ initial })); return 1`)).toBe(
      1,
    );
    expect(says("return kept[0].grow(1)")).toBe(pages / 2);
    expect(says("return kept[1].grow(1)")).toBe(pages / 2 - 2);
    expect(told).toEqual([]);
    // An engine asks for half as much again, and where that is not there for what it needs: only the second ends the program.
    expect(says("kept[0].grow(9)")).toBe("RangeError");
    expect(told).toEqual([]);
    expect(says("kept[0].grow(1)")).toBe("RangeError");
    expect(told).toHaveLength(1);
  });

  test.each([
    ["its grow is given another", "WebAssembly.Memory.prototype.grow = 1; m.grow(8192)"],
    ["its class is looked for behind it", "new m.constructor({ initial: 8193 }).buffer; throw new RangeError()"],
    ["its class is looked for behind the function", "new (Object.getPrototypeOf(WebAssembly.Memory))({ initial: 8193 })"],
    [
      "arrays, references and lengths lie",
      "Array.prototype.reduce = () => 0; WeakRef.prototype.deref = () => undefined; Object.defineProperty(ArrayBuffer.prototype, 'byteLength', { get: () => 0 }); Math.min = () => 0; m.grow(8192)",
    ],
    ["a number is an object that changes its mind", "let n = 0; m.grow({ valueOf: () => (n++ === 0 ? 8192 : 1) })"],
    ["it is shared", "m = new WebAssembly.Memory({ initial: 1, maximum: 8193, shared: true }); m.grow(8192)"],
    ["its error is another", "RangeError = function () { throw new TypeError(); }; m.grow(8192); m.grow(8192)"],
    ["the name is set to what it was", "WebAssembly.Memory = m.constructor; new WebAssembly.Memory({ initial: 8193 })"],
  ])("holds where %s", (_, text) => {
    expect(says(`let m = new WebAssembly.Memory({ initial: 1 }); globalThis.m = m; ${text}; return "made"`)).toMatch(/^(Range|Type)Error$/);
    expect(says("return m.buffer.byteLength <= 65536")).not.toBe(false);
  });

  test("bounds what a module grows by itself", () => {
    // (module (import "a" "m" (memory 1)) (func (export "g") (param i32) (result i32) local.get 0 memory.grow))
    const bytes = "0,97,115,109,1,0,0,0,1,6,1,96,1,127,1,127,2,8,1,1,97,1,109,2,0,1,3,2,1,0,7,5,1,1,103,0,0,10,8,1,6,0,32,0,64,0,11";
    const grown = says(`const m = new WebAssembly.Memory({ initial: 1, maximum: 65536 });
      const { g } = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array([${bytes}])), { a: { m } }).exports;
      return [g(${pages}), g(${pages - 1})].join()`);
    expect(grown).toBe("-1,1");
  });
});

describe("an array", () => {
  beforeEach(() => limitArrays(runInContext("globalThis", realm) as Record<string, unknown>, { spares: 16 }));

  test.each([
    ["ArrayBuffer", "new ArrayBuffer(N)", mostBytes],
    ["a buffer that may grow", "new ArrayBuffer(1, { maxByteLength: N })", mostBytes],
    ["bytes", "new Uint8Array(N)", mostBytes],
    ["numbers", "new Float64Array(N)", mostBytes / 8],
    ["a subclass", "new (class extends Float64Array {})(N)", mostBytes / 8],
    ["Reflect", "Reflect.construct(Float32Array, [N])", mostBytes / 4],
    ["shared memory", "new SharedArrayBuffer(N)", mostBytes],
    [
      "a length that is an object and changes its mind",
      "let n = 0; new ArrayBuffer({ valueOf: () => (n++ === 0 ? N : 2 ** 30) })",
      mostBytes,
    ],
  ])("has the limit and no more: %s", (_, text, most) => {
    expect(says(`${text.replace("N", String(most))}; return "made"`)).toBe("made");
    expect(told).toEqual([]);
    expect(says(text.replace("N", String(most + 1)))).toBe("RangeError");
    expect(told).toEqual(["an array of a program in the studio may have 512 MiB; take fewer rows at once"]);
  });

  test("leaves shared memory to be taken away, and nothing else", () => {
    expect(says("return delete globalThis.SharedArrayBuffer")).toBe(true);
    expect(says("return typeof SharedArrayBuffer")).toBe("undefined");
    expect(says("return delete globalThis.ArrayBuffer")).toBe(false);
  });

  test.each([
    ["the constructor behind an array", "new (new Float64Array(1).constructor)(2 ** 27)"],
    ["that of a buffer", "new (new ArrayBuffer(1).constructor)(2 ** 30)"],
    [
      "the prototype's constructor, set anew",
      "Float64Array.prototype.constructor = null; new (Float64Array.prototype.constructor)(2 ** 27)",
    ],
    ["a length in place of a list", "new Float64Array({ length: 2 ** 27 })"],
    ["a traps' name where traps are looked for", "Object.prototype.get = (target) => target; new (Float64Array.anything)(2 ** 27)"],
    ["lists whose beginning is another", "Array.prototype[Symbol.iterator] = function* () { yield 1; }; new Float64Array(2 ** 27)"],
    ["no number and a longest length", "new ArrayBuffer(NaN, { maxByteLength: 2 ** 30 })"],
    ["from", "Float64Array.from({ length: 2 ** 27 })"],
    ["a buffer that is resized", "new ArrayBuffer(1, { maxByteLength: 2 ** 20 }).resize(2 ** 30)"],
    ["a buffer that is moved to a longer one", "new ArrayBuffer(1).transfer(2 ** 30)"],
    [
      "the name, set anew",
      "ArrayBuffer = Object.getPrototypeOf(Object.getPrototypeOf(new Uint8Array(1))).constructor; new ArrayBuffer(2 ** 30)",
    ],
  ])("has no way around it: %s", (_, text) => {
    if (text.includes("transfer") && !("transfer" in ArrayBuffer.prototype)) return;
    expect(says(`${text}; return "made"`)).toMatch(/^(Range|Type)Error$/);
  });

  test.each([
    ["a list that says less than it has", "let n = 0; new Uint8Array({ get length() { return n++ === 0 ? 1 : 2 ** 16 + 1; } })"],
    ["a function in place of a list", "const f = () => 0; Object.defineProperty(f, 'length', { value: 2 ** 16 + 1 }); new Uint8Array(f)"],
    ["more items than were to come", "new Uint8Array({ *[Symbol.iterator]() { for (let i = 0; i <= 2 ** 16; i++) yield i; } })"],
  ])("is measured when it is there: %s", (_, text) => {
    limitArrays(runInContext("globalThis", createContext((realm = {}))) as Record<string, unknown>, { most: 2 ** 16, spares: 16 });
    expect(says(`${text}; return "made"`)).toBe("RangeError");
    expect(told).toHaveLength(1);
  });

  test("works as it did: views, lists, slices, kinds", () => {
    expect(
      says(
        `const b = new ArrayBuffer(16); const v = new Float64Array(b, 8, 1); v[0] = 2;
         return [v.slice()[0], v.map((x) => x + 1)[0], Float64Array.of(1, 2).length, new Float32Array([1, 2, 3]).length, v instanceof Float64Array, b instanceof ArrayBuffer,
           new Uint8Array().length, v.constructor === Float64Array, Float64Array.BYTES_PER_ELEMENT, new Float64Array(new Set([1, 2])).length, ArrayBuffer.isView(v)].join()`,
      ),
    ).toBe("2,3,2,3,true,true,0,true,8,2,true");
  });
});
