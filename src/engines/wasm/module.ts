import type { Node } from "../../ir/node.ts";
import { broadcast } from "../../ir/shape.ts";
import { areaOf, foldFunction, type Geometry, geometryOf, innerOf, isDirect, unfoldFunction } from "./conv.ts";
import { elementwise } from "./elementwise.ts";
import { type Code, i32, ModuleBuilder } from "./encoder.ts";
import { blocksOf, ProductLibrary, productScratch } from "./gemm.ts";
import { cells, KernelCode } from "./kernel.ts";
import { LoopWriter, type Surroundings } from "./loop.ts";
import { MathLibrary, scalarSignature } from "./math.ts";
import { type Computed, type Convolution, type Hosted, type Loop, type Plan, type Product, padded, type Step } from "./plan.ts";
import { ScalarWriter } from "./scalar.ts";
import { isSmall, type Shaped, SmallProducts, smallScratch } from "./small-product.ts";
import type { View } from "./view.ts";

/** What modules are written for. */
export interface Host {
  /** The most pages of a memory that workers share, null for a memory of one's own. */
  readonly shared: number | null;
  /** It has the fused multiply-and-add of relaxed SIMD. */
  readonly fused: boolean;
}

/** A program as bytes, and what its instance must be given. */
export interface Compiled {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Ops whose functions on plain numbers are imported, by the name of the import. */
  readonly scalars: ReadonlyMap<string, Node>;
  /** Steps that the host runs, or may have to, by their number. */
  readonly hosted: readonly (Hosted | Computed)[];
  /** Bytes it needs beyond its base. */
  readonly size: number;
}

/** The sizes of a product and its operands as matrices with leading axes. */
export function sizesOf({ a, b }: Product): { m: number; n: number; k: number; batch: readonly number[]; left: View; right: View } {
  const matrix = (v: View, row: boolean): View =>
    v.shape.length > 1
      ? v
      : row
        ? { ...v, shape: [1, ...v.shape], strides: [0, ...v.strides] }
        : { ...v, shape: [...v.shape, 1], strides: [...v.strides, 0] };
  const left = matrix(a, true);
  const right = matrix(b, false);
  const [m, k] = left.shape.slice(-2) as [number, number];
  const n = right.shape[right.shape.length - 1]!;
  return { m, n, k, batch: broadcast(left.shape.slice(0, -2), right.shape.slice(0, -2))!, left, right };
}

/** Writes a plan as one WebAssembly module: a function a step, and `run`, which calls them in order. */
export function compileModule(plan: Plan, { shared, fused }: Host): Compiled {
  const module = new ModuleBuilder();
  const scalars = new Map<string, Node>();
  const imports = new Map<string, number>();
  const base = module.importGlobal("base");
  const host = module.importFunction("step", [i32], []);
  for (const step of plan.steps)
    if (step.kind === "loop")
      for (const { node } of step.members)
        if (elementwise[node.op.name]?.host === true && !scalars.has(node.op.name)) {
          const { params, results } = scalarSignature(node.operands.length);
          scalars.set(node.op.name, node);
          imports.set(node.op.name, module.importFunction(node.op.name, params, results));
        }
  const around: Surroundings = {
    base,
    library: new MathLibrary(module, (name) => imports.get(name)!),
    host: (node) => imports.get(node.op.name)!,
  };
  const products: Products = { large: new ProductLibrary(module, fused), small: new SmallProducts(module, fused) };
  const hosted: (Hosted | Computed)[] = [];
  let scratch = 0;
  let columns = 0;
  for (const step of plan.steps)
    if (step.kind === "product") {
      const { m, n, k } = sizesOf(step);
      const kind = step.node.type.dtype as "f32" | "f64";
      const small = shapedOf(step);
      scratch = Math.max(scratch, isSmall(small, kind) ? smallScratch(small, kind) : productScratch(m, n, k, kind));
    } else if (step.kind === "convolution") {
      const g = geometry(step);
      const [o, area, inner] = [g.outChannels, areaOf(g), innerOf(g)];
      for (const [m, n, k] of [[o, area, inner], [o, inner, area], [inner, area, o]] as const) // biome-ignore format: three products
        scratch = Math.max(scratch, productScratch(m, n, k, g.kind));
      columns = Math.max(columns, padded(inner * area * (g.kind === "f32" ? 4 : 8)));
    }
  scratch = padded(scratch);
  const places = { packed: plan.bytes, columns: plan.bytes + scratch };
  const functions = plan.steps.map((step) => write(step, module, around, products, places, host, hosted));
  module.add("run", [], [], (code) => {
    for (const f of functions) f(code);
  });
  return { bytes: module.bytes(shared), scalars, hosted, size: plan.bytes + scratch + columns };
}

/** Offsets from the program's base: packed blocks of products, and unfolded inputs of convolutions. */
interface Places {
  readonly packed: number;
  readonly columns: number;
}

type Call = (code: Code) => void;

