import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { packState } from "../../studio/state/address.ts";
import { type AppState, defaultState } from "../../studio/state/slices.ts";
import type { Page, PageOptions } from "../browser/launch.ts";

/** What is asked of playwright here beside what other tests do. */
interface ScreenPage {
  addInitScript(script: { content: string }): Promise<unknown>;
  screenshot(options: { animations: "disabled"; caret: "hide"; scale: "css" }): Promise<Uint8Array>;
  readonly mouse: { move(x: number, y: number): Promise<void> };
}

/** A screen that is kept: what the page is opened at, and what is done until it is to be seen. */
export interface Screen {
  readonly file: string;
  readonly language: "en" | "ko";
  readonly theme?: "dark" | "colour-blind" | "colour-blind dark";
  readonly page?: PageOptions;
  readonly state?: Partial<AppState>;
  readonly act: (page: Page) => Promise<void>;
}

const phone: PageOptions = { viewport: { width: 390, height: 780 } };
const fixture = (path: string): string => fileURLToPath(new URL(`../fixtures/${path}`, import.meta.url));

async function graphStands(page: Page): Promise<void> {
  await page.waitForSelector(".cr-item", { state: "attached" });
}

/** Formulas are set once their library is here; until then their plain text stands there. */
async function formulasSet(page: Page): Promise<void> {
  await page.waitForFunction(() =>
    [...document.querySelectorAll("#step-card .maths")].every((place) => place.querySelector(".katex") !== null),
  );
}

const walkTo =
  (example: string, steps: number, then?: (page: Page) => Promise<void>) =>
  async (page: Page): Promise<void> => {
    await graphStands(page);
    if (example !== "") await page.click(`#example-${example}`);
    await page.click("#backward");
    for (let i = 1; i < steps; i++) await page.click("#next");
    await formulasSet(page);
    await then?.(page);
  };

async function learnt(page: Page): Promise<void> {
  await page.waitForSelector("#play:not([disabled])", { timeout: 60_000 });
  await page.click("#step-epoch");
  await page.waitForFunction(() => document.querySelector("#epoch")?.textContent === "1");
}

async function opened(page: Page, path: string): Promise<void> {
  await page.waitForSelector("#import-file", { state: "attached" });
  await page.setInputFiles("#import-file", fixture(path));
  await page.waitForSelector("#import-canvas [data-item]", { state: "attached" });
  await page.waitForSelector("#import-inspection", { state: "attached" });
  await page.waitForFunction(() => document.querySelector("#import-status")?.textContent === "");
}

const { graph, train } = defaultState;

/** The thirteen. Sizes are small, so that what is kept is small. */
export const screens: readonly Screen[] = [
  { file: "graph.png", language: "en", act: walkTo("sigmoid", 6) },
  {
    file: "graph-table-ko-dark.png",
    language: "ko",
    theme: "dark",
    act: walkTo("branches", 3, (page) => page.click("#show-table")),
  },
  {
    file: "graph-tensors-colour-blind.png",
    language: "en",
    theme: "colour-blind",
    act: walkTo("twoLayer", 5, async (page) => {
      await page.click("#ask-checkAll");
      await page.waitForSelector("#check-table");
    }),
  },
  { file: "graph-phone-ko.png", language: "ko", page: phone, act: walkTo("", 3) },
  {
    file: "graph-forced-colours.png",
    language: "en",
    page: { forcedColors: "active", reducedMotion: "reduce" },
    act: walkTo("hinge", 4),
  },
  {
    file: "train.png",
    language: "en",
    state: { tab: "train", train: { ...train, data: "moons", layers: [4, 4], optimizer: "adam", rate: 0.03, noise: 10 } },
    act: learnt,
  },
  {
    file: "train-digits-ko-dark.png",
    language: "ko",
    theme: "dark",
    state: {
      tab: "train",
      train: {
        ...train,
        data: "digits",
        layers: [12],
        activation: "relu",
        loss: "crossEntropy",
        optimizer: "adam",
        rate: 0.01,
        batch: 32,
        share: 80,
      },
    },
    act: async (page) => {
      await learnt(page);
      await page.click("#pad-sample");
      await page.waitForFunction(() => /\d/.test(document.querySelector("#reads")?.textContent ?? ""));
    },
  },
  { file: "train-phone.png", language: "en", page: phone, state: { tab: "train", train: { ...train, data: "xor" } }, act: learnt },
  {
    file: "import.png",
    language: "en",
    state: { tab: "import" },
    act: async (page) => {
      await opened(page, "onnx/mlp/model.onnx");
      await page.click("#import-gradients button[type=submit]");
      await page.waitForSelector("#import-loss");
      await page.click(".import-tensors button");
      await page.waitForSelector(".import-gradient .import-heat");
    },
  },
  {
    file: "import-ko-dark.png",
    language: "ko",
    theme: "colour-blind dark",
    state: { tab: "import" },
    act: (page) => opened(page, "onnx/lenet/model.onnx"),
  },
  {
    file: "code.png",
    language: "en",
    state: {
      tab: "code",
      code: {
        source:
          'import { gradients, mul, sum, tensor, toArray, variable } from "chainrule";\n\n// The gradient of a sum of products\nconst w = variable(tensor([1, 2, 3]), "w");\nconst x = variable(tensor([4, 5, 6]), "x");\nconst f = sum(mul(w, x));\nconsole.log("df/dw =", toArray(gradients(f, { w }).w));\nthrow new Error("a fault with its line");\n',
      },
    },
    act: async (page) => {
      await page.waitForSelector("#code-run");
      await page.click("#code-run");
      await page.waitForSelector("#code-lines button.code-fault");
    },
  },
  {
    file: "code-ko.png",
    language: "ko",
    state: {
      tab: "code",
      code: {
        source:
          'import { add, mul, variable } from "chainrule";\n\n// 그림과 말, 그리고 줄이 있는 오류\nconst x = variable(-2, "가중치");\nconst f = mul(add(x, 5), x);\nconsole.log("끝");\nshow(f, "식");\nadd(x, f, f.없는것.없는것);\n',
      },
    },
    act: async (page) => {
      await page.waitForSelector("#code-run");
      await page.click("#code-run");
      await page.waitForSelector("#code-lines button.code-fault");
      await page.waitForFunction(() => document.querySelector<HTMLImageElement>(".code-pictures img")?.naturalWidth);
    },
  },
  {
    file: "share-ko.png",
    language: "ko",
    state: { tab: "graph", graph: { ...graph, step: 2 } },
    act: async (page) => {
      await graphStands(page);
      await page.click("#open-share");
      await page.waitForSelector("#share-link");
    },
  },
];

