import { nodeFiles } from "../files/node-files.ts";
import { checkPath, readWhole, withFile } from "../files/open-file.ts";
import { writeFileWhole } from "../files/write-file.ts";
import { GraphError, ParseError } from "../ir/errors.ts";
import type { AnyGraph } from "../ir/graph.ts";
import type { Tensor } from "../ir/tensor.ts";
import type { TextGraph } from "../ir/text/parse-graph.ts";
import { printGraph } from "../ir/text/print-graph.ts";
import { kindText } from "../notation/given.ts";
import { type GraphTextOptions, parse } from "../notation/graph-text.ts";
import { crc32 } from "./crc32.ts";
import { readTensorFile } from "./read-file.ts";
import { serializeSafetensors } from "./safetensors.ts";

const mark = "# tensors: ";

function folderOf(path: string): string {
  return path.replace(/[^/\\]*$/, "");
}

function besideOf(text: string): string | null {
  if (!text.startsWith(mark)) return null;
  return text.slice(mark.length, text.indexOf("\n")).trim();
}

/**
 * Writes a graph as a `.graph` text file, constants of more than 16 elements beside it in a safetensors file named after their content. The text
 * names that file and is written last, so a crash at any moment leaves the old pair or the new one. Node only.
 * @throws GraphError for attributes without a text form; DomainError when a file cannot be written
 */
export async function writeGraph(path: string, g: AnyGraph): Promise<void> {
  checkPath(path);
  if (typeof g !== "function" || !("inputs" in g))
    throw new GraphError(
      `writeGraph: the second argument is ${kindText(g)}; it is a graph: graph({ x: f64(2) }, ({ x }) => ({ y: mul(x, x) }))`,
    );
  const tensors: Record<string, Tensor> = {};
  const text = printGraph(g, { tensors });
  const old = await withFile(path, (file, size) => readWhole(file, size)).then(
    (bytes) => besideOf(new TextDecoder().decode(bytes)),
    () => null,
  );
  let beside: string | null = null;
  if (Object.keys(tensors).length > 0) {
    const bytes = serializeSafetensors(tensors);
    const stem = path.slice(folderOf(path).length).replace(/\.graph$/, "");
    beside = `${stem}-${crc32(bytes).toString(16).padStart(8, "0")}.safetensors`;
    await writeFileWhole(folderOf(path) + beside, bytes);
  }
  await writeFileWhole(path, beside === null ? text : `${mark}${beside}\n${text}`);
  if (old !== null && old !== beside && isPlainName(old)) await (await nodeFiles()).rm(folderOf(path) + old, { force: true });
}

function isPlainName(name: string): boolean {
  return /^[^/\\]+\.safetensors$/.test(name);
}

/**
 * Reads what `writeGraph` wrote. Tensors are read from the same folder only. Node only.
 * @throws ParseError for a file that is missing or no graph, and when the tensors beside it are missing or elsewhere
 */
export async function readGraph(path: string, options: GraphTextOptions = {}): Promise<TextGraph> {
  const text = new TextDecoder().decode(await withFile(path, (file, size) => readWhole(file, size)));
  const beside = besideOf(text);
  if (beside === null) return parse(text, options);
  if (!isPlainName(beside))
    throw new ParseError(
      `${path}: its tensors are said to be in ${JSON.stringify(beside)}; they must be a .safetensors file in the same folder`,
    );
  const tensors = (await readTensorFile(folderOf(path) + beside)) as Record<string, Tensor>;
  return parse(text, { ...options, tensors });
}
