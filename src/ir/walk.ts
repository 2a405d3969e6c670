import { type Node, nextWalk, type Value } from "./node.ts";

/** Nodes in the order in which they were made, which is topological too: a backward pass after its forward pass, each gradient where it is due. */
export function inOrderOfMaking(nodes: readonly Node[]): Node[] {
  return [...nodes].sort((a, b) => a.serial - b.serial);
}

/**
 * The nodes that `roots` depend on, operands before users, each once; `node.place` is set to its position and `node.mark` to the walk's number.
 * Nodes older than `floor` are not visited, nor nodes that have a memo when `computed` is "skip", nor those of
 * `stops`. Iterative: depth is no limit.
 */
export function collect(
  roots: readonly (Value | null)[],
  floor = 0,
  computed: "skip" | "visit" = "visit",
  stops?: ReadonlySet<Node>,
): Node[] {
  const order: Node[] = [];
  walk(
    roots,
    (node) => {
      node.place = order.length;
      order.push(node);
    },
    floor,
    computed,
    stops,
  );
  return order;
}

/** As `collect`, but hands each node to `leave` when its operands have been: while they are still in the processor's cache. */
export function walk(
  roots: readonly (Value | null)[],
  leave: (node: Node) => void,
  floor = 0,
  computed: "skip" | "visit" = "visit",
  stops?: ReadonlySet<Node>,
): void {
  const mark = nextWalk();
  const path: Node[] = [];
  const cursor: number[] = [];
  const skip = computed === "skip";
  for (const root of roots) {
    if (root === null) continue;
    const start = root.node;
    if (start.mark === mark || start.serial < floor || (skip && start.memo !== undefined) || stops?.has(start)) continue;
    start.mark = mark;
    path.push(start);
    cursor.push(0);
    while (path.length > 0) {
      const top = path.length - 1;
      const node = path[top]!;
      const { count } = node;
      let i = cursor[top]!;
      let next: Node | null = null;
      while (i < count && next === null) {
        const v = node.operand(i++);
        if (v === null) continue;
        const n = v.node;
        if (n.mark === mark || n.serial < floor || (skip && n.memo !== undefined) || stops?.has(n)) continue;
        next = n;
      }
      cursor[top] = i;
      if (next === null) {
        path.pop();
        cursor.pop();
        leave(node);
      } else {
        next.mark = mark;
        path.push(next);
        cursor.push(0);
      }
    }
  }
}
