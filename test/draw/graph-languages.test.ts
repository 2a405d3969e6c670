import { execFileSync, spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { renderDot } from "../../src/draw/dot.ts";
import { renderMermaid } from "../../src/draw/mermaid.ts";
import type { Scene } from "../../src/draw/scene.ts";
import { hinge, lectureExample, sigmoidNeuron, tensorNetwork } from "./scenes.ts";

const grouped = (): Scene => {
  const scene = lectureExample();
  return {
    ...scene,
    groups: [
      { id: "outer", label: "outer", title: "outer" },
      { id: "inner", label: 'in"ner', title: "inner", group: "outer" },
    ],
    items: scene.items.map((item) =>
      item.label === "+" ? { ...item, group: "inner" } : item.label === "×" ? { ...item, group: "outer" } : item,
    ),
  };
};
const hostile = (): Scene => {
  const name = '"]; end <script>alert(1)</script> \\" #quot; --> \u0000\ud800 `|{';
  const scene = grouped();
  return {
    ...scene,
    title: name,
    items: scene.items.map((item) => ({ ...item, label: name, title: name })),
    wires: scene.wires.map((wire) => ({ ...wire, above: name })),
  };
};

describe("renderDot", () => {
  it("writes nodes, clusters within clusters, and edges with value and gradient", () => {
    const dot = renderDot(grouped());
    expect(dot).toContain("rankdir=LR");
    expect(dot).toMatch(
      /subgraph cluster_0 \{\n {4}label="outer"; style=dashed;\n(?: {4}.*\n)*? {4}subgraph cluster_1 \{\n {6}label="in\\"ner"/,
    );
    expect(dot).toContain('[label="−2.00\\n−4.00"]');
    expect(renderDot({ ...lectureExample(), direction: "down" })).toContain("rankdir=TB");
    expect(renderDot(hinge())).toContain("style=dotted");
    expect(renderDot(sigmoidNeuron(true))).toContain("dir=back");
  });

  it("keeps hostile names inside their quotes", () => {
    const dot = renderDot(hostile());
    const outside = dot.replace(/"(?:\\.|[^"\\])*"/g, "");
    expect(outside).not.toContain("script");
    expect(/[^\n\P{Cc}]/u.test(dot)).toBe(false);
  });

  it("is read by Graphviz, where that is installed", (context) => {
    if (spawnSync("dot", ["-V"]).status !== 0) return context.skip();
    for (const scene of [grouped(), hostile(), tensorNetwork(), sigmoidNeuron(true), { title: "", items: [], wires: [] }])
      expect(execFileSync("dot", ["-Tplain"], { input: renderDot(scene), encoding: "utf8" })).toMatch(/^graph /);
  });
});

describe("renderMermaid", () => {
  it("writes nodes, subgraphs and labelled arrows", () => {
    const text = renderMermaid(grouped());
    expect(text).toMatch(/^flowchart LR\n/);
    expect(text).toMatch(/ {2}subgraph g0\["outer"\]\n(?: {4}.*\n)*? {4}subgraph g1\["in#34;ner"\]\n {6}n3\(\("\+"\)\):::op\n {4}end/);
    expect(text).toContain('-->|"−2.00 / −4.00"|');
    expect(renderMermaid(sigmoidNeuron(true))).toContain("==>");
    expect(renderMermaid({ ...hinge(), direction: "down" })).toMatch(/^flowchart TB\n[\s\S]*-\.->\|"[^"]*0"\|/);
  });

  it("turns everything in names that could be markup into entities", () => {
    for (const line of renderMermaid(hostile()).split("\n")) {
      const inner = line.match(/"([^"]*)"/)?.[1] ?? "";
      expect(inner.replaceAll("<br/>", "")).not.toMatch(/[<>`{}[\]\\&]|script>/);
      expect((line.match(/"/g) ?? []).length % 2).toBe(0);
    }
  });
});
