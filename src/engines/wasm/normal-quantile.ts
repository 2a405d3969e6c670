import type { Lane } from "./lane.ts";

/*
 * The quantile of the normal distribution with the operations of `random/inverse-normal.ts` in their order, so that the bits are the same: Wichura's
 * AS 241, and the logarithm of fdlibm's e_log.c.
 * Copyright (C) 1993 by Sun Microsystems, Inc. All rights reserved. Developed at SunSoft, a Sun Microsystems, Inc. business.
 * Permission to use, copy, modify, and distribute this software is freely granted, provided that this notice is preserved.
 */
const centre = [
  [2509.0809287301227, 33430.57558358813, 67265.7709270087, 45921.95393154987, 13731.69376550946, 1971.5909503065513, 133.14166789178438, 3.3871328727963665],
  [5226.495278852854, 28729.085735721943, 39307.89580009271, 21213.794301586597, 5394.196021424751, 687.1870074920579, 42.31333070160091, 1],
] as const; // biome-ignore format: two polynomials
const shoulder = [
  [7.745450142783414e-4, 0.022723844989269184, 0.2417807251774506, 1.2704582524523684, 3.6478483247632045, 5.769497221460691, 4.630337846156546, 1.4234371107496835],
  [1.0507500716444169e-9, 5.475938084995345e-4, 0.015198666563616457, 0.14810397642748008, 0.6897673349851, 1.6763848301838038, 2.053191626637759, 1],
] as const; // biome-ignore format: two polynomials
const tail = [
  [2.0103343992922881e-7, 2.7115555687434876e-5, 0.0012426609473880784, 0.026532189526576124, 0.29656057182850487, 1.7848265399172913, 5.463784911164114, 6.657904643501103],
  [2.0442631033899397e-15, 1.421511758316446e-7, 1.8463183175100547e-5, 7.868691311456133e-4, 0.014875361290850615, 0.1369298809227358, 0.599832206555888, 1],
] as const; // biome-ignore format: two polynomials

function ratio(w: Lane, x: number, [p, q]: readonly [readonly number[], readonly number[]]): void {
  w.horner(x, p);
  w.horner(x, q);
  w.op("div");
}

/** `portableLog` of normal numbers in (0, 1]. */
function logarithm(w: Lane, x: number): void {
  const [e, m, f, s, z, v, half] = w.locals(7);
  const { code } = w;
  // The exponent that brings the mantissa between sqrt(1/2) and sqrt(2), as the halving there does.
  w.get(x).bits(0x3fe6a09e667f3bcdn).code.op("i64x2.sub").int(52).shift("i64x2.shr_s").set(e);
  w.get(x).get(e).code.int(52).shift("i64x2.shl").op("i64x2.sub").set(m);
  w.get(e).bits(0x4338000000000000n).code.op("i64x2.add");
  w.num(6755399441055744).op("sub").set(e);
  w.get(m).num(1).op("sub").tee(f).num(2).get(f).op("add").op("div").set(s);
  w.get(s).get(s).op("mul").tee(z).get(z).op("mul").set(v);
  w.num(0.5).get(f).op("mul").get(f).op("mul").set(half);
  // k high - ((half - (s (half + even + odd) + k low)) - f)
  w.get(e).num(0.6931471803691238).op("mul").get(half);
  w.get(s).get(half).get(v);
  w.horner(v, [0.15313837699209373, 0.22222198432149784, 0.3999999999940942]);
  w.op("mul").op("add").get(z);
  w.horner(v, [0.14798198605116586, 0.1818357216161805, 0.2857142874366239, 0.6666666666666735]);
  w.op("mul").op("add").op("mul").get(e).num(1.9082149292705877e-10).op("mul").op("add").op("sub").get(f).op("sub").op("sub");
  code.op("f64x2.neg");
}

/** The x below which a standard normal variable lies with probability p, 0 < p < 1, in two lanes. */
export function inverseNormal(w: Lane, p: number): void {
  const [q, r, y, side, far, t] = w.locals(6);
  w.get(p).num(0.5).op("sub").set(q);
  w.num(0.180625).get(q).get(q).op("mul").op("sub").set(r);
  w.get(q);
  ratio(w, r, centre);
  w.op("mul").set(y);
  w.get(q).op("abs").num(0.425).op("gt").set(side);
  w.when(side, () => {
    w.choose(
      () => w.get(p),
      () => w.num(1).get(p).op("sub"),
      () => w.get(q).num(0).op("lt"),
    ).set(t);
    logarithm(w, t);
    w.op("sqrt").tee(r).num(1.6).op("sub").set(t);
    const size = w.local();
    ratio(w, t, shoulder);
    w.set(size);
    w.get(r).num(5).op("gt").set(far);
    w.when(far, () => {
      w.get(r).num(5).op("sub").set(t);
      w.choose(
        () => ratio(w, t, tail),
        () => w.get(size),
        () => w.get(far),
      ).set(size);
    });
    w.get(size).get(q).num(-0).code.op("v128.and").op("v128.xor").set(size);
    w.choose(
      () => w.get(size),
      () => w.get(y),
      () => w.get(side),
    ).set(y);
  });
  w.get(y);
}
