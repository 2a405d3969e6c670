/** A text to parse: plain, or the strings of a template joined by `${…}` with the offsets of these holes. */
export interface SourceText {
  readonly text: string;
  readonly holes: readonly number[];
}

/** How a hole of a template stands in the source that error messages show. */
export const holeText = `\${…}`;

/** The source of a plain text: no holes. */
export function plainSource(text: string): SourceText {
  return { text, holes: [] };
}

/** The source of a template: carets in errors point into this joined text. A backslash stays a backslash, so that `\theta` is an error and no tab. */
export function templateSource(strings: TemplateStringsArray): SourceText {
  const holes: number[] = [];
  let text = "";
  for (let i = 0; i < strings.length; i++) {
    if (i > 0) {
      holes.push(text.length);
      text += holeText;
    }
    text += strings.raw[i] ?? "";
  }
  return { text, holes };
}
