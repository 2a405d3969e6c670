import { expect, test } from "vitest";
import { sized } from "../../../studio/train/pictures.ts";

test("a canvas is asked for its context once: Firefox refuses a second time where a worker draws", () => {
  let asked = 0;
  const context = {} as OffscreenCanvasRenderingContext2D;
  const canvas = {
    width: 1,
    height: 1,
    getContext(kind: string) {
      expect(kind).toBe("2d");
      if (asked++ > 0) throw new Error("InvalidStateError: Cannot update created context to different thread");
      return context;
    },
  } as unknown as OffscreenCanvas;
  expect(sized(canvas, 8, 4)).toBe(context);
  expect(sized(canvas, 16, 4)).toBe(context);
  expect([canvas.width, canvas.height, asked]).toEqual([16, 4, 1]);
});

test("a canvas without a context is asked again", () => {
  let asked = 0;
  const canvas = { width: 1, height: 1, getContext: () => (++asked > 0 ? null : {}) } as unknown as OffscreenCanvas;
  expect([sized(canvas, 1, 1), sized(canvas, 1, 1), asked]).toEqual([null, null, 2]);
});
