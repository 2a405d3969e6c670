import { isTensor } from "../ir/leaf.ts";
import type { Tensor } from "../ir/tensor.ts";
import { isLeaf } from "../ir/tree.ts";
import { sameType, type TensorType } from "../ir/type.ts";
import { rowsOf, signatureOf } from "./signature.ts";

interface Branch {
  readonly list: boolean;
  readonly keys: readonly string[];
  readonly parts: readonly Part[];
}
type Part = TensorType | Branch;

/** Names and types of a batch. Whether another batch has the same is found out in a tenth of the time that writing them down takes. */
export class BatchForm {
  readonly rows: number;
  /** As `signatureOf` has it. */
  readonly signature: string;
  private readonly part: Part;

  constructor(batch: unknown, rows: number) {
    this.rows = rows;
    this.signature = signatureOf(batch);
    this.part = partOf(batch);
  }

  /** Whether a batch has these names and types, no more and no less. It may say no of unusual trees. */
  fits(batch: unknown): boolean {
    return matches(batch, this.part);
  }
}

function partOf(tree: unknown): Part {
  if (isLeaf(tree)) return (tree as Tensor).type;
  const keys = Object.keys(tree as object);
  return { list: Array.isArray(tree), keys, parts: keys.map((key) => partOf((tree as Record<string, unknown>)[key])) };
}

function matches(tree: unknown, part: Part): boolean {
  if (!("parts" in part)) return isTensor(tree) && sameType(tree.type, part);
  const { list, keys, parts } = part;
  if (typeof tree !== "object" || tree === null || Array.isArray(tree) !== list || keys.length === 0) return false;
  // Batches of one source have their names in one order.
  let count = 0;
  for (const key in tree) {
    if (key !== keys[count]) return matchesInAnyOrder(tree, part);
    if (!matches((tree as Record<string, unknown>)[key], parts[count]!)) return false;
    count++;
  }
  return count === keys.length;
}

function matchesInAnyOrder(tree: object, { keys, parts }: Branch): boolean {
  let count = 0;
  for (const _ in tree) count++;
  if (count !== keys.length) return false;
  for (let i = 0; i < keys.length; i++)
    if (!Object.hasOwn(tree, keys[i]!) || !matches((tree as Record<string, unknown>)[keys[i]!], parts[i]!)) return false;
  return true;
}

/** Forms that are kept: those of a pass, of its last batch, and of the validation's. */
const most = 4;

/** The forms of the batches of a run. */
export class BatchForms {
  private readonly known: BatchForm[] = [];

  /** @throws ShapeError, DomainError for what is no batch; `where` is what messages call it */
  of(batch: unknown, where: () => string): BatchForm {
    for (const form of this.known) if (form.fits(batch)) return form;
    const form = new BatchForm(batch, rowsOf(batch, where()));
    this.known.unshift(form);
    if (this.known.length > most) this.known.pop();
    return form;
  }
}
