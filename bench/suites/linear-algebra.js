// Factorizations of one matrix in f64, compiled. LAPACK by PyTorch is the limit.
import {
  add,
  cholesky,
  compile,
  diag,
  eigh,
  evaluate,
  f64,
  graph,
  matmul,
  ones,
  qr,
  random,
  solve,
  svd,
  transpose,
} from "../../dist/index.js";
import { wasm } from "../../dist/wasm.js";
import { pythonProgram } from "../harness/python.js";

/** @type {Record<string, { title: string, f: (a: any) => any, at: (data: any, n: number) => number }>} */
const works = {
  solve: { title: "a x = b with as many right sides as rows", f: (a) => solve(a, transpose(a)), at: (x) => x[0] },
  cholesky: { title: "The Cholesky factor", f: cholesky, at: (x) => x.at(-1) },
  qr: { title: "Q and R", f: (a) => qr(a).r, at: (x) => x[0] },
  svd: { title: "Singular values and vectors", f: (a) => svd(a).s, at: (x) => x[0] },
  eigh: { title: "Eigenvalues and eigenvectors", f: (a) => eigh(a).values, at: (x) => x[0] },
};

/** @param {string} what @param {number} n rows and columns of the matrix */
export function linearAlgebra(what, n) {
  const { title, f, at } = works[what];
  const x = random.normal(random.key(1), f64(n, n));
  const a = evaluate(add(matmul(x, transpose(x)), diag(ones(f64(n)))));
  const truth = at(evaluate(f(a)).data, n);
  return {
    title: `${title} of a symmetric matrix of ${n} rows, f64`,
    unit: "ms",
    scale: 1e-6,
    rounds: 11,
    check(result) {
      if (!(Math.abs(result / truth - 1) < 1e-6)) throw new Error(`${what} gives ${result}, not ${truth}`);
    },
    async contestants() {
      const program = await compile(
        graph({ a: a.type }, (given) => ({ out: f(given.a) })),
        wasm(),
      );
      const ours = {
        name: "chainrule",
        run(times) {
          let out;
          for (let i = 0; i < times; i++) out = program.run({ a }).out;
          return at(out.data, n);
        },
      };
      return [ours, ...pythonProgram("torch", "linear_algebra.py", "PyTorch", { what, n, a: [...a.data] }, ", one thread")];
    },
  };
}
