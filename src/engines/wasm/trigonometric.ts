import type { Call, Lane } from "./lane.ts";

/*
 * Sources: fdlibm's e_rem_pio2.c, k_sin.c, k_cos.c, s_atan.c, e_asin.c, e_acos.c, and FreeBSD's s_sinf.c and k_tanf.c, which compute f32 in double.
 * Copyright (C) 1993 by Sun Microsystems, Inc. All rights reserved. Developed at SunPro, a Sun Microsystems, Inc. business.
 * Permission to use, copy, modify, and distribute this software is freely granted, provided that this notice is preserved.
 */

/** pi / 2 in pieces of 33 bits, so that products with whole numbers up to 2^20 are exact, and what is left. */
const quarter = [1.5707963267341256, 6.077100506303966e-11, 2.0222662487111665e-21, 8.4784276603689e-32] as const;
/** pi / 2 as a double, and what is left. */
const [halfPi, halfPiRest] = [1.5707963267948966, 6.123233995736766e-17];
/** Up to this size the pieces are enough; beyond, each lane asks the host. */
export const largestAngle = 1e6;

/** x = n pi / 2 + (r + rest), |r| <= pi / 4. */
function reduced(w: Lane, x: number): { readonly n: number; readonly r: number; readonly rest: number } {
  const [n, a, b, c, e, r, rest] = w.locals(7);
  w.get(x)
    .num(2 / Math.PI)
    .op("mul")
    .op("nearest")
    .set(n);
  w.get(x).get(n).num(quarter[0]).op("mul").op("sub").set(a);
  // What each subtraction rounds away is kept: (a - b) - w, and so on.
  w.get(n).num(quarter[1]).op("mul").set(e);
  w.get(a).get(e).op("sub").set(b);
  w.get(a).get(b).op("sub").get(e).op("sub").set(rest);
  w.get(n).num(quarter[2]).op("mul").set(e);
  w.get(b).get(e).op("sub").set(c);
  w.get(b).get(c).op("sub").get(e).op("sub").get(n).num(quarter[3]).op("mul").op("sub").get(rest).op("add").set(rest);
  w.get(c).get(rest).op("add").set(r);
  w.get(c).get(r).op("sub").get(rest).op("add").set(rest);
  return { n, r, rest };
}

const sines = [1.58969099521155010221e-10, -2.50507602534068634195e-8, 2.75573137070700676789e-6, -1.98412698298579493134e-4, 8.33333333332248946124e-3] as const; // biome-ignore format: one polynomial
const cosines = [-1.13596475577881948265e-11, 2.08757232129817482790e-9, -2.75573143513906633035e-7, 2.48015872894767294178e-5, -1.38888888888741095749e-3, 4.16666666666666019037e-2] as const; // biome-ignore format: one polynomial

/** sin and cos of r + rest, |r| <= pi / 4, into locals. */
function quarterWave(w: Lane, r: number, rest: number): { readonly sin: number; readonly cos: number } {
  const [z, v, half, one, sin, cos] = w.locals(6);
  w.get(r).get(r).op("mul").tee(z).get(r).op("mul").set(v);
  // r - ((z (rest / 2 - v p) - rest) + v / 6)
  w.get(r).get(z).get(rest).num(0.5).op("mul").get(v);
  w.polynomial(z, sines);
  w.op("mul").op("sub").op("mul").get(rest).op("sub").get(v).num(-1.6666666666666632e-1).op("mul").op("sub").op("sub").set(sin);
  // 1 - z / 2, what that rounds away, and the rest of the series
  w.get(z).num(0.5).op("mul").set(half);
  w.num(1).get(half).op("sub").set(one);
  w.get(one).num(1).get(one).op("sub").get(half).op("sub").get(z).get(z).op("mul");
  w.polynomial(z, cosines);
  w.op("mul").get(r).get(rest).op("mul").op("sub").op("add").op("add").set(cos);
  return { sin, cos };
}

/** Bit `at` of whole numbers in lanes as a mask. */
function odd(w: Lane, n: number, at: 0 | 1): void {
  // Added to 1.5 * 2^52 a whole number stands in the low bits.
  w.get(n)
    .num(6755399441055744)
    .op("add")
    .code.int(63 - at)
    .shift("i64x2.shl");
  w.code.int(63).shift("i64x2.shr_s");
}

/** sin (from 0) or cos (from 1) of doubles within the range. */
function wave(w: Lane, x: number, from: 0 | 1): void {
  const { n, r, rest } = reduced(w, x);
  const { sin, cos } = quarterWave(w, r, rest);
  const turned = w.local();
  w.get(n).num(from).op("add").set(turned);
  w.choose(
    () => w.get(cos),
    () => w.get(sin),
    () => odd(w, turned, 0),
  );
  odd(w, turned, 1);
  w.num(-0).code.op("v128.and").op("v128.xor");
  if (from === 0) ownSine(w, x);
}

