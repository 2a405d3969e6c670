import type { Batches } from "../data/batches.ts";
import { isFloat } from "../ir/dtype.ts";
import { DomainError } from "../ir/errors.ts";
import { sizeOf, stridesOf } from "../ir/shape.ts";
import type { Tensor } from "../ir/tensor.ts";
import { leaves } from "../ir/tree.ts";
import { type Fed, placeText, rowText } from "./feed.ts";

/** What ops say of a label, an id or an index that is none: `softmaxCrossEntropy: labels[2] is 7 and there are 3 classes; ...`. */
const refused = /^([\s\S]*?): (?:labels|ids|indices|x)\[([\d,]+)\] is (-?\d+) and ([\s\S]*)$/;

/**
 * What an op said of an index, in words of the data: the column of the batch, the row of the data. Null for other messages, and where no column, or more
 * than one, has this number in this place: then it was computed from them.
 * @param where the step
 * @param part what the data is called: `data` or `validate`
 */
export function byRow(error: DomainError, where: string, fed: Fed, source: Batches<unknown>, part: string): DomainError | null {
  const [, who, at = "", number, rest] = refused.exec(error.message) ?? [];
  if (who === undefined) return null;
  const place = at.split(",").map(Number);
  const value = Number(number);
  const found = leaves(fed.batch).flatMap(({ path, leaf }) => {
    const { type, data } = leaf as Tensor;
    const { shape } = type;
    // Labels of many rows are often brought to one axis before a loss takes them.
    const flat = place.length === 1 ? place[0]! : place.reduce((sum, i, axis) => sum + i * (stridesOf(shape)[axis] ?? 0), 0);
    const fits = place.length === 1 ? flat < data.length : place.length === shape.length && place.every((i, axis) => i < shape[axis]!);
    return shape.length > 0 && fits && data[flat] === value ? [{ path, shape, flat, whole: !isFloat(type.dtype) }] : [];
  });
  const whole = found.filter((one) => one.whole);
  const [one, ...others] = whole.length > 0 ? whole : found;
  if (one === undefined || others.length > 0) return null;
  const own = one.shape.slice(1);
  const width = sizeOf(own);
  const column = own.length === 0 ? "" : `, column ${placeText(one.flat % width, own)}`;
  const row = rowText(fed, source, Math.floor(one.flat / width));
  return new DomainError(`${where}: ${who}: ${one.path || "the data"} is ${value} in ${row}${column} of ${part} and ${rest}`, {
    cause: error,
  });
}
