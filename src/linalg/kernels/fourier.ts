/** Primes up to here are transformed directly; a length with a larger one goes by Bluestein's convolution. */
const largestPrime = 13;

/** What a length needs, made once. */
interface Plan {
  readonly n: number;
  /** Prime factors, pairs of 2 taken as 4; null where Bluestein's convolution is used. */
  readonly radices: readonly number[] | null;
  /** cos and -sin of 2 pi i / n. */
  readonly cos: Float64Array;
  readonly sin: Float64Array;
  readonly spareRe: Float64Array;
  readonly spareIm: Float64Array;
  readonly chirp: Chirp | null;
}

/** Bluestein's convolution: the chirp `exp(-i pi k^2 / n)` and the transform of its conjugate at a length of a power of 2. */
interface Chirp {
  readonly plan: Plan;
  readonly re: Float64Array;
  readonly im: Float64Array;
  readonly kernelRe: Float64Array;
  readonly kernelIm: Float64Array;
  readonly bufferRe: Float64Array;
  readonly bufferIm: Float64Array;
}

/** Plans of the lengths used last, as many as have so many elements together. */
let plans: Map<number, Plan> | null = null;
const kept = 2 ** 20;

/** cos and -sin of 2 pi i / n: reduced to an eighth of a turn first, so that they are exact at quarters and symmetric. */
export function unitRoot(i: number, n: number): readonly [number, number] {
  const quarter = Math.floor((4 * i) / n);
  const rest = 4 * i - quarter * n;
  const near = 2 * rest <= n;
  const angle = (Math.PI / 2) * ((near ? rest : n - rest) / n);
  const [c, s] = near ? [Math.cos(angle), Math.sin(angle)] : [Math.sin(angle), Math.cos(angle)];
  // A quarter turn takes (c, s) to (-s, c); adding 0 leaves no -0.
  const [x, y] = quarter === 0 ? [c, s] : quarter === 1 ? [-s, c] : quarter === 2 ? [-c, -s] : [s, -c];
  return [x + 0, 0 - y];
}

export function radicesOf(n: number): number[] | null {
  const found: number[] = [];
  let rest = n;
  for (const p of [4, 2, 3, 5, 7, 11, largestPrime])
    while (rest % p === 0) {
      found.push(p);
      rest /= p;
    }
  return rest === 1 ? found : null;
}

function planOf(n: number): Plan {
  plans ??= new Map();
  const known = plans.get(n);
  if (known !== undefined) {
    // The last used stands last.
    plans.delete(n);
    plans.set(n, known);
    return known;
  }
  const radices = radicesOf(n);
  const cos = new Float64Array(n);
  const sin = new Float64Array(n);
  for (let i = 0; i < n; i++) [cos[i], sin[i]] = unitRoot(i, n);
  const made = {
    n,
    radices,
    cos,
    sin,
    spareRe: new Float64Array(radices === null ? 0 : n),
    spareIm: new Float64Array(radices === null ? 0 : n),
    chirp: radices === null ? chirpOf(n) : null,
  };
  plans.set(n, made);
  let elements = 0;
  for (const length of plans.keys()) elements += length;
  for (const length of plans.keys()) {
    if (elements <= kept || length === n) break;
    plans.delete(length);
    elements -= length;
  }
  return made;
}

function chirpOf(n: number): Chirp {
  let size = 1;
  while (size < 2 * n - 1) size *= 2;
  const plan = planOf(size);
  const re = new Float64Array(n);
  const im = new Float64Array(n);
  const kernelRe = new Float64Array(size);
  const kernelIm = new Float64Array(size);
  for (let k = 0; k < n; k++) {
    // k^2 modulo 2 n is exact; the angle of k^2 itself would lose digits.
    const [c, s] = unitRoot((k * k) % (2 * n), 2 * n);
    re[k] = c;
    im[k] = s;
    for (const at of [k, (size - k) % size]) {
      kernelRe[at] = c;
      kernelIm[at] = -s;
    }
  }
  transform(kernelRe, kernelIm, plan);
  return { plan, re, im, kernelRe, kernelIm, bufferRe: new Float64Array(size), bufferIm: new Float64Array(size) };
}

/**
 * One pass of radix p: blocks of `width` = p m elements at this stage, `stride` of them side by side, from x to y. Its results stand in the order that the
 * next pass reads, so no reordering is needed.
 * Source: C. Van Loan, "Computational Frameworks for the Fast Fourier Transform", 1992, 1.7 (Stockham).
 */
function pass(
  p: number,
  m: number,
  stride: number,
  { n, cos, sin }: Plan,
  xr: Float64Array,
  xi: Float64Array,
  yr: Float64Array,
  yi: Float64Array,
): void {
  const part = n / p;
  const apart = stride * m;
  for (let j = 0; j < m; j++) {
    for (let q = 0; q < stride; q++) {
      const from = q + stride * j;
      const to = q + stride * p * j;
      for (let k = 0; k < p; k++) {
        let re = 0;
        let im = 0;
        for (let r = 0, at = from, w = 0; r < p; r++, at += apart) {
          const c = cos[w]!;
          const s = sin[w]!;
          re += xr[at]! * c - xi[at]! * s;
          im += xr[at]! * s + xi[at]! * c;
          w += k * part;
          if (w >= n) w -= n;
        }
        const c = cos[j * k * stride]!;
        const s = sin[j * k * stride]!;
        yr[to + stride * k] = re * c - im * s;
        yi[to + stride * k] = re * s + im * c;
      }
    }
  }
}