/** Small numbers are their own sine and tangent, -0 too. */
function ownSine(w: Lane, x: number): void {
  const y = w.local();
  w.set(y);
  w.choose(
    () => w.get(x),
    () => w.get(y),
    () =>
      w
        .get(x)
        .op("abs")
        .num(2 ** -27)
        .op("lt"),
  );
}

/** tan of doubles within the range: the ratio of sine and cosine, turned over for odd quarters. */
function slope(w: Lane, x: number): void {
  const { n, r, rest } = reduced(w, x);
  const { sin, cos } = quarterWave(w, r, rest);
  const [mask, minus] = w.locals(2);
  odd(w, n, 0);
  w.set(mask);
  w.get(cos).op("neg").set(minus);
  w.choose(
    () => w.get(minus),
    () => w.get(sin),
    () => w.get(mask),
  );
  w.choose(
    () => w.get(sin),
    () => w.get(cos),
    () => w.get(mask),
  ).op("div");
  ownSine(w, x);
}

/** A function of doubles on the lanes of either width; f32 goes through double and is rounded once. Lanes beyond the range ask the host. */
function inDouble(w: Lane, x: number, write: (double: Lane, x: number) => void, host: (lane: () => void) => void): void {
  const { code } = w;
  const narrow = w.wide === "f32x4";
  const [y, far] = w.locals(2);
  if (!narrow) {
    write(w, x);
    w.set(y);
  } else {
    const double = w.as("f64x2");
    const [low, high, part] = w.locals(3);
    code.get(x).op("f64x2.promote_low_f32x4").set(low);
    code.get(x).get(x).shuffle([8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15]).op("f64x2.promote_low_f32x4").set(high);
    write(double, low);
    code.op("f32x4.demote_f64x2_zero").set(part);
    write(double, high);
    code.op("f32x4.demote_f64x2_zero").set(y);
    code.get(part).get(y).shuffle([0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]).set(y);
  }
  // NaN and infinities are not within the range either.
  w.get(x).op("abs").num(largestAngle).op("le").code.op("v128.not").set(far);
  w.when(far, () => {
    const lanes = narrow ? 4 : 2;
    for (let lane = 0; lane < lanes; lane++) {
      code.get(far).lane(narrow ? "i32x4.extract_lane" : "i32x4.extract_lane", narrow ? lane : 2 * lane);
      code.if(() => {
        code.get(y);
        host(() => {
          code.get(x).lane(narrow ? "f32x4.extract_lane" : "f64x2.extract_lane", lane);
          if (narrow) code.op("f64.promote_f32");
        });
        if (narrow) code.op("f32.demote_f64");
        code.lane(narrow ? "f32x4.replace_lane" : "f64x2.replace_lane", lane).set(y);
      });
    }
  });
  w.get(y);
}

/** What a function that may ask the host is written with: the host's function on a plain number. */
export type Asked = (w: Lane, x: number, call: Call, host: (lane: () => void) => void) => void;

export const sine: Asked = (w, x, _, host) => inDouble(w, x, (d, v) => wave(d, v, 0), host);
export const cosine: Asked = (w, x, _, host) => inDouble(w, x, (d, v) => wave(d, v, 1), host);
export const tangent: Asked = (w, x, _, host) => inDouble(w, x, slope, host);

const arcs64 = [1.62858201153657823623e-2, -3.65315727442169155270e-2, 4.97687799461593236017e-2, -5.83357013379057348645e-2, 6.66107313738753120669e-2, -7.69187620504482999495e-2, 9.09088713343650656196e-2, -1.11111104054623557880e-1, 1.42857142725034663711e-1, -1.99999999998764832476e-1, 3.33333333333329318027e-1] as const; // biome-ignore format: one polynomial
const arcs32 = [6.1687607318e-2, -1.0648017377e-1, 1.4253635705e-1, -1.9999158382e-1, 3.3333328366e-1] as const;