const require = createRequire(import.meta.url);
const fonts = (
  [
    ["Screen Latin", "noto-sans", "latin", 400, "normal"],
    ["Screen Latin", "noto-sans", "latin", 700, "normal"],
    ["Screen Latin", "noto-sans", "latin", 400, "italic"],
    ["Screen Latin", "noto-sans", "latin", 700, "italic"],
    ["Screen Greek", "noto-sans", "greek", 400, "normal"],
    ["Screen Korean", "noto-sans-kr", "korean", 400, "normal"],
    ["Screen Korean", "noto-sans-kr", "korean", 700, "normal"],
    // The Code tab's editor stands in a tree of its own, where no style sheet of the page reaches; the names of fonts do.
    ["ui-monospace", "noto-sans", "latin", 400, "normal"],
    ["Noto Sans Mono", "noto-sans", "latin", 400, "normal"],
  ] as const
).map(([family, name, subset, weight, style]) => ({ family, name, file: `${name}-${subset}-${weight}-${style}.woff2`, weight, style }));

const family = '"Screen Latin", "Screen Greek", "Screen Korean"';

/** The fonts, as files that the server has beside the studio's. */
export const fontFiles: ReadonlyMap<string, Uint8Array> = new Map(
  fonts.map(({ name, file }) => [`/screens/${file}`, readFileSync(require.resolve(`@fontsource/${name}/files/${file}`))]),
);

const faces = fonts
  .map(
    ({ family: name, file, weight, style }) =>
      `@font-face { font-family: "${name}"; src: url("/screens/${file}") format("woff2"); font-weight: ${weight === 400 ? "100 500" : "600 900"}; font-style: ${style}; font-display: block; }`,
  )
  .join("\n");

/**
 * The same letters on every machine, and nothing that moves. KaTeX brings its own letters. How long something took is another number each time, and
 * the address of the page, as the Share dialog shows it, has another port.
 */
const sheet = `${faces}
:not(.katex, .katex *) { font-family: ${family} !important; }
*, *::before, *::after { animation: none !important; transition: none !important; caret-color: transparent !important; scroll-behavior: auto !important; }
#import-loss, #share-link { opacity: 0; }`;

/** Runs before the page's own scripts: the letters, in the page and on its canvases, and the reader's theme. */
const before = (theme: string | undefined, planted: string): string => `{
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(${JSON.stringify(sheet + planted)});
  document.adoptedStyleSheets = [sheet];
  const font = Object.getOwnPropertyDescriptor(CanvasRenderingContext2D.prototype, "font");
  Object.defineProperty(CanvasRenderingContext2D.prototype, "font", {
    ...font,
    set(text) { font.set.call(this, text.replace(/system-ui, sans-serif|sans-serif/, ${JSON.stringify(family.replaceAll('"', "'"))})); },
  });
  ${theme === undefined ? "" : `if (origin !== "null") localStorage.setItem("chainrule.theme", ${JSON.stringify(theme)});`}
}`;

/** Fonts are the same, so is what the rasteriser makes of them: no hinting by the machine's settings, no coloured edges, one colour space. */
export const steady: readonly string[] = [
  "--disable-gpu",
  "--font-render-hinting=none",
  "--disable-lcd-text",
  "--force-color-profile=srgb",
  "--hide-scrollbars",
];

/** The address of a screen behind the studio's own. */
export async function addressOf({ language, state }: Screen): Promise<string> {
  return `?lang=${language}#${await packState({ ...defaultState, ...state })}`;
}

/**
 * Makes a new page ready to be photographed, before it goes anywhere.
 * @param planted more rules of style, with which a test sees that it can fail
 */
export async function prepare(page: Page, screen: Screen, planted = ""): Promise<void> {
  await (page as unknown as ScreenPage).addInitScript({ content: before(screen.theme, planted) });
}

/** Waits for the letters, does what the screen asks, and photographs. */
export async function photograph(page: Page, screen: Screen): Promise<Uint8Array> {
  await page.evaluate(
    `Promise.all(${JSON.stringify(fonts)}.map(({ family, weight, style }) => document.fonts.load(style + " " + weight + " 16px '" + family + "'", "aα가"))).then(() => document.fonts.ready).then(() => undefined)`,
  );
  await screen.act(page);
  // The pointer rests on paper, nothing has the focus, each panel stands at its top, and two frames have passed since the last change.
  const { mouse } = page as unknown as ScreenPage;
  await mouse.move(1, 1);
  await page.evaluate(`{
    document.activeElement?.blur?.();
    for (const element of document.querySelectorAll("main, main section, main div")) element.scrollTop = 0;
    new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())));
  }`);
  return (page as unknown as ScreenPage).screenshot({ animations: "disabled", caret: "hide", scale: "css" });
}
