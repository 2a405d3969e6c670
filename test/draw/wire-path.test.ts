import { describe, expect, it } from "vitest";
import { arrowHead, roundedPath, shortened } from "../../src/draw/wire-path.ts";

const bent = [
  { x: 0, y: 0 },
  { x: 20, y: 0 },
  { x: 20, y: 30 },
  { x: 50, y: 30 },
];

describe("roundedPath", () => {
  it("rounds each corner by six pixels", () => {
    expect(roundedPath(bent)).toBe("M0 0L14 0Q20 0 20 6L20 24Q20 30 26 30L50 30");
  });

  it("rounds by half of a short stretch, so that two corners never overlap", () => {
    const jog = [bent[0]!, bent[1]!, { x: 20, y: 4 }, { x: 50, y: 4 }];
    expect(roundedPath(jog)).toBe("M0 0L18 0Q20 0 20 2L20 2Q20 4 22 4L50 4");
  });

  it("draws nothing for no points", () => {
    expect(roundedPath([])).toBe("");
  });
});

describe("arrowHead", () => {
  it("points against the line, with its tip at the start", () => {
    expect(arrowHead(bent)).toBe("M0 0L10 -5L10 5Z");
    expect(arrowHead(bent.slice(1))).toBe("M20 0L25 10L15 10Z");
    expect(arrowHead([])).toBe("");
  });
});

describe("shortened", () => {
  it("moves the start along the first stretch, at most to its middle", () => {
    expect(shortened(bent, 8)[0]).toEqual({ x: 8, y: 0 });
    expect(shortened(bent, 80)[0]).toEqual({ x: 10, y: 0 });
    expect(shortened(bent, 8).slice(1)).toEqual(bent.slice(1));
  });
});
