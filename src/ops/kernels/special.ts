export { erf, erfc } from "./error-function.ts";
export { lgamma, sinPi } from "./log-gamma.ts";
export { digamma, polygamma, trigamma } from "./polygamma.ts";
export { roundHalfEven } from "./round-half-even.ts";
