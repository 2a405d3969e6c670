import type { Call, Lane } from "./lane.ts";

/*
 * f64: the rational approximations of fdlibm's s_erf.c, as in `ops/kernels/error-function.ts`, highest power first.
 * Copyright (C) 1993 by Sun Microsystems, Inc. All rights reserved. Developed at SunPro, a Sun Microsystems, Inc. business.
 * Permission to use, copy, modify, and distribute this software is freely granted, provided that this notice is preserved.
 */
const centre = [
  [-2.3763016656650163e-5, -0.005770270296489442, -0.02848174957559851, -0.3250421072470015, 0.12837916709551256],
  [-3.960228278775368e-6, 0.00013249473800432164, 0.005081306281875766, 0.0650222499887673, 0.39791722395915535, 1],
] as const;
const shoulder = [
  [-0.002166375594868791, 0.035478304325618236, -0.11089469428239668, 0.31834661990116175, -0.3722078760357013, 0.41485611868374833, -0.0023621185607526594],
  [0.011984499846799107, 0.01363708391202905, 0.12617121980876164, 0.07182865441419627, 0.540397917702171, 0.10642088040084423, 1],
] as const; // biome-ignore format: two polynomials
const nearTail = [
  [-9.814329344169145, -81.2874355063066, -184.60509290671104, -162.39666946257347, -62.375332450326006, -10.558626225323291, -0.6938585727071818, -0.009864944034847148],
  [-0.0604244152148581, 6.570249770319282, 108.63500554177944, 429.00814002756783, 645.3872717332679, 434.56587747522923, 137.65775414351904, 19.651271667439257, 1],
] as const; // biome-ignore format: two polynomials
const farTail = [
  [-483.5191916086514, -1025.0951316110772, -637.5664433683896, -160.63638485582192, -17.757954917754752, -0.799283237680523, -0.0098649429247001],
  [-22.44095244658582, 474.52854120695537, 2553.0504064331644, 3199.8582195085955, 1536.729586084437, 325.7925129965739, 30.33806074348246, 1],
] as const; // biome-ignore format: two polynomials

function ratio(w: Lane, x: number, [p, q]: readonly [readonly number[], readonly number[]]): void {
  w.polynomial(x, p);
  w.polynomial(x, q);
  w.op("div");
}

function wide(w: Lane, x: number, call: Call): void {
  const [size, s, y, z, mask, head, share] = w.locals(7);
  w.get(x).op("abs").tee(size).get(size).op("mul").set(s);
  w.get(size).get(size);
  ratio(w, s, centre);
  w.op("mul").op("add").set(y);
  w.get(size).num(0.84375).op("ge").set(mask);
  w.when(mask, () => {
    w.get(size).num(1).op("sub").set(s);
    w.choose(
      () => {
        w.num(0.8450629115104675);
        ratio(w, s, shoulder);
        w.op("add");
      },
      () => w.get(y),
      () => w.get(mask),
    ).set(y);
    w.get(size).num(1.25).op("ge").set(mask);
    w.when(mask, () => {
      // From 6 on the result is 1.
      w.get(size).num(6).op("min").set(z);
      w.num(1).get(z).get(z).op("mul").op("div").set(s);
      ratio(w, s, nearTail);
      w.set(share);
      w.get(z)
        .num(1 / 0.35)
        .op("ge")
        .set(head);
      w.when(head, () => {
        w.choose(
          () => ratio(w, s, farTail),
          () => w.get(share),
          () => w.get(head),
        ).set(share);
      });
      // The head has 24 bits or so, and its square is exact.
      w.get(z).bits(-4294967296n).code.op("v128.and").set(head);
      w.num(1).num(-0.5625).get(head).get(head).op("mul").op("sub");
      call("exp");
      w.get(head).get(z).op("sub").get(head).get(z).op("add").op("mul").get(share).op("add");
      call("exp");
      w.op("mul").get(z).op("div").op("sub").set(share);
      w.choose(
        () => w.get(share),
        () => w.get(y),
        () => w.get(mask),
      ).set(y);
    });
  });
  w.get(y).get(x).num(-0).code.op("v128.and").op("v128.or").set(y);
  w.choose(
    () => w.get(y),
    () => w.get(x),
    () => w.get(x).get(x).op("eq"),
  );
}

/**
 * erf. f64: fdlibm. f32: two polynomials, erf(x) = x + x p(x^2) up to 0.92, and 1 - e^q(|x|) from there on; minimax coefficients by Norbert Juffa,
 * "Efficient implementation of the error function" (public posts, BSD licence).
 */
export function errorFunction(w: Lane, x: number, call: Call): void {
  if (w.wide === "f64x2") {
    wide(w, x, call);
    return;
  }
  const [t, s, y, mask] = w.locals(4);
  w.get(x).op("abs").num(4).op("min").set(t);
  w.get(x).get(x).op("mul").set(s);
  w.polynomial(s, [-5.96761703e-4, 4.99119423e-3, -2.67681349e-2, 1.12819925e-1, -3.76125336e-1, 1.28379166e-1]);
  w.get(x).op("mul").get(x).op("add").set(y);
  w.get(t).num(0.927734375).op("gt").set(mask);
  w.when(mask, () => {
    w.num(1);
    w.polynomial(t, [-1.7285347e-5, 3.83197126e-4, -3.88396438e-3, 2.42546219e-2, -1.06777877e-1, -6.34846687e-1, -1.28717512e-1]);
    w.get(t).op("mul").get(t).op("sub");
    call("exp");
    w.op("sub").get(x).num(-0).code.op("v128.and").op("v128.or").set(s);
    w.choose(
      () => w.get(s),
      () => w.get(y),
      () => w.get(mask),
    ).set(y);
  });
  w.get(y);
}
