import { resultValues } from "../autodiff/argument.ts";
import { batch } from "../autodiff/batch.ts";
import { GraphError, ShapeError } from "../ir/errors.ts";
import { input, isType, isValue, lift } from "../ir/leaf.ts";
import type { Value } from "../ir/node.ts";
import type { Operand } from "../ir/op.ts";
import { isLeaf, type Operands, rebuild, type Values } from "../ir/tree.ts";
import { tensorType, typeText } from "../ir/type.ts";
import { everyExample } from "../ops/linear/every-example.ts";

/** A mapped leaf: what stands for one example inside the function, and all examples. */
interface Mapped {
  readonly one: Value;
  readonly many: Value;
  readonly where: string;
}

/**
 * `vmap(f)(...args)`: `f` written for one example, run over many at once. Axis 0 of every leaf of every argument is the examples, and so is axis 0
 * of every leaf of the result; what is not mapped is closed over. No loop: each op of `f` becomes one op over all examples, by its batching rule.
 *
 * Inside, `f` sees one example: types without values, so it cannot `read` them. What is no tree of tensors (a flag, a function, null) passes as it is.
 * @throws ShapeError for a scalar argument, for different numbers of examples, which are named, and when there is nothing to map; GraphError for types
 */
export function vmap<A extends readonly unknown[], R>(f: (...args: A) => R): (...args: Operands<A>) => Values<R> {
  const over = (...args: Operands<A>): Values<R> => {
    const mapped: Mapped[] = [];
    const inner = (args as readonly unknown[]).map((a, i) => {
      if (!isTree(a)) return a;
      return rebuild(a, (leaf, path) => {
        const where = path === "" ? `argument ${i}` : `argument ${i}, ${path},`;
        if (isType(leaf))
          throw new GraphError(`vmap: ${where} is a type; pass Values, Tensors or typed arrays with the examples on axis 0`);
        const many = lift(leaf as Operand, "f64");
        const [examples, ...shape] = many.type.shape;
        if (examples === undefined)
          throw new ShapeError(
            `vmap: ${where} is ${typeText(many.type)}, a scalar, and has no axis 0 with the examples; close over what is the same for all of them`,
          );
        const name = path === "" ? ((isValue(leaf) ? leaf.node.label : null) ?? `x${i}`) : path;
        const one = input(tensorType(many.type.dtype, shape), name);
        mapped.push({ one, many, where });
        return one;
      });
    });
    const examples = examplesOf(mapped);
    const result: unknown = (f as unknown as (...given: readonly unknown[]) => unknown)(...inner);
    const roots = resultValues(result, "vmap");
    const made = batch(
      roots,
      mapped.map(({ one }) => one),
      mapped.map(({ many }) => many),
      examples,
    );
    let i = 0;
    return rebuild(result, () => {
      const k = i++;
      return made[k] ?? everyExample(roots[k]!, false, examples);
    }) as Values<R>;
  };
  examplesBehind.set(over, f);
  return over;
}

type AnyFunction = (...args: never[]) => unknown;

const examplesBehind = new WeakMap<AnyFunction, AnyFunction>();

/** The function of one example behind one that `vmap` made: who knows it knows that the results of an example depend on nothing but it. */
export function exampleOf(f: AnyFunction): AnyFunction | undefined {
  return examplesBehind.get(f);
}

function isTree(x: unknown): boolean {
  if (isLeaf(x)) return true;
  if (typeof x !== "object" || x === null) return false;
  const proto: unknown = Object.getPrototypeOf(x);
  return Array.isArray(x) || proto === Object.prototype || proto === null;
}

/** The number of examples, which all mapped leaves agree on. */
function examplesOf(mapped: readonly Mapped[]): number {
  const first = mapped[0];
  if (first === undefined)
    throw new ShapeError("vmap: the arguments have no leaf to map over; pass at least one tensor with the examples on axis 0");
  const count = first.many.type.shape[0]!;
  for (const { many, where } of mapped)
    if (many.type.shape[0] !== count)
      throw new ShapeError(
        `vmap: ${first.where} is ${typeText(first.many.type)}, ${count} examples, and ${where} is ${typeText(many.type)}, ${many.type.shape[0]} examples; axis 0 of every argument is the examples, one number of them`,
      );
  return count;
}
