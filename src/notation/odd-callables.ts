import { type DType, dtypes } from "../ir/dtype.ts";
import { ParseError } from "../ir/errors.ts";
import { isType } from "../ir/leaf.ts";
import type { Operand } from "../ir/op.ts";
import { type TensorType, tensorType } from "../ir/type.ts";
import { unknownAttribute, withAttributes } from "./attributes.ts";
import type { Callable, Keywords, OpFunction } from "./callable.ts";
import { describeItem, type Item, isList, isResults, itemOf, knownAttribute, operandOf } from "./item.ts";

type Table = Readonly<Record<string, unknown>>;

/** Makes the callable from the table of ops; null while the op it needs is not there. */
type Make = (ops: Table) => Callable | null;

/** Names whose operands are not just Values in order: words, types, lists, index numbers, or a reduction and an elementwise op in one. */
export function oddCallables(): Readonly<Record<string, Make>> {
  return {
    at: odd("at", (at) => ([x, ...index], keywords) => {
      refuseKeywords("at", keywords);
      return itemOf("at", at(operandOf(required("at", "x", x)), ...index.map((i) => wholeNumber("at", "an index", i))));
    }),
    cast: odd("cast", (cast) => ([x, dtype], keywords) => {
      const word = dtype ?? keywords.get("dtype");
      refuseKeywords("cast", keywords, "dtype");
      if (!isDType(word))
        throw new ParseError(
          `cast: the dtype is ${word === undefined ? "missing" : describeItem(word)}; write cast(x, f32), one of ${dtypes.join(" ")}`,
        );
      return itemOf("cast", cast(operandOf(required("cast", "x", x)), word));
    }),
    einsum: odd("einsum", (einsum) => ([spec, ...operands], keywords) => {
      refuseKeywords("einsum", keywords);
      if (typeof spec !== "string") throw new ParseError('einsum: the first operand is a text of subscripts: einsum("ij,jk->ik", a, b)');
      return itemOf("einsum", einsum(spec, ...operands.map(operandOf)));
    }),
    full: odd("full", (full) => ([type, value], keywords) => {
      refuseKeywords("full", keywords);
      return itemOf("full", full(typeOf("full", type), wanted("full", "value", value)));
    }),
    ones: odd("ones", (ones) => ([type], keywords) => {
      refuseKeywords("ones", keywords);
      return itemOf("ones", ones(typeOf("ones", type)));
    }),
    zeros: odd("zeros", (zeros) => ([type], keywords) => {
      refuseKeywords("zeros", keywords);
      return itemOf("zeros", zeros(typeOf("zeros", type)));
    }),
    range: odd("range", (range) => (bounds, keywords) => {
      refuseKeywords("range", keywords, "dtype");
      const dtype = keywords.get("dtype") ?? undefined;
      if (dtype !== undefined && !isDType(dtype)) throw new ParseError(`range: the dtype is ${describeItem(dtype)}; write dtype=f64`);
      const numbers = bounds.map((x) => {
        if (typeof x === "number") return x;
        throw new ParseError("range: a bound is a value of the graph; bounds are plain numbers: range(3), range(1, 4)");
      });
      return itemOf("range", range(...numbers, ...(dtype === undefined ? [] : [{ dtype }])));
    }),
    ...Object.fromEntries(["fft", "ifft", "irfft"].map((name): [string, Make] => [name, odd(name, (f) => inParts(name, f))])),
    max: (ops) => folding(ops, "max", "maximum"),
    min: (ops) => folding(ops, "min", "minimum"),
    ...Object.fromEntries(dtypes.map((dtype): [string, Make] => [dtype, () => typeMaker(dtype)])),
  };
}

function odd(name: string, make: (f: OpFunction) => Callable): Make {
  return (ops) => (typeof ops[name] === "function" ? make(ops[name] as OpFunction) : null);
}

/** `fft(x)` of real numbers, `fft(re, im)` of two parts, `ifft(fft(x))` of the results of another. */
function inParts(name: string, f: OpFunction): Callable {
  return ([first, second], keywords) => {
    const given = required(name, "re", first ?? keywords.get("re"));
    const [re, im] = isResults(given) ? given.values : [operandOf(given), second ?? keywords.get("im")];
    const x = im == null ? re : { re, im: operandOf(im) };
    const attrs = new Map<string, unknown>();
    for (const [key, item] of keywords) if (key !== "re" && key !== "im" && item !== null) attrs.set(key, knownAttribute(name, key, item));
    return itemOf(
      name,
      withAttributes(name, attrs, (record) => (record === undefined ? f(x) : f(x, record))),
    );
  };
}

/** `max(a, b, ...)` is elementwise from left to right; `max(x, axis=...)` the reduction. */
function folding(ops: Table, name: string, elementwise: string): Callable | null {
  const pair = ops[elementwise] as (OpFunction & { readonly scalar?: (x: number, y: number) => number }) | undefined;
  const reduce = ops[name] as OpFunction | undefined;
  if (pair === undefined) return null;
  return (operands, keywords) => {
    if (operands.length > 1) {
      refuseKeywords(`${name} of two or more operands`, keywords);
      return operands.reduce((a, b) =>
        typeof a === "number" && typeof b === "number" && pair.scalar
          ? pair.scalar(a, b)
          : itemOf(elementwise, pair(operandOf(a), operandOf(b))),
      );
    }
    const x = operandOf(required(name, "x", operands[0] ?? keywords.get("x")));
    if (reduce === undefined) throw new ParseError(`${name}: the reduction is not there; of two or more operands it is elementwise`);
    const attrs = new Map<string, unknown>();
    for (const [key, item] of keywords) if (key !== "x" && item !== null) attrs.set(key, knownAttribute(name, key, item));
    return itemOf(
      name,
      withAttributes(name, attrs, (record) => (record === undefined ? reduce(x) : reduce(x, record))),
    );
  };
}

/** `f32(3, 4)`: a type, for `zeros`, `ones` and `full`. */
function typeMaker(dtype: DType): Callable {
  return (sizes, keywords) => {
    refuseKeywords(dtype, keywords);
    return tensorType(
      dtype,
      sizes.map((size) => wholeNumber(dtype, "a size", size)),
    );
  };
}

function refuseKeywords(name: string, keywords: Keywords, known?: string): void {
  for (const key of keywords.keys()) if (key !== known) throw unknownAttribute(name, key, known === undefined ? [] : [known]);
}

function required(name: string, what: string, item: Item | undefined): Item {
  if (item === undefined || item === null) throw new ParseError(`${name}: operand ${what} is missing`);
  return item;
}

function wanted(name: string, what: string, item: Item | undefined): Operand {
  return operandOf(required(name, what, item));
}

function wholeNumber(name: string, what: string, item: Item | undefined): number {
  if (typeof item === "number" && Number.isInteger(item)) return item;
  throw new ParseError(
    `${name}: ${what} is ${typeof item === "number" ? item : item === undefined ? "missing" : isList(item) ? "a list" : "no number"}; it is a whole number known beforehand`,
  );
}

function isDType(item: Item | undefined): item is DType {
  return (dtypes as readonly unknown[]).includes(item);
}

function typeOf(name: string, item: Item | undefined): TensorType {
  if (isType(item)) return item;
  throw new ParseError(`${name}: the first operand is a type: ${name}(f32(3, 4)${name === "full" ? ", value" : ""})`);
}
