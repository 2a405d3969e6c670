/** What a program that runs says to the page. It comes from code of the reader, so the page trusts none of it: see `readMessage`. */
export type ProgramMessage =
  | { readonly kind: "log"; readonly level: "log" | "warn" | "error"; readonly text: string }
  | { readonly kind: "picture"; readonly svg: string; readonly title: string; readonly text: string }
  | { readonly kind: "done" }
  | { readonly kind: "fault"; readonly text: string; readonly line: number | null };

/** How much of what a program says is kept: characters of one message, and of one picture. */
const mostText = 100_000;
const mostSvg = 20_000_000;

const { apply } = Reflect;
const { slice } = String.prototype;

/** The beginning of a text; nothing of what is none. It stands in the program's own worker too, where a program may have changed what texts can do. */
function beginning(text: unknown, most: number): string {
  return typeof text === "string" ? (apply(slice, text, [0, most]) as string) : "";
}

/** Reads a message from anything; null for what is none. */
export function readMessage(given: unknown): ProgramMessage | null {
  if (typeof given !== "object" || given === null) return null;
  const { kind, level, text, svg, title, line } = given as Readonly<Record<string, unknown>>;
  const said = beginning(text, mostText);
  switch (kind) {
    case "log":
      return { kind, level: level === "warn" || level === "error" ? level : "log", text: said };
    case "picture":
      return typeof svg === "string" && svg.length <= mostSvg ? { kind, svg, title: beginning(title, 200), text: said } : null;
    case "done":
      return { kind };
    case "fault":
      return { kind, text: said, line: typeof line === "number" && line % 1 === 0 ? line : null };
    default:
      return null;
  }
}
