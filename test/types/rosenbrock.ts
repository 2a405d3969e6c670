import { at, evaluate, expr, grad, hessian, jit, read, tensor, type Value } from "../../src/index.ts";
import { minimize } from "../../src/optim.ts";
import { wasm } from "../../src/wasm.ts";

const rosen = ({ x, y }: { x: Value; y: Value }) => expr`(1 - ${x})^2 + 100 * (${y} - ${x}^2)^2`;
const slope = grad(rosen)({ x: -1.2, y: 1 }); // numbers are operands
console.log(read(slope.x), read(slope.y)); // -215.6 -88
const fast = jit(grad(rosen), wasm()); // traced once per shapes, then compiled
console.log(read(fast({ x: -1.2, y: 1 }).x));
const best = minimize(rosen, { x: -1.2, y: 1 }, { method: "lbfgs" });
console.log(read(best.at.x), best.value, best.reason);
// the vector style
const rosenV = (p: Value) => expr`(1 - ${at(p, 0)})^2 + 100 * (${at(p, 1)} - ${at(p, 0)}^2)^2`;
console.log(evaluate(hessian(rosenV)(tensor([-1.2, 1]))).data, minimize(rosenV, tensor([-1.2, 1])).at.data);
// an interface (no index signature) is as good a tree as a type alias
interface Point {
  x: Value;
  y: Value;
}
const h = grad((p: Point) => rosen(p))({ x: 1, y: 1 });
console.log(read(h.y));
// second derivative of a scalar function, by composing
console.log(read(grad(grad((t: Value) => expr`sin(${t})`))(0.3)));
// @ts-expect-error: a plain list is not a vector operand: tensor([-1.2, 1])
grad(rosenV)([-1.2, 1]);
// @ts-expect-error: y is missing
grad(rosen)({ x: 1 });
// @ts-expect-error: a number function cannot be traced
grad((t: number) => t * t);
