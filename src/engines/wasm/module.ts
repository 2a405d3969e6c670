import { valuesOf } from "../../ir/node.ts";
import type { AnyOp } from "../../ir/op.ts";
import { typeText } from "../../ir/type.ts";
import { attributesKey } from "../../passes/attributes-key.ts";
import type { Refusal } from "./control.ts";
import { writeControl } from "./control-code.ts";
import { convolutionScratch, writeConvolution } from "./convolution.ts";
import { elementwise } from "./elementwise.ts";
import { type Code, f64, i32, ModuleBuilder } from "./encoder.ts";
import { modes } from "./gemm.ts";
import { cells, KernelCode } from "./kernel.ts";
import { clear, type LoopCall, loopsOf, type Surroundings } from "./loop.ts";
import { cubeOf } from "./looped.ts";
import { MathLibrary } from "./math.ts";
import { type Computed, everyStep, type Hosted, type Loop, type Plan, padded, type Step } from "./plan.ts";
import {
  addressOf,
  commonOf,
  mostParts,
  type Parts,
  Products,
  type Shares,
  scratchOf,
  sharesOf,
  turnedProduct,
  writeProduct,
} from "./product.ts";
import { inTurns, type Rows } from "./rows.ts";
import { ScalarWriter } from "./scalar.ts";
import { costOf } from "./step-cost.ts";

/** What modules are written for. */
export interface Host {
  /** The most pages of a memory that workers share, null for a memory of one's own. */
  readonly shared: number | null;
  /** It has the fused multiply-and-add of relaxed SIMD. */
  readonly fused: boolean;
  /** How many threads share what is large enough. */
  readonly threads: number;
}

/** A program as bytes, and what its instance must be given. */
export interface Compiled {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Steps that the host runs, or may have to, by their number. */
  readonly hosted: readonly (Hosted | Computed | Refusal)[];
  /** How many of its steps threads share: it exports `part0` and so on. */
  readonly shares: number;
  /** Bytes it needs beyond its base. */
  readonly size: number;
}

/** Writes a plan as one WebAssembly module: a function a step, and `run`, which calls them in order. `apart`: each step is exported too. */
export function compileModule(plan: Plan, { shared, fused, threads }: Host, apart = false): Compiled {
  const module = new ModuleBuilder();
  const imports = new Map<string, number>();
  const base = module.importGlobal("base");
  const host = module.importFunction("step", [i32], []);
  const share = threads === 1 ? -1 : module.importFunction("share", [i32, i32, i32], []);
  const all = everyStep(plan.steps);
  for (const step of all)
    if (step.kind === "loop")
      for (const { node } of step.members)
        if (elementwise[node.op.name]?.host === true && !imports.has(node.op.name))
          imports.set(node.op.name, module.importFunction(node.op.name, [f64], [f64]));
  const around: Surroundings = {
    base,
    library: new MathLibrary(module, (name) => imports.get(name)!),
    own: (code, offset) => scratch(code, packed + padded(columns) + offset),
  };
  const products = new Products(module, fused);
  const hosted: (Hosted | Computed | Refusal)[] = [];
  let [packed, columns, common, own] = [0, 0, 0, 0];
  for (const step of all)
    if (step.kind === "product") {
      packed = Math.max(packed, scratchOf(step));
      common = Math.max(common, commonOf(step, threads));
    } else if (step.kind === "convolution") {
      const need = convolutionScratch(step);
      [packed, columns] = [Math.max(packed, need.packed), Math.max(columns, need.columns)];
    } else if (step.kind === "rows") own = Math.max(own, step.bytes);
  packed = padded(packed);
  // Every thread has scratch of its own.
  const each = packed + padded(columns) + own;
  let shares = 0;
  let thread: number | null = null;
  const scratch = (code: Code, offset: number): void => {
    code
      .getGlobal(base)
      .int(plan.bytes + offset)
      .op("i32.add");
    if (thread !== null) code.get(thread).int(each).op("i32.mul").op("i32.add");
  };
  const parts: Parts = {
    threads,
    share: (shared, write) => {
      const index = shares++;
      const made = module.add(`part${index}`, [i32, i32], [], (code) => {
        thread = 1;
        write(code, 0);
        thread = null;
      });
      if (shared.parts === 1) return (code) => code.int(0).int(0).call(made);
      return (code) => code.int(index).int(shared.parts).int(Number(shared.wakes)).call(share);
    },
    turn: (write) =>
      module.add(null, [i32, i32], [], (code) => {
        thread = 1;
        write(code);
        thread = null;
      }),
    packed: (code) => scratch(code, 0),
    columns: (code) => scratch(code, packed),
    common: (code) =>
      code
        .getGlobal(base)
        .int(plan.bytes + threads * each)
        .op("i32.add"),
  };
  const written: Written = { module, around, loops: loopsOf(module, around), products, parts, host, hosted, kernels: new Map() };
  const functions = plan.steps.map((step) => write(step, written));
  module.add("run", [], [], (code) => {
    for (const f of functions) f(code);
  });
  if (apart) for (const [i, f] of functions.entries()) module.add(`step${i}`, [], [], f);
  return { bytes: module.bytes(shared), hosted, shares, size: plan.bytes + threads * each + padded(common) };
}

