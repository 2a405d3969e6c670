export { cholesky } from "./cholesky.ts";
export { inverse } from "./inverse.ts";
export { type SolveAttrs, solve } from "./solve.ts";
export { type TriangularSolveAttrs, triangularSolve } from "./triangular-solve.ts";
