import { expect, test } from "vitest";
import { type CsvBlock, type CsvOptions, csvBlocks } from "../../src/data/csv.ts";
import { expectOnlyParseErrors } from "./fixture.ts";

async function blocksOf(
  pieces: readonly (string | Uint8Array)[],
  options: CsvOptions & { readonly blockRows?: number } = {},
): Promise<CsvBlock[]> {
  const blocks: CsvBlock[] = [];
  for await (const block of csvBlocks(pieces, options)) blocks.push(block);
  return blocks;
}

test("one long row in many pieces is not read again for each of them", async () => {
  const width = 200_000;
  const row = `${new Array(width).fill("1.5").join(",")}\n`;
  const pieces = Array.from({ length: Math.ceil(row.length / 16) }, (_, i) => row.slice(i * 16, i * 16 + 16));
  const blocks = await blocksOf(pieces);
  expect([blocks.length, blocks[0]?.data.length, blocks[0]?.data[width - 1]]).toEqual([1, width, 1.5]);
});

test("noise and damage are refused or read", async () => {
  const good = new TextEncoder().encode('a,b,"c ""d"""\r\n1,2,"3"\r\n4,5.5e3,6\r\n"7",8,-9\r\n');
  await expectOnlyParseErrors(good, (bytes) => blocksOf([bytes]), 1500);
});
