/** Bytes of WebAssembly memory that a program may have, all its engines together; and of one array. */
export const mostBytes: number = 512 * 2 ** 20;
/** Bytes of arrays that a program may keep, all together. */
export const mostKept: number = 2 ** 30;
/** Nodes that a program may make. */
export const mostNodes = 1_000_000;

const page = 65_536;

/** The names that WebAssembly gives to its classes; their objects lead back to them by `constructor`. */
const classes = ["Memory", "Module", "Instance", "Table", "Global", "Tag", "Exception"] as const;

let tellOver: (text: string, error: RangeError) => void = () => undefined;
const OutOfRange = RangeError;

/** Names who is told when a program goes over a limit: the page, which ends the program, whatever the program does with the error. */
export function whenOver(tell: (text: string, error: RangeError) => void): void {
  tellOver = tell;
}

function over(text: string): never {
  const error = new OutOfRange(text);
  tellOver(text, error);
  throw error;
}

/** A loop that never stops building ends with a sentence instead of a full memory. The build calls this where a node is made, whichever part of the library makes it. */
export function tooManyNodes(): never {
  return over("a program in the studio may make 1,000,000 nodes; build the graph once and run it in a compiled program");
}

type Constructor = new (...given: never[]) => object;
type Fixed = (target: object, name: string, value: unknown) => void;

/**
 * Counts the memory of all engines together: making or growing one past the limit ends the program. Whoever holds an object of WebAssembly finds no way from it to the classes, and what the count reads are copies that were taken before.
 * @param namespace `WebAssembly`, which the caller then keeps for itself
 */
export function limitEngines(namespace: typeof WebAssembly, most: number = mostBytes): void {
  const { construct, apply, defineProperty, deleteProperty, getOwnPropertyDescriptor, getPrototypeOf } = Reflect;
  const { max, min } = Math;
  const { Memory } = namespace;
  const Ref = WeakRef;
  const deref = Ref.prototype.deref;
  const grow = Memory.prototype.grow;
  const bufferOf = getOwnPropertyDescriptor(Memory.prototype, "buffer")!.get!;
  const empty = new Memory({ initial: 0 });
  const lengthOf = getOwnPropertyDescriptor(getPrototypeOf(apply(bufferOf, empty, [])) as object, "byteLength")!.get!;
  const shared = new Memory({ initial: 0, maximum: 0, shared: true });
  const sharedLengthOf = getOwnPropertyDescriptor(getPrototypeOf(apply(bufferOf, shared, [])) as object, "byteLength")!.get!;
  const sharedPrototype = getPrototypeOf(apply(bufferOf, shared, [])) as object;
  const bytesOf = (memory: WebAssembly.Memory): number => {
    const buffer = apply(bufferOf, memory, []) as object;
    return apply(getPrototypeOf(buffer) === sharedPrototype ? sharedLengthOf : lengthOf, buffer, []) as number;
  };
  // A chain and no array: what a program does to arrays changes no count.
  interface Living {
    readonly ref: WeakRef<WebAssembly.Memory>;
    next: Living | null;
  }
  let living: Living | null = null;
  const text = `a program in the studio may use ${most / 2 ** 20} MiB of engine memory, all its engines together; make the batch smaller, or dispose of programs that are no longer used`;
  let isRefused = false;
  const claim = (pages: number): boolean => {
    let used = pages * page;
    let kept: Living | null = null;
    for (let at = living; at !== null; ) {
      const { next } = at;
      const memory = apply(deref, at.ref, []) as WebAssembly.Memory | undefined;
      if (memory !== undefined) {
        used += bytesOf(memory);
        at.next = kept;
        kept = at;
      }
      at = next;
    }
    living = kept;
    return used <= most;
  };
  const fixed = fixer(defineProperty);
  fixed(Memory.prototype, "grow", function (this: WebAssembly.Memory, delta: number): number {
    const pages = +delta;
    if (!claim(max(pages, 0))) {
      // An engine asks for more than it needs at first, and then for what it needs.
      if (isRefused) over(text);
      isRefused = true;
      throw new RangeError(text);
    }
    isRefused = false;
    return apply(grow, this, [pages]) as number;
  });
  function Made(given: WebAssembly.MemoryDescriptor): WebAssembly.Memory {
    const initial = +given.initial;
    const pages = most / page;
    const maximum = given.maximum === undefined ? pages : +given.maximum;
    if (!claim(max(initial, 0))) over(text);
    const descriptor: WebAssembly.MemoryDescriptor = {
      initial,
      // A module that grows its memory by itself asks nobody.
      maximum: max(initial, min(maximum, pages)),
      shared: given.shared === true,
    };
    const memory = construct(Memory, [descriptor]) as WebAssembly.Memory;
    living = { ref: new Ref(memory), next: living };
    return memory;
  }
  fixed(namespace, "Memory", Made);
  for (const name of classes) {
    const known = (name === "Memory" ? Memory : (namespace as unknown as Record<string, Constructor | undefined>)[name])?.prototype as
      | object
      | undefined;
    if (known !== undefined) deleteProperty(known, "constructor");
  }
}

