import type { ItemKind, Scene, SceneItem, SceneTrunk, SceneWire } from "../../src/draw/scene.ts";
import { network } from "./scenes.ts";

/** A source of numbers between 0 and 1 that a seed decides. */
function numbersOf(seed: number): () => number {
  let state = (seed * 2654435761) % 2147483647 || 1;
  return () => (state = (state * 48271) % 2147483647) / 2147483647;
}

const number = { above: "1.00", below: "−0.50", gradient: "number" } as const;

/** Builds plain scenes: leaves, ops on earlier items, one output. */
class Plain {
  readonly items: SceneItem[] = [];
  readonly wires: SceneWire[] = [];
  group: string | undefined;

  item(kind: ItemKind, label: string, operands: readonly string[] = []): string {
    const id = `${this.items.length}`;
    this.items.push({ id, kind, label, title: label, ...(this.group !== undefined && { group: this.group }) });
    operands.forEach((from, input) => {
      this.wires.push({ from, output: 0, to: id, input, ...number });
    });
    return id;
  }

  scene(title: string): Scene {
    const uses = new Map<string, number>();
    for (const { from } of this.wires) uses.set(from, (uses.get(from) ?? 0) + 1);
    const trunks = [...uses].filter(([, n]) => n > 1).map(([from]): SceneTrunk => ({ from, output: 0, ...number }));
    return { title, items: this.items, wires: this.wires, trunks };
  }
}

/** A stack of residual blocks with attention of several heads: deep, with long trunks. 92 items a block. */
export function transformer(blocks: number, heads = 4): Scene {
  const made = new Plain();
  let h = made.item("op", "gather", [made.item("parameter", "table"), made.item("input", "ids")]);
  const norm = (x: string): string => {
    const centred = made.item("op", "−", [x, made.item("op", "mean", [x])]);
    const scale = made.item("op", "√", [
      made.item("op", "+", [made.item("op", "mean", [made.item("op", "x²", [centred])]), made.item("constant", "1e−5")]),
    ]);
    const unit = made.item("op", "÷", [centred, scale]);
    return made.item("op", "+", [made.item("op", "×", [unit, made.item("parameter", "g")]), made.item("parameter", "b")]);
  };
  const linear = (x: string, name: string): string =>
    made.item("op", "+", [made.item("op", "@", [x, made.item("parameter", name)]), made.item("parameter", `${name}0`)]);
  for (let b = 0; b < blocks; b++) {
    const n = norm(h);
    const out: string[] = [];
    for (let k = 0; k < heads; k++) {
      const [q, key, v] = ["q", "k", "v"].map((name) => made.item("op", "@", [n, made.item("parameter", name)])) as [
        string,
        string,
        string,
      ];
      const scores = made.item("op", "×", [made.item("op", "@", [q, made.item("op", "transpose", [key])]), made.item("constant", "0.25")]);
      out.push(made.item("op", "@", [made.item("op", "softmax", [scores]), v]));
    }
    h = made.item("op", "+", [h, linear(made.item("op", "concat", out), "o")]);
    h = made.item("op", "+", [h, linear(made.item("op", "gelu", [linear(norm(h), "up")]), "down")]);
  }
  made.item("output", "L", [made.item("op", "sum", [norm(h)])]);
  return made.scene(`a transformer of ${blocks} blocks`);
}

/** A random graph: most operands are recent items, some are far back, as in programs. */
export function randomGraph(seed: number): Scene {
  const next = numbersOf(seed);
  const made = new Plain();
  const count = 12 + Math.floor(next() * 60);
  const leaves = 2 + Math.floor(next() * (count / 5));
  const ids: string[] = [];
  for (let i = 0; i < leaves; i++) ids.push(made.item(next() < 0.6 ? "parameter" : "input", `x${i}`));
  while (made.items.length < count) {
    const fresh = next() < 0.15;
    if (fresh) {
      ids.push(made.item("parameter", `w${made.items.length}`));
      continue;
    }
    const arity = next() < 0.35 ? 1 : next() < 0.9 ? 2 : 3;
    const operands: string[] = [];
    for (let k = 0; k < arity; k++) {
      const back = next() < 0.75 ? Math.floor(next() * Math.min(6, ids.length)) : Math.floor(next() * ids.length);
      operands.push(ids[ids.length - 1 - back]!);
    }
    ids.push(made.item("op", arity === 1 ? "tanh" : arity === 2 ? "×" : "where", operands));
  }
  const used = new Set(made.wires.map(({ from }) => from));
  made.items
    .filter(({ id, kind }) => kind === "op" && !used.has(id))
    .forEach(({ id }, i) => {
      made.item("output", `y${i}`, [id]);
    });
  return made.scene(`random ${seed}`);
}

/** The graphs of STUDIO's table, by how many items they have, and fifty random ones. */
export const corpus: Readonly<Record<string, () => Scene>> = {
  "60": () => network(3),
  "538": () => network(32),
  "2250": () => transformer(24),
  ...Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`random ${i + 1}`, () => randomGraph(i + 1)])),
};
