import { GraphError } from "../ir/errors.ts";
import { isTensor, isValue } from "../ir/leaf.ts";
import { isRecord, kindText } from "../notation/given.ts";

/**
 * Bytes that somebody gave, of `fetch` and of files of a page too.
 * @param byPath what reads them where they are in a file
 * @throws GraphError for what is no bytes, as the path of a file
 */
export function bytesOf(who: string, given: Uint8Array | ArrayBuffer, byPath: string): Uint8Array {
  // By their names, because a frame has classes of its own. Node's Buffer is a Uint8Array.
  const kind = Object.prototype.toString.call(given);
  if (kind === "[object Uint8Array]") return given as Uint8Array;
  if (kind === "[object ArrayBuffer]") return new Uint8Array(given);
  throw new GraphError(
    `${who}: the bytes are ${kindText(given)}; they are a Uint8Array or an ArrayBuffer, and a file is read by ${byPath}`,
  );
}

/** @throws GraphError for what is no tensor */
export function checkTensor(who: string, what: string, given: unknown): void {
  if (isTensor(given)) return;
  throw new GraphError(`${who}: ${what} is ${kindText(given)}; it is a tensor: ${isValue(given) ? "evaluate" : "tensor"}(x)`);
}

/** @throws GraphError for what is no record of tensors */
export function checkTensors(who: string, given: unknown): void {
  if (!isRecord(given)) throw new GraphError(`${who}: the tensors are ${kindText(given)}; they are a record: { w: tensor([1, 2]) }`);
  for (const [name, tensor] of Object.entries(given)) checkTensor(who, name, tensor);
}
