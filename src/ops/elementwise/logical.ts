import { type Binary, binary, type Unary, unary } from "../arithmetic.ts";

/** Not x. bool. */
export const logicalNot: Unary = unary("logicalNot", { takes: "bool", f: (x) => 1 - x, d: null, symbol: "!" });
/** x and y. bool; operands broadcast. */
export const logicalAnd: Binary = binary("logicalAnd", { takes: "bool", f: (x, y) => x & y, d: null, symbol: "&&" });
/** x or y. bool; operands broadcast. */
export const logicalOr: Binary = binary("logicalOr", { takes: "bool", f: (x, y) => x | y, d: null, symbol: "||" });
/** Either x or y, not both. bool; operands broadcast. */
export const logicalXor: Binary = binary("logicalXor", { takes: "bool", f: (x, y) => x ^ y, d: null });
