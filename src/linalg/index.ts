export { type ApartAttrs, apart } from "./apart.ts";
export { cholesky } from "./cholesky.ts";
export { cofactor, det, logDet, type SignAndLog, slogDet } from "./determinant.ts";
export { type Eigh, eigh } from "./eigh.ts";
export {
  type Complex,
  type ComplexOperand,
  type FourierAttrs,
  fft,
  fourier,
  ifft,
  irfft,
  type RealFourierAttrs,
  rfft,
  type TransformAttrs,
} from "./fourier.ts";
export { inverse } from "./inverse.ts";
export { type Qr, qr } from "./qr.ts";
export { type SolveAttrs, solve } from "./solve.ts";
export { type Svd, svd } from "./svd.ts";
export { type TriangularSolveAttrs, triangularSolve } from "./triangular-solve.ts";
