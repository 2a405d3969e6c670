import type { Call, Lane } from "./lane.ts";

/** e^(y log |x|) of doubles, with the signs and exceptions of IEEE 754's pow where y is an f32 number. */
function doublePower(w: Lane, x: number, y: number, call: Call): void {
  const [size, p, whole, test] = w.locals(4);
  w.get(x).op("abs").tee(size);
  call("log");
  w.get(y).op("mul");
  call("exp");
  w.set(p);
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

/** x^y of f32 lanes by way of double, rounded once. The host computes f64 powers. The parameters are x and y, in this order. */
export function power(w: Lane, x: number, call: Call): void {
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
    doublePower(double, a, b, call);
    code.op("f32x4.demote_f64x2_zero");
  };
  half(false);
  code.set(part);
  half(true);
  code.set(done);
  code.get(part).get(done).shuffle([0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]);
}
