// Problems of Moré, Garbow and Hillstrom 1981, "Testing Unconstrained Optimization Software", ACM TOMS 7: residuals, the standard start, and the minima
// that the paper gives for the sum of squares.
import {
  add,
  at,
  atan,
  concat,
  cos,
  div,
  exp,
  f64,
  matmul,
  mul,
  type Operand,
  pow,
  read,
  reshape,
  sin,
  slice,
  sqrt,
  square,
  stack,
  sub,
  sum,
  type Tensor,
  tensor,
  type Value,
  zeros,
} from "../../src/index.ts";

export interface Problem {
  readonly name: string;
  readonly start: readonly number[];
  /** The sums of squares that a search may end at. */
  readonly minima: readonly number[];
  readonly residuals: (x: Value) => Value;
}

const plus = (...xs: readonly Operand[]): Value => xs.reduce((a, b) => add(a, b)) as Value;
const times = (...xs: readonly Operand[]): Value => xs.reduce((a, b) => mul(a, b)) as Value;
const parts = (x: Value): Value[] => Array.from({ length: x.type.shape[0]! }, (_, i) => at(x, i));
const list = (...xs: readonly Operand[]): Value => stack(xs.map((x) => (typeof x === "number" ? tensor(x) : x)));
const numbers = (n: number, f: (i: number) => number): Tensor => tensor(Float64Array.from({ length: n }, (_, i) => f(i + 1)));
const ones = (n: number): number[] => new Array<number>(n).fill(1);

const bard = [0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39, 0.37, 0.58, 0.73, 0.96, 1.34, 2.1, 4.39];
const gaussian = [0.0009, 0.0044, 0.0175, 0.054, 0.1295, 0.242, 0.3521, 0.3989, 0.3521, 0.242, 0.1295, 0.054, 0.0175, 0.0044, 0.0009];
const meyer = [34780, 28610, 23650, 19630, 16370, 13720, 11540, 9744, 8261, 7030, 6005, 5147, 4427, 3820, 3307, 2872];
const kowalik = [0.1957, 0.1947, 0.1735, 0.16, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246];
const kowalikAt = tensor([4, 2, 1, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625]);
const osborne1 = [
  0.844, 0.908, 0.932, 0.936, 0.925, 0.908, 0.881, 0.85, 0.818, 0.784, 0.751, 0.718, 0.685, 0.658, 0.628, 0.603, 0.58, 0.558, 0.538, 0.522,
  0.506, 0.49, 0.478, 0.467, 0.457, 0.448, 0.438, 0.431, 0.424, 0.42, 0.414, 0.411, 0.406,
];
const osborne2 = [
  1.366, 1.191, 1.112, 1.013, 0.991, 0.885, 0.831, 0.847, 0.786, 0.725, 0.746, 0.679, 0.608, 0.655, 0.616, 0.606, 0.602, 0.626, 0.651,
  0.724, 0.649, 0.649, 0.694, 0.644, 0.624, 0.661, 0.612, 0.558, 0.533, 0.495, 0.5, 0.423, 0.395, 0.375, 0.372, 0.391, 0.396, 0.405, 0.428,
  0.429, 0.523, 0.562, 0.607, 0.653, 0.672, 0.708, 0.633, 0.668, 0.645, 0.632, 0.591, 0.559, 0.597, 0.625, 0.739, 0.71, 0.729, 0.72, 0.636,
  0.581, 0.428, 0.292, 0.162, 0.098, 0.054,
];

/** Watson's polynomial residuals, number 20. */
function watson(x: Value): Value {
  const n = x.type.shape[0]!;
  const rows = Array.from({ length: 29 }, (_, i) => Array.from({ length: n }, (_, j) => ((i + 1) / 29) ** j));
  const slopes = Array.from({ length: 29 }, (_, i) => Array.from({ length: n }, (_, j) => (j === 0 ? 0 : j * ((i + 1) / 29) ** (j - 1))));
  const [x1, x2] = parts(x);
  return concat([sub(sub(matmul(tensor(slopes), x), square(matmul(tensor(rows), x))), 1), list(x1!, sub(sub(x2!, square(x1!)), 1))]);
}

