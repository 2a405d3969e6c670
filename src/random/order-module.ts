/** As many places as a page of memory has room for, twice. */
export const mostPlaces = 8192;
/** Where the numbers below each place are, from which the order is made; the order itself is at 0. */
const drawn = 4 * mostPlaces;

/** Writes the permutation of a key, of so many places (2 to `mostPlaces`), to the beginning of `memory`. */
export interface OrderModule {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly order: (key0: number, key1: number, count: number) => void;
}

/** Instructions as bytes. */
type Code = readonly number[];

function unsigned(x: number): number[] {
  return x < 0x80 ? [x] : [(x & 0x7f) | 0x80, ...unsigned(x >>> 7)];
}

function signed(x: number): number[] {
  return x >= -64 && x < 64 ? [x & 0x7f] : [(x & 0x7f) | 0x80, ...signed(x >> 7)];
}

const get = (local: number): Code => [0x20, ...unsigned(local)];
const set = (local: number): Code => [0x21, ...unsigned(local)];
const int = (x: number): Code => [0x41, ...signed(x)];
const vector = (opcode: number): Code => [0xfd, ...unsigned(opcode)];
const bytesOf = (numbers: Int32Array | Float64Array): Uint8Array => new Uint8Array(numbers.buffer);
const section = (id: number, body: Code): Code => [id, ...unsigned(body.length), ...body];

/**
 * The module's bytes: what `fillPermutation` does, with eight blocks at once, two vectors of four, where the blocks of an order are most of the time that it takes; about half of that
 * is left. Source: WebAssembly core specification 2.0, "binary format".
 */
export function orderModuleBytes(): Uint8Array<ArrayBuffer> {
  const splat = vector(0x11);
  const add = vector(0xae);
  const [xor, or, left, right] = [vector(0x51), vector(0x50), vector(0xab), vector(0xad)];
  const [toLow, doubles, plus, times, toInt] = [vector(0xfe), vector(0x14), vector(0xf0), vector(0xf2), vector(0xfc)];
  const [load, store, storeFour] = [(at: number): Code => [0x28, 2, ...unsigned(at)], (at: number): Code => [0x36, 2, ...unsigned(at)], (at: number): Code => [0xfd, 11, 4, ...unsigned(at)]]; // biome-ignore format: one kind
  const firstFour: Code = [0xfd, 12, ...bytesOf(Int32Array.of(0, 1, 2, 3))];
  const float = (x: number): Code => [0x44, ...bytesOf(Float64Array.of(x)), ...doubles];
  const code: number[] = [];
  const write = (...parts: readonly Code[]): void => {
    for (const part of parts) code.push(...part);
  };

  // Parameters, then numbers, then vectors.
  const [key0, key1, count, at, place, moved] = [0, 1, 2, 3, 4, 5];
  let locals = 6;
  const local = (): number => locals++;
  const four = local();
  const key = [local(), local(), local()];
  const added = [0, 1, 2, 3, 4].map(local);
  const blocks = [0, 1].map((index) => ({ index, a: local(), b: local() }));
  const step = (i: number, by: number): Code => [...get(i), ...int(by), 0x6a, ...set(i)];
  const nextFour = (by: number): Code => [...get(four), ...int(by), ...splat, ...add, ...set(four)];
  const whileBelowCount: Code = [...get(at), ...get(count), ...int(2), 0x74, 0x49, 0x0d, 0];
  const repeat: Code = [0x03, 0x40];
  const end = 0x0b;

  // The key schedule: the words of the key, and what each of the five injections adds to the second word.
  write(get(key0), splat, set(key[0]!), get(key1), splat, set(key[1]!));
  write(int(0x1bd11bda), get(key0), [0x73], get(key1), [0x73], splat, set(key[2]!));
  for (const [i, x] of added.entries()) write(get(key[(i + 2) % 3]!), int(i + 1), splat, add, set(x));

  // Blocks at the counters `four` and those after, and of each its place: the floor of its 53 bits times one more than the counter.
  write(firstFour, set(four), repeat);
  for (const { index, a, b } of blocks) write(get(four), int(4 * index), splat, add, get(key[0]!), add, set(a), get(key[1]!), set(b));
  for (const [i, x] of added.entries()) {
    for (const by of i % 2 === 0 ? [13, 15, 26, 6] : [17, 29, 16, 24]) {
      for (const { a, b } of blocks) write(get(a), get(b), add, set(a));
      for (const { a, b } of blocks) write(get(b), int(by), left, get(b), int(32 - by), right, or, get(a), xor, set(b));
    }
    for (const { a, b } of blocks) write(get(a), get(key[(i + 1) % 3]!), add, set(a), get(b), get(x), add, set(b));
  }
  const upper = (x: Code): Code => [...x, ...x, ...vector(13), 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15];
  for (const { index, a, b } of blocks) {
    write(get(a), int(5), right, set(a), get(b), int(6), right, set(b), get(at));
    for (const half of [(x: Code): Code => x, upper])
      write(half(get(a)), toLow, float(2 ** 26), times, half(get(b)), toLow, plus, float(2 ** -53), times, half([...get(four), ...int(4 * index + 1), ...splat, ...add]), toLow, times, toInt); // biome-ignore format: one formula
    write([...vector(13), 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23], storeFour(drawn + 16 * index));
  }
  write(nextFour(8), step(at, 32), whileBelowCount, [end]);

  // The places in their order, then each from the last down exchanged with its own.
  write(firstFour, set(four), int(0), set(at), repeat);
  write(get(at), get(four), storeFour(0), nextFour(4), step(at, 16), whileBelowCount, [end]);
  write(get(count), int(1), [0x6b], int(2), [0x74], set(at), repeat);
  write(get(at), load(drawn), int(2), [0x74], set(place), get(at), load(0), set(moved));
  write(get(at), get(place), load(0), store(0), get(place), get(moved), store(0));
  write(step(at, -4), get(at), [0x0d, 0, end], [end]);

  const body: Code = [2, 3, 0x7f, ...unsigned(locals - 6), 0x7b, ...code];
  return Uint8Array.of(
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 3, 0x7f, 0x7f, 0x7f, 0]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, 1]),
    ...section(7, [2, 6, ...[..."memory"].map((c) => c.charCodeAt(0)), 2, 0, 5, ...[..."order"].map((c) => c.charCodeAt(0)), 0, 0]),
    ...section(10, [1, ...unsigned(body.length), ...body]),
  );
}

/** The module, or null where the host compiles no vectors or forbids to compile. */
export function orderModule(): OrderModule | null {
  try {
    return new WebAssembly.Instance(new WebAssembly.Module(orderModuleBytes())).exports as unknown as OrderModule;
  } catch {
    return null;
  }
}
