/** What became of a program's text: JavaScript, or where it is wrong. */
export type Compiled = { readonly code: string } | { readonly fault: string; readonly line: number | null };

/**
 * Strips types and turns imports into calls of `require`, line by line, so that lines keep their numbers. The program may use `await` anywhere.
 * Loads the library that does it when it is first needed.
 */
export async function compileProgram(source: string): Promise<Compiled> {
  const { transform } = await import("sucrase");
  try {
    return {
      code: transform(source, { transforms: ["typescript", "imports"], disableESTransforms: true }).code,
    };
  } catch (error) {
    const { loc } = error as { loc?: { line?: number } };
    const text =
      error instanceof Error ? error.message.replace(/^Error transforming[^:]*: /, "").replace(/ \(\d+:\d+\)$/, "") : String(error);
    return { fault: text, line: loc?.line ?? null };
  }
}
