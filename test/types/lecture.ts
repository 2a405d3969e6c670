import { add, draw, explain, expr, gradients, mul, read, variable } from "../../src/index.ts";

const x = variable(-2, "x"),
  y = variable(5, "y"),
  z = variable(-4, "z");
const q = add(x, y),
  f = mul(q, z);
const same = expr`(${x} + ${y}) * ${z}`;
const { dx, dz, dq } = gradients(f, { dx: x, dz: z, dq: q }); // any value may be asked about, not only leaves
console.log(read(f), read(same), read(dx), read(dz), read(dq)); // -12 -12 -4 3 -4
console.log(explain(f).text(), draw(f, { format: "svg" }));
// @ts-expect-error: names are kept: there is no dy
gradients(f, { dx: x }).dy;