function fixer(defineProperty: typeof Reflect.defineProperty): Fixed {
  return (target, name, value) => {
    defineProperty(target, name, { value, writable: false, configurable: false, enumerable: true });
  };
}

const arrays = [
  "Int8Array",
  "Uint8Array",
  "Uint8ClampedArray",
  "Int16Array",
  "Uint16Array",
  "Int32Array",
  "Uint32Array",
  "Float16Array",
  "Float32Array",
  "Float64Array",
  "BigInt64Array",
  "BigUint64Array",
] as const;

/** Which limits hold for arrays; the tests take smaller ones. */
export interface ArrayLimits {
  /** Bytes of one array. */
  readonly most?: number;
  /** Bytes of all that are kept. */
  readonly kept?: number;
  /** A length that no browser has room for: asking for it makes it collect what nobody holds. */
  readonly impossible?: number;
  /** How many tokens are made ahead. */
  readonly spares?: number;
}

/** What dies with a buffer, because nothing else holds it. */
interface Held {
  token: Token;
}

/** What is watched in the place of a buffer. */
interface Token {
  owner: Held | null;
}

/** A token and how many bytes it stands for; while it is spare, it is held here. */
interface Watched {
  readonly ref: WeakRef<Token>;
  token: Token | null;
  bytes: number;
  next: Watched | null;
}

/** How many bytes a token stands for at least. */
const grain = 2 ** 20;

interface Counter {
  /** Looks whether so many more bytes have room. */
  room(bytes: number): void;
  /** How many bytes a buffer of so many is to be watched for; 0: it is not. */
  due(bytes: number): number;
  watch(buffer: object, bytes: number): void;
  isWatched(buffer: object): boolean;
}

/**
 * Counts the bytes of buffers that are still held, and says when they are too many.
 *
 * Whether an object is still held is known in the middle of a loop only by a weak reference that was made, and last looked at, in an earlier task: one that is made or looked at in this task holds its object
 * to the end of it. So tokens with such references are made ahead, each buffer is given one that nothing else holds, and when the bytes counted reach the limit, the browser is made to collect and the tokens are looked at; those that live get new
 * ones. Of buffers below a mebibyte one is watched for every mebibyte made, at random places, as profilers of memory do.
 */
