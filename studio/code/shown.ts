/** How deep a value is shown, how many items of one list or object, and how many characters in all. */
const deepest = 5;
const mostItems = 100;
const mostCharacters = 20_000;

/** What `console.log` says of its arguments; `%s`, `%d`, `%i`, `%f`, `%o`, `%O` and `%j` in a text at the beginning stand for those that follow, `%c` for nothing. */
export function line(given: readonly unknown[], own?: (value: object) => unknown): string {
  const first = given[0];
  let next = 1;
  const text =
    typeof first === "string" && given.length > 1
      ? first.replace(/%([sdifoOjc%])/g, (mark, kind: string) => {
          if (kind === "%") return "%";
          if (next === given.length) return mark;
          const value = given[next++];
          if (kind === "c") return "";
          if (kind === "i") return String(Math.trunc(Number(value)));
          return kind === "d" || kind === "f" ? String(Number(value)) : shown(value, own);
        })
      : shown(first, own);
  return given.reduce<string>((all, value, i) => (i < next ? all : `${all} ${shown(value, own)}`), given.length > 0 ? text : "");
}

/**
 * A value as `console.log` shows it: numbers as they are (NaN, -0, infinities), lists and typed arrays with their items, objects with their keys, errors with their message. What is nested too deep, comes again inside itself,
 * or is too long is said in short.
 * @param own shows what only the caller knows; null for what it does not
 */
export function shown(value: unknown, own: (value: object) => unknown = () => null): string {
  if (typeof value === "string") return value;
  let left = mostCharacters;
  const inside = new Set<object>();
  const write = (given: unknown, depth: number): string => {
    const text = piece(given, depth);
    left -= text.length;
    return text;
  };
  const list = (length: number, at: (i: number) => string): string => {
    const items: string[] = [];
    for (let i = 0; i < length && i < mostItems && left > 0; i++) items.push(at(i));
    if (items.length < length) items.push(`… ${length - items.length} more`);
    return items.join(", ");
  };
  const piece = (given: unknown, depth: number): string => {
    switch (typeof given) {
      case "string":
        return JSON.stringify(given.length > mostCharacters ? `${given.slice(0, mostCharacters)}…` : given);
      case "number":
        return Object.is(given, -0) ? "-0" : String(given);
      case "bigint":
        return `${given}n`;
      case "function":
        return `ƒ ${given.name}`.trimEnd();
      case "object":
        return given === null ? "null" : objectOf(given, depth);
      default:
        return String(given);
    }
  };
  const objectOf = (given: object, depth: number): string => {
    if (given instanceof Error) return `${given.name}: ${given.message}`;
    if (inside.has(given)) return "[itself]";
    if (depth > deepest) return Array.isArray(given) ? "[…]" : "{…}";
    inside.add(given);
    try {
      return partsOf(given, depth + 1);
    } finally {
      inside.delete(given);
    }
  };
  const partsOf = (given: object, depth: number): string => {
    const known = own(given);
    if (known !== null) return write(known, depth);
    const name = Object.getPrototypeOf(given)?.constructor?.name;
    if (Array.isArray(given)) return `[${list(given.length, (i) => write(given[i], depth))}]`;
    if (ArrayBuffer.isView(given) && !(given instanceof DataView)) {
      const numbers = given as Float64Array;
      return `${name} [${list(numbers.length, (i) => write(numbers[i], depth))}]`;
    }
    if (given instanceof Date) return String(given);
    if (given instanceof Map) {
      const entries = [...given];
      return `Map {${list(entries.length, (i) => `${write(entries[i]![0], depth)} → ${write(entries[i]![1], depth)}`)}}`;
    }
    if (given instanceof Set) {
      const items = [...given];
      return `Set {${list(items.length, (i) => write(items[i], depth))}}`;
    }
    const keys = Object.keys(given);
    const prefix = typeof name === "string" && name !== "Object" && name !== "" ? `${name} ` : "";
    return `${prefix}{${list(keys.length, (i) => {
      const key = keys[i]!;
      return `${/^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(key) ? key : JSON.stringify(key)}: ${write((given as Record<string, unknown>)[key], depth)}`;
    })}}`;
  };
  try {
    return piece(value, 0);
  } catch {
    return String(value);
  }
}
