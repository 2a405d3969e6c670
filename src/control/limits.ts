import { DomainError } from "../ir/errors.ts";

/** What a loop says that does not end within its limit. */
export function endless(limit: number): DomainError {
  return new DomainError(
    `whileLoop: the test still holds after ${limit} rounds; does the body change what the test looks at? If it needs more rounds, say so: { limit: ${limit * 10} }`,
    { op: "whileLoop" },
  );
}

/** What a loop over rows says of a length that is no number of them. */
export function noLength(n: number, rows: number): DomainError {
  return new DomainError(`scan: length is ${n} and there are ${rows} rows; it is a whole number from 0 to ${rows}`, { op: "scan" });
}
