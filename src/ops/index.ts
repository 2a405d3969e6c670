export { add, binary, div, mul, neg, sub, unary } from "./arithmetic.ts";
export { identity } from "./identity.ts";
export { concat, stack } from "./linear/concat.ts";
export { reshape } from "./linear/reshape.ts";
export { at, slice, unslice } from "./linear/slice.ts";
export { expand, sum } from "./linear/sum.ts";
export { transpose } from "./linear/transpose.ts";
