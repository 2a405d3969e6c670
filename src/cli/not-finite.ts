import { DomainError } from "../ir/errors.ts";
import { NotFiniteData } from "../train/feed.ts";

/**
 * An error of a run, where it is about a number in the data: in words of the command line, with the file and the column by its name.
 * @param columns the names of the columns of a table; null for tensors, whose columns have numbers
 * @param target what is predicted
 */
export function inOptions(
  error: unknown,
  { data, validation, target }: { readonly data: string; readonly validation: string | null; readonly target: string },
  columns: readonly string[] | null,
): unknown {
  if (!(error instanceof NotFiniteData)) return error;
  const { value, path, row, column, part } = error;
  const file = part === "validate" && validation !== null ? validation : data;
  const isTarget = path === "y" || path === "target";
  const named = column === null || isTarget ? undefined : columns?.[Number(column)];
  const what = isTarget ? target : (named ?? path);
  const place = named !== undefined || column === null || isTarget ? row : `${row}, column ${column}`;
  return new DomainError(`${file}: ${what} is ${value} in ${place} (from 0); leave such rows out or fill the gaps`, { cause: error });
}
