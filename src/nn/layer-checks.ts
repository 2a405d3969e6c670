import { DomainError } from "../ir/errors.ts";

/** @throws DomainError for a size of a layer that is no whole number of 1 or more */
export function checkSizes(who: string, sizes: Readonly<Record<string, number>>): void {
  for (const [name, size] of Object.entries(sizes))
    if (!Number.isInteger(size) || size < 1)
      throw new DomainError(`${who}: ${name} is ${size}; a layer's sizes are whole numbers of 1 or more`, { op: who });
}

/** @throws DomainError for parts that do not divide a size evenly */
export function checkDivides(who: string, name: string, parts: number, what: string, size: number): void {
  if (!Number.isInteger(parts) || parts < 1 || size % parts !== 0)
    throw new DomainError(`${who}: ${name} is ${parts} and ${what} is ${size}; ${name} must divide ${what} evenly`, { op: who });
}

/** @throws DomainError where it is not said, by a plain truth value, whether a layer trains: a Value would count as true in silence */
export function checkTrain(who: string, train: unknown): void {
  if (typeof train !== "boolean")
    throw new DomainError(
      `${who}: train is ${train === undefined ? "missing" : typeof train === "object" ? "a Value" : String(train)}; it is true or false, known while the graph is built: make one graph for training and one for evaluation`,
      { op: who },
    );
}
