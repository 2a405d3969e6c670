/** A layer: a function of (parameters, x), with the function beside it that makes the parameters. It holds nothing. */
export type WithInit<F, I> = F & { readonly init: I };

/** A layer function and its `init` as one. */
/* @__NO_SIDE_EFFECTS__ */
export function withInit<F extends object, I>(layer: F, init: I): WithInit<F, I> {
  return Object.assign(layer, { init });
}
