/** The cells of a row of a table (RFC 4180), without the quotes and the spaces around them. */
function cellsOf(line: string, delimiter: string): string[] {
  const cells: string[] = [];
  let cell = "";
  let quoted = false;
  for (let i = 0; i < line.length; i++) {
    const c = line[i]!;
    if (c === '"' && quoted && line[i + 1] === '"') cell += line[i++];
    else if (c === '"') quoted = !quoted;
    else if (c === delimiter && !quoted) {
      cells.push(cell.trim());
      cell = "";
    } else cell += c;
  }
  return [...cells, cell.trim()];
}

/** The first row of a table, the cells in it, and the sign that parts them: of a comma, a semicolon and a tab the one that makes most. */
export function firstRow(text: string): { readonly line: string; readonly cells: readonly string[]; readonly delimiter: string } {
  const line = text.slice(0, text.search(/\r?\n|$/));
  const ways = [",", ";", "\t"].map((delimiter) => ({ line, delimiter, cells: cellsOf(line, delimiter) }));
  return ways.reduce((best, one) => (one.cells.length > best.cells.length ? one : best));
}
