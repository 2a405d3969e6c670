import { ChainruleError, ParseError } from "../ir/errors.ts";
import { isValue } from "../ir/leaf.ts";
import { nearestName } from "./nearest.ts";

/** Attributes of ops that keep their record as it is given, so that nothing shows which they read. Other ops of that kind have none. */
export const storedAttributes: Readonly<Record<string, readonly string[]>> = {
  averagePoolInput: ["size", "stride", "padding", "dilation", "ceilMode", "countIncludePad", "space"],
  classLabels: ["classes", "loss", "ignoreIndex", "what"],
  convInput: ["stride", "padding", "dilation", "groups", "size"],
  convWeight: ["stride", "padding", "dilation", "groups", "size"],
  unpad: ["pads", "mode"],
  unpick: ["shape"],
  unslice: ["axis", "start", "step", "size"],
};

/**
 * Calls `apply` with an attribute record (none where nothing is given) and checks that everything in it was read: a mistyped keyword would otherwise change nothing in
 * silence. Which names a function knows is seen by watching what it looks for, so no table has to keep up with the ops.
 * @throws ParseError that names the unknown keyword and the nearest one, or says which attributes there are when one is missing
 */
export function withAttributes<R>(name: string, given: ReadonlyMap<string, unknown>, apply: (attrs: object | undefined) => R): R {
  const declared = Object.hasOwn(storedAttributes, name) ? storedAttributes[name] : undefined;
  if (declared !== undefined) {
    for (const key of given.keys()) if (!declared.includes(key)) throw unknownAttribute(name, key, declared);
    try {
      return apply(given.size === 0 ? undefined : Object.fromEntries(given));
    } catch (error) {
      throw wrongAttributes(name, declared, error);
    }
  }
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
  let result: R;
  try {
    result = apply(given.size === 0 ? undefined : record);
  } catch (error) {
    const known = namesReadBy(given, apply);
    const unknown = [...given.keys()].find((key) => !known.includes(key));
    if (unknown !== undefined) throw unknownAttribute(name, unknown, known);
    throw wrongAttributes(name, known, error);
  }
  // Of several results each knows the node.
  const [first] = isValue(result) ? [result] : typeof result === "object" && result !== null ? (Object.values(result) as unknown[]) : [];
  const stored = isValue(first) && first.node.attrs === record;
  const [unknown] = stored ? given.keys() : unread;
  if (stored && unknown !== undefined) throw unknownAttribute(name, unknown, []);
  if (unknown !== undefined) throw unknownAttribute(name, unknown, namesReadBy(given, apply));
  return result;
}

/** The lesson for an attribute that is missing or of a wrong kind; errors of ours say it better themselves. */
function wrongAttributes(name: string, known: readonly string[], error: unknown): unknown {
  if (error instanceof ChainruleError) return error;
  const has = known.length === 0 ? "none" : known.join(", ");
  return new ParseError(`${name}: an attribute is missing or of the wrong kind; it has ${has}`, { cause: error });
}

/** The lesson for a keyword that a function has not. */
export function unknownAttribute(name: string, unknown: string, known: readonly string[]): ParseError {
  const others = known.filter((key) => key !== unknown);
  const nearest = nearestName(unknown, others);
  const advice = nearest !== undefined ? `; did you mean ${nearest}?` : `; it has ${others.length > 0 ? others.join(", ") : "none"}`;
  return new ParseError(`${name} has no attribute ${unknown}${advice}`);
}

/** The attribute names that `apply` asks for. */
function namesReadBy(given: ReadonlyMap<string, unknown>, apply: (attrs: object | undefined) => unknown): string[] {
  const seen = new Set<string>();
  const spy = new Proxy(
    {},
    {
      get: (_, key) => {
        if (typeof key !== "string") return undefined;
        if (key !== "kind" && key !== "then") seen.add(key);
        return given.get(key);
      },
      ownKeys: () => [...given.keys()],
      getOwnPropertyDescriptor: (_, key) => ({ value: given.get(String(key)), enumerable: true, configurable: true }),
    },
  );
  try {
    apply(spy);
  } catch {
    // The names asked for before the failure are all that is wanted.
  }
  return [...seen];
}
