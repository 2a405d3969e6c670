import { broadcast, sizeOf } from "../../ir/shape.ts";
import { type Code, i32, type ModuleBuilder } from "./encoder.ts";
import { blocksOf, modes, ProductLibrary, productScratch } from "./gemm.ts";
import type { Product } from "./plan.ts";
import { isSmall, type Shaped, SmallProducts, smallScratch } from "./small-product.ts";
import type { View } from "./view.ts";

/** The products of a module: in packed blocks, and of operands that fit the first-level cache as they lie. */
export class Products {
  readonly large: ProductLibrary;
  readonly small: SmallProducts;
  constructor(module: ModuleBuilder, fused: boolean) {
    this.large = new ProductLibrary(module, fused);
    this.small = new SmallProducts(module, fused);
  }
}

/** How steps are written: for how many threads, and where a thread's own scratch is. */
export interface Parts {
  readonly threads: number;
  /** Adds a step that threads share, `write` computes the part in the local `part`; returns what calls it. */
  share(shares: Shares, write: (code: Code, part: number) => void): (code: Code) => void;
  /** Adds a function of a turn's number and the thread's. */
  turn(write: (code: Code) => void): number;
  /** Pushes the address of this thread's packed blocks, of its unfolded columns, or of an operand that all threads read. */
  packed(code: Code): void;
  columns(code: Code): void;
  common(code: Code): void;
}

/** Pushes the address of a buffer. */
export function addressOf(code: Code, base: number, buffer: View["buffer"], offset = 0): Code {
  code.getGlobal(base);
  if (buffer.place === "slot") {
    code.mem("i32.load", buffer.offset * 4);
    if (offset !== 0) code.int(offset).op("i32.add");
  } else code.int(buffer.offset + offset).op("i32.add");
  return code;
}

interface Operand {
  readonly view: View;
  /** Elements from one matrix to the next along each leading axis. */
  readonly steps: readonly number[];
  readonly row: number;
  readonly column: number;
}

/** A product's sizes: matrices along leading axes, as few of them as there can be. */
export interface Sizes {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly batch: readonly number[];
  readonly a: Operand;
  readonly b: Operand;
}

/** The sizes of a product. Leading axes along which B stays and A's rows go on evenly are rows: one large product instead of many small ones. */
export function sizesOf(product: Product): Sizes {
  const matrix = (v: View, row: boolean): View =>
    v.shape.length > 1
      ? v
      : row
        ? { ...v, shape: [1, ...v.shape], strides: [0, ...v.strides] }
        : { ...v, shape: [...v.shape, 1], strides: [...v.strides, 0] };
  const [left, right] = [matrix(product.a, true), matrix(product.b, false)];
  const batch = [...broadcast(left.shape.slice(0, -2), right.shape.slice(0, -2))!];
  const steps = (view: View): number[] => {
    const lead = view.shape.length - 2;
    return batch.map((s, i) => {
      const axis = i - (batch.length - lead);
      return axis < 0 || (view.shape[axis] === 1 && s !== 1) ? 0 : view.strides[axis]!;
    });
  };
  const [stepsA, stepsB] = [steps(left), steps(right)];
  let [m, k] = left.shape.slice(-2) as [number, number];
  let [row, column] = left.strides.slice(-2) as [number, number];
  while (batch.length > 0) {
    const last = batch.length - 1;
    const even = batch[last] === 1 || m === 1 || stepsA[last] === row * m;
    if (!even || (batch[last] !== 1 && stepsB[last] !== 0)) break;
    if (batch[last] !== 1 && m === 1) row = stepsA[last]!;
    m *= batch.pop()!;
    stepsA.pop();
    stepsB.pop();
  }
  const [rowB, columnB] = right.strides.slice(-2) as [number, number];
  return {
    m,
    n: right.shape[right.shape.length - 1]!,
    k,
    batch,
    a: { view: left, steps: stepsA, row, column },
    b: { view: right, steps: stepsB, row: rowB, column: columnB },
  };
}

function shapedOf({ m, n, k, a, b }: Sizes): Shaped {
  return { m, n, k, aRow: a.row, aColumn: a.column, bRow: b.row, bColumn: b.column };
}