type Call = (code: Code) => void;

/** What steps are written into. */
interface Written {
  readonly module: ModuleBuilder;
  readonly around: Surroundings;
  readonly loops: (loop: Loop) => LoopCall;
  readonly products: Products;
  readonly parts: Parts;
  /** The imported function that runs a step of the host's. */
  readonly host: number;
  readonly hosted: (Hosted | Computed | Refusal)[];
  /** Kernels that ops wrote themselves, by op, attributes and types, and whether they may leave the answer to the host. */
  readonly kernels: Map<string, { readonly op: AnyOp; readonly index: number; readonly leaves: boolean }>;
}

function write(step: Step, into: Written): Call {
  const { module, around, products, parts, host, hosted } = into;
  if (step.kind === "host") {
    const index = hosted.length;
    hosted.push(step);
    return (code) => code.int(index).call(host);
  }
  if (step.kind === "rows" && step.turns > 1) return writeRows(step, into);
  if (step.kind === "rows") {
    const calls = step.steps.map((s) => write(s, into));
    return (code) => {
      for (const call of calls) call(code);
    };
  }
  const cut = step.kind === "loop" ? inTurns(step, sharesFor(step, parts.threads).parts) : null;
  if (cut !== null) return writeRows(cut, into);
  if (step.kind === "product") return writeProduct(step, around.base, products, parts);
  if (step.kind === "convolution") return writeConvolution(step, module, around.base, products, parts);
  if (step.kind === "control") {
    const bodies = step.parts.map((steps) => steps.map((s) => write(s, into)));
    const calls = {
      base: around.base,
      parts: bodies.map((list) => (code: Code) => {
        for (const call of list) call(code);
      }),
      refuse: (code: Code) => code.int(hosted.push((step as { readonly refusal: Refusal }).refusal) - 1).call(host),
    };
    const index = module.add(null, [], [], (code) => writeControl(step, code, calls));
    return (code) => code.call(index);
  }
  if (step.kind === "loop" && (step.shape.length > 0 || step.totals.length > 0)) {
    const call = into.loops(step);
    return (code) => call(code, null);
  }
  if (step.kind === "kernel") return writeKernel(step, into);
  const index = module.add(null, [], [], (code) => new ScalarWriter(code, around, step).write());
  return (code) => code.call(index);
}

/** How a step is shared. What predicts its time takes loops for faster than they are. */
function sharesFor(step: Step, threads: number): Shares {
  return sharesOf(threads === 1 ? 0 : 80e6 * costOf(step).predicted, threads);
}

