import { describe, expect, it } from "vitest";
import { fitText, textWidth } from "../../src/draw/text-width.ts";

describe("textWidth", () => {
  it("grows with the text and the size, and counts Hangul and emoji as wide", () => {
    expect(textWidth("ab", 10)).toBeCloseTo(2 * textWidth("a", 10));
    expect(textWidth("a", 20)).toBeCloseTo(2 * textWidth("a", 10));
    expect(textWidth("손실", 10)).toBeGreaterThan(20);
    expect(textWidth("😀", 10)).toBeGreaterThan(12);
  });
});

describe("fitText", () => {
  it("keeps what fits and cuts the rest", () => {
    expect(fitText("weight", 12, 100)).toBe("weight");
    const cut = fitText("a".repeat(300), 12, 100);
    expect(cut.endsWith("…")).toBe(true);
    expect(textWidth(cut, 12)).toBeLessThanOrEqual(100);
    expect(cut.length).toBeGreaterThan(8);
  });

  it("never tears a grapheme", () => {
    const family = "👨‍👩‍👧‍👦";
    const cut = fitText(family.repeat(20), 12, 200);
    expect(cut.slice(0, -1).length % family.length).toBe(0);
    expect(cut.slice(0, -1).length).toBeGreaterThan(0);
    expect(fitText("e\u0301".repeat(50), 12, 60)).toMatch(/^(e\u0301)+…$/);
  });

  it("takes no time on megabytes", () => {
    expect(fitText("x".repeat(5_000_000), 12, 60).length).toBeLessThan(12);
  });
});
