import { pieces, withFile } from "../files/open-file.ts";
import { ParseError } from "../ir/errors.ts";
import { hold, type Tensor } from "../ir/tensor.ts";
import { f32, i32 } from "../ir/type.ts";
import { type CsvOptions, csvBlocks } from "./csv.ts";
import { type Dataset, dataset } from "./dataset.ts";
import { joinBlocks } from "./join-blocks.ts";

/** What a table says of its columns, beside the rows. */
export interface CsvNames {
  /** The names of the columns of `x`, in their order; `column1` and so on where the file has no header. */
  readonly columns: readonly string[];
  /** The names of the classes by their numbers in `y`; null where the label column holds numbers, or there is none. */
  readonly classes: readonly string[] | null;
}

/**
 * A CSV file as a data set: `y` is the label column, i32[rows] where it holds whole numbers or names of classes (numbered by first appearance) and
 * f32[rows] where it does not; `x` is all other columns, f32[rows, columns]. Beside it stand the names of columns and classes. Node only.
 * @throws ParseError, with path, row and column, for a file that cannot be read or is no table of numbers
 */
export function readCsv(
  path: string,
  options: CsvOptions & { readonly label: string },
): Promise<Dataset<{ readonly x: Tensor; readonly y: Tensor }> & CsvNames>;
export function readCsv(path: string, options?: CsvOptions): Promise<Dataset<{ readonly x: Tensor }> & CsvNames>;
export function readCsv(path: string, options: CsvOptions = {}): Promise<Dataset<{ readonly x: Tensor }> & CsvNames> {
  return withFile(path, async (file) => {
    const { rows, columns, data, label } = await joinBlocks(csvBlocks(pieces(file), options));
    if (columns.length === 0) throw new ParseError("csv: there is no column beside the label");
    const x = hold(f32(rows, columns.length), Float32Array.from(data));
    const names = { columns, classes: label?.classes ?? null };
    return label === null ? { ...dataset({ x }), ...names } : { ...dataset({ x, y: labels(label.values) }), ...names };
  });
}

function labels(values: Float64Array): Tensor {
  const whole = values.every((v) => (v | 0) === v);
  return whole ? hold(i32(values.length), Int32Array.from(values)) : hold(f32(values.length), Float32Array.from(values));
}
