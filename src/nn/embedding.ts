import { isInteger } from "../ir/dtype.ts";
import { DTypeError, ShapeError } from "../ir/errors.ts";
import { lift } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import type { Operand } from "../ir/op.ts";
import type { Tensor } from "../ir/tensor.ts";
import { tensorType, typeText } from "../ir/type.ts";
import { classLabels } from "../ops/composite/class-labels.ts";
import { gather } from "../ops/linear/gather.ts";
import { type DTypeOption, type Initializer, normal } from "./initializers.ts";
import { begun, checkInit, checkKey, checkSizes } from "./layer-checks.ts";
import { inLayer, layerName } from "./layer-name.ts";
import { type WithInit, withInit } from "./with-init.ts";

/** A row of numbers for each thing that is counted. */
export interface EmbeddingParams<T = Value> {
  readonly table: T;
}

/** How a table begins. */
export interface TableOptions extends DTypeOption {
  /** Standard normal numbers when left out, as PyTorch's Embedding. */
  readonly weight?: Initializer;
}

/** Rows of a table without a scope of its own. */
export function rowsOf(p: EmbeddingParams<Operand>, ids: Operand, who: string): Value {
  const table = lift(p.table, "f64");
  const index = lift(ids, "i32");
  if (table.type.shape.length !== 2)
    throw new ShapeError(`${who}: table is ${typeText(table.type)}; it is [count, size], a row for each id`, { op: "embedding" });
  if (!isInteger(index.type.dtype))
    throw new DTypeError(`${who}: ids are ${typeText(index.type)}; they are whole numbers: cast(ids, "i32")`, { op: "embedding" });
  // The check keeps a negative id from counting from the end.
  return gather(table, classLabels(index, { classes: table.type.shape[0]!, loss: who, what: "id" }));
}

/** A table of `count` rows. */
export function embeddingInit(key: Tensor, count: number, size: number, options: TableOptions = {}): EmbeddingParams<Tensor> {
  checkKey("embedding.init", key);
  checkSizes("embedding.init", { count, size });
  checkInit("embedding.init", options, ["weight"]);
  const { dtype = "f32", weight = normal() } = options;
  return { table: begun("embedding.init", "weight", weight(key, tensorType(dtype, [count, size]), { in: count, out: size })) };
}

/**
 * Rows of a table: ids are i32 of any shape, the result has one axis more, the row. `embedding.init(key, count, size, { dtype, weight })`.
 * To tie it with the last layer of a language model use the table twice: `matmul(x, transpose(p.table))`.
 * @throws DTypeError for ids that are no whole numbers; DomainError, when evaluated, for one outside 0 .. count - 1
 */
export const embedding: WithInit<
  (p: EmbeddingParams<Operand>, ids: Operand) => Value,
  (key: Tensor, count: number, size: number, options?: TableOptions) => EmbeddingParams<Tensor>
> = /* @__PURE__ */ withInit(
  (p: EmbeddingParams<Operand>, ids: Operand): Value => inLayer("embedding", p, ["table"], () => rowsOf(p, ids, layerName("embedding", p))),
  embeddingInit,
);
