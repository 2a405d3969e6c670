import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { englishWords } from "../../../src/draw/picture-words.ts";
import { picture } from "../../../src/explain/picture/picture.ts";
import { framesOf } from "../../../src/explain/player/frames.ts";
import { sha256Base64 } from "../../../src/explain/player/sha256.ts";
import { playerWords } from "../../../src/explain/player/words.ts";
import {
  add,
  explain,
  type Language,
  matmul,
  mul,
  relu,
  sigmoid,
  sum,
  tensor,
  type Value,
  variable,
  walkPage,
} from "../../../src/index.ts";

function net(): Value {
  const x = tensor([
    [1, 2],
    [3, -4],
  ]);
  const w = variable(
    [
      [0.1, -0.2],
      [0.3, 0.4],
    ],
    "w",
  );
  const h = relu(add(matmul(x, w), variable([0.5, -0.5], "b")));
  return sum(mul(h, sigmoid(h)));
}

test("replaying the changes gives every step's own picture", () => {
  const f = net();
  const steps = explain(f).steps;
  const { first, elements, changes } = framesOf(f, steps, {}, [englishWords]);
  expect(changes).toHaveLength(steps.length + 1);
  const forward = steps.filter((s) => s.pass === "forward").length;
  const made = picture(f);
  const shown = new Map<string, string>();
  const lines = (svg: string): string[] =>
    svg
      .split("\n")
      .filter((l) => /^<g class="cr-(item|wire|trunk)[ "]/.test(l))
      .sort();
  changes.forEach((changed, t) => {
    for (const [part, element] of changed) shown.set(part, elements[element]![0]!);
    if (t === 0) expect([...shown.values()].sort()).toEqual(lines(first[0]!));
    if (t > forward) expect([...shown.values()].sort()).toEqual(lines(made.svg(t)));
  });
});

test("in the forward pass a wire has its value once its gate has computed, and gradients wait", () => {
  const f = net();
  const steps = explain(f).steps;
  const { elements, changes } = framesOf(f, steps, {}, [englishWords]);
  const forward = steps.filter((s) => s.pass === "forward").length;
  const shown = new Map<string, string>();
  const counts: number[] = [];
  changes.slice(0, forward + 1).forEach((changed) => {
    for (const [part, element] of changed) shown.set(part, elements[element]![0]!);
    expect([...shown.values()].some((text) => text.includes('class="cr-gradient'))).toBe(false);
    counts.push([...shown.entries()].filter(([part, text]) => part.startsWith("w") && text.includes("cr-value")).length);
  });
  for (let i = 1; i < counts.length; i++) expect(counts[i]).toBeGreaterThan(counts[i - 1]!);
});

test("the file names its own script and style, and nothing else may run", () => {
  const html = walkPage(net(), { title: `a "<b>" & </script>` });
  const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html)![1]!;
  const script = /<script>([\s\S]*?)<\/script>/.exec(html)![1]!;
  const style = /<style>([\s\S]*?)<\/style>/.exec(html)![1]!;
  const hash = (text: string): string => createHash("sha256").update(text).digest("base64");
  expect(policy).toContain(`default-src 'none'; script-src 'sha256-${hash(script)}'; style-src 'sha256-${hash(style)}'`);
  expect(html).not.toMatch(/ style="| on[a-z]+="|https?:\/\/(?!www\.w3\.org)/);
  expect(html.match(/<script/g)).toHaveLength(2);
  expect(html).toContain("<title>a &quot;&lt;b&gt;&quot; &amp; &lt;/script&gt;</title>");
  expect(walkPage(net())).toBe(walkPage(net()));
});

test.each(["", "abc", "한국어", "x".repeat(55), "x".repeat(56), "x".repeat(64), "y".repeat(1000)])("sha256 of %j is Node's", (text) => {
  expect(sha256Base64(text)).toBe(createHash("sha256").update(text).digest("base64"));
});

test("both languages have words for everything, and every step has its sentence in both", () => {
  const data = JSON.parse(/id="data">([\s\S]*?)<\/script>/.exec(walkPage(net()))![1]!) as {
    steps: { texts: { say: string; head: string }[] }[];
  };
  for (const { texts } of data.steps) {
    expect(texts).toHaveLength(2);
    expect(texts[1]!.say).toMatch(/[가-힣]/);
    expect(texts[0]!.say).not.toMatch(/[가-힣]/);
  }
  const texts = (language: Language): string[] =>
    Object.entries(playerWords(language))
      .filter(([, w]) => typeof w === "string")
      .map(([k]) => k);
  expect(texts("ko")).toEqual(texts("en"));
  for (const [key, word] of Object.entries(playerWords("ko")))
    if (typeof word === "string") expect([key, /[가-힣]/.test(word)]).toEqual([key, true]);
});

test("what cannot be a page says why", () => {
  let chain: Value = variable(1, "x");
  for (let i = 0; i < 400; i++) chain = add(chain, 1);
  expect(() => walkPage(chain)).toThrow("steps and a page shows up to 600");
  expect(() => walkPage(net(), { language: "fr" as Language })).toThrow('walkPage: language "fr" is not there');
  expect(walkPage(variable(2, "x"))).toContain("<!doctype html>");
});
