import { DomainError, GraphError, ShapeError } from "../ir/errors.ts";
import { typeOfLeaf } from "../ir/graph.ts";
import { isTensor } from "../ir/leaf.ts";
import { leaves } from "../ir/tree.ts";
import { typeText } from "../ir/type.ts";
import { listed } from "../notation/given.ts";

/** The types of a batch as a text: batches of one signature share a program. */
export function signatureOf(batch: unknown): string {
  return leaves(batch)
    .map(({ path, leaf }) => `${path}:${typeText(typeOfLeaf(leaf))}`)
    .join(" ");
}

/** Rows in a batch: the size of axis 0, which all its tensors share. @throws ShapeError, DomainError for what is no batch */
export function rowsOf(batch: unknown, where: string): number {
  let rows = -1;
  let first = "";
  for (const { path, leaf } of leaves(batch)) {
    if (!isTensor(leaf)) throw new DomainError(`train: ${where}: ${path || "it"} is no tensor; a batch is a tree of tensors`);
    const size = leaf.type.shape[0];
    if (size === undefined) continue;
    if (rows >= 0 && size !== rows)
      throw new ShapeError(
        `train: ${where} is ragged: ${first} has ${rows} rows and ${path} is ${typeText(leaf.type)}; all tensors of a batch have the same axis 0`,
      );
    rows = size;
    first = path;
  }
  if (rows < 0) throw new ShapeError(`train: ${where} has no tensor with rows; rows are axis 0`);
  if (rows === 0) throw new ShapeError(`train: ${where} has 0 rows; a mean over nothing is NaN, so leave such batches out`);
  return rows;
}

/** Names of what is in a batch. */
function columnsOf(batch: unknown): string[] {
  return leaves(batch).map(({ path }) => path);
}

/** Whether two batches have columns of the same names. */
export function haveSameColumns(a: unknown, b: unknown): boolean {
  return columnsOf(a).sort().join("\n") === columnsOf(b).sort().join("\n");
}

/** What a validation failed with, where its columns are others than those that are trained on, as an error that says so. */
export function withColumns(error: unknown, trained: unknown, validated: unknown): unknown {
  if (haveSameColumns(trained, validated)) return error;
  return new GraphError(
    `train: validate has the columns ${listed(columnsOf(validated))} and data has ${listed(columnsOf(trained))}; the loss takes its columns by name from either, so give them the same names`,
    { cause: error },
  );
}
