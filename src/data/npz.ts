import { DomainError, ParseError } from "../ir/errors.ts";
import type { Tensor } from "../ir/tensor.ts";
import { bytesOf, checkTensors } from "./given-data.ts";
import { parseNpy, serializeNpy } from "./npy.ts";
import { unpack, writeZip, zipMembers } from "./zip.ts";

/**
 * Reads a .npz file: a zip of .npy files, as `np.savez` and `np.savez_compressed` write. Names come without `.npy`.
 * @param options `limit` is the most bytes that all arrays together may declare (2 GiB unless said)
 * @throws ParseError for damage, members that are no .npy files, sizes or checksums that are not as declared, or more than `limit`
 */
export async function parseNpz(
  given: Uint8Array | ArrayBuffer,
  options: { readonly limit?: number } = {},
): Promise<Record<string, Tensor>> {
  const { limit = 2 ** 31 } = options;
  const members = zipMembers(bytesOf("parseNpz", given, 'readTensorFile("x.npz")'));
  let total = 0;
  for (const { name, size } of members) {
    if (!name.endsWith(".npy")) throw new ParseError(`npz: ${JSON.stringify(name)} is no .npy file; a .npz file holds nothing else`);
    total += size;
  }
  if (total > limit) throw new ParseError(`npz: the arrays would take ${total} bytes, more than ${limit}; pass { limit } to allow it`);
  const tensors: [string, Tensor][] = [];
  for (const member of members) {
    const name = member.name.slice(0, -4);
    const content = await unpack(member);
    tensors.push([name, ofArray(name, () => parseNpy(content))]);
  }
  return Object.fromEntries(tensors);
}

/** What `read` gives of an array of a .npz file; what it finds wrong is told with the array's name. */
export function ofArray<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof ParseError) throw new ParseError(`npz: ${name}: ${error.message}`, { cause: error });
    throw error;
  }
}

/**
 * A .npz file of these arrays, the same bytes for the same content.
 * @param options `compress` packs them by deflate
 * @throws DTypeError for bf16; DomainError for a file past 4 GiB
 */
export async function serializeNpz(
  tensors: Readonly<Record<string, Tensor>>,
  options: { readonly compress?: boolean } = {},
): Promise<Uint8Array<ArrayBuffer>> {
  checkTensors("serializeNpz", tensors);
  const files = Object.entries(tensors).map(([name, tensor]): [string, Uint8Array] => {
    if (name === "") throw new DomainError("npz: an array needs a name");
    return [`${name}.npy`, serializeNpy(tensor)];
  });
  return writeZip(files, options.compress ?? false);
}