/** atan by the nearest of 0, 1/2, 1, 3/2 and infinity, whose arcs are known in two pieces. */
export function arcTangent(w: Lane, x: number): void {
  const narrow = w.wide === "f32x4";
  const [size, up, down, high, low, z, t, mask] = w.locals(8);
  const highs = narrow
    ? [0.46364760399, 0.78539812565, 0.98279368877, 1.5707962513]
    : [4.63647609000806093515e-1, 7.85398163397448278999e-1, 9.82793723247329054082e-1, 1.570796326794896558];
  const lows = narrow ? [5.0121582440e-9, 3.7748947079e-8, 3.4473217170e-8, 7.5497894159e-8] : [2.26987774529616870924e-17, 3.06161699786838301793e-17, 1.39033110312309984516e-17, 6.12323399573676603587e-17]; // biome-ignore format: four numbers
  w.get(x).op("abs").tee(size).set(up);
  w.num(1).set(down).num(0).tee(high).set(low);
  const cases: readonly (readonly [number, () => void, () => void])[] = [
    [0.4375, () => w.get(size).get(size).op("add").num(1).op("sub"), () => w.num(2).get(size).op("add")],
    [0.6875, () => w.get(size).num(1).op("sub"), () => w.get(size).num(1).op("add")],
    [1.1875, () => w.get(size).num(1.5).op("sub"), () => w.get(size).num(1.5).op("mul").num(1).op("add")],
    [2.4375, () => w.num(-1), () => w.get(size)],
  ];
  cases.forEach(([from, above, below], i) => {
    w.get(size).num(from).op("ge").set(mask);
    const pick = (into: number, value: () => void): void => {
      w.choose(
        value,
        () => w.get(into),
        () => w.get(mask),
      ).set(into);
    };
    pick(up, above);
    pick(down, below);
    pick(high, () => w.num(highs[i]!));
    pick(low, () => w.num(lows[i]!));
  });
  w.get(up).get(down).op("div").tee(t).get(t).op("mul").set(z);
  // high - ((t z p - low) - t)
  w.get(high).get(t).get(z);
  w.polynomial(z, narrow ? arcs32 : arcs64);
  w.op("mul").op("mul").get(low).op("sub").get(t).op("sub").op("sub");
  w.get(x).num(-0).code.op("v128.and").op("v128.or").set(t);
  w.choose(
    () => w.get(t),
    () => w.get(x),
    () => w.get(x).get(x).op("eq"),
  );
}

/**
 * The angle of the point whose ordinate and abscissa are the parameters from `y` on: the arc tangent of the smaller magnitude over the larger, which is between 0
 * and pi / 4, taken off pi / 2 where the ordinate is the larger one, and off pi where the abscissa is negative.
 */
export function arcTangentOfTwo(w: Lane, y: number, call: Call): void {
  const x = y + 1;
  const narrow = w.wide === "f32x4";
  const top = narrow ? Math.fround(halfPi) : halfPi;
  const rest = narrow ? halfPi - top : halfPiRest;
  const [up, along, most, t] = w.locals(4);
  w.get(y).op("abs").set(up).get(x).op("abs").tee(along).get(up).op("max").set(most);
  w.get(up).get(along).op("min").get(most).op("div").set(t);
  // 0 / 0 is at no angle, and infinity / infinity half way.
  w.choose(
    () => w.get(most),
    () => w.get(t),
    () => w.get(most).num(0).op("eq"),
  ).set(t);
  w.choose(
    () => w.num(1),
    () => w.get(t),
    () => w.get(up).get(along).op("eq").get(most).num(Number.POSITIVE_INFINITY).op("eq").code.op("v128.and"),
  );
  call("atan");
  w.set(t);
  const off = (whole: number, left: number, mask: () => void): void => {
    w.choose(
      () => w.num(whole).get(t).num(left).op("sub").op("sub"),
      () => w.get(t),
      mask,
    ).set(t);
  };
  off(top, rest, () => w.get(up).get(along).op("gt"));
  off(2 * top, 2 * rest, () =>
    w
      .get(x)
      .code.int(narrow ? 31 : 63)
      .shift(narrow ? "i32x4.shr_s" : "i64x2.shr_s"),
  );
  w.get(t).get(y).num(-0).code.op("v128.and").op("v128.or");
}

const arcTop = [3.47933107596021167570e-5, 7.91534994289814532176e-4, -4.00555345006794114027e-2, 2.01212532134862925881e-1, -3.25565818622400915405e-1, 1.66666666666666657415e-1] as const; // biome-ignore format: one polynomial
const arcBottom = [7.70381505559019352791e-2, -6.88283971605453293030e-1, 2.02094576023350569471, -2.40339491173441421878, 1] as const; // biome-ignore format: one polynomial

/** For |x| < 1/2 z = x^2, else z = (1 - |x|) / 2: (asin(sqrt z) / sqrt z - 1) is a ratio of polynomials of both. */
function arcParts(w: Lane, x: number): { small: number; size: number; s: number; share: number; head: number; rest: number } {
  const [small, size, z, s, share, head, rest] = w.locals(7);
  w.get(x).op("abs").tee(size).num(0.5).op("lt").set(small);
  w.choose(
    () => w.get(x).get(x).op("mul"),
    () => w.num(1).get(size).op("sub").num(0.5).op("mul"),
    () => w.get(small),
  ).set(z);
  w.get(z).op("sqrt").set(s);
  w.get(z);
  w.polynomial(z, arcTop);
  w.op("mul");
  w.polynomial(z, arcBottom);
  w.op("div").set(share);
  // sqrt z = head + rest, the square of the head exact; both are 0 where z is.
  w.get(s).bits(-4294967296n).code.op("v128.and").set(head);
  w.choose(
    () => w.num(0),
    () => w.get(z).get(head).get(head).op("mul").op("sub").get(s).get(head).op("add").op("div"),
    () => w.get(z).num(0).op("eq"),
  ).set(rest);
  return { small, size, s, share, head, rest };
}

