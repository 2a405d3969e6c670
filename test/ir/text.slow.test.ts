import { expect, test } from "vitest";
import { add, f64, graph } from "../../src/index.ts";
import { printGraph } from "../../src/ir/text/print-graph.ts";
import { parse } from "../../src/notation/graph-text.ts";

test("a chain of 200,000 nodes prints and reads back", () => {
  const g = graph({ x: f64() }, ({ x }) => {
    let y = x;
    for (let i = 0; i < 200_000; i++) y = add(y, x);
    return { y };
  });
  const text = printGraph(g as never);
  expect(printGraph(parse(text) as never)).toBe(text);
});
