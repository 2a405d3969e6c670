import { centre, type Ratio, shoulder, tail } from "../../random/quantile-terms.ts";
import type { Lane } from "./lane.ts";

/*
 * The quantile of the normal distribution with the operations of `random/inverse-normal.ts` in their order, so that the bits are the same: Wichura's
 * AS 241, and the logarithm of fdlibm's e_log.c.
 * Copyright (C) 1993 by Sun Microsystems, Inc. All rights reserved. Developed at SunSoft, a Sun Microsystems, Inc. business.
 * Permission to use, copy, modify, and distribute this software is freely granted, provided that this notice is preserved.
 */
function ratio(w: Lane, x: number, [p, q]: Ratio): void {
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
