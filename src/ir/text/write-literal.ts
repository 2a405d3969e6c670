import { GraphError } from "../errors.ts";

/** A number in the shortest form that reads back as the same double; NaN, Infinity, -Infinity and -0 by name. */
export function numberLiteral(x: number): string {
  return Object.is(x, -0) ? "-0" : String(x);
}

/**
 * Attribute data as text: JSON with NaN, Infinity, -0 and unquoted names where they are words. `special` writes what is not plain data
 * (graphs); it returns null for what it does not know.
 * @throws GraphError for functions and other things that have no text
 */
export function writeLiteral(x: unknown, where: string, special: (x: unknown) => string | null = () => null): string {
  const other = special(x);
  if (other !== null) return other;
  if (typeof x === "number") return numberLiteral(x);
  if (typeof x === "string") return JSON.stringify(x);
  if (typeof x === "boolean" || x === null) return String(x);
  if (Array.isArray(x)) return `[${x.map((y, i) => writeLiteral(y, `${where}[${i}]`, special)).join(", ")}]`;
  if (typeof x === "object" && !ArrayBuffer.isView(x)) {
    const entries = Object.entries(x).filter(([, v]) => v !== undefined);
    return `{${entries.map(([k, v]) => `${keyText(k)}: ${writeLiteral(v, `${where}.${k}`, special)}`).join(", ")}}`;
  }
  throw new GraphError(
    `print: ${where} is ${typeof x === "function" ? "a function" : Object.prototype.toString.call(x)}, which has no text form; graphs with it live in memory only`,
  );
}

/** A key of a record: bare where it is a word. */
export function keyText(key: string): string {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(key) ? key : JSON.stringify(key);
}
