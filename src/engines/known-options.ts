import { EngineError } from "../ir/errors.ts";

/** @throws EngineError for options that are none: what is misspelt would be left out in silence */
export function checkKnown(who: string, options: object, known: readonly string[]): void {
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown !== undefined) throw new EngineError(`${who}: there is no option ${unknown}; there are ${known.join(", ")}`);
}
