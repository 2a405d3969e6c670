import { heldBy } from "../evaluate/evaluate.ts";
import { EngineError } from "../ir/errors.ts";
import { graph, typeOfLeaf } from "../ir/graph.ts";
import { lift } from "../ir/leaf.ts";
import { memoOf, type Value } from "../ir/node.ts";
import { type Held, hold } from "../ir/tensor.ts";
import { leaves, type Operands, type Tensors } from "../ir/tree.ts";
import { typeText } from "../ir/type.ts";
import { type Engine, type Executable, isEngine, type Mode, type Ran } from "./engine.ts";
import { give, ownAll, type Port, portOf, take } from "./ports.ts";

interface Traced {
  readonly executable: Executable<Mode>;
  readonly inputs: Port;
  readonly outputs: Port;
  readonly count: number;
}

const most = 8;

/**
 * `jit(f, engine)(...args)`: `f` traced once per shapes of its arguments, then run as a compiled program; arguments and results are concrete.
 * The last 8 shapes are kept. The function may not read values, since it runs on inputs without any.
 * @throws EngineError where there is no engine
 */
export function jit<A extends readonly unknown[], R, M extends Mode>(
  f: (...args: A) => R,
  engine: Engine<M>,
): (...args: Operands<A>) => Ran<M, Tensors<R>> {
  // Types ask for an engine; people who write without them forget it, or its call.
  if (!isEngine(engine))
    throw new EngineError("jit: the second argument is the engine: jit(f, reference()), or jit(f, wasm()) with wasm of chainrule/wasm");
  const cache = new Map<string, Traced>();
  const trace = (args: readonly unknown[], key: string): Traced => {
    const found = cache.get(key);
    if (found !== undefined) {
      cache.delete(key);
      cache.set(key, found);
      return found;
    }
    const g = graph(args, (inputs) => (f as unknown as (...given: readonly unknown[]) => unknown)(...(inputs as readonly unknown[])));
    const inputs = leaves(g.inputs).map(({ leaf }) => leaf as Value);
    const executable = engine.prepare(
      inputs,
      leaves(g.outputs).map(({ leaf }) => leaf as Value),
    );
    const inOrder = (): (() => number) => {
      let next = 0;
      return () => next++;
    };
    const made = { executable, inputs: portOf(g.inputs, inOrder()), outputs: portOf(g.outputs, inOrder()), count: inputs.length };
    cache.set(key, made);
    if (cache.size > most) {
      const oldest = cache.keys().next().value!;
      cache.get(oldest)!.executable.dispose();
      cache.delete(oldest);
    }
    return made;
  };
  let latest: Traced | null = null;
  return ((...args: readonly unknown[]) => {
    let held: Held[] = [];
    let traced = latest;
    if (engine.copies && traced !== null) held = new Array<Held>(traced.count);
    if (!engine.copies || traced === null || !take(args, traced.inputs, held, true)) {
      const given = leaves(args);
      traced = trace(args, given.map(({ path, leaf }) => `${path}:${typeText(typeOfLeaf(leaf))}`).join(" "));
      latest = traced;
      held = given.map(({ leaf }): Held => {
        const v = lift(leaf as Value, "f64");
        return memoOf(v) ?? heldBy(v);
      });
    }
    const { executable, outputs } = traced;
    const finish = (results: readonly Held[]): unknown =>
      give(engine.copies ? results : results.map((h) => (typeof h === "number" ? h : hold(h.type, h.data.slice()))), outputs);
    const results = executable.run(engine.mode === "sync" ? held : ownAll(executable, held));
    return results instanceof Promise ? results.then(finish) : finish(results);
  }) as (...args: Operands<A>) => Ran<M, Tensors<R>>;
}