/** The products of a module: in packed blocks, and of operands that fit the first-level cache as they lie. */
interface Products {
  readonly large: ProductLibrary;
  readonly small: SmallProducts;
}

/** A product's sizes and strides, without its leading axes. */
function shapedOf(product: Product): Shaped {
  const { m, n, k, left, right } = sizesOf(product);
  const [aRow, aColumn] = left.strides.slice(-2) as [number, number];
  const [bRow, bColumn] = right.strides.slice(-2) as [number, number];
  return { m, n, k, aRow, aColumn, bRow, bColumn };
}

function write(
  step: Step,
  module: ModuleBuilder,
  around: Surroundings,
  products: Products,
  scratch: Places,
  host: number,
  hosted: (Hosted | Computed)[],
): Call {
  if (step.kind === "host") {
    const index = hosted.length;
    hosted.push(step);
    return (code) => code.int(index).call(host);
  }
  const index =
    step.kind === "loop"
      ? loopFunction(step, module, around)
      : step.kind === "product"
        ? productFunction(step, module, around, products, scratch.packed)
        : step.kind === "kernel"
          ? kernelFunction(step, module, around, host, hosted)
          : convolutionFunction(step, module, around, products, scratch);
  return (code) => code.call(index);
}

function loopFunction(loop: Loop, module: ModuleBuilder, around: Surroundings): number {
  const single = loop.shape.length === 0 && loop.totals.length === 0;
  return module.add(null, [], [], (code) => (single ? new ScalarWriter(code, around, loop) : new LoopWriter(code, around, loop)).write());
}

function kernelFunction(step: Computed, module: ModuleBuilder, around: Surroundings, host: number, hosted: (Hosted | Computed)[]): number {
  return module.add(null, [], [], (code) => {
    const pointer = ({ buffer, offset }: { readonly buffer: View["buffer"]; readonly offset: number }): number => {
      const into = code.local(i32);
      code.getGlobal(around.base);
      if (buffer.place === "slot") code.mem("i32.load", buffer.offset * 4);
      else code.int(buffer.offset).op("i32.add");
      if (offset !== 0) code.int(offset * cells[buffer.dtype].bytes).op("i32.add");
      code.set(into);
      return into;
    };
    let index = -1;
    const leave = (): void => {
      if (index < 0) index = hosted.push(step) - 1;
      code.int(index).call(host);
    };
    const whole = (buffer: View["buffer"]): number => pointer({ buffer, offset: 0 });
    const operands = step.operands.map((v) => (v === null ? -1 : pointer(v)));
    const [outs, temps] = [step.outs.map(whole), step.temps.map(whole)];
    step.kernel.write(new KernelCode({ code, library: around.library, operands, outs, temps, views: step.operands, leave }));
  });
}

function productFunction(product: Product, module: ModuleBuilder, around: Surroundings, products: Products, scratch: number): number {
  const { m, n, k, batch, left, right } = sizesOf(product);
  const kind = product.node.type.dtype as "f32" | "f64";
  const size = kind === "f32" ? 4 : 8;
  const shaped = shapedOf(product);
  const small = isSmall(shaped, kind) ? products.small.index(shaped, kind) : -1;
  const gemm = small >= 0 ? small : products.large.index(kind);
  return module.add(null, [], [], (code) => {
    const [a, b, c] = [code.local(i32), code.local(i32), code.local(i32)];
    const address = (view: { readonly buffer: View["buffer"]; readonly offset: number }, into: number): void => {
      code.getGlobal(around.base);
      if (view.buffer.place === "slot") code.mem("i32.load", view.buffer.offset * 4);
      else code.int(view.buffer.offset).op("i32.add");
      code
        .int(view.offset * size)
        .op("i32.add")
        .set(into);
    };
    address(left, a);
    address(right, b);
    address({ buffer: product.out, offset: 0 }, c);
    const strides = (view: View): number[] => {
      const lead = view.shape.length - 2;
      return batch.map((s, i) => {
        const axis = i - (batch.length - lead);
        return axis < 0 || (view.shape[axis] === 1 && s !== 1) ? 0 : view.strides[axis]! * size;
      });
    };
    const [stepA, stepB] = [strides(left), strides(right)];
    const [rowA, columnA] = left.strides.slice(-2) as [number, number];
    const [rowB, columnB] = right.strides.slice(-2) as [number, number];
    const level = (axis: number): void => {
      if (axis === batch.length) {
        if (small >= 0) code.get(a).get(b).get(c).getGlobal(around.base).int(scratch).op("i32.add").call(small);
        else {
          code
            .get(a)
            .int(rowA * size)
            .int(columnA * size)
            .get(b)
            .int(rowB * size)
            .int(columnB * size)
            .get(c)
            .int(n * size);
          cut(code, m, n, k, kind);
          code.getGlobal(around.base).int(scratch).op("i32.add").int(0).call(gemm);
        }
        code
          .get(c)
          .int(m * n * size)
          .op("i32.add")
          .set(c);
        return;
      }
      const i = code.local(i32);
      code.count(
        i,
        () => code.int(0),
        () => code.int(batch[axis]!),
        1,
        () => {
          level(axis + 1);
          code.get(a).int(stepA[axis]!).op("i32.add").set(a);
          code.get(b).int(stepB[axis]!).op("i32.add").set(b);
        },
      );
      code
        .get(a)
        .int(stepA[axis]! * batch[axis]!)
        .op("i32.sub")
        .set(a);
      code
        .get(b)
        .int(stepB[axis]! * batch[axis]!)
        .op("i32.sub")
        .set(b);
    };
    level(0);
  });
}

