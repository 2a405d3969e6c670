import { type Binary, type BinaryDefinition, binary, type Unary, unary } from "../arithmetic.ts";

/* @__NO_SIDE_EFFECTS__ */
function comparison(name: string, symbol: string, f: (x: number, y: number) => boolean): Binary {
  const def: BinaryDefinition = {
    symbol,
    takes: "any",
    gives: "bool",
    f: (x, y) => (f(x, y) ? 1 : 0),
    d: null,
    kink: (x, y) => (x === y ? 0 : Math.abs(x - y)),
  };
  return binary(name, def);
}

/** Whether x = y, as bool. Any dtype, operands broadcast; NaN equals nothing. No derivative. */
export const equal: Binary = /* @__PURE__ */ comparison("equal", "==", (x, y) => x === y);
/** Whether x differs from y, as bool. NaN differs from everything. No derivative. */
export const notEqual: Binary = /* @__PURE__ */ comparison("notEqual", "!=", (x, y) => x !== y);
/** Whether x < y, as bool; false beside NaN. No derivative. */
export const less: Binary = /* @__PURE__ */ comparison("less", "<", (x, y) => x < y);
/** Whether x <= y, as bool; false beside NaN. No derivative. */
export const lessEqual: Binary = /* @__PURE__ */ comparison("lessEqual", "<=", (x, y) => x <= y);
/** Whether x > y, as bool; false beside NaN. No derivative. */
export const greater: Binary = /* @__PURE__ */ comparison("greater", ">", (x, y) => x > y);
/** Whether x >= y, as bool; false beside NaN. No derivative. */
export const greaterEqual: Binary = /* @__PURE__ */ comparison("greaterEqual", ">=", (x, y) => x >= y);

/** Whether x is NaN, as bool. Numbers of any dtype. No derivative. */
// biome-ignore lint/suspicious/noShadowRestrictedNames: the name of the op; nothing here wants the global.
export const isNaN: Unary = unary("isNaN", { takes: "number", gives: "bool", f: (x) => (x !== x ? 1 : 0), d: null });
