import { add, evaluate, grad, jvp, mul, type Operand, sum, type Tensor, tensor, type Value, vjp } from "../../src/index.ts";
import { isFloat } from "../../src/ir/dtype.ts";
import { leaves } from "../../src/ir/tree.ts";
import { attributesFrom, isStoredTensor, type StoredTensor, storedLeaves, tensorFrom } from "./fixture.ts";
import { type Call, type OperandRecord, opCalls, type Results } from "./op-calls.ts";

type StoredTree = StoredTensor | null | readonly StoredTree[] | { readonly [name: string]: StoredTree };

/** A case of `ops-*.json`; `scripts/reference/README.md` says what its parts are. */
export interface OpCase {
  readonly op: string;
  readonly operands: Readonly<Record<string, StoredTensor | readonly StoredTensor[]>>;
  readonly attrs: Readonly<Record<string, unknown>>;
  readonly out: StoredTree;
  readonly ct: StoredTree;
  readonly vjp: Readonly<Record<string, StoredTensor | readonly StoredTensor[]>> | null;
  readonly second: { readonly u: StoredTree; readonly hvp: StoredTree } | null;
  readonly note?: string;
}

/** One thing that a case says and the library computed. */
export interface Comparison {
  readonly part: "value" | "vjp" | "second" | "jvp" | "second forward";
  readonly path: string;
  readonly got: Tensor;
  readonly want: Tensor;
}

/** The operands as Tensors, and how to put other Values in the places of the float ones. */
function operandsOf(stored: OpCase["operands"]): { floats: Tensor[]; with: (values: readonly Value[]) => OperandRecord } {
  const floats: Tensor[] = [];
  const places: Record<string, Operand | number | (Operand | { place: number })[] | { place: number }> = {};
  const place = (x: StoredTensor): Tensor | { place: number } => {
    const t = tensorFrom(x);
    if (!isFloat(t.type.dtype)) return t;
    floats.push(t);
    return { place: floats.length - 1 };
  };
  for (const [name, x] of Object.entries(stored)) places[name] = isStoredTensor(x) ? place(x) : x.map(place);
  const filled = (x: unknown, values: readonly Value[]): Operand =>
    typeof x === "object" && x !== null && "place" in x && !("kind" in x) ? values[x.place as number]! : (x as Operand);
  return {
    floats,
    with: (values) =>
      Object.fromEntries(
        Object.entries(places).map(([name, x]) => [name, Array.isArray(x) ? x.map((e) => filled(e, values)) : filled(x, values)]),
      ),
  };
}

function listed(results: Results): readonly Value[] {
  return leaves(results).map(({ leaf }) => leaf as Value);
}

function dot(a: readonly Operand[], b: readonly Operand[]): Value {
  const terms = a.map((x, i) => sum(mul(x, b[i]!)));
  return terms.reduce((p, q) => add(p, q));
}

/** <a, b> over all parts, summed in double whatever their dtypes. */
function innerProduct(a: readonly Tensor[], b: readonly Tensor[]): Tensor {
  let total = 0;
  a.forEach(({ data }, k) => {
    for (let i = 0; i < data.length; i++) total += data[i]! * b[k]!.data[i]!;
  });
  return tensor(total);
}

/** Runs a case: value, reverse rule, forward rule against it, and the second derivative in both ways. */
export function runCase(given: OpCase, calls: Readonly<Record<string, Call>> = opCalls): Comparison[] {
  const call = calls[given.op];
  if (call === undefined) throw new Error(`no call is written for op ${given.op}`);
  const attributes = attributesFrom(given.attrs) as Readonly<Record<string, unknown>>;
  const operands = operandsOf(given.operands);
  const all = (values: readonly Value[]): readonly Value[] => listed(call(operands.with(values), attributes));
  const found: Comparison[] = [];
  const compare = (part: Comparison["part"], got: readonly Tensor[], want: unknown): void => {
    const stored = storedLeaves(want);
    if (stored.length !== got.length) throw new Error(`${given.op}: ${part} has ${got.length} parts and the case ${stored.length}`);
    stored.forEach(({ path, stored: leaf }, i) => {
      if (leaf !== null) found.push({ part, path, got: got[i]!, want: tensorFrom(leaf) });
    });
  };
  compare("value", evaluate(all(operands.floats as unknown as readonly Value[])), given.out);
  if (given.ct === null || given.vjp === null || given.second === null) return found;

  const cts = storedLeaves(given.ct).map(({ stored }) => stored && tensorFrom(stored));
  const live = (values: readonly Value[]): readonly Value[] => all(values).filter((_, i) => cts[i] !== null);
  const ct = cts.filter((x) => x !== null);
  const pulled = (values: readonly Value[]): readonly Value[] => vjp(live)(values).pull(ct as never);
  const at = operands.floats as unknown as readonly Value[];
  const gradients = evaluate(pulled(at)) as readonly Tensor[];
  compare("vjp", gradients, given.vjp);

  const u = storedLeaves(given.second.u).map(({ stored }) => tensorFrom(stored!));
  compare("second", evaluate(grad((values: readonly Value[]) => dot(u, pulled(values)))(at)), given.second.hvp);
  const forward = jvp(live)(at, u as never).tangent;
  const storedVjp = storedLeaves(given.vjp).map(({ stored }) => tensorFrom(stored!));
  found.push({ part: "jvp", path: "", got: innerProduct(ct, evaluate(forward)), want: innerProduct(storedVjp, u) });
  compare("second forward", evaluate(jvp(pulled)(at, u as never).tangent), given.second.hvp);
  return found;
}
