import { ChainruleError, ParseError } from "../ir/errors.ts";
import { nearestName } from "./nearest.ts";

/**
 * Calls `apply` with an attribute record and checks that everything in it was read: a mistyped keyword would otherwise change nothing in
 * silence. Which names a function knows is seen by watching what it looks for, so no table has to keep up with the ops.
 * @throws ParseError that names the unknown keyword and the nearest one
 */
export function withAttributes<R>(name: string, given: ReadonlyMap<string, unknown>, apply: (attrs: object) => R): R {
  const unread = new Set(given.keys());
  const record: object = {};
  for (const [key, value] of given)
    Object.defineProperty(record, key, {
      enumerable: true,
      configurable: true,
      get: () => {
        unread.delete(key);
        return value;
      },
    });
  const result = explained(name, given, apply, record);
  const [unknown] = unread;
  if (unknown === undefined) return result;
  const known = [...lookedFor(given, apply)].filter((key) => !unread.has(key));
  const nearest = nearestName(unknown, known);
  const advice = nearest !== undefined ? `; did you mean ${nearest}?` : known.length > 0 ? `; it has ${known.join(", ")}` : "; it has none";
  throw new ParseError(`${name} has no attribute ${unknown}${advice}`);
}

/** Calls `apply`; what fails for want of an attribute, or for one of a wrong kind, says which attributes there are. */
export function explained<R>(name: string, given: ReadonlyMap<string, unknown>, apply: (attrs: object) => R, record: object): R {
  try {
    return apply(record);
  } catch (error) {
    if (error instanceof ChainruleError) throw error;
    const known = [...lookedFor(given, apply)];
    throw new ParseError(
      `${name}: an attribute is missing or of the wrong kind; it has ${known.length === 0 ? "none" : known.join(", ")}`,
      { cause: error },
    );
  }
}

/** The attribute names that `apply` asks for. */
function lookedFor(given: ReadonlyMap<string, unknown>, apply: (attrs: object) => unknown): Set<string> {
  const seen = new Set<string>();
  const spy = new Proxy(
    {},
    {
      get: (_, key) => {
        if (typeof key === "string" && key !== "kind" && key !== "then") seen.add(key);
        return typeof key === "string" ? given.get(key) : undefined;
      },
      ownKeys: () => [],
    },
  );
  try {
    apply(spy);
  } catch {
    // The names asked for before the failure are all that is wanted.
  }
  return seen;
}
