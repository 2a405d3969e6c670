import type { NumberArray } from "../ir/dtype.ts";
import { fillPermutation } from "./fill.ts";
import { mostPlaces, type OrderModule, orderModule } from "./order-module.ts";

/** Fewer places are not worth a call. */
const leastPlaces = 32;
/** Places after which it is likely that as many come again: a module takes as long to make as it saves of so many. */
const enough = 65536;

let places = 0;
/** Null where there can be none, undefined as long as nobody needed it. */
let module: OrderModule | null | undefined;
/** The places of the last order in the module's memory. */
let last: Int32Array | null = null;

/** Writes the permutation of a key as `fillPermutation` does, the very same; in about half of the time once many have been asked for. */
export function fillOrder(key: NumberArray, dst: Int32Array): void {
  places += dst.length;
  if (places < enough || dst.length < leastPlaces || dst.length > mostPlaces) {
    fillPermutation(key, dst);
    return;
  }
  if (module === undefined) module = orderModule();
  if (module === null) {
    fillPermutation(key, dst);
    return;
  }
  module.order(key[0]!, key[1]!, dst.length);
  if (last?.length !== dst.length) last = new Int32Array(module.memory.buffer, 0, dst.length);
  dst.set(last);
}
