import type { Value } from "../ir/node.ts";
import type { Body, ForwardRegions } from "../ir/op.ts";
import { type Apply, placesOf, type Walk } from "./loop.ts";
import { zeroLike } from "./region.ts";

/** The forward rule: one loop over carries and their tangents side by side, so nothing is kept of the steps. */
export function pushScan(
  apply: Apply,
  length: Value | null,
  xs: readonly Value[],
  d: readonly (Value | null)[],
  body: Body,
  { fixed, carries, ...walk }: Omit<Walk, "length"> & { readonly fixed: number; readonly carries: number },
  regions: ForwardRegions,
): (Value | null)[] {
  const moving = d.map((t) => t !== null);
  let forward = regions.jvp(body, placesOf(moving));
  // A carry moves if it starts to or if the body moves it.
  for (let grows = true; grows; ) {
    grows = false;
    for (const o of forward.outputs)
      if (o < carries && !moving[fixed + o]) {
        moving[fixed + o] = true;
        grows = true;
      }
    if (grows) forward = regions.jvp(body, placesOf(moving));
  }
  const places = placesOf(moving);
  const holders = forward.body.inputs.slice(body.inputs.length);
  const between = (from: number, to: number): number[] => places.flatMap((p, k) => (p >= from && p < to ? [k] : []));
  const group = (from: number, to: number): { holders: Value[]; given: Value[] } => {
    const ks = between(from, to);
    return {
      holders: [...body.inputs.slice(from, to), ...ks.map((k) => holders[k]!)],
      given: [...xs.slice(from, to), ...ks.map((k) => d[places[k]!] ?? zeroLike(xs[places[k]!]!))],
    };
  };
  const first = group(0, fixed);
  const second = group(fixed, fixed + carries);
  const third = group(fixed + carries, xs.length);
  const movingCarries = placesOf(moving.slice(fixed, fixed + carries));
  const movingOuts = forward.outputs.filter((o) => o >= carries);
  const tangentOf = (o: number): Value => {
    const k = forward.outputs.indexOf(o);
    return k < 0 ? zeroLike(body.outputs[o]!) : forward.body.outputs[k]!;
  };
  const made = apply(
    {
      inputs: [...first.holders, ...second.holders, ...third.holders],
      outputs: [...body.outputs.slice(0, carries), ...movingCarries.map(tangentOf), ...movingOuts.map(tangentOf)],
    },
    first.given,
    second.given,
    third.given,
    { length, ...walk },
  );
  const spread = (values: readonly Value[]): (Value | null)[] =>
    Array.from({ length: carries }, (_, j) => values[carries + movingCarries.indexOf(j)] ?? null).map((v, j) =>
      movingCarries.includes(j) ? v : null,
    );
  const outs = Array.from({ length: body.outputs.length - carries }, (_, j) => made.outs[movingOuts.indexOf(carries + j)] ?? null);
  return [...spread(made.carries), ...outs, ...(walk.every === 0 ? [] : spread(made.saved))];
}