/** Chebyquad, number 35: integrals of shifted Chebyshev polynomials by equal weights. */
function chebyquad(x: Value): Value {
  const n = x.type.shape[0]!;
  const y = sub(mul(2, x), 1);
  let [before, now] = [add(zeros(f64(n)), 1), y];
  const rows: Value[] = [];
  for (let i = 1; i <= n; i++) {
    rows.push(sub(div(sum(now), n), i % 2 === 0 ? -1 / (i * i - 1) : 0));
    [before, now] = [now, sub(mul(mul(2, y), now), before)];
  }
  return stack(rows);
}

export const problems: readonly Problem[] = [
  {
    name: "Rosenbrock",
    start: [-1.2, 1],
    minima: [0],
    residuals: (x) => list(mul(10, sub(at(x, 1), square(at(x, 0)))), sub(1, at(x, 0))),
  },
  {
    name: "Freudenstein and Roth",
    start: [0.5, -2],
    minima: [0, 48.98425],
    residuals: (x) => {
      const [a, b] = parts(x) as [Value, Value];
      return list(plus(-13, a, mul(sub(mul(sub(5, b), b), 2), b)), plus(-29, a, mul(sub(mul(add(b, 1), b), 14), b)));
    },
  },
  {
    name: "Powell badly scaled",
    start: [0, 1],
    minima: [0],
    residuals: (x) => {
      const [a, b] = parts(x) as [Value, Value];
      return list(sub(times(1e4, a, b), 1), plus(exp(mul(-1, a)), exp(mul(-1, b)), -1.0001));
    },
  },
  {
    name: "Brown badly scaled",
    start: [1, 1],
    minima: [0],
    residuals: (x) => list(sub(at(x, 0), 1e6), sub(at(x, 1), 2e-6), sub(mul(at(x, 0), at(x, 1)), 2)),
  },
  {
    name: "Beale",
    start: [1, 1],
    minima: [0],
    residuals: (x) => list(...[1.5, 2.25, 2.625].map((y, i) => sub(y, mul(at(x, 0), sub(1, pow(at(x, 1), i + 1)))))),
  },
  {
    name: "Jennrich and Sampson",
    start: [0.3, 0.4],
    minima: [124.362],
    residuals: (x) => {
      const i = numbers(10, (k) => k);
      return sub(add(2, mul(2, i)), add(exp(mul(i, at(x, 0))), exp(mul(i, at(x, 1)))));
    },
  },
  {
    name: "helical valley",
    start: [-1, 0, 0],
    minima: [0],
    residuals: (x) => {
      const [a, b, c] = parts(x) as [Value, Value, Value];
      // A branch on a value, as the paper writes it.
      const turn = add(mul(1 / (2 * Math.PI), atan(div(b, a))), read(a) < 0 ? 0.5 : 0);
      return list(mul(10, sub(c, mul(10, turn))), mul(10, sub(sqrt(add(square(a), square(b))), 1)), c);
    },
  },
  {
    name: "Bard",
    start: [1, 1, 1],
    minima: [8.21487e-3, 17.4286],
    residuals: (x) => {
      const u = numbers(15, (i) => i);
      const v = numbers(15, (i) => 16 - i);
      const w = numbers(15, (i) => Math.min(i, 16 - i));
      return sub(tensor(bard), add(at(x, 0), div(u, add(mul(v, at(x, 1)), mul(w, at(x, 2))))));
    },
  },
  {
    name: "Gaussian",
    start: [0.4, 1, 0],
    minima: [1.12793e-8],
    residuals: (x) => {
      const t = numbers(15, (i) => (8 - i) / 2);
      return sub(mul(at(x, 0), exp(mul(mul(-0.5, at(x, 1)), square(sub(t, at(x, 2)))))), tensor(gaussian));
    },
  },
  {
    name: "Meyer",
    start: [0.02, 4000, 250],
    minima: [87.9458],
    residuals: (x) =>
      sub(
        mul(
          at(x, 0),
          exp(
            div(
              at(x, 1),
              add(
                numbers(16, (i) => 45 + 5 * i),
                at(x, 2),
              ),
            ),
          ),
        ),
        tensor(meyer),
      ),
  },
  {
    name: "box",
    start: [0, 10, 20],
    minima: [0],
    residuals: (x) => {
      const t = numbers(10, (i) => -0.1 * i);
      const fixed = numbers(10, (i) => Math.exp(-0.1 * i) - Math.exp(-i));
      return sub(sub(exp(mul(t, at(x, 0))), exp(mul(t, at(x, 1)))), mul(at(x, 2), fixed));
    },
  },
  {
    name: "Powell singular",
    start: [3, -1, 0, 1],
    minima: [0],
    residuals: (x) => {
      const [a, b, c, d] = parts(x) as [Value, Value, Value, Value];
      return list(add(a, mul(10, b)), mul(Math.sqrt(5), sub(c, d)), square(sub(b, mul(2, c))), mul(Math.sqrt(10), square(sub(a, d))));
    },
  },
  {
    name: "Wood",
    start: [-3, -1, -3, -1],
    minima: [0],
    residuals: (x) => {
      const [a, b, c, d] = parts(x) as [Value, Value, Value, Value];
      return list(
        mul(10, sub(b, square(a))),
        sub(1, a),
        mul(Math.sqrt(90), sub(d, square(c))),
        sub(1, c),
        mul(Math.sqrt(10), plus(b, d, -2)),
        mul(Math.sqrt(0.1), sub(b, d)),
      );
    },
  },
  {
    name: "Kowalik and Osborne",
    start: [0.25, 0.39, 0.415, 0.39],
    minima: [3.07505e-4],
    residuals: (x) => {
      const [a, b, c, d] = parts(x) as [Value, Value, Value, Value];
      const u = kowalikAt;
      return sub(tensor(kowalik), div(mul(a, add(square(u), mul(u, b))), plus(square(u), mul(u, c), d)));
    },
  },
  {
    name: "Brown and Dennis",
    start: [25, 5, -5, -1],
    minima: [85822.2],
    residuals: (x) => {
      const [a, b, c, d] = parts(x) as [Value, Value, Value, Value];
      const t = numbers(20, (i) => i / 5);
      return add(square(sub(add(a, mul(t, b)), exp(t))), square(sub(add(c, mul(d, sin(t))), cos(t))));
    },
  },
  {
    name: "Osborne 1",
    start: [0.5, 1.5, -1, 0.01, 0.02],
    minima: [5.46489e-5],
    residuals: (x) => {
      const t = numbers(33, (i) => -10 * (i - 1));
      return sub(tensor(osborne1), plus(at(x, 0), mul(at(x, 1), exp(mul(t, at(x, 3)))), mul(at(x, 2), exp(mul(t, at(x, 4))))));
    },
  },
  {
    name: "Biggs",
    start: [1, 2, 1, 1, 1, 1],
    minima: [5.65565e-3, 0],
    residuals: (x) => {
      const t = numbers(13, (i) => -0.1 * i);
      const y = numbers(13, (i) => Math.exp(-0.1 * i) - 5 * Math.exp(-i) + 3 * Math.exp(-0.4 * i));
      const wave = (share: number, rate: number): Value => mul(at(x, share), exp(mul(t, at(x, rate))));
      return sub(add(sub(wave(2, 0), wave(3, 1)), wave(5, 4)), y);
    },
  },
  {
    name: "Osborne 2",
    start: [1.3, 0.65, 0.65, 0.7, 0.6, 3, 5, 7, 2, 4.5, 5.5],
    minima: [4.01377e-2],
    residuals: (x) => {
      const t = numbers(65, (i) => (i - 1) / 10);
      const hill = (height: number, width: number, place: number): Value =>
        mul(at(x, height), exp(mul(mul(-1, at(x, width)), square(sub(t, at(x, place))))));
      return sub(tensor(osborne2), plus(mul(at(x, 0), exp(mul(mul(-1, t), at(x, 4)))), hill(1, 5, 8), hill(2, 6, 9), hill(3, 7, 10)));
    },
  },
  { name: "Watson of 6", start: new Array<number>(6).fill(0), minima: [2.28767e-3], residuals: watson },
  { name: "Watson of 9", start: new Array<number>(9).fill(0), minima: [1.39976e-6], residuals: watson },
  {
    name: "extended Rosenbrock of 100",
    start: Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? -1.2 : 1)),
    minima: [0],
    residuals: (x) => {
      const odd = slice(x, { axis: 0, step: 2 });
      return concat([mul(10, sub(slice(x, { axis: 0, start: 1, step: 2 }), square(odd))), sub(1, odd)]);
    },
  },
  {
    name: "penalty I of 10",
    start: Array.from({ length: 10 }, (_, i) => i + 1),
    minima: [7.08765e-5],
    residuals: (x) => concat([mul(Math.sqrt(1e-5), sub(x, 1)), reshape(sub(sum(square(x)), 0.25), { shape: [1] })]),
  },
  {
    name: "penalty II of 4",
    start: new Array<number>(4).fill(0.5),
    minima: [9.37629e-6],
    residuals: (x) => {
      const a = Math.sqrt(1e-5);
      const e = exp(div(x, 10));
      const y = numbers(3, (i) => Math.exp((i + 1) / 10) + Math.exp(i / 10));
      const rest = slice(e, { axis: 0, start: 1 });
      const weights = numbers(4, (j) => 4 - j + 1);
      return concat([
        reshape(sub(at(x, 0), 0.2), { shape: [1] }),
        mul(a, sub(add(rest, slice(e, { axis: 0, end: -1 })), y)),
        mul(a, sub(rest, Math.exp(-0.1))),
        reshape(sub(sum(mul(weights, square(x))), 1), { shape: [1] }),
      ]);
    },
  },
  {
    name: "variably dimensioned of 10",
    start: Array.from({ length: 10 }, (_, i) => 1 - (i + 1) / 10),
    minima: [0],
    residuals: (x) => {
      const total = sum(
        mul(
          numbers(10, (j) => j),
          sub(x, 1),
        ),
      );
      return concat([sub(x, 1), reshape(total, { shape: [1] }), reshape(square(total), { shape: [1] })]);
    },
  },
  {
    name: "trigonometric of 10",
    start: new Array<number>(10).fill(0.1),
    minima: [0, 2.79506e-5],
    residuals: (x) => {
      const i = numbers(10, (k) => k);
      return sub(add(sub(10, sum(cos(x))), mul(i, sub(1, cos(x)))), sin(x));
    },
  },
  {
    name: "Brown almost linear of 10",
    start: new Array<number>(10).fill(0.5),
    minima: [0, 1],
    residuals: (x) => {
      const product = parts(x).reduce((a, b) => mul(a, b));
      return concat([sub(add(slice(x, { axis: 0, end: -1 }), sum(x)), 11), reshape(sub(product, 1), { shape: [1] })]);
    },
  },
  {
    name: "discrete boundary value of 10",
    start: Array.from({ length: 10 }, (_, i) => ((i + 1) / 11) * ((i + 1) / 11 - 1)),
    minima: [0],
    residuals: (x) => {
      const h = 1 / 11;
      const zero = zeros(f64(1));
      const before = concat([zero, slice(x, { axis: 0, end: -1 })]);
      const after = concat([slice(x, { axis: 0, start: 1 }), zero]);
      const t = numbers(10, (i) => i * h);
      return add(sub(sub(mul(2, x), before), after), mul(h ** 2 / 2, pow(add(add(x, t), 1), 3)));
    },
  },
  {
    name: "Broyden tridiagonal of 10",
    start: new Array<number>(10).fill(-1),
    minima: [0],
    residuals: (x) => {
      const zero = zeros(f64(1));
      const before = concat([zero, slice(x, { axis: 0, end: -1 })]);
      const after = concat([slice(x, { axis: 0, start: 1 }), zero]);
      return add(sub(sub(mul(sub(3, mul(2, x)), x), before), mul(2, after)), 1);
    },
  },
  {
    name: "linear of full rank",
    start: ones(5),
    minima: [5],
    residuals: (x) => {
      const shift = sub(mul(-2 / 10, sum(x)), 1);
      return concat([add(x, shift), add(zeros(f64(5)), shift)]);
    },
  },
  {
    name: "linear of rank 1",
    start: ones(5),
    minima: [(10 * 9) / (2 * 21)],
    residuals: (x) =>
      sub(
        mul(
          numbers(10, (i) => i),
          sum(
            mul(
              numbers(5, (j) => j),
              x,
            ),
          ),
        ),
        1,
      ),
  },
  { name: "Chebyquad of 8", start: Array.from({ length: 8 }, (_, i) => (i + 1) / 9), minima: [3.51687e-3], residuals: chebyquad },
];
