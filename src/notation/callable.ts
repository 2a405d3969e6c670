import type { Item } from "./item.ts";

/** The keywords of a call, in order. */
export type Keywords = ReadonlyMap<string, Item>;

/** What a name in call position means. */
export type Callable = (operands: readonly Item[], keywords: Keywords) => Item;

/** A function of the library as it stands in the table of ops: an op, or a function made of ops. */
export type OpFunction = (...args: unknown[]) => unknown;
