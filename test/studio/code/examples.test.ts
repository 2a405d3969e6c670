import { expect, test } from "vitest";
import { examples, sourceIn } from "../../../studio/code/examples.ts";

test.each(examples)("the comments of $name are Korean in Korean, and nothing else is changed", (example) => {
  const [en, ko] = [sourceIn(example, "en"), sourceIn(example, "ko")];
  expect(en).toBe(example.source);
  const comments = [...ko.matchAll(/\/\/ (.*)$/gm)].map(([, said]) => said!);
  expect(comments.length).toBeGreaterThan(0);
  for (const said of comments) expect(said).toMatch(/[가-힣]/);
  const bare = (text: string): string => text.replace(/\/\/ .*$/gm, "//");
  expect(bare(ko)).toBe(bare(en));
});
