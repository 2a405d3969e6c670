import type { CsvBlock, CsvLabel, CsvTable } from "./csv.ts";

/** All blocks of a CSV file as one table. */
export async function joinBlocks(blocks: AsyncIterable<CsvBlock>): Promise<CsvTable> {
  const all: CsvBlock[] = [];
  for await (const block of blocks) all.push(block);
  const columns = all[0]?.columns ?? [];
  const last = all[all.length - 1];
  const label: CsvLabel | null = last?.label
    ? { name: last.label.name, classes: last.label.classes, values: joined(all.map((block) => block.label!.values)) }
    : null;
  return { columns, rows: all.reduce((n, { rows }) => n + rows, 0), data: joined(all.map(({ data }) => data)), label };
}

function joined(parts: readonly Float64Array[]): Float64Array {
  const out = new Float64Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