/** Bytes of packed blocks that a product needs. */
export function scratchOf(product: Product): number {
  const sizes = sizesOf(product);
  const kind = product.node.type.dtype as "f32" | "f64";
  const small = shapedOf(sizes);
  return isSmall(small, kind) ? smallScratch(small, kind) : productScratch(sizes.m, sizes.n, sizes.k, kind);
}

/** How a product is shared: by rows of A or by columns of B, of which each part packs its own; the smaller operand is packed before, by all threads. */
function sharingOf(sizes: Sizes, kind: "f32" | "f64", threads: number): Shares {
  const { m, n, k, batch } = sizes;
  return sharesOf(batch.length > 0 || isSmall(shapedOf(sizes), kind) ? 0 : 2 * m * n * k, threads);
}

/** Bytes of an operand that is packed for all threads. */
export function commonOf(product: Product, threads: number): number {
  const sizes = sizesOf(product);
  const kind = product.node.type.dtype as "f32" | "f64";
  return sharingOf(sizes, kind, threads).parts > 1 ? (Math.min(sizes.m, sizes.n) + 8) * sizes.k * (kind === "f32" ? 4 : 8) : 0;
}

/** Pushes the sizes of a product and of its blocks; `rows` or `columns` is a local that holds how many of those there are. */
export function cut(
  code: Code,
  { m, n, k }: { readonly m: number; readonly n: number; readonly k: number },
  kind: "f32" | "f64",
  held: { readonly rows?: number; readonly columns?: number } = {},
): void {
  const blocks = blocksOf(m, n, k, kind);
  if (held.rows === undefined) code.int(m);
  else code.get(held.rows);
  if (held.columns === undefined) code.int(n);
  else code.get(held.columns);
  for (const x of [k, blocks.rows, blocks.columns, blocks.inner]) code.int(x);
}

/** Most parts of a step. */
export const mostParts = 64;
/** Multiplications and additions that a step is worth sharing for with a thread that is awake, about 30 us; those of the least part, and of a usual one. */
const [worthSharing, leastOfPart, usualOfPart] = [1_200_000, 400_000, 1_600_000];
/** Multiplications and additions that take as long as an element to be packed. */
const packingCost = 16;
/** Work that it is worth waking threads for: about 0.2 ms. */
const worthWaking = 8_000_000;

/** How work is shared. */
export interface Shares {
  readonly parts: number;
  /** Threads that sleep are woken for it. */
  readonly wakes: boolean;
}

/** Into how many parts work is cut: two a thread, or up to eight where they stay long enough, so that one that comes late, or runs slower, takes fewer. */
export function sharesOf(flops: number, threads: number): Shares {
  const wanted = Math.max(2 * threads, Math.min(8 * threads, Math.floor(flops / usualOfPart)));
  const parts = threads === 1 || flops < worthSharing ? 1 : Math.min(mostParts, wanted, Math.floor(flops / leastOfPart));
  return { parts, wakes: flops >= worthWaking };
}

