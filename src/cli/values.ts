import { readTensorFile } from "../data/read-file.ts";
import { evaluate } from "../evaluate/evaluate.ts";
import { type DType, dtypes } from "../ir/dtype.ts";
import { ChainruleError, DomainError, ParseError } from "../ir/errors.ts";
import { type Nested, type Tensor, tensor } from "../ir/tensor.ts";
import { tensorType } from "../ir/type.ts";
import { isName } from "../notation/characters.ts";
import { compileExpression } from "../notation/compile-expression.ts";
import { nearestName } from "../notation/nearest.ts";
import { inTableWords } from "./table-words.ts";
import { UsageError } from "./usage-error.ts";

/** Values by variable name, in the order in which they were given. */
export type Values = ReadonlyMap<string, Tensor>;

/**
 * Reads `name=value` and `name:dtype=value` words.
 * @throws UsageError for a word that is none and for a name that comes twice; ParseError, ShapeError, DTypeError for values that cannot be read
 */
export async function readValues(words: readonly string[], command: string): Promise<Values> {
  const values = new Map<string, Tensor>();
  for (const word of words) {
    const { name, dtype, text } = split(word, command);
    if (values.has(name)) throw new UsageError(`${name} is given twice`, command);
    values.set(name, inDType(await tensorOf(name, text), dtype, name));
  }
  return values;
}

function split(word: string, command: string): { readonly name: string; readonly dtype: DType | null; readonly text: string } {
  const at = word.indexOf("=");
  const shown = word.length > 40 ? `${word.slice(0, 30)}…` : word;
  if (at < 0) throw new UsageError(`"${shown}" is no name=value; if it belongs to the expression, quote that as a whole: "x + y"`, command);
  const [given = "", dtype, ...more] = word.slice(0, at).normalize("NFC").trim().split(":");
  const name = given.trim();
  if (!isName(name) || more.length > 0)
    throw new UsageError(`"${shown}": "${word.slice(0, Math.min(at, 40))}" is no name of a variable; write name=value`, command);
  const text = word.slice(at + 1).trim();
  if (text === "") throw new UsageError(`${name} has no value; write ${name}=2, ${name}=[1,2,3] or ${name}=@file.npy`, command);
  return { name, dtype: dtype === undefined ? null : dtypeNamed(dtype.trim(), name), text };
}

function dtypeNamed(text: string, name: string): DType {
  const found = dtypes.find((d) => d === text);
  if (found !== undefined) return found;
  const nearest = nearestName(text, dtypes);
  throw new UsageError(
    `${name}: "${text.slice(0, 40)}" is no dtype; ${nearest === undefined ? `there are ${dtypes.join(" ")}` : `did you mean ${nearest}?`}`,
  );
}

function inDType(t: Tensor, dtype: DType | null, name: string): Tensor {
  return dtype === null ? t : told(name, () => tensor(t.data, tensorType(dtype, t.type.shape)));
}

/** Says of which variable the value was that failed. */
function told<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof ChainruleError) error.message = `${name}: ${error.message.replace(/^tensor: /, "")}`;
    throw error;
  }
}

async function tensorOf(name: string, text: string): Promise<Tensor> {
  if (text.startsWith("@")) {
    const t = await tensorInFile(text.slice(1));
    return t;
  }
  return told(name, () => tensorIn(text));
}

/** A number, list or constant formula. Plain JSON goes the fast way, since a list may be long. */
function tensorIn(text: string): Tensor {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return evaluate(compileExpression(text, { variables: [] })({}));
  }
  return tensorOfJson(json);
}

const named: ReadonlyMap<unknown, number> = new Map([
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["-Infinity", Number.NEGATIVE_INFINITY],
  ["-0", -0],
]);

const deepest = 32;

/**
 * A number, truth value or nested lists of them as a tensor; "NaN", "Infinity", "-Infinity" and "-0" are the numbers that JSON does not have.
 * @throws ParseError for anything else; ShapeError for ragged lists
 */
export function tensorOfJson(json: unknown): Tensor {
  return tensor(nested(json, 0));
}

function nested(json: unknown, depth: number): Nested {
  if (typeof json === "number" || typeof json === "boolean") return json;
  if (Array.isArray(json)) {
    if (depth === deepest) throw new ParseError(`a list is nested deeper than ${deepest}`);
    return json.map((x) => nested(x, depth + 1));
  }
  const number = named.get(json);
  if (number !== undefined) return number;
  const shown = typeof json === "string" ? JSON.stringify(json.slice(0, 40)) : json === null ? "null" : "a record";
  throw new ParseError(`${shown} is no value; values are numbers, true, false, "NaN", "Infinity", "-Infinity", "-0" and lists of them`);
}

/** `file.npy`, or `file.npz:name` for one of several tensors. */
async function tensorInFile(text: string): Promise<Tensor> {
  const match = /^(.*\.(?:npz|safetensors)):([^/\\]*)$/i.exec(text);
  const path = match?.[1] ?? text;
  const found = await readTensorFile(path).catch((error: unknown) => {
    if (!(error instanceof ParseError)) throw error;
    throw new ParseError(inTableWords(error.message, "a value has numbers alone"), { cause: error });
  });
  if ("kind" in found && found.kind === "tensor" && typeof found.kind === "string") return found as Tensor;
  const record = found as Readonly<Record<string, Tensor>>;
  const names = Object.keys(record);
  const listed = names.length > 8 ? `${names.slice(0, 8).join(", ")}, …` : names.join(", ");
  const wanted = match?.[2];
  if (wanted !== undefined) {
    if (Object.hasOwn(record, wanted)) return record[wanted]!;
    const nearest = nearestName(wanted, names);
    throw new DomainError(
      `${path} has no tensor "${wanted}"; ${nearest === undefined ? `it has ${listed || "none"}` : `did you mean ${nearest}?`}`,
    );
  }
  if (names.length === 1) return record[names[0]!]!;
  throw new DomainError(
    `${path} has ${names.length === 0 ? "no tensors" : `${names.length} tensors: ${listed}; say which: @${path}:${names[0]}`}`,
  );
}
