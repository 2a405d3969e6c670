/*
 * log |Gamma(x)| by the approximations of fdlibm's e_lgamma_r.c.
 *
 * Copyright (C) 1993 by Sun Microsystems, Inc. All rights reserved.
 * Developed at SunSoft, a Sun Microsystems, Inc. business.
 * Permission to use, copy, modify, and distribute this software is freely granted, provided that this notice is preserved.
 */
import { horner } from "./horner.ts";

/** Where lgamma has its minimum on the positive axis, its value there as TF, and minus the tail of that value as TT. */
const TC = 1.4616321449683622;
const TF = -0.12148629053584961;
const TT = -3.638676997039505e-18;

/** lgamma(2 - y) for small y. */
function belowTwo(y: number): number {
  const z = y * y;
  const even =
    0.07721566490153287 +
    z *
      (0.06735230105312927 +
        z * (0.007385550860814029 + z * (0.0011927076318336207 + z * (0.00022086279071390839 + z * 2.5214456545125733e-5))));
  const odd =
    z *
    (0.3224670334241136 +
      z *
        (0.020580808432516733 +
          z * (0.0028905138367341563 + z * (0.0005100697921535113 + z * (0.00010801156724758394 + z * 4.4864094961891516e-5)))));
  return y * even + odd - 0.5 * y;
}

/** lgamma(TC + y) for small y. */
function aroundMinimum(y: number): number {
  const z = y * y;
  const w = z * y;
  const p1 =
    0.48383612272381005 +
    w * (-0.032788541075985965 + w * (0.006100538702462913 + w * (-0.0014034646998923284 + w * 0.00031563207090362595)));
  const p2 =
    -0.1475877229945939 +
    w * (0.01797067508118204 + w * (-0.0036845201678113826 + w * (0.000881081882437654 + w * -0.00031275416837512086)));
  const p3 =
    0.06462494023913339 +
    w * (-0.010314224129834144 + w * (0.0022596478090061247 + w * (-0.0005385953053567405 + w * 0.0003355291926355191)));
  return TF + (z * p1 - (TT - w * (p2 + y * p3)));
}

/** lgamma(1 + y) for small y. */
function aboveOne(y: number): number {
  const p =
    y *
    (-0.07721566490153287 +
      y *
        (0.6328270640250934 + y * (1.4549225013723477 + y * (0.9777175279633727 + y * (0.22896372806469245 + y * 0.013381091853678766)))));
  const q =
    1 +
    y * (2.4559779371304113 + y * (2.128489763798934 + y * (0.7692851504566728 + y * (0.10422264559336913 + y * 0.003217092422824239))));
  return -0.5 * y + p / q;
}

/** lgamma(x) for 0 < x < 2; below 0.9 by lgamma(x) = lgamma(x + 1) - log(x). */
function onZeroToTwo(x: number): number {
  if (x <= 0.9) {
    const log = Math.log(x);
    if (x >= 0.7316) return belowTwo(1 - x) - log;
    if (x >= 0.23164) return aroundMinimum(x - (TC - 1)) - log;
    return aboveOne(x) - log;
  }
  if (x >= 1.7316) return belowTwo(2 - x);
  if (x >= 1.23164) return aroundMinimum(x - TC);
  return aboveOne(x - 1);
}

/** lgamma(x) for 2 < x < 8, carried down to [2, 3) by Gamma(x + 1) = x Gamma(x). */
function upToEight(x: number): number {
  const whole = Math.floor(x);
  const y = x - whole;
  const p =
    y *
    (-0.07721566490153287 +
      y *
        (0.21498241596060885 +
          y *
            (0.325778796408931 +
              y * (0.14635047265246445 + y * (0.02664227030336386 + y * (0.0018402845140733772 + y * 3.194753265841009e-5))))));
  const q =
    1 +
    y *
      (1.3920053346762105 +
        y *
          (0.7219355475671381 +
            y * (0.17193386563280308 + y * (0.01864591917156529 + y * (0.0007779424963818936 + y * 7.326684307446256e-6)))));
  let product = 1;
  for (let step = whole - 1; step >= 2; step--) product *= y + step;
  return 0.5 * y + p / q + Math.log(product);
}

/** What Stirling's series has after log(2 pi) / 2, divided by z = 1 / x, by powers of z^2. */
export const stirlingSeries: readonly number[] = [
  0.08333333333333297, -0.0027777777772877554, 0.0007936505586430196, -0.00059518755745034, 0.0008363399189962821, -0.0016309293409657527,
];

/** Stirling's series for x >= 8. */
function stirling(x: number): number {
  if (x >= 2 ** 58) return x * (Math.log(x) - 1);
  const z = 1 / x;
  return (x - 0.5) * (Math.log(x) - 1) + (0.4189385332046727 + z * horner(z * z, stirlingSeries));
}

/** sin(pi x), with the argument reduced before pi comes in, so that it is exactly 0 at integers and accurate beside them. */
export function sinPi(x: number): number {
  const r = x - 2 * Math.round(x / 2);
  const size = Math.abs(r);
  const value = size <= 0.25 ? Math.sin(Math.PI * size) : size <= 0.75 ? Math.cos(Math.PI * (0.5 - size)) : Math.sin(Math.PI * (1 - size));
  return r < 0 ? -value : value;
}

/**
 * log |Gamma(x)|, as C's and PyTorch's lgamma: +Infinity at the poles 0, -1, -2, ... and at both infinities; NaN gives NaN.
 * For negative x by the reflection Gamma(x) Gamma(-x) = -pi / (x sin(pi x)). Relative error a few ulp, except beside the zeros on the
 * negative axis, where the error is absolute, a few ulp of 1.
 */
export function lgamma(x: number): number {
  if (Number.isNaN(x)) return x;
  if (x === 1 || x === 2) return 0;
  if (Math.abs(x) === Infinity || x === 0) return Infinity;
  if (Math.abs(x) < 2 ** -70) return -Math.log(Math.abs(x));
  if (x > 0) return x < 2 ? onZeroToTwo(x) : x < 8 ? upToEight(x) : stirling(x);
  const sine = Math.abs(sinPi(x));
  if (sine === 0) return Infinity;
  return Math.log(Math.PI / (sine * -x)) - lgamma(-x);
}