/** The code of a product. */
export function writeProduct(product: Product, base: number, products: Products, parts: Parts): (code: Code) => void {
  const sizes = sizesOf(product);
  const { m, n, k, batch, a, b } = sizes;
  const kind = product.node.type.dtype as "f32" | "f64";
  const size = kind === "f32" ? 4 : 8;
  const sharing = sharingOf(sizes, kind, parts.threads);
  const at = ({ view }: Operand) => (code: Code) => addressOf(code, base, view.buffer, view.offset * size); // biome-ignore format: a function
  if (sharing.parts > 1) {
    const gemm = products.large.index(kind);
    const byRows = m >= n;
    const sides = { a: { push: at(a), whole: m, across: a.row * size, along: a.column * size }, b: { push: at(b), whole: n, across: b.column * size, along: b.row * size } }; // biome-ignore format: a table
    const [own, other] = byRows ? (["a", "b"] as const) : (["b", "a"] as const);
    const { push, whole, across, along } = sides[other];
    const { width, pack } = products.large.packing(kind, other);
    const { inner } = blocksOf(m, n, k, kind);
    const share = (
      of: number,
      unit: number,
      wanted: number,
      write: (code: Code, from: number, count: number) => void,
    ): ((code: Code) => void) => {
      const chunk = Math.ceil(of / wanted / unit) * unit;
      return parts.share({ parts: Math.ceil(of / chunk), wakes: sharing.wakes }, (code, part) => {
        const [from, count] = [code.local(i32), code.local(i32)];
        code.get(part).int(chunk).op("i32.mul").set(from);
        code.int(of).get(from).op("i32.sub").set(count).atMost(count, chunk);
        write(code, from, count);
      });
    };
    const packed = share(whole, width, sharesOf(packingCost * whole * k, parts.threads).parts, (code, from, count) => {
      const [at, some] = [code.local(i32), code.local(i32)];
      code.count(
        at,
        () => code.int(0),
        () => code.int(k),
        inner,
        () => {
          code.int(k).get(at).op("i32.sub").set(some).atMost(some, inner);
          push(code).plus(from, across).plus(at, along).int(across).int(along).get(count).get(some);
          parts.common(code);
          code.plus(at, Math.ceil(whole / width) * width * size);
          code.get(from).get(some).op("i32.mul").int(size).op("i32.mul").op("i32.add").call(pack);
        },
      );
    });
    const unit = products.large.packing(kind, own).width;
    const computed = share(sides[own].whole, unit, sharing.parts, (code, from, count) => {
      for (const side of ["a", "b"] as const) {
        const { push, across, along } = sides[side];
        if (side === own) push(code).plus(from, across);
        else parts.common(code);
        code.int(side === "a" ? across : along).int(side === "a" ? along : across);
      }
      addressOf(code, base, product.out)
        .plus(from, byRows ? n * size : size)
        .int(n * size);
      cut(code, { m, n, k }, kind, byRows ? { rows: count } : { columns: count });
      parts.packed(code);
      code.int(byRows ? modes.packedB : modes.packedA).call(gemm);
    });
    return (code) => {
      packed(code);
      computed(code);
    };
  }
  const call = turnedProduct(product, base, products, parts);
  const count = sizeOf(batch);
  if (count === 1) return (code) => call(code, null);
  return (code) => {
    const turn = code.local(i32);
    code.count(turn, () => code.int(0), () => code.int(count), 1, () => call(code, turn)); // biome-ignore format: one call
  };
}

/** What writes the product of the matrices of a turn, whose number is in a local, or of the only ones there are. */
export function turnedProduct(product: Product, base: number, products: Products, parts: Parts): (code: Code, turn: number | null) => void {
  const sizes = sizesOf(product);
  const { m, n, k, batch, a, b } = sizes;
  const kind = product.node.type.dtype as "f32" | "f64";
  const size = kind === "f32" ? 4 : 8;
  const shaped = shapedOf(sizes);
  const small = isSmall(shaped, kind) ? products.small.index(shaped, kind) : -1;
  const gemm = small >= 0 ? small : products.large.index(kind);
  return (code, turn) => {
    const [x, y] = [a, b].map(({ view, steps, row, column }) => {
      const address = (): Code => addressOf(code, base, view.buffer, view.offset * size);
      const at = turn === null ? -1 : code.local(i32);
      if (turn !== null) {
        const rest = code.local(i32);
        address().set(at).get(turn).set(rest);
        for (let axis = batch.length - 1; axis >= 0; axis--) {
          code.get(at).get(rest).int(batch[axis]!).op("i32.rem_u");
          code.int(steps[axis]! * size).op("i32.mul").op("i32.add").set(at); // biome-ignore format: one sum
          code.get(rest).int(batch[axis]!).op("i32.div_u").set(rest);
        }
      }
      return (): void => {
        if (turn === null) address();
        else code.get(at);
        if (small < 0) code.int(row * size).int(column * size);
      };
    }) as [() => void, () => void];
    x();
    y();
    addressOf(code, base, product.out);
    if (turn !== null) code.plus(turn, m * n * size);
    if (small < 0) {
      code.int(n * size);
      cut(code, { m, n, k }, kind);
    }
    parts.packed(code);
    if (small < 0) code.int(0);
    code.call(gemm);
  };
}
