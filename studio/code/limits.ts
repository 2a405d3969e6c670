/** Bytes of WebAssembly memory that a program may have, all its engines together; and of one array. */
export const mostBytes: number = 512 * 2 ** 20;
/** Nodes that a program may make. */
export const mostNodes = 1_000_000;

const page = 65_536;

/** The names that WebAssembly gives to its classes; their objects lead back to them by `constructor`. */
const classes = ["Memory", "Module", "Instance", "Table", "Global", "Tag", "Exception"] as const;

let tellOver: (error: RangeError) => void = () => undefined;

/** Names who is told when a program goes over a limit: the page, which ends the program, whatever the program does with the error. */
export function whenOver(tell: (error: RangeError) => void): void {
  tellOver = tell;
}

function over(text: string): never {
  const error = new RangeError(text);
  tellOver(error);
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

/** What makes buffers of a length, and what makes them another length. */
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

/**
 * No array of a program, and no tensor of the engine that interprets, may be longer than the limit. Arrays are collected by the browser when nobody holds
 * them, and no program can see when, so what is limited is one of them and not all together.
 * @param scope the global object, whose constructors are replaced by ones that look at the length
 */
export function limitArrays(scope: Record<string, unknown>, most: number = mostBytes): void {
  const { construct, apply, defineProperty } = Reflect;
  const { max } = Math;
  const fixed = fixer(defineProperty);
  const check = (bytes: number): void => {
    if (bytes > most) over(`an array of a program in the studio may have ${most / 2 ** 20} MiB; take fewer rows at once`);
  };
  const replace = (name: string, bytesIn: (given: readonly unknown[]) => number): void => {
    const original = scope[name] as (Constructor & { readonly prototype: object }) | undefined;
    if (original === undefined) return;
    const watched = new Proxy(original, {
      construct: (target, given: readonly unknown[], newTarget) => {
        check(bytesIn(given));
        return construct(target, given, newTarget) as object;
      },
    });
    fixed(original.prototype, "constructor", watched);
    fixed(scope, name, watched);
  };
  for (const name of arrays) {
    const size = (scope[name] as { readonly BYTES_PER_ELEMENT: number } | undefined)?.BYTES_PER_ELEMENT ?? 1;
    replace(name, (given) => {
      const [first] = given;
      // A length; a list of numbers, which has one. A view of a buffer makes none.
      if (typeof first !== "object" || first === null) return Number(first) * size;
      return given.length === 1 ? (Number((first as { readonly length?: number }).length) || 0) * size : 0;
    });
  }
  const buffers = (given: readonly unknown[]): number => {
    const options = given[1] as { readonly maxByteLength?: number } | undefined;
    const length = Number(given[0]);
    const longest = Number(options?.maxByteLength ?? 0);
    return max(length, longest);
  };
  for (const name of ["ArrayBuffer", "SharedArrayBuffer"] as const) {
    const prototype = (scope[name] as { readonly prototype: Record<string, unknown> } | undefined)?.prototype;
    if (prototype === undefined) continue;
    for (const method of ["resize", "grow", "transfer", "transferToFixedLength"] as const) {
      const original = prototype[method] as ((...given: unknown[]) => unknown) | undefined;
      if (original === undefined) continue;
      fixed(prototype, method, function (this: object, ...given: unknown[]): unknown {
        check(Number(given[0] ?? 0));
        return apply(original, this, given);
      });
    }
    replace(name, buffers);
  }
}
