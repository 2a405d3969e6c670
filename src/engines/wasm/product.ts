import { broadcast } from "../../ir/shape.ts";
import { type Code, i32, type ModuleBuilder } from "./encoder.ts";
import { blocksOf, ProductLibrary, productScratch } from "./gemm.ts";
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
  share(parts: number, write: (code: Code, part: number) => void): (code: Code) => void;
  /** Adds a function of a turn's number and the thread's. */
  turn(write: (code: Code) => void): number;
  /** Pushes the address of this thread's packed blocks, or of its unfolded columns. */
  packed(code: Code): void;
  columns(code: Code): void;
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

/** Work below this many multiplications and additions is not worth waking a thread for: about 0.2 ms. */
const worthSharing = 8_000_000;
/** Most parts of a step. */
export const mostParts = 64;

/** Into how many parts work is cut: two a thread, so that one that comes late takes fewer, and none too small. */
export function partsOf(flops: number, threads: number): number {
  return threads === 1 || flops < worthSharing ? 1 : Math.min(mostParts, 2 * threads, Math.floor(flops / (worthSharing / 4)));
}

/** The code of a product. */
export function writeProduct(
  product: Product,
  module: ModuleBuilder,
  base: number,
  products: Products,
  parts: Parts,
): (code: Code) => void {
  const sizes = sizesOf(product);
  const { m, n, k, batch, a, b } = sizes;
  const kind = product.node.type.dtype as "f32" | "f64";
  const size = kind === "f32" ? 4 : 8;
  const shaped = shapedOf(sizes);
  const small = isSmall(shaped, kind) ? products.small.index(shaped, kind) : -1;
  const wanted = batch.length > 0 || small >= 0 ? 1 : partsOf(2 * m * n * k, parts.threads);
  const gemm = small >= 0 ? small : products.large.index(kind);
  const [left, right, out] = [0, 1, 2].map((i) => (code: Code): void => {
    if (i === 2) addressOf(code, base, product.out);
    else addressOf(code, base, (i === 0 ? a : b).view.buffer, (i === 0 ? a : b).view.offset * size);
  }) as [(code: Code) => void, (code: Code) => void, (code: Code) => void];
  if (wanted > 1) {
    const byRows = m >= n;
    const unit = byRows ? 10 : 8;
    const whole = byRows ? m : n;
    const chunk = Math.ceil(whole / wanted / unit) * unit;
    return parts.share(Math.ceil(whole / chunk), (code, part) => {
      const [from, count] = [code.local(i32), code.local(i32)];
      code.get(part).int(chunk).op("i32.mul").set(from);
      code.int(whole).get(from).op("i32.sub").set(count);
      code.get(count).int(chunk).get(count).int(chunk).op("i32.lt_s").op("select").set(count);
      const moved = (step: number): void => {
        code.plus(from, step);
      };
      left(code);
      if (byRows) moved(a.row * size);
      code.int(a.row * size).int(a.column * size);
      right(code);
      if (!byRows) moved(b.column * size);
      code.int(b.row * size).int(b.column * size);
      out(code);
      moved(byRows ? n * size : size);
      code.int(n * size);
      cut(code, { m: byRows ? chunk : m, n: byRows ? n : chunk, k }, kind, byRows ? { rows: count } : { columns: count });
      parts.packed(code);
      code.int(0).call(gemm);
    });
  }
  const index = module.add(null, [], [], (code) => {
    const [x, y, z] = [code.local(i32), code.local(i32), code.local(i32)];
    left(code);
    code.set(x);
    right(code);
    code.set(y);
    out(code);
    code.set(z);
    const level = (axis: number): void => {
      if (axis === batch.length) {
        if (small >= 0) {
          code.get(x).get(y).get(z);
          parts.packed(code);
          code.call(small);
        } else {
          code
            .get(x)
            .int(a.row * size)
            .int(a.column * size)
            .get(y)
            .int(b.row * size)
            .int(b.column * size)
            .get(z)
            .int(n * size);
          cut(code, { m, n, k }, kind);
          parts.packed(code);
          code.int(0).call(gemm);
        }
        code.move(z, m * n * size);
        return;
      }
      const i = code.local(i32);
      const move = (local: number, by: number): void => {
        if (by !== 0) code.move(local, by);
      };
      code.count(
        i,
        () => code.int(0),
        () => code.int(batch[axis]!),
        1,
        () => {
          level(axis + 1);
          move(x, a.steps[axis]! * size);
          move(y, b.steps[axis]! * size);
        },
      );
      move(x, -a.steps[axis]! * batch[axis]! * size);
      move(y, -b.steps[axis]! * batch[axis]! * size);
    };
    level(0);
  });
  return (code) => code.call(index);
}

/** A function of the number of a turn, which computes the product of that turn's matrices. */
export function turnedProduct(product: Product, base: number, products: Products, parts: Parts): number {
  const sizes = sizesOf(product);
  const { m, n, k, batch, a, b } = sizes;
  const kind = product.node.type.dtype as "f32" | "f64";
  const size = kind === "f32" ? 4 : 8;
  const shaped = shapedOf(sizes);
  const small = isSmall(shaped, kind) ? products.small.index(shaped, kind) : -1;
  const gemm = small >= 0 ? small : products.large.index(kind);
  return parts.turn((code) => {
    const [rest, place] = [code.local(i32), code.local(i32)];
    const addresses = [a, b].map(({ view, steps }) => {
      const at = code.local(i32);
      addressOf(code, base, view.buffer, view.offset * size).set(at);
      return { at, steps };
    });
    code.get(0).set(rest);
    for (let axis = batch.length - 1; axis >= 0; axis--) {
      const count = batch[axis]!;
      if (count === 1) continue;
      code.get(rest).int(count);
      code.bytes.byte(0x70); // i32.rem_u
      code.set(place).get(rest).int(count);
      code.bytes.byte(0x6e); // i32.div_u
      code.set(rest);
      for (const { at, steps } of addresses)
        code
          .get(at)
          .plus(place, steps[axis]! * size)
          .set(at);
    }
    const [x, y] = addresses.map(({ at }) => at) as [number, number];
    const out = (): Code => addressOf(code, base, product.out).plus(0, m * n * size);
    if (small >= 0) {
      code.get(x).get(y);
      out();
      parts.packed(code);
    } else {
      code
        .get(x)
        .int(a.row * size)
        .int(a.column * size)
        .get(y)
        .int(b.row * size)
        .int(b.column * size);
      out().int(n * size);
      cut(code, { m, n, k }, kind);
      parts.packed(code);
      code.int(0);
    }
    code.call(gemm);
  });
}
