/*
 * erf and erfc by the rational approximations of fdlibm's s_erf.c, stated error below 1 ulp.
 *
 * Copyright (C) 1993 by Sun Microsystems, Inc. All rights reserved.
 * Developed at SunPro, a Sun Microsystems, Inc. business.
 * Permission to use, copy, modify, and distribute this software is freely granted, provided that this notice is preserved.
 */

/** erf(1) rounded to 24 bits; the middle interval is written as a correction to it. */
const ERX = 0.8450629115104675;

/** (erf(x) - x) / x for |x| < 0.84375, with z = x^2. */
function centre(z: number): number {
  const p =
    0.12837916709551256 + z * (-0.3250421072470015 + z * (-0.02848174957559851 + z * (-0.005770270296489442 + z * -2.3763016656650163e-5)));
  const q =
    1 +
    z *
      (0.39791722395915535 +
        z * (0.0650222499887673 + z * (0.005081306281875766 + z * (0.00013249473800432164 + z * -3.960228278775368e-6))));
  return p / q;
}

/** erf(1 + s) - ERX for 0.84375 <= 1 + s < 1.25. */
function shoulder(s: number): number {
  const p =
    -0.0023621185607526594 +
    s *
      (0.41485611868374833 +
        s *
          (-0.3722078760357013 +
            s * (0.31834661990116175 + s * (-0.11089469428239668 + s * (0.035478304325618236 + s * -0.002166375594868791)))));
  const q =
    1 +
    s *
      (0.10642088040084423 +
        s *
          (0.540397917702171 +
            s * (0.07182865441419627 + s * (0.12617121980876164 + s * (0.01363708391202905 + s * 0.011984499846799107)))));
  return p / q;
}

/** log(x exp(x^2) erfc(x)) + 0.5625 for 1.25 <= x < 1/0.35, with s = 1 / x^2. */
function nearTail(s: number): number {
  const p =
    -0.009864944034847148 +
    s *
      (-0.6938585727071818 +
        s *
          (-10.558626225323291 +
            s *
              (-62.375332450326006 +
                s * (-162.39666946257347 + s * (-184.60509290671104 + s * (-81.2874355063066 + s * -9.814329344169145))))));
  const q =
    1 +
    s *
      (19.651271667439257 +
        s *
          (137.65775414351904 +
            s *
              (434.56587747522923 +
                s *
                  (645.3872717332679 +
                    s * (429.00814002756783 + s * (108.63500554177944 + s * (6.570249770319282 + s * -0.0604244152148581)))))));
  return p / q;
}

/** The same as {@link nearTail} for 1/0.35 <= x < 28. */
function farTail(s: number): number {
  const p =
    -0.0098649429247001 +
    s *
      (-0.799283237680523 +
        s *
          (-17.757954917754752 +
            s * (-160.63638485582192 + s * (-637.5664433683896 + s * (-1025.0951316110772 + s * -483.5191916086514)))));
  const q =
    1 +
    s *
      (30.33806074348246 +
        s *
          (325.7925129965739 +
            s *
              (1536.729586084437 +
                s * (3199.8582195085955 + s * (2553.0504064331644 + s * (474.52854120695537 + s * -22.44095244658582))))));
  return p / q;
}

/** erfc(x) for 1.25 <= x < 28: the square is split so that exp sees an exact argument, and the rest comes as a small second factor. */
function tail(x: number): number {
  const s = 1 / (x * x);
  const ratio = x < 1 / 0.35 ? nearTail(s) : farTail(s);
  // fround keeps 24 bits, whose square is exact in a double.
  const head = Math.fround(x);
  return (Math.exp(-head * head - 0.5625) * Math.exp((head - x) * (head + x) + ratio)) / x;
}

/** The error function, 2/sqrt(pi) times the integral of exp(-t^2) from 0 to x. erf(±Infinity) = ±1; NaN gives NaN; keeps the sign of zero. */
export function erf(x: number): number {
  const size = Math.abs(x);
  if (size < 0.84375) {
    // 2/sqrt(pi) - 1, from 2^-28 down the series is its first term; scaling by 8 keeps subnormal results right.
    if (size < 2 ** -28) return size < 2.848094538889218e-306 ? 0.125 * (8 * x + 1.0270333367641007 * x) : x + 0.1283791670955126 * x;
    return x + x * centre(x * x);
  }
  let value: number;
  if (size < 1.25) value = ERX + shoulder(size - 1);
  else if (size < 6) value = 1 - tail(size);
  else if (size >= 6) value = 1;
  else return x;
  return x < 0 ? -value : value;
}

/** The complementary error function 1 - erf(x), with full relative accuracy in the right tail; 0 from about 27.3 on (underflow). NaN gives NaN. */
export function erfc(x: number): number {
  const size = Math.abs(x);
  if (size < 0.84375) {
    if (size < 2 ** -56) return 1 - x;
    const y = centre(x * x);
    return x < 0.25 ? 1 - (x + x * y) : 0.5 - (x - 0.5 + x * y);
  }
  if (size < 1.25) return x > 0 ? 1 - ERX - shoulder(size - 1) : 1 + (ERX + shoulder(size - 1));
  if (size < 28) {
    if (x > 0) return tail(x);
    return x < -6 ? 2 : 2 - tail(size);
  }
  if (x > 0) return 0;
  return x < 0 ? 2 : x;
}
