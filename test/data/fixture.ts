import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { expect } from "vitest";
import { ParseError } from "../../src/ir/errors.ts";
import type { Tensor } from "../../src/ir/tensor.ts";

const folder = new URL("../fixtures/files/", import.meta.url);

export function fixture(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(name, folder)));
}

interface Expected {
  readonly shape: readonly number[];
  readonly data: readonly string[];
}

/** What NumPy says is in a fixture: numbers as Python prints them. */
export function expectedOf(name: string): { readonly shape: readonly number[]; readonly data: number[] } {
  const all = JSON.parse(readFileSync(new URL("expected.json", folder), "utf8")) as Record<string, Expected>;
  const { shape, data } = all[name]!;
  return { shape, data: data.map((text) => (text === "inf" ? Infinity : text === "-inf" ? -Infinity : Number(text))) };
}

export function halves(): { readonly doubles: readonly number[]; readonly bits: readonly number[] } {
  return JSON.parse(readFileSync(new URL("expected.json", folder), "utf8")).half;
}

export function contentOf(tensor: Tensor): { shape: readonly number[]; data: number[] } {
  return { shape: tensor.type.shape, data: [...tensor.data] };
}

/** The error that reading ends in, which must be a ParseError; null if it does not end in one. */
export async function parseErrorOf(read: () => unknown): Promise<ParseError | null> {
  try {
    await read();
    return null;
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    expect(error.message).toMatch(/^\S[^\n]{8,}$/);
    return error;
  }
}

/** Every beginning of a good file must end in a ParseError. */
export async function expectEveryCutToFail(good: Uint8Array, read: (bytes: Uint8Array) => unknown): Promise<void> {
  await read(good);
  for (let length = 0; length < good.length; length++) {
    const error = await parseErrorOf(() => read(good.slice(0, length)));
    if (error === null) expect.fail(`the first ${length} of ${good.length} bytes were read`);
  }
}

/** Random bytes and damaged good files: read or refused, nothing else. */
export async function expectOnlyParseErrors(good: Uint8Array, read: (bytes: Uint8Array) => unknown, runs: number): Promise<void> {
  const change = fc.record({ at: fc.nat(good.length - 1), byte: fc.nat(255), kind: fc.constantFrom("set", "insert", "remove", "repeat") });
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.array(change, { minLength: 1, maxLength: 4 }), async (noise, changes) => {
      await parseErrorOf(() => read(noise));
      const bytes = [...good];
      for (const { at, byte, kind } of changes) {
        if (kind === "set") bytes[at] = byte;
        else if (kind === "insert") bytes.splice(at, 0, byte);
        else if (kind === "remove") bytes.splice(at, 1 + (byte & 7));
        else bytes.splice(at, 0, ...bytes.slice(at, at + byte));
      }
      if ((await parseErrorOf(() => read(Uint8Array.from(bytes)))) !== null) refused++;
    }),
    { seed: 11, numRuns: runs },
  );
  expect(refused).toBeGreaterThan(runs / 4);
}
