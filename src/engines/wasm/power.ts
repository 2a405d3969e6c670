import type { Call, Lane } from "./lane.ts";

/** A product of doubles and what its rounding took away, by halves of 26 bits whose products are exact (Dekker, 1971). */
function exactProduct(w: Lane, a: number, b: number): readonly [number, number] {
  const [high, low, otherHigh, otherLow, p, rest] = w.locals(6);
  const halves = (x: number, up: number, down: number): void => {
    w.get(x).bits(-134217728n).code.op("v128.and").set(up);
    w.get(x).get(up).op("sub").set(down);
  };
  halves(a, high, low);
  halves(b, otherHigh, otherLow);
  w.get(a).get(b).op("mul").set(p);
  w.get(high).get(otherHigh).op("mul").get(p).op("sub").get(high).get(otherLow).op("mul").op("add");
  w.get(low).get(otherHigh).op("mul").op("add").get(low).get(otherLow).op("mul").op("add").set(rest);
  return [p, rest];
}

/**
 * log x of positive doubles as a sum of two, to 2^-62 of it: x = 2^e m, s = (m - 1) / (m + 1), log m = 2 s (1 + s^2 / 3 + s^4 / 5 + ...), in which s, s^2 and
 * s^2 / 3 are sums of two.
 */
function twofoldLog(w: Lane, x: number): readonly [number, number] {
  const { code } = w;
  const [scaled, e, tiny, f, over, under, s, rest] = w.locals(8);
  const [q, third, more, head, tail, high, low, sum] = w.locals(8);
  w.get(x)
    .num(2 ** -1022)
    .op("lt")
    .set(tiny);
  w.choose(
    () =>
      w
        .get(x)
        .num(2 ** 54)
        .op("mul"),
    () => w.get(x),
    () => w.get(tiny),
  ).set(scaled);
  w.get(scaled).bits(0x3fe6a09e667f3bcdn).code.op("i64x2.sub").int(52).shift("i64x2.shr_s").set(e);
  w.get(scaled).get(e).code.int(52).shift("i64x2.shl").op("i64x2.sub");
  w.num(1).op("sub").set(f);
  // A whole number added to the bits of 1.5 * 2^52 is one of its last places.
  w.get(e).bits(0x4338000000000000n).code.op("i64x2.add");
  w.num(6755399441055744).op("sub").get(tiny).num(54).code.op("v128.and");
  w.op("sub").set(e);
  w.get(f).num(2).op("add").tee(over).num(2).op("sub").set(under);
  w.get(f).get(under).op("sub").set(under);
  w.get(f).get(over).op("div").set(s);
  const [p, lost] = exactProduct(w, s, over);
  w.get(f).get(p).op("sub").get(lost).op("sub").get(s).get(under).op("mul").op("sub").get(over).op("div").set(rest);
  const [z, zLost] = exactProduct(w, s, s);
  w.get(zLost).get(s).get(s).op("add").get(rest).op("mul").op("add").set(zLost);
  w.get(z).get(z).op("mul");
  w.polynomial(
    z,
    Array.from({ length: 12 }, (_, i) => 1 / (27 - 2 * i)),
  );
  w.op("mul").set(q);
  w.num(1 / 3).set(third);
  const [u, uLost] = exactProduct(w, z, third);
  w.get(uLost).get(z).num(1.850371707708594e-17).op("mul").op("add").get(zLost).get(third).op("mul").op("add").set(uLost);
  w.get(u).get(q).op("add").set(more);
  w.get(q).get(more).get(u).op("sub").op("sub").get(uLost).op("add").set(uLost);
  const [v, vLost] = exactProduct(w, s, more);
  w.get(vLost).get(s).get(uLost).op("mul").op("add").get(rest).get(more).op("mul").op("add").set(vLost);
  w.get(s).get(s).op("add").tee(head).get(v).get(v).op("add").tee(tail).op("add").set(sum);
  w.get(tail).get(sum).get(head).op("sub").op("sub").get(rest).get(vLost).op("add").num(2).op("mul").op("add").set(tail);
  // e ln 2, whose first 32 bits times e are exact.
  w.get(e).num(0.6931471803691238).op("mul").tee(head).get(sum).op("add").set(high);
  w.get(high).get(head).op("sub").set(low);
  w.get(head).get(high).get(low).op("sub").op("sub").get(sum).get(low).op("sub").op("add").get(tail).op("add");
  w.get(e).num(1.9082149292705877e-10).op("mul").op("add").get(e).num(1.1612227229362532e-26).op("mul").op("add").set(low);
  w.get(high).get(low).op("add").set(sum);
  w.get(high).get(sum).op("sub").get(low).op("add").set(low);
  code.get(sum).set(high);
  return [high, low];
}

