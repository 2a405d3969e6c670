import { DomainError, GraphError } from "../ir/errors.ts";
import { isTensor, isValue } from "../ir/leaf.ts";
import { isTypedArray } from "../ir/tensor.ts";
import { typeText } from "../ir/type.ts";
import { nearestName } from "./nearest.ts";

/** What something is that should have been something else: for messages to people who write without types. */
export function kindText(x: unknown): string {
  if (x === undefined) return "missing";
  if (x === null) return "null";
  if (typeof x === "string") return x.length > 40 ? "a long text" : JSON.stringify(x);
  if (typeof x === "function") return "a function";
  if (typeof x !== "object") return String(x);
  if (isValue(x)) return "a Value";
  if (isTensor(x)) return `a tensor of ${typeText(x.type)}`;
  if (Array.isArray(x)) return "a list";
  if (isTypedArray(x)) return "a typed array";
  if (typeof (x as { readonly then?: unknown }).then === "function") return "a Promise";
  return "a record";
}

/** Whether this is a record, as options are: no list, no tensor, no function. */
export function isRecord(x: unknown): x is Readonly<Record<string, unknown>> {
  return typeof x === "object" && x !== null && kindText(x) === "a record";
}

/**
 * What has to be a record with some names in it, such as a model.
 * @param is what it is, and where it comes from
 * @throws GraphError for what is no record, and for a name that is missing
 */
export function checkRecord(who: string, what: string, given: unknown, names: readonly string[], is: string): void {
  if (!isRecord(given)) throw new GraphError(`${who}: ${what} is ${kindText(given)}; what belongs there is ${is}`);
  const missing = names.find((name) => given[name] === undefined);
  if (missing !== undefined) throw new GraphError(`${who}: ${what} has no ${missing}; what belongs there is ${is}`);
}

/** How an option is called elsewhere, and here. */
export type OtherNames = Readonly<Record<string, string>>;

/** Letters alone: `weight_decay` is `weightDecay`. */
const plain = (name: string): string => name.replaceAll(/[_-]/g, "").toLowerCase();

/**
 * Options that are a record of known names. Who writes with types is told by the compiler; without them a misspelt option would do nothing, in silence.
 * @param example what to write instead of something that is no record
 * @param otherNames what other libraries call them
 * @throws GraphError for what is no record, DomainError for an option that is not there
 */
export function checkOptionNames(
  who: string,
  given: unknown,
  known: readonly string[],
  example: string,
  otherNames: OtherNames = {},
): void {
  if (!isRecord(given)) throw new GraphError(`${who}: the options are ${kindText(given)}; they are one record: ${example}`);
  const unknown = Object.keys(given).find((name) => given[name] !== undefined && !known.includes(name));
  if (unknown === undefined) return;
  const other = Object.entries(otherNames).find(([name]) => plain(name) === plain(unknown))?.[1];
  const meant = other ?? known.find((name) => plain(name) === plain(unknown)) ?? nearestName(unknown, known);
  throw new DomainError(
    `${who}: there is no option ${unknown.slice(0, 40)}; ${meant === undefined ? `there are ${known.join(", ")}` : `write ${meant}`}`,
  );
}

const most = 12;

/** Names for a message: the first few, and how many more there are. */
export function listed(all: readonly string[]): string {
  const shown = all.slice(0, most).map((name) => name || "a single value");
  return all.length > most ? `${shown.join(", ")} and ${all.length - most} more` : shown.join(", ");
}