/** The sizes of a product and of its blocks. */
function cut(code: Code, m: number, n: number, k: number, kind: "f32" | "f64"): void {
  const { rows, columns, inner } = blocksOf(m, n, k, kind);
  for (const x of [m, n, k, rows, columns, inner]) code.int(x);
}

/** Shapes of x, w and y of a convolution or one of its transposes. */
function geometry({ node }: Convolution): Geometry {
  const kind = node.type.dtype as "f32" | "f64";
  const [a, b] = node.operands.map((v) => v?.type.shape) as [readonly number[], readonly number[]];
  const attrs = node.attrs as Parameters<typeof geometryOf>[4];
  const out = node.type.shape;
  if (node.op.name === "conv") return geometryOf(kind, a, b, out, attrs);
  return node.op.name === "convInput" ? geometryOf(kind, out, b, a, attrs) : geometryOf(kind, b, out, a, attrs);
}

/** For each image and group: unfold and multiply; or multiply and fold; or unfold and add the product to the weights' gradient. */
function convolutionFunction(step: Convolution, module: ModuleBuilder, around: Surroundings, products: Products, places: Places): number {
  const g = geometry(step);
  const size = g.kind === "f32" ? 4 : 8;
  const gemm = products.large.index(g.kind);
  const [inner, area, outs] = [innerOf(g), areaOf(g), g.outChannels];
  const direct = isDirect(g);
  const { name } = step.node.op;
  const move = name === "convInput" ? foldFunction(module, g) : unfoldFunction(module, g);
  const image = g.inChannels * g.input.reduce((a, b) => a * b, 1) * size;
  const result = outs * area * size;
  const weights = outs * inner * size;
  return module.add(null, [], [], (code) => {
    const [x, w, y, column, n, group, at] = Array.from({ length: 7 }, () => code.local(i32)) as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    const address = (buffer: View["buffer"], into: number): void => {
      code.getGlobal(around.base);
      if (buffer.place === "slot") code.mem("i32.load", buffer.offset * 4);
      else code.int(buffer.offset).op("i32.add");
      code.set(into);
    };
    const [first, second] = name === "conv" ? [x, w] : name === "convInput" ? [y, w] : [y, x];
    const third = name === "conv" ? y : name === "convInput" ? x : w;
    address(step.a, first);
    address(step.b, second);
    address(step.out, third);
    code.getGlobal(around.base).int(places.columns).op("i32.add").set(column);
    const packed = (): void => {
      code.getGlobal(around.base).int(places.packed).op("i32.add");
    };
    const columns = (): void => {
      code.get(direct ? x : column);
    };
    if (name !== "conv") {
      code.count(
        at,
        () => code.int(0),
        () => code.int(step.out.length),
        1,
        () => {
          code.get(third).get(at).int(size).op("i32.mul").op("i32.add");
          if (g.kind === "f32") code.float32(0);
          else code.float64(0);
          code.mem(`${g.kind}.store`);
        },
      );
    }
    const weight = (): void => {
      code.get(w).get(group).int(weights).op("i32.mul").op("i32.add");
    };
    code.count(
      n,
      () => code.int(0),
      () => code.int(g.batch),
      1,
      () => {
        code.count(
          group,
          () => code.int(0),
          () => code.int(g.groups),
          1,
          () => {
            if (name !== "convInput" && !direct) code.get(x).get(column).call(move);
            if (name === "conv") {
              weight();
              code.int(inner * size).int(size);
              columns();
              code
                .int(area * size)
                .int(size)
                .get(y)
                .int(area * size);
              cut(code, outs, area, inner, g.kind);
              packed();
              code.int(0).call(gemm);
            } else if (name === "convWeight") {
              code
                .get(y)
                .int(area * size)
                .int(size);
              columns();
              code.int(size).int(area * size);
              weight();
              code.int(inner * size);
              cut(code, outs, inner, area, g.kind);
              packed();
              code.int(1).call(gemm);
            } else {
              weight();
              code
                .int(size)
                .int(inner * size)
                .get(y)
                .int(area * size)
                .int(size);
              columns();
              code.int(area * size);
              cut(code, inner, area, outs, g.kind);
              packed();
              code.int(0).call(gemm);
              if (!direct) code.get(x).get(column).call(move);
            }
            code.get(x).int(image).op("i32.add").set(x);
            code.get(y).int(result).op("i32.add").set(y);
          },
        );
      },
    );
  });
}