/** {@link pass} for radix 4, whose own roots are 1, -i, -1 and i. */
function passOfFour(
  m: number,
  stride: number,
  { cos, sin }: Plan,
  xr: Float64Array,
  xi: Float64Array,
  yr: Float64Array,
  yi: Float64Array,
): void {
  const apart = stride * m;
  for (let j = 0; j < m; j++) {
    const w = j * stride;
    const c1 = cos[w]!;
    const s1 = sin[w]!;
    const c2 = cos[2 * w]!;
    const s2 = sin[2 * w]!;
    const c3 = cos[3 * w]!;
    const s3 = sin[3 * w]!;
    for (let q = 0; q < stride; q++) {
      const a = q + stride * j;
      const b = a + apart;
      const c = b + apart;
      const d = c + apart;
      const sumRe = xr[a]! + xr[c]!;
      const sumIm = xi[a]! + xi[c]!;
      const gapRe = xr[a]! - xr[c]!;
      const gapIm = xi[a]! - xi[c]!;
      const sideRe = xr[b]! + xr[d]!;
      const sideIm = xi[b]! + xi[d]!;
      // -i (b - d)
      const turnedRe = xi[b]! - xi[d]!;
      const turnedIm = xr[d]! - xr[b]!;
      const to = q + 4 * stride * j;
      yr[to] = sumRe + sideRe;
      yi[to] = sumIm + sideIm;
      yr[to + stride] = (gapRe + turnedRe) * c1 - (gapIm + turnedIm) * s1;
      yi[to + stride] = (gapRe + turnedRe) * s1 + (gapIm + turnedIm) * c1;
      yr[to + 2 * stride] = (sumRe - sideRe) * c2 - (sumIm - sideIm) * s2;
      yi[to + 2 * stride] = (sumRe - sideRe) * s2 + (sumIm - sideIm) * c2;
      yr[to + 3 * stride] = (gapRe - turnedRe) * c3 - (gapIm - turnedIm) * s3;
      yi[to + 3 * stride] = (gapRe - turnedRe) * s3 + (gapIm - turnedIm) * c3;
    }
  }
}

/** The transform of one line of a plan's length, in place. */
function transform(re: Float64Array, im: Float64Array, plan: Plan): void {
  const { n, radices, spareRe, spareIm, chirp } = plan;
  if (chirp !== null) {
    convolve(re, im, n, chirp);
    return;
  }
  let xr = re;
  let xi = im;
  let yr = spareRe;
  let yi = spareIm;
  let width = n;
  for (const p of radices!) {
    const m = width / p;
    if (p === 4) passOfFour(m, n / width, plan, xr, xi, yr, yi);
    else pass(p, m, n / width, plan, xr, xi, yr, yi);
    [xr, xi, yr, yi] = [yr, yi, xr, xi];
    width = m;
  }
  if (xr !== re) {
    re.set(xr);
    im.set(xi);
  }
}

/** Bluestein: with `j k = (j^2 + k^2 - (k - j)^2) / 2` the transform is a convolution with a chirp. */
function convolve(re: Float64Array, im: Float64Array, n: number, chirp: Chirp): void {
  const { plan, bufferRe, bufferIm, kernelRe, kernelIm } = chirp;
  bufferRe.fill(0);
  bufferIm.fill(0);
  for (let k = 0; k < n; k++) {
    bufferRe[k] = re[k]! * chirp.re[k]! - im[k]! * chirp.im[k]!;
    bufferIm[k] = re[k]! * chirp.im[k]! + im[k]! * chirp.re[k]!;
  }
  transform(bufferRe, bufferIm, plan);
  for (let k = 0; k < plan.n; k++) {
    const x = bufferRe[k]!;
    const y = bufferIm[k]!;
    bufferRe[k] = x * kernelRe[k]! - y * kernelIm[k]!;
    bufferIm[k] = x * kernelIm[k]! + y * kernelRe[k]!;
  }
  // Backward: the transform with the parts exchanged.
  transform(bufferIm, bufferRe, plan);
  for (let k = 0; k < n; k++) {
    const x = bufferRe[k]! / plan.n;
    const y = bufferIm[k]! / plan.n;
    re[k] = x * chirp.re[k]! - y * chirp.im[k]!;
    im[k] = x * chirp.im[k]! + y * chirp.re[k]!;
  }
}

/**
 * The discrete Fourier transform of a line, in place: element k is the sum of `x_j exp(-2 pi i j k / n)`, or with `+` where `inverse`, not divided by n.
 * O(n log n) for every length.
 * Source: C. Van Loan, "Computational Frameworks for the Fast Fourier Transform", 1992; L. I. Bluestein, "A linear filtering approach to the computation
 * of discrete Fourier transform", IEEE Trans. Audio Electroacoustics 18 (1970), for lengths with large prime factors.
 */
export function fourierInPlace(re: Float64Array, im: Float64Array, inverse: boolean): void {
  if (re.length < 2) return;
  if (inverse) transform(im, re, planOf(re.length));
  else transform(re, im, planOf(re.length));
}
