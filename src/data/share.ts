import type { Batches } from "./batches.ts";

/** Which rows of a batch are wanted, from one and up to another, by how many it has. */
export type Cut = (rows: number) => readonly [from: number, to: number];

/** Some rows of a batch, and how many the whole batch has. */
export interface Part<B> {
  readonly batch: B;
  readonly rows: number;
}

/** The batches of a pass, some rows of each. */
export type Parts<B> = (n: number, from: number, cut: Cut) => Iterable<Part<B>> | AsyncIterable<Part<B>>;

/** Sources that read no more rows than are wanted. Kept aside: a source is often copied into another one, `{ ...source, pass }`, which may not do so. */
const able: WeakMap<object, Parts<unknown>> = /* @__PURE__ */ new WeakMap();

/** A source with the way to read some rows of its batches alone. */
export function withParts<S extends Batches<B>, B>(source: S, parts: Parts<B>): S {
  able.set(source, parts as Parts<unknown>);
  return source;
}

/** How a source reads some rows of its batches alone, or null where it cannot: then whole batches are read, and cut. */
export function partsOf<B>(source: Batches<B>): Parts<B> | null {
  return (able.get(source) as Parts<B> | undefined) ?? null;
}
