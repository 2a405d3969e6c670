import { afterAll, beforeAll, expect, test } from "vitest";
import { packState } from "../../studio/state/address.ts";
import { type AppState, defaultState } from "../../studio/state/slices.ts";
import type { Page } from "../browser/launch.ts";
import { openStudio, type Studio } from "./open-studio.ts";

/* Every tab in Korean through the faults that people meet on it: what is shown is Korean, and the English of the library only stands where it is introduced. */

let studio: Studio | null = null;

beforeAll(async () => {
  studio = await openStudio();
});

afterAll(() => studio?.close());

function inPage(name: string, run: (studio: Studio) => Promise<void>): void {
  test(name, { timeout: 120_000 }, async ({ skip }) => {
    if (studio === null) skip();
    else await run(studio);
  });
}

const at = async (state: Partial<AppState>): Promise<string> => `?lang=ko#${await packState({ ...defaultState, ...state })}`;

/** Waits until a place on the page has a text with Hangul other than before. */
async function koreanAt(page: Page, place: string, before = ""): Promise<string> {
  await page.waitForFunction(
    ([selector, old]: readonly [string, string]) => {
      const text = document.querySelector(selector)?.textContent?.replaceAll("\u2060", "") ?? "";
      return text !== "" && text !== old && !text.includes("영어 원문") && /[가-힣]/.test(text);
    },
    [place, before] as const,
  );
  return (await page.textContent(place))?.replaceAll("\u2060", "") ?? "";
}

inPage("Graph: of the text, of names, of shapes, of a variable's value", async (there) => {
  const { page, faults } = await there.visit({ at: await at({}) });
  await page.waitForSelector(".cr-item", { state: "attached" });
  let last = "";
  const told: string[] = [];
  for (const formula of ["x +", "siin(x)", "(x", "x % y", "ones(f64(2)) + ones(f64(3))", "reshape(ones(f64(6)), shape=[4])", "sin(1, 2)"]) {
    await page.fill("#formula", formula);
    last = await koreanAt(page, "#formula-fault", last);
    told.push(last);
    // A particle stays on the line of what it follows.
    if (last.includes("]입니다")) expect(await page.textContent("#formula-fault")).toContain("]\u2060입니다");
  }
  expect(told[0]).toBe('"+" 뒤에 피연산자가 와야 하는데 글의 끝이 있습니다.');
  expect(told[4]).toBe("add: x는 f64[2], y는 f64[3]입니다. 오른쪽부터 맞추었을 때 크기가 서로 같거나 1이어야 합니다.");
  // The same fault in the other language, without another key.
  await page.click(".segments button[lang=en]");
  await page.waitForFunction(
    () =>
      document.querySelector("#formula-fault")?.textContent ===
      "sin takes 1 operand (x), 2 were given; attributes are keywords: sin(..., name=value)",
  );
  expect(faults).toEqual([]);
  await page.close();
});

inPage("Train: of a formula and of a table", async (there) => {
  const { page, faults } = await there.visit({
    at: await at({ tab: "train", train: { ...defaultState.train, data: "formula", formula: "sin(x" } }),
  });
  expect(await koreanAt(page, ".train-fault[role=alert]")).toBe(
    '식을 읽을 수 없습니다: "("가 닫히지 않았습니다. "," 또는 ")"이 와야 하는데 글의 끝이 있습니다. (1번째 줄, 4번째 칸)',
  );
  for (const [csv, said] of [
    ["a,b\n1,2\n3\n4,5\n6,7\n", "표를 읽을 수 없습니다: CSV: 3번째 행의 칸은 1개인데 첫 행은 2개입니다. 모든 행의 길이가 같아야 합니다."],
    ["a,b\n1,2\n", "행이 너무 적습니다. 적어도 4행이 필요합니다."],
    [`${"1,".repeat(1500)}1\n`, "표의 열이 1,501개입니다. 1,024개까지 학습할 수 있습니다."],
  ] as const) {
    const other = await there.visit({ at: await at({ tab: "train", train: { ...defaultState.train, data: "csv", csv } }) });
    expect(await koreanAt(other.page, ".train-fault[role=alert]")).toBe(said);
    await other.page.close();
  }
  expect(faults).toEqual([]);
  await page.close();
});

inPage("Import: of files that are empty, cut short or of another kind", async (there) => {
  const { page, faults } = await there.visit({ at: await at({ tab: "import" }) });
  await page.waitForSelector("#import-file", { state: "attached" });
  let last = "";
  const told: string[] = [];
  for (const [name, text] of [
    ["empty.onnx", ""],
    ["page.onnx", "<html>not found</html>"],
    ["photo.png", "PNG"],
    ["short.safetensors", "abcdefgh{"],
    ["rows.csv", "a,b\n1,2\n3\n"],
    ["old.graph", "graph {\n  %0: f64[] = frobnicate()\n}"],
    ["cut.npz", "PK\u0003\u0004 nothing more"],
  ] as const) {
    await page.setInputFiles("#import-file", { name, mimeType: "application/octet-stream", buffer: Buffer.from(text) });
    last = await koreanAt(page, "#import-fault", last);
    told.push(last);
  }
  expect(told[0]).toBe("empty.onnx는 빈 파일입니다.");
  expect(told[2]).toBe("photo.png는 .onnx 모델, .graph, 체크포인트, .safetensors, .npz, .npy, .csv 가운데 어느 것도 아닙니다.");
  expect(told[5]).toBe("그래프 파일 2번째 줄 15번째 칸: frobnicate는 모르는 연산입니다.");
  expect(faults).toEqual([]);
  await page.close();
});

inPage("Code: of the text, of names, of shapes, of what may be imported, of the limit on nodes", async (there) => {
  const { page, faults } = await there.visit({ at: await at({ tab: "code" }) });
  await page.waitForSelector(".code-editor", { state: "attached" });
  for (const [source, said] of [
    ["const a = ;", /1번째 줄: 여기에 올 수 없는 것이 있습니다\./],
    ["const a = 1;\nfrobnicate(a);", /2번째 줄: frobnicate가 정의되지 않았습니다\./],
    ['import { add, ones, f64 } from "chainrule";\nadd(ones(f64(2)), ones(f64(3)));', /2번째 줄: add: x는 f64\[2\], y는 f64\[3\]입니다\./],
    ['import { addd } from "chainrule";\naddd(1, 2);', /"chainrule"에는 "addd"가 없습니다\./],
    ['import { x } from "left-pad";\nx();', /"left-pad"는 여기서 가져올 수 없습니다\./],
    [
      'import { add, variable } from "chainrule";\nlet x = variable(1, "x");\nfor (;;) x = add(x, 1);',
      /스튜디오의 프로그램은 노드를 1,000,000개까지 만들 수 있습니다\./,
    ],
  ] as const) {
    await page.evaluate(() => document.querySelector(".code-editor")!.shadowRoot!.querySelector<HTMLElement>(".cm-content")!.focus());
    await page.keyboard.press("Control+a");
    await page.keyboard.insertText(source);
    const before = Number(await page.evaluate(() => document.querySelector<HTMLElement>("#code-lines")!.dataset["turn"]));
    await page.click("#code-run");
    await page.waitForFunction((turn) => {
      const { dataset, ariaBusy } = document.querySelector<HTMLElement>("#code-lines")!;
      return Number(dataset["turn"]) > turn && ariaBusy === "false";
    }, before);
    expect(await koreanAt(page, ".code-fault")).toMatch(said);
  }
  expect(faults).toEqual([]);
  await page.close();
});
