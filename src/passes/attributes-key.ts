const deepest = 32;

/**
 * Attributes as a text that tells them apart from all others, null where they hold what no text tells: functions, graphs among them, and
 * objects that are neither records nor lists.
 */
export function attributesKey(attrs: object): string | null {
  return keyOf(attrs, 0);
}

function keyOf(x: unknown, depth: number): string | null {
  if (typeof x === "string") return JSON.stringify(x);
  if (typeof x === "number") return Object.is(x, -0) ? "-0" : String(x);
  if (x === undefined || x === null || typeof x === "boolean") return String(x);
  if (typeof x !== "object" || depth > deepest) return null;
  const list = Array.isArray(x);
  if (!list && Object.getPrototypeOf(x) !== Object.prototype) return null;
  const parts: string[] = [];
  for (const [key, value] of Object.entries(x)) {
    const part = keyOf(value, depth + 1);
    if (part === null) return null;
    parts.push(list ? part : `${JSON.stringify(key)}:${part}`);
  }
  return list ? `[${parts.join()}]` : `{${parts.join()}}`;
}