/** Steps on the rows of one turn after the other; threads take some of the turns each, as many each, where there is enough to do. */
function writeRows(rows: Rows<Step>, { around, loops, products, parts }: Written): Call {
  const { turns } = rows;
  const turned = rows.steps.map(
    (s): LoopCall => (s.kind === "product" ? turnedProduct(s, around.base, products, parts) : loops(s as Loop)),
  );
  const shares = sharesFor(rows, parts.threads);
  const onto = rows.steps.filter((s) => s.kind === "loop" && s.totals.some((t) => t.onto)) as Loop[];
  let count = Math.min(turns, shares.parts);
  while (turns % count !== 0) count = count < mostParts ? count + 1 : 1;
  if (onto.length > 0) count = count > 1 ? rows.parts : 1;
  // What is added up over all rows begins anew, and what parts added up is added up at the end.
  const sums = rows.sums.map((s) => loops(s as Loop));
  const begin = (code: Code): void => {
    for (const s of onto) clear(code, around, s);
  };
  const finish = (code: Code): void => {
    for (const call of sums) call(code, null);
  };
  const part = (code: Code): void => {
    const [turn, end] = [code.local(i32), code.local(i32)];
    if (count === 1) begin(code);
    code
      .get(0)
      .int(turns / count)
      .op("i32.mul")
      .tee(turn)
      .int(turns / count)
      .op("i32.add")
      .set(end);
    const each = (): void => {
      for (const call of turned) call(code, turn);
    };
    code.count(turn, () => code.get(turn), () => code.get(end), 1, each); // biome-ignore format: one call
    if (count === 1) finish(code);
  };
  if (count === 1) {
    const index = parts.turn(part);
    return (code) => code.int(0).int(0).call(index);
  }
  const all = parts.share({ ...shares, parts: count }, part);
  if (onto.length === 0) return all;
  const [start, end] = [begin, finish].map(parts.turn) as [number, number];
  return (code) => {
    all(code.int(0).int(0).call(start));
    code.int(0).int(0).call(end);
  };
}

/** A kernel: a function of addresses, and of the number of the step, should it be the host's. What an op wrote itself is one function for all of one kind. */
function writeKernel(step: Computed, { module, around, products, host, hosted, kernels }: Written): Call {
  const { node, kernel, operands } = step;
  const [read, written] = [operands.length, operands.length + step.outs.length];
  const places = [...operands, ...[...step.outs, ...step.temps].map((buffer) => ({ buffer, offset: 0 }))];
  const attrs = kernel.loops ? attributesKey(node.attrs) : null;
  const key = attrs && node.op.name + attrs + [...node.operands, ...valuesOf(node)].map((v) => v && typeText(v.type));
  let made = key === null ? undefined : kernels.get(key);
  if (made?.op !== node.op) {
    let leaves = false;
    const params = [...places, null].map((): typeof i32 => i32);
    const index = module.add(null, params, [], (code) => {
      const at = places.map((p, i) => (p === null ? -1 : i));
      // As in a loop: what an addition gives needs no instruction to be an address.
      for (const i of at) if (i >= 0) code.get(i).getGlobal(around.base).op("i32.sub").getGlobal(around.base).op("i32.add").set(i);
      const temps = at.slice(written);
      const leave = (): void => {
        leaves = true;
        code.get(places.length).call(host);
      };
      const addProduct = (): void => {
        const { rows, columns, inner } = cubeOf(kernel.loops!);
        code.int(rows).int(columns).int(inner).get(temps.at(-1)!).int(modes.onto).call(products.large.index("f64"));
      };
      const found = { operands: at.slice(0, read), outs: at.slice(read, written), temps };
      kernel.write(new KernelCode({ code, library: around.library, ...found, views: operands, addProduct, leave }));
    });
    made = { op: node.op, index, leaves };
    if (key !== null) kernels.set(key, made);
  }
  const { index, leaves } = made;
  const number = leaves ? hosted.push(step) - 1 : 0;
  return (code) => {
    for (const p of places) {
      if (p === null) code.int(0);
      else addressOf(code, around.base, p.buffer, p.offset * cells[p.buffer.dtype].bytes);
    }
    code.int(number).call(index);
  };
}
