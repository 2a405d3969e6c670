import type { Node } from "../../ir/node.ts";
import { broadcast } from "../../ir/shape.ts";
import { elementwise } from "./elementwise.ts";
import { type Code, i32, ModuleBuilder } from "./encoder.ts";
import { ProductLibrary, productScratch } from "./gemm.ts";
import { LoopWriter, type Surroundings } from "./loop.ts";
import { MathLibrary, scalarSignature } from "./math.ts";
import type { Hosted, Loop, Plan, Product, Step } from "./plan.ts";
import type { View } from "./view.ts";

/** A program as bytes, and what its instance must be given. */
export interface Compiled {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Ops whose functions on plain numbers are imported, by the name of the import. */
  readonly scalars: ReadonlyMap<string, Node>;
  /** Steps that the host runs, by their number. */
  readonly hosted: readonly Hosted[];
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
export function compileModule(plan: Plan, shared: number | null): Compiled {
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
  const around: Surroundings = { base, library: new MathLibrary(module), host: (node) => imports.get(node.op.name)! };
  const products = new ProductLibrary(module);
  const hosted: Hosted[] = [];
  let scratch = 0;
  for (const step of plan.steps)
    if (step.kind === "product") {
      const { m, n, k } = sizesOf(step);
      scratch = Math.max(scratch, productScratch(m, n, k, step.node.type.dtype as "f32" | "f64"));
    }
  const functions = plan.steps.map((step) => write(step, module, around, products, plan.bytes, host, hosted));
  module.add("run", [], [], (code) => {
    for (const f of functions) f(code);
  });
  return { bytes: module.bytes(shared), scalars, hosted, size: plan.bytes + scratch };
}

type Call = (code: Code) => void;

function write(
  step: Step,
  module: ModuleBuilder,
  around: Surroundings,
  products: ProductLibrary,
  scratch: number,
  host: number,
  hosted: Hosted[],
): Call {
  if (step.kind === "host") {
    const index = hosted.length;
    hosted.push(step);
    return (code) => code.int(index).call(host);
  }
  const index = step.kind === "loop" ? loopFunction(step, module, around) : productFunction(step, module, around, products, scratch);
  return (code) => code.call(index);
}

function loopFunction(loop: Loop, module: ModuleBuilder, around: Surroundings): number {
  return module.add(null, [], [], (code) => new LoopWriter(code, around, loop).write());
}

function productFunction(product: Product, module: ModuleBuilder, around: Surroundings, products: ProductLibrary, scratch: number): number {
  const { m, n, k, batch, left, right } = sizesOf(product);
  const kind = product.node.type.dtype as "f32" | "f64";
  const size = kind === "f32" ? 4 : 8;
  const gemm = products.index(kind);
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
        code
          .get(a)
          .int(rowA * size)
          .int(columnA * size)
          .get(b)
          .int(rowB * size)
          .int(columnB * size)
          .get(c)
          .int(m)
          .int(n)
          .int(k);
        code.getGlobal(around.base).int(scratch).op("i32.add").call(gemm);
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
