import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Scene } from "../../../src/draw/scene.ts";
import { cellWidth, fitCells } from "../../../src/draw/text/cell-width.ts";
import { renderTextPicture } from "../../../src/draw/text/text-picture.ts";
import { randomGraph, transformer } from "../corpus.ts";
import { fanOut, hinge, lectureExample, network, sigmoidNeuron, tensorNetwork } from "../scenes.ts";

const widest = (text: string): number => Math.max(...text.split("\n").map(cellWidth));

describe("renderTextPicture", () => {
  it("draws the lecture's example: values above the wires, gradients below", () => {
    expect(renderTextPicture(lectureExample())).toBe(
      `     −2.00
[x]────────╮
     −4.00 ╰─╮   3.00
     5.00   (+)──────────╮   −12.00
[y]──────────╯   −4.00  (×)──────────f
     −4.00       −4.00 ╭─╯    1.00
            [z]────────╯
                 3.00
`
        .replaceAll("[x]", "<x>")
        .replaceAll("[y]", "<y>")
        .replaceAll("[z]", "<z>"),
    );
  });

  it("lights a step: thick upstream, dashed downstream with an arrow toward the inputs, local gradients", () => {
    const text = renderTextPicture(sigmoidNeuron(true), { columns: 200 });
    expect(text).toMatch(/>\(×\)</);
    expect(text).toContain("━━");
    expect(text).toContain("<╌");
    expect(text).toContain("∂=−2.00");
  });

  it("shows the sum at a fan-out and dots along a dead path", () => {
    expect(renderTextPicture(fanOut())).toContain("Σ3 7.00");
    expect(renderTextPicture(hinge(), { columns: 200 })).toContain("┈┈");
  });

  it("fits the columns: to the right, else down, else as a list", () => {
    const neuron = sigmoidNeuron();
    expect(renderTextPicture(neuron, { columns: 200 }).split("\n").length).toBeLessThan(20);
    const down = renderTextPicture(neuron, { columns: 60 });
    expect(down.split("\n").length).toBeGreaterThan(40);
    const list = renderTextPicture(neuron, { columns: 20 });
    expect(list).toContain("×(w₀, x₀)".slice(0, 4));
    for (const columns of [20, 60, 80, 120, 200]) expect(widest(renderTextPicture(neuron, { columns }))).toBeLessThanOrEqual(columns);
    for (const scene of [network(3), tensorNetwork(), transformer(2)])
      for (const columns of [80, 120]) expect(widest(renderTextPicture(scene, { columns }))).toBeLessThanOrEqual(columns);
    const big = renderTextPicture(transformer(2), { columns: 120 });
    expect(big.trimEnd().split("\n").length).toBe(transformer(2).items.length + 1);
  });

  it("takes wide characters for what they are, and lets no control character through", () => {
    const scene = lectureExample();
    const named = (label: string): Scene => ({
      ...scene,
      items: scene.items.map((item) => (item.label === "x" ? { ...item, label } : item)),
    });
    for (const label of ["가중치", "👨‍👩‍👧‍👦", "e\u0301", "x".repeat(300), "\u001b[31mred", "\u202egnol", "日本語のとても長い名前です"]) {
      const text = renderTextPicture(named(label), { columns: 80 });
      expect(widest(text)).toBeLessThanOrEqual(80);
      expect(/[^\n\P{Cc}]/u.test(text)).toBe(false);
      // All three wires reach their gates: what stands left of a wire did not push it.
      expect(text.split("\n").filter((line) => line.includes("<y>")).length).toBe(1);
    }
    expect(renderTextPicture(named("가중치")).split("\n")[1]).toMatch(/^<가중치> ?─+╮$/);
  });

  it("writes every label whole on random graphs, in both directions", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 400 }), fc.constantFrom("right" as const, "down" as const), (seed, direction) => {
        const scene = { ...randomGraph(seed), direction };
        const text = renderTextPicture(scene, { columns: 2000 });
        const count = (label: string): number => text.split(label).length - 1;
        const ops = scene.items.filter(({ kind, label }) => kind === "op" && label === "×").length;
        expect(count("(×)")).toBe(ops);
        expect(count("1.00")).toBe(scene.wires.length + scene.trunks!.length);
      }),
      { seed: 5, numRuns: 20 },
    );
  });

  it("draws nothing for nothing", () => {
    expect(renderTextPicture({ title: "", items: [], wires: [] }).trim()).toBe("");
  });
});

describe("cellWidth", () => {
  it("counts columns", () => {
    const widths = { a: 1, "−2.00": 5, 가: 2, "e\u0301": 1, "👨‍👩‍👧‍👦": 2, "🇰🇷": 2, "": 0, 日本: 4, "‖∇‖": 3 };
    for (const [text, width] of Object.entries(widths)) expect([text, cellWidth(text)]).toEqual([text, width]);
  });
  it("cuts between graphemes", () => {
    expect(fitCells("가중치", 5)).toBe("가중…");
    expect(fitCells("가중치", 6)).toBe("가중치");
    expect(fitCells("abcdef", 3)).toBe("ab…");
    expect(cellWidth(fitCells("x".repeat(1e6), 10))).toBe(10);
  });
});
