import { expect, test } from "vitest";
import { crc32 } from "../../src/data/crc32.ts";

test("the checksum is that of zip, whole and in pieces", () => {
  const bytes = new TextEncoder().encode("123456789");
  expect(crc32(bytes)).toBe(0xcbf43926);
  for (let cut = 0; cut <= bytes.length; cut++) expect(crc32(bytes.subarray(cut), crc32(bytes.subarray(0, cut)))).toBe(0xcbf43926);
});
