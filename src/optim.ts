export { type AdamNumbers, adam, adamW } from "./optim/adam.ts";
export type { CommonOptions, Group } from "./optim/by-rule.ts";
export { type Optimizer, type OptimizerState, type OptimizerStep, stepCount } from "./optim/optimizer.ts";
export { type Plateau, type PlateauOptions, plateau } from "./optim/plateau.ts";
export type { Rate } from "./optim/rate.ts";
export { type SgdNumbers, sgd } from "./optim/sgd.ts";