/** e^(y log x) of positive doubles, within two units in the last place; 0, infinity and NaN are powers too. */
function exactPower(w: Lane, x: number, y: number, call: Call, into: number): void {
  const [held, first, rest] = w.locals(3);
  const [high, low] = twofoldLog(w, x);
  // Beyond 2^100 the power of every number but 1 has left the range.
  w.get(y)
    .num(2 ** 100)
    .op("pmin")
    .num(-(2 ** 100))
    .op("pmax")
    .set(held);
  const [p, lost] = exactProduct(w, held, high);
  w.get(lost).get(held).get(low).op("mul").op("add").set(lost);
  w.get(p).get(lost).op("add").tee(first);
  call("exp");
  w.set(into);
  w.get(p).get(first).op("sub").get(lost).op("add").set(rest);
  w.choose(
    () => w.get(into).get(rest).op("mul").get(into).op("add"),
    () => w.get(into),
    () => w.get(into).num(Number.POSITIVE_INFINITY).op("lt"),
  ).set(into);
  for (const [base, down, up] of [
    [0, Number.POSITIVE_INFINITY, 0],
    [Number.POSITIVE_INFINITY, 0, Number.POSITIVE_INFINITY],
  ] as const)
    w.choose(
      () =>
        w.choose(
          () => w.num(down),
          () => w.num(up),
          () => w.get(y).num(0).op("lt"),
        ),
      () => w.get(into),
      () => w.get(x).num(base).op("eq").get(y).get(y).op("eq").code.op("v128.and"),
    ).set(into);
  w.choose(
    () => w.get(into),
    () => w.num(Number.NaN),
    () => w.get(x).get(x).op("eq").get(y).get(y).op("eq").code.op("v128.and"),
  ).set(into);
}

/** e^(y log |x|) of doubles, with the signs and exceptions of IEEE 754's pow where y is an f32 number. `exact`: for doubles that are more than f32 numbers. */
function doublePower(w: Lane, x: number, y: number, call: Call, exact: boolean): void {
  const [size, p, whole, test] = w.locals(4);
  w.get(x).op("abs").set(size);
  if (exact) exactPower(w, size, y, call, p);
  else {
    w.get(size);
    call("log");
    w.get(y).op("mul");
    call("exp");
    w.set(p);
  }
  const pick = (value: () => void, mask: () => void): void => {
    w.choose(value, () => w.get(p), mask).set(p);
  };
  // 1^y and x^0 are 1 whatever the other is, (-1)^y is 1 or -1.
  pick(
    () => w.num(1),
    () => w.get(size).num(1).op("eq").get(y).get(y).op("eq").code.op("v128.and"),
  );
  // A negative base: odd whole exponents keep its sign, fractions have no power.
  w.get(y).op("floor").get(y).op("eq").set(whole);
  w.get(y).num(0.5).op("mul").op("floor").num(2).op("mul").get(y).op("ne").get(whole).code.op("v128.and");
  w.get(x).code.op("v128.and");
  w.num(-0).code.op("v128.and").set(test);
  w.get(p).get(test).code.op("v128.xor").set(p);
  pick(
    () => w.num(Number.NaN),
    () => w.get(x).num(0).op("lt").get(size).num(Number.POSITIVE_INFINITY).op("lt").code.op("v128.and").get(whole).op("v128.andnot"),
  );
  pick(
    () => w.num(1),
    () => w.get(x).num(1).op("eq").get(y).num(0).op("eq").code.op("v128.or"),
  );
  w.get(p);
}

/** x^y: f32 lanes by way of double, rounded once. The parameters are x and y, in this order. */
export function power(w: Lane, x: number, call: Call): void {
  if (w.wide === "f64x2") {
    doublePower(w, x, x + 1, call, true);
    return;
  }
  const { code } = w;
  const double = w.as("f64x2");
  const [a, b, part, done] = w.locals(4);
  const y = x + 1;
  const half = (high: boolean): void => {
    for (const [from, to] of [
      [x, a],
      [y, b],
    ] as const) {
      code.get(from);
      if (high) code.get(from).shuffle([8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15]);
      code.op("f64x2.promote_low_f32x4").set(to);
    }
    doublePower(double, a, b, call, false);
    code.op("f32x4.demote_f64x2_zero");
  };
  half(false);
  code.set(part);
  half(true);
  code.set(done);
  code.get(part).get(done).shuffle([0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]);
}