function counter(most: number, impossible: number, spares: number): Counter {
  const { apply } = Reflect;
  const { max } = Math;
  const Ref = WeakRef;
  const Buffer = ArrayBuffer;
  const deref = Ref.prototype.deref;
  const later = setTimeout;
  const map = new WeakMap<object, Held>();
  const { set, has } = WeakMap.prototype;
  const text = `a program in the studio may keep ${most / 2 ** 30} GiB of arrays, all together; let go of those that are no longer used, or take fewer rows at once`;
  const made = (next: Watched | null): Watched => {
    const token: Token = { owner: null };
    return { ref: new Ref(token), token, bytes: 0, next };
  };
  // Chains and no arrays: what a program does to arrays changes no count.
  let spare: Watched | null = null;
  let left = 0;
  let isAsked = false;
  let step = grain;
  let living: Watched | null = null;
  let counted = 0;
  let limit = most;
  const refill = (): void => {
    isAsked = false;
    for (; left < spares; left++) spare = made(spare);
    step = grain;
  };
  const take = (): Watched => {
    if (left < spares / 2 && !isAsked) {
      isAsked = true;
      later(refill);
    }
    if (spare === null) return made(null);
    const taken = spare;
    spare = taken.next;
    // The fewer there are until the next task, the more bytes each stands for.
    left--;
    if (left * step < (spares / 2) * grain && step < most / 8) step *= 2;
    return taken;
  };
  const give = (held: Held, watched: Watched, bytes: number): void => {
    const token = watched.token!;
    watched.token = null;
    watched.bytes = bytes;
    token.owner = held;
    held.token = token;
  };
  /** A token that nobody holds. */
  const canary = (): WeakRef<Token> => {
    const { ref } = take();
    return ref;
  };
  const collect = (): boolean => {
    const ref = canary();
    try {
      new Buffer(impossible);
    } catch {
      // As meant.
    }
    return apply(deref, ref, []) === undefined;
  };
  const reckon = (bytes: number): void => {
    const isCollected = collect();
    let live = 0;
    let kept: Watched | null = null;
    for (let at = living; at !== null; ) {
      const { next } = at;
      const token = apply(deref, at.ref, []) as Token | undefined;
      if (token !== undefined) {
        const held = token.owner!;
        const watched = take();
        token.owner = null;
        give(held, watched, at.bytes);
        watched.next = kept;
        kept = watched;
        live += at.bytes;
      }
      at = next;
    }
    living = kept;
    counted = live;
    // A browser that does not collect when asked to leaves what was let go of among what lives.
    if (live + bytes > (isCollected ? most : 4 * most)) over(text);
    limit = max(most, live + most / 2);
  };
  const watch = (buffer: object, bytes: number): void => {
    const watched = take();
    const held: Held = { token: watched.token! };
    give(held, watched, bytes);
    watched.next = living;
    living = watched;
    apply(set, map, [buffer, held]);
    counted += bytes;
    if (counted > limit) reckon(0);
  };
  let seed = 1;
  let unwatched = 0;
  let next = grain;
  refill();
  return {
    room: (bytes) => {
      if (counted + bytes > limit) reckon(bytes);
    },
    due: (bytes) => {
      if (bytes >= step) return bytes;
      unwatched += bytes;
      if (unwatched < next) return 0;
      const all = unwatched;
      unwatched = 0;
      seed = (seed * 1_664_525 + 1_013_904_223) % 2 ** 32;
      next = step * (0.5 + seed / 2 ** 32);
      return all;
    },
    watch,
    isWatched: (buffer) => apply(has, map, [buffer]) as boolean,
  };
}

/**
 * No array of a program, and no tensor of the engine that interprets, may be longer than the limit, and all that are kept may not be longer together than theirs.
 * Plain lists, objects and texts are in the browser's own heap, which has its own limit.
 * @param scope the global object, whose constructors are replaced by ones that look at the length
 */
