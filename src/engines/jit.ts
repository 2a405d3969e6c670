import { heldBy } from "../evaluate/evaluate.ts";
import { graph, typeOfLeaf } from "../ir/graph.ts";
import { lift } from "../ir/leaf.ts";
import { memoOf, type Value } from "../ir/node.ts";
import { dense, type Held, hold } from "../ir/tensor.ts";
import { leaves, type Operands, rebuild, type Tensors } from "../ir/tree.ts";
import { typeText } from "../ir/type.ts";
import type { Engine, Executable, Mode, Ran } from "./engine.ts";

interface Traced {
  readonly executable: Executable<Mode>;
  readonly outputs: unknown;
}

const most = 8;

/**
 * `jit(f, engine)(...args)`: `f` traced once per shapes of its arguments, then run as a compiled program; arguments and results are concrete.
 * The last 8 shapes are kept. The function may not read values, since it runs on inputs without any.
 */
export function jit<A extends readonly unknown[], R, M extends Mode>(
  f: (...args: A) => R,
  engine: Engine<M>,
): (...args: Operands<A>) => Ran<M, Tensors<R>> {
  const cache = new Map<string, Traced>();
  const trace = (args: readonly unknown[], key: string): Traced => {
    const found = cache.get(key);
    if (found !== undefined) {
      cache.delete(key);
      cache.set(key, found);
      return found;
    }
    const g = graph(args, (inputs) => (f as unknown as (...given: readonly unknown[]) => unknown)(...(inputs as readonly unknown[])));
    const executable = engine.prepare(
      leaves(g.inputs).map(({ leaf }) => leaf as Value),
      leaves(g.outputs).map(({ leaf }) => leaf as Value),
    );
    const made = { executable, outputs: g.outputs };
    cache.set(key, made);
    if (cache.size > most) {
      const oldest = cache.keys().next().value!;
      cache.get(oldest)!.executable.dispose();
      cache.delete(oldest);
    }
    return made;
  };
  return ((...args: readonly unknown[]) => {
    const given = leaves(args);
    const { executable, outputs } = trace(args, given.map(({ path, leaf }) => `${path}:${typeText(typeOfLeaf(leaf))}`).join(" "));
    const held = given.map(({ leaf }): Held => {
      const v = lift(leaf as Value, "f64");
      return memoOf(v) ?? heldBy(v);
    });
    const finish = (results: readonly Held[]): unknown => {
      let i = 0;
      return rebuild(outputs, (leaf) => {
        const t = dense(results[i++]!, (leaf as Value).type);
        return hold(t.type, t.data.slice());
      });
    };
    const results = executable.run(held);
    return results instanceof Promise ? results.then(finish) : finish(results);
  }) as (...args: Operands<A>) => Ran<M, Tensors<R>>;
}
