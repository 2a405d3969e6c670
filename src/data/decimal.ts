/** Powers of ten that a double holds exactly. */
const exactPowers: readonly number[] = [
  1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/**
 * Writes the number in `text[from, to)` to `out[at]` and says whether it was one: decimal digits with sign, point and exponent, or nan, inf and
 * infinity in any case; spaces and tabs around it are allowed. No string is made for numbers of up to 15 digits and exponents up to 22, where one
 * product or quotient of exact doubles is correctly rounded (W. D. Clinger, "How to read floating point numbers accurately", 1990).
 */
export function writeDecimal(text: string, from: number, to: number, out: Float64Array, at: number): boolean {
  while (from < to && isBlank(text.charCodeAt(from))) from++;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--;
  let i = from;
  const sign = text.charCodeAt(i);
  if (i < to && (sign === 43 || sign === 45)) i++;
  const first = i;
  let value = 0;
  let digits = 0;
  let significant = 0;
  let scale = 0;
  let point = false;
  for (; i < to; i++) {
    const c = text.charCodeAt(i);
    if (c >= 48 && c <= 57) {
      digits++;
      if (c !== 48 || significant > 0) significant++;
      value = value * 10 + (c - 48);
      if (point) scale--;
    } else if (c === 46 && !point) point = true;
    else break;
  }
  if (digits === 0) return writeWord(text, first, to, sign === 45, out, at);
  if (i < to) {
    if ((text.charCodeAt(i) | 32) !== 101) return false;
    i++;
    const exponentSign = text.charCodeAt(i);
    if (i < to && (exponentSign === 43 || exponentSign === 45)) i++;
    if (i === to) return false;
    let exponent = 0;
    for (; i < to; i++) {
      const c = text.charCodeAt(i);
      if (c < 48 || c > 57) return false;
      exponent = Math.min(exponent * 10 + (c - 48), 100000);
    }
    scale += exponentSign === 45 ? -exponent : exponent;
  }
  if (significant > 15 || scale > 22 || scale < -22) {
    out[at] = Number(text.slice(from, to));
    return true;
  }
  const size = scale < 0 ? value / exactPowers[-scale]! : value * exactPowers[scale]!;
  out[at] = sign === 45 ? -size : size;
  return true;
}

function isBlank(c: number): boolean {
  return c === 32 || c === 9;
}

function writeWord(text: string, from: number, to: number, negative: boolean, out: Float64Array, at: number): boolean {
  if (to - from !== 3 && to - from !== 8) return false;
  const word = text.slice(from, to).toLowerCase();
  if (word === "nan") out[at] = Number.NaN;
  else if (word === "inf" || word === "infinity") out[at] = negative ? -Infinity : Infinity;
  else return false;
  return true;
}
