/** The columns that a text takes in a terminal: Hangul and the like take two. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const c of text)
    columns += /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/u.test(c) ? 2 : 1;
  return columns;
}

/** Rows in columns; the first one to the left, the others to the right. */
export function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => columnsOf(row[i] ?? ""))));
  return rows.map((row) =>
    row
      .map((cell, i) => {
        const gap = " ".repeat(Math.max(0, widths[i]! - columnsOf(cell)));
        return i === 0 ? cell + gap : gap + cell;
      })
      .join("  ")
      .trimEnd(),
  );
}

/** Rows as a Markdown table. */
export function markdownTable(rows: readonly (readonly string[])[]): string[] {
  const [head = [], ...rest] = rows;
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((c) => c.replace(/[\\|]/g, (x) => `\\${x}`).replace(/\n/g, " ")).join(" | ")} |`;
  return [line(head), `|${head.map((_, i) => (i === 0 ? " :- " : " -: ")).join("|")}|`, ...rest.map(line)];
}
