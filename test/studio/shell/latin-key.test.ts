import { expect, test } from "vitest";
import { latinKey } from "../../../studio/shell/latin-key.ts";

test.each([
  ["ㄹ", "KeyF", "f"],
  ["ㅇ", "KeyD", "d"],
  ["ㄸ", "KeyE", "e"],
  ["D", "KeyD", "D"],
  ["ㅇ", "Unidentified", "ㅇ"],
  ["ArrowLeft", "ArrowLeft", "ArrowLeft"],
  ["가", "KeyR", "가"],
])("the key %s at %s is %s", (key, code, latin) => {
  expect(latinKey({ key, code })).toBe(latin);
});
