import { ChainruleError, InternalError, type Span } from "../ir/errors.ts";
import { caretPicture, positionOf } from "../notation/caret.ts";
import { exitCodes } from "./io.ts";
import { UsageError } from "./usage-error.ts";

/** What is said of an error, without a stack trace. */
export interface ErrorStory {
  /** The code of the error family, "usage" for the command line, "memory" for what does not fit. */
  readonly code: string;
  /** With the caret picture, for people. */
  readonly message: string;
  /** Without it, for programs, which have the span. */
  readonly line: string;
  readonly span: Span | null;
  /** The command whose help would tell more. */
  readonly command: string | null;
  readonly exitCode: number;
}

/** Tells an error. What is no error of ours is a fault of this program, and said to be one. */
export function describeError(error: unknown): ErrorStory {
  if (error instanceof UsageError) return story("usage", error.message, null, exitCodes.badInput, error.command);
  if (error instanceof ChainruleError && !(error instanceof InternalError)) {
    const { source, span } = error;
    if (source === undefined || span === undefined) return story(error.code, error.message, span ?? null, exitCodes.badInput, null);
    // What fails while it is computed has its place in the fields alone; what fails while it is built, in the message too.
    const { line, column } = positionOf(source, span.from);
    const place = ` (line ${line}, column ${column})`;
    const picture = `\n${caretPicture(source, span)}`;
    const said = error.message.replace(picture, "");
    const told = said.includes(place) ? said : said + place;
    return { ...story(error.code, said === error.message ? told + picture : error.message, span, exitCodes.badInput, null), line: told };
  }
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof RangeError && /allocation|array length|string length|buffer/i.test(message))
    return story("memory", `it does not fit memory (${message}); use smaller shapes or fewer elements`, null, exitCodes.badInput, null);
  return story("internal", `a fault of chainrule itself, please report it: ${message}`, null, exitCodes.fault, null);
}

function story(code: string, message: string, span: Span | null, exitCode: number, command: string | null): ErrorStory {
  return { code, message: printable(message), line: printable(message), span, command, exitCode };
}

/** A text in which no control character can reach the terminal; line ends and tabs may. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "\ufffd");
}
