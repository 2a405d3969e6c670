import { evaluate } from "../evaluate/evaluate.ts";
import { checkPath, readWhole, withFile } from "../files/open-file.ts";
import { writeFileWhole } from "../files/write-file.ts";
import { GraphError, ParseError } from "../ir/errors.ts";
import { typeOfLeaf } from "../ir/graph.ts";
import { lift } from "../ir/leaf.ts";
import type { Operand } from "../ir/op.ts";
import type { Tensor } from "../ir/tensor.ts";
import { type Leaf, leaves, rebuild, type Tensors } from "../ir/tree.ts";
import { sameType, typeText } from "../ir/type.ts";
import { parseSafetensors, serializeSafetensors } from "./safetensors.ts";

const shown = 12;

/** What differs between the tensors of a file and those of a tree: a line for each; empty where nothing does. */
export function differences(tensors: Readonly<Record<string, Tensor>>, like: unknown): string[] {
  const wanted = new Map(leaves(like).map(({ path, leaf }) => [path, typeOfLeaf(leaf)]));
  const found: string[] = [];
  for (const [path, type] of wanted) {
    const own = Object.hasOwn(tensors, path) ? tensors[path] : undefined;
    if (own === undefined) found.push(`${path || "the tensor"}: missing there, ${typeText(type)} here`);
    else if (!sameType(own.type, type)) found.push(`${path || "the tensor"}: ${typeText(own.type)} there, ${typeText(type)} here`);
  }
  for (const [path, { type }] of Object.entries(tensors))
    if (!wanted.has(path)) found.push(`${path}: ${typeText(type)} there, unknown here`);
  return found.length <= shown ? found : [...found.slice(0, shown), `and ${found.length - shown} more`];
}

/** The tree with the tensors of a record, by path. They must be those of `like`. */
export function treeOf<T>(tensors: Readonly<Record<string, Tensor>>, like: T): Tensors<T> {
  return rebuild(like, (_: Leaf, path) => tensors[path]!) as Tensors<T>;
}

/** The leaves of a tree by path, as safetensors holds them. @throws ParseError for two leaves of one path */
export function recordOf(tree: unknown, who: string): Record<string, Tensor> {
  const found = new Map<string, Tensor>();
  for (const { path, leaf } of leaves(tree)) {
    if (found.has(path)) throw new ParseError(`${who}: two leaves are called ${path}; rename a key that has dots in it`);
    found.set(path, evaluate(lift(leaf as Operand, "f64")));
  }
  return Object.fromEntries(found);
}

/**
 * Writes a tree of tensors, such as trained parameters, as a safetensors file with the paths for names. The file is written whole or not at all.
 * Node only.
 * @throws ParseError for two leaves of one path; DomainError when the file cannot be written
 */
export async function saveTensors(path: string, tree: unknown): Promise<void> {
  await writeFileWhole(path, serializeSafetensors(recordOf(tree, "saveTensors")));
}

/**
 * Reads what `saveTensors` wrote back into a tree: `like` is a tree of the same names and types, such as freshly initialised parameters. Node only.
 * @throws ParseError for a file that cannot be read, or has other names, shapes or dtypes; it lists what differs
 */
export async function loadTensors<T>(path: string, like: T): Promise<Tensors<T>> {
  checkPath(path);
  if (like === undefined)
    throw new GraphError(
      "loadTensors: the second argument is missing; what belongs there is a tree like the one that was saved: loadTensors(file, params)",
    );
  const { tensors } = parseSafetensors(await withFile(path, readWhole));
  const faults = differences(tensors, like);
  if (faults.length > 0) throw new ParseError(`${path}: its tensors are not those that were asked for:\n  ${faults.join("\n  ")}`);
  return treeOf(tensors, like);
}