function doubleArcSine(w: Lane, x: number): void {
  const { small, size, s, share, head, rest } = arcParts(w, x);
  const y = w.local();
  // pi/4 - ((2 s share - (pi/2's rest - 2 rest)) - (pi/4 - 2 head)); near 1 the head is all there is to take off.
  w.num(halfPi / 2)
    .get(s)
    .get(s)
    .op("add")
    .get(share)
    .op("mul");
  w.num(halfPiRest).get(rest).get(rest).op("add").op("sub").op("sub");
  w.num(halfPi / 2)
    .get(head)
    .get(head)
    .op("add")
    .op("sub")
    .op("sub")
    .op("sub")
    .set(y);
  w.choose(
    () => w.num(halfPi).get(s).get(s).get(share).op("mul").op("add").num(2).op("mul").num(halfPiRest).op("sub").op("sub"),
    () => w.get(y),
    () => w.get(size).num(0.975).op("ge"),
  );
  w.get(x).num(-0).code.op("v128.and").op("v128.or").set(y);
  w.choose(
    () => w.get(x).get(x).get(share).op("mul").op("add"),
    () => w.get(y),
    () => w.get(small),
  );
}

function doubleArcCosine(w: Lane, x: number): void {
  const { small, s, share, head, rest } = arcParts(w, x);
  const y = w.local();
  w.choose(
    () => w.num(halfPi).get(s).get(share).get(s).op("mul").num(halfPiRest).op("sub").op("add").op("sub"),
    () => w.get(head).get(share).get(s).op("mul").get(rest).op("add").op("add"),
    () => w.get(x).num(0).op("lt"),
  );
  w.num(2).op("mul").set(y);
  w.choose(
    () => w.num(halfPi).get(x).num(halfPiRest).get(x).get(share).op("mul").op("sub").op("sub").op("sub"),
    () => w.get(y),
    () => w.get(small),
  );
}

export function arcSine(w: Lane, x: number): void {
  w.throughDouble(x, doubleArcSine);
}

export function arcCosine(w: Lane, x: number): void {
  w.throughDouble(x, doubleArcCosine);
}

/** sinh by e^|x| - 1; beyond the range of e^x in two halves. */
export function hyperbolicSine(w: Lane, x: number, call: Call): void {
  const [size, t, y, far] = w.locals(4);
  w.get(x).op("abs").tee(size);
  call("expm1");
  w.set(t);
  // 2 t - t^2 / (t + 1) below 1, t + t / (t + 1) above
  w.choose(
    () => w.get(t).get(t).op("add").get(t).get(t).op("mul").get(t).num(1).op("add").op("div").op("sub"),
    () => w.get(t).get(t).get(t).num(1).op("add").op("div").op("add"),
    () => w.get(size).num(1).op("lt"),
  );
  w.num(0.5).op("mul").set(y);
  overflowing(w, size, y, far, call);
  w.get(y).get(x).num(-0).code.op("v128.and").op("v128.or");
}

/** cosh by e^|x|, near 0 by e^|x| - 1; beyond the range of e^x in two halves. */
export function hyperbolicCosine(w: Lane, x: number, call: Call): void {
  const [size, t, y, far, e] = w.locals(5);
  w.get(x).op("abs").tee(size);
  call("exp");
  w.set(e);
  w.get(size);
  call("expm1");
  w.set(t);
  w.choose(
    () => w.num(1).get(t).get(t).op("mul").get(t).num(1).op("add").tee(far).get(far).op("add").op("div").op("add"),
    () => w.get(e).num(0.5).op("mul").num(0.5).get(e).op("div").op("add"),
    () => w.get(size).num(0.34).op("lt"),
  ).set(y);
  overflowing(w, size, y, far, call);
  w.get(y);
}

/** Where e^|x| is too large, y = e^(|x|/2) / 2 e^(|x|/2); infinities and NaN are their own results. */
function overflowing(w: Lane, size: number, y: number, far: number, call: Call): void {
  const e = w.local();
  w.get(size)
    .num(w.wide === "f32x4" ? 87 : 708)
    .op("le")
    .code.op("v128.not")
    .set(far);
  w.when(far, () => {
    w.get(size).num(0.5).op("mul");
    call("exp");
    w.set(e);
    w.choose(
      () => w.get(e).num(0.5).op("mul").get(e).op("mul"),
      () => w.get(y),
      () => w.get(far),
    ).set(y);
  });
}
