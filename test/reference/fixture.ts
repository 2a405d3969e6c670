import { readFileSync } from "node:fs";
import { type DType, type Tensor, tensor } from "../../src/index.ts";
import { tensorType } from "../../src/ir/type.ts";

/** A number as the fixtures write it: JSON has no NaN, no infinities and no sign of zero that survives every reader. */
export type StoredNumber = number | "NaN" | "Infinity" | "-Infinity" | "-0";

/** A tensor as the fixtures write it: flat, row-major. */
export interface StoredTensor {
  readonly shape: readonly number[];
  readonly data: readonly StoredNumber[];
  readonly dtype: DType;
}

/** The content of a file of `test/fixtures/reference`. */
export interface Fixture<C> {
  readonly about: Readonly<Record<string, unknown>>;
  readonly cases: readonly C[];
}

/** Reads one file of reference cases. */
export function fixture<C>(name: string): Fixture<C> {
  return JSON.parse(readFileSync(new URL(`../fixtures/reference/${name}.json`, import.meta.url), "utf8")) as Fixture<C>;
}

/** A stored number as a number. */
export function numberFrom(stored: StoredNumber): number {
  return Number(stored);
}

/** A stored tensor as a Tensor of its dtype. */
export function tensorFrom({ shape, data, dtype }: StoredTensor): Tensor {
  return tensor(Float64Array.from(data, numberFrom), tensorType(dtype, shape));
}

/** Attributes with their stored numbers read. */
export function attributesFrom(stored: unknown): unknown {
  if (Array.isArray(stored)) return stored.map(attributesFrom);
  if (typeof stored === "object" && stored !== null)
    return Object.fromEntries(Object.entries(stored).map(([name, part]) => [name, attributesFrom(part)]));
  return stored === "NaN" || stored === "Infinity" || stored === "-Infinity" || stored === "-0" ? numberFrom(stored) : stored;
}

/** Whether this is a stored tensor and no record or list of them. */
export function isStoredTensor(x: unknown): x is StoredTensor {
  return typeof x === "object" && x !== null && "data" in x && "dtype" in x;
}

/** The stored tensors of a record or list, with their paths; null where nothing is stored. */
export function storedLeaves(tree: unknown, path = ""): { readonly path: string; readonly stored: StoredTensor | null }[] {
  if (tree === null) return [{ path, stored: null }];
  if (isStoredTensor(tree)) return [{ path, stored: tree }];
  return Object.entries(tree as object).flatMap(([key, part]) => storedLeaves(part, path === "" ? key : `${path}.${key}`));
}