export function limitArrays(
  scope: Record<string, unknown>,
  { most = mostBytes, kept = mostKept, impossible = 2 ** 34, spares = 2 ** 15 }: ArrayLimits = {},
): void {
  const { construct, apply, defineProperty, getOwnPropertyDescriptor, getPrototypeOf, setPrototypeOf } = Reflect;
  const { max } = Math;
  const { isArray } = Array;
  const { isView } = ArrayBuffer;
  const { room, due, watch, isWatched } = counter(kept, impossible, spares);
  const fixed = fixer(defineProperty);
  // %TypedArray%.prototype, which the twelve share.
  const typed = getPrototypeOf((scope["Int8Array"] as Constructor).prototype) as Record<string, unknown>;
  const bufferOf = getOwnPropertyDescriptor(typed, "buffer")!.get!;
  const bytesOf = getOwnPropertyDescriptor(typed, "byteLength")!.get!;
  const bufferPrototype = (scope["ArrayBuffer"] as Constructor).prototype as Record<string, unknown>;
  const bytesOfBuffer = getOwnPropertyDescriptor(bufferPrototype, "byteLength")!.get!;
  // A sum with NaN is never too much.
  const positive = (length: number): number => max(length || 0, 0);
  const check = (bytes: number): void => {
    if (bytes > most) over(`an array of a program in the studio may have ${most / 2 ** 20} MiB; take fewer rows at once`);
    if (bytes >= grain) room(bytes);
  };
  /** How many were counted, so that one which two ways lead to is counted once. */
  let turns = 0;
  const count = (made: object, bytes: number, isBuffer = false): void => {
    turns++;
    if (bytes > most) check(bytes);
    const watched = due(bytes);
    // What holds the bytes is the buffer, whoever looks at it.
    if (watched > 0) watch(isBuffer ? made : (apply(bufferOf, made, []) as object), watched);
  };
  const replace = (name: string, make: (target: Constructor, given: readonly unknown[], as: Constructor) => object): void => {
    const original = scope[name] as (Constructor & { readonly prototype: object }) | undefined;
    if (original === undefined) return;
    const handler: ProxyHandler<Constructor> = { construct: make as NonNullable<ProxyHandler<Constructor>["construct"]> };
    // Else the traps that it does not have would be looked for where a program can put some.
    setPrototypeOf(handler, null);
    const watched = new Proxy(original, handler);
    fixed(original.prototype, "constructor", watched);
    // Where pages are isolated from other origins a frame has shared memory in Firefox, and the caller takes it away.
    defineProperty(scope, name, { value: watched, writable: false, configurable: name === "SharedArrayBuffer", enumerable: true });
  };
  for (const name of arrays) {
    const size = (scope[name] as { readonly BYTES_PER_ELEMENT: number } | undefined)?.BYTES_PER_ELEMENT ?? 1;
    replace(name, (target, given, as) => {
      const first = given[0];
      if ((typeof first !== "object" || first === null) && typeof first !== "function") {
        // A length.
        const bytes = first === undefined ? 0 : positive(+(first as number)) * size;
        check(bytes);
        const array = construct(target, given as never[], as) as object;
        count(array, bytes);
        return array;
      }
      // A list of numbers may say of its length what it likes, so what is made is measured too.
      check(positive(+(first as { readonly length: number }).length) * size);
      const array = construct(target, given as never[], as) as object;
      if (isArray(first) || isView(first) || apply(bufferOf, array, []) !== first) count(array, apply(bytesOf, array, []) as number);
      return array;
    });
  }
  /** Methods that make an array past its constructor, or can be brought to. */
  const counts = (prototype: Record<string, unknown>, method: string, isBuffer = false): void => {
    const original = prototype[method] as ((...given: unknown[]) => object) | undefined;
    if (original === undefined) return;
    fixed(prototype, method, function (this: object, ...given: unknown[]): object {
      const before = turns;
      const result = apply(original, this, given) as object;
      const bytes = apply(isBuffer ? bytesOfBuffer : bytesOf, result, []) as number;
      if (turns === before || (bytes >= grain && !isWatched(isBuffer ? result : (apply(bufferOf, result, []) as object))))
        count(result, bytes, isBuffer);
      return result;
    });
  };
  for (const method of ["slice", "map", "filter", "toSorted", "toReversed", "with"]) counts(typed, method);
  counts(bufferPrototype, "slice", true);
  const Encoder = scope["TextEncoder"] as Constructor | undefined;
  if (Encoder !== undefined) counts(Encoder.prototype as Record<string, unknown>, "encode");
  for (const name of ["ArrayBuffer", "SharedArrayBuffer"] as const) {
    const prototype = (scope[name] as { readonly prototype: Record<string, unknown> } | undefined)?.prototype;
    if (prototype === undefined) continue;
    for (const method of ["resize", "grow", "transfer", "transferToFixedLength"] as const) {
      const original = prototype[method] as ((...given: unknown[]) => unknown) | undefined;
      if (original === undefined) continue;
      const isMaking = method.startsWith("transfer");
      fixed(prototype, method, function (this: object, given?: unknown): unknown {
        // Read once, so that it is one number.
        const bytes = given === undefined ? undefined : +(given as number);
        if (bytes !== undefined) check(bytes);
        const result = apply(original, this, bytes === undefined ? [] : [bytes]);
        if (isMaking) count(result as object, apply(bytesOfBuffer, result, []) as number, true);
        return result;
      });
    }
    replace(name, (target, given, as) => {
      const length = given[0] === undefined ? 0 : +(given[0] as number);
      const longest = (given[1] as { readonly maxByteLength?: unknown } | undefined)?.maxByteLength;
      const options = longest === undefined ? undefined : { maxByteLength: +(longest as number) };
      const bytes = max(positive(length), positive(options?.maxByteLength ?? 0));
      check(bytes);
      const buffer = construct(target, [length, options] as never[], as) as object;
      count(buffer, bytes, true);
      return buffer;
    });
  }
}
