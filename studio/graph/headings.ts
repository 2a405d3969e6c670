import type { Node, Value } from "chainrule";

/** A line `## name` of a formula: the lines under it are a module of that name. `## name: W, b` takes those variables in as well. */
export interface Heading {
  /** Empty where a module ends and none begins. */
  readonly name: string;
  readonly variables: readonly string[];
  readonly from: number;
}

/** The headings of a formula, in order. */
export function headingsIn(source: string): readonly Heading[] {
  return [...source.matchAll(/^[ \t]*##[ \t]*([^:\n]*)(?::([^\n]*))?$/gm)].map(({ 1: name = "", 2: list = "", index }) => ({
    // Paths of modules are written with slashes.
    name: name.trim().replaceAll("/", "∕"),
    variables: list.split(/[\s,]+/).filter((word) => word !== ""),
    from: index,
  }));
}

/** Where among them the part of the formula at an offset stands; -1: above the first of them. */
export function headingAt(headings: readonly Heading[], offset: number): number {
  return headings.findLastIndex(({ from }) => from <= offset);
}

/** Makes modules of the nodes under each heading, with the variables that it takes in. */
export function foldByHeadings(headings: readonly Heading[], nodes: readonly Node[], variables: Readonly<Record<string, Value>>): void {
  const put = (node: Node, at: number): void => {
    const { name } = headings[at]!;
    if (name === "") return;
    const old = node.where;
    const inner = old?.scope?.split("/") ?? [];
    node.where = {
      source: null,
      span: null,
      stack: null,
      ...old,
      scope: [name, ...inner].join("/"),
      // Below any call's number, so that two headings of one name stay two.
      calls: [-1 - at, ...(old?.calls ?? inner.map(() => 0))],
    };
  };
  for (const node of nodes) {
    const span = node.where?.span;
    const at = span == null ? -1 : headingAt(headings, span.from);
    if (at >= 0) put(node, at);
  }
  headings.forEach(({ variables: names }, at) => {
    for (const name of names) if (Object.hasOwn(variables, name) && variables[name]!.node.where === null) put(variables[name]!.node, at);
  });
}
