import { constantOf } from "../../ir/leaf.ts";
import type { Value } from "../../ir/node.ts";
import { sizeOf } from "../../ir/shape.ts";
import { hold } from "../../ir/tensor.ts";
import { tensorType } from "../../ir/type.ts";
import { equal } from "../elementwise/comparison.ts";
import { where } from "../elementwise/select.ts";

/**
 * `read` where its update is the one that stayed, 0 where a later update took its place: updates are numbered, put and read back.
 * Without this the gradient of an update that another one overwrote would not be 0.
 */
export function whereLast(read: Value, putAndRead: (numbers: Value) => Value): Value {
  const { shape } = read.type;
  const data = new Int32Array(sizeOf(shape));
  for (let i = 0; i < data.length; i++) data[i] = i;
  const type = tensorType("i32", shape);
  const numbers = constantOf(shape.length === 0 ? 0 : hold(type, data), type);
  return where(equal(putAndRead(numbers), numbers), read, 0);
}
