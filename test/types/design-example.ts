import { compile, expr, f32, graph, read, reference, tensor, valueAndGrad } from "../../src/index.ts";

const types = { x: f32(64, 3), w: f32(3, 1), y: f32(64, 1) };
const fit = graph(types, ({ x, w, y }) => ({ loss: expr`mean((${x} @ ${w} - ${y})^2)` }));
const slope = graph(types, (i) => valueAndGrad(fit, { wrt: ["w"] })(i)); // prints, draws, exports, compiles
const program = await compile(slope, reference());
const { value, grad } = program.run({ x: tensor(new Float32Array(192), f32(64, 3)), w: [[1], [2], [3]], y: new Float32Array(64) });
console.log(read(value.loss), grad.w.data);
// @ts-expect-error: the graph has no input of this name
graph(types, (i) => valueAndGrad(fit, { wrt: ["v"] })(i));
// @ts-expect-error: the gradient is asked for w alone
console.log(grad.x);
