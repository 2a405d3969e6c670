import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packState } from "../../studio/state/address.ts";
import { type AppState, defaultState, tabs } from "../../studio/state/slices.ts";
import { leftOut, type Page } from "../browser/launch.ts";
import { englishOf, textsOf } from "./dictionaries.ts";
import { openStudio, type Studio } from "./open-studio.ts";
import { serious } from "./serious.ts";
import { settled } from "./settled.ts";
import { type MorePage, numberIn, ready, visitTrain } from "./train-page.ts";

/* What holds on every tab: for everybody, and in browsers that refuse, lose or forget something. */

let studio: Studio;

beforeAll(async () => {
  studio = await openStudio();
});

afterAll(() => studio.close());

/** A test of a page. Axe takes seconds a page on a busy machine. */
function inPage(name: string, run: (there: Studio) => Promise<void>): void {
  test(name, { timeout: 240_000 }, () => run(studio));
}

const at = async (state: Partial<AppState>, language = "en"): Promise<string> =>
  `?lang=${language}#${await packState({ ...defaultState, ...state })}`;

/** A script that runs in each new page before the page's own. */
const first = (content: string) => async (page: Page) => {
  await (page as unknown as { addInitScript(script: { content: string }): Promise<unknown> }).addInitScript({ content });
};

/** Waits until a tab has what it is for. */
async function standing(page: Page, tab: string): Promise<void> {
  const waited = { graph: ".cr-item", train: "#play:not([disabled])", import: "#import-file", code: ".code-editor" }[tab]!;
  await page.waitForSelector(waited, { state: "attached" });
}

describe.skipIf(leftOut())("every tab, for everybody", () => {
  inPage("axe-core finds nothing serious in the Code tab and in each dialog, in light, dark and forced colours", async (there) => {
    const { page, faults } = await there.visit({ bypassCSP: true, at: await at({ tab: "code" }) });
    await standing(page, "code");
    const media = [
      { colorScheme: "light", forcedColors: "none" },
      { colorScheme: "dark", forcedColors: "none" },
      { colorScheme: "light", forcedColors: "active" },
    ] as const;
    const inAll = async (what: string): Promise<void> => {
      for (const [n, chosen] of media.entries()) {
        await page.emulateMedia(chosen);
        // The page follows the system's colours a frame later.
        await settled(page);
        expect(await serious(page, { colours: n > 0 }), `${what} ${JSON.stringify(chosen)}`).toEqual([]);
      }
    };
    await inAll("before it ran");
    await page.click("#code-run");
    await page.waitForSelector(".code-done");
    await page.click(".code-pictures summary");
    await inAll("with its answer");
    for (const [button, dialog] of [
      ["#open-share", "#share"],
      ["#open-help", "#help"],
      ["#search", "#palette"],
    ] as const) {
      await page.click(button);
      await page.waitForSelector(dialog);
      await inAll(dialog);
      await page.keyboard.press("Escape");
      await page.waitForSelector(dialog, { state: "detached" });
    }
    expect(faults).toEqual([]);
    await page.close();
  });

  inPage("axe-core finds nothing serious on the Graph tab with all it can show, in forced colours and in every theme", async (there) => {
    const graph = {
      ...defaultState.graph,
      formula: "Y = A @ B\nf = sum(Y * Y)",
      values: { A: "[[1, 2], [4, 5]]", B: "[[1, 2], [3, 4]]" },
      tint: true,
      table: true,
      step: 1,
    };
    const { page, faults } = await there.visit({ bypassCSP: true, at: await at({ tab: "graph", graph }) });
    await standing(page, "graph");
    await page.click("#products summary");
    await page.click("#last");
    await page.click("#ask-health");
    await page.waitForSelector("#health-profile");
    await page.click("#health-limits summary");
    await page.emulateMedia({ forcedColors: "active" });
    await settled(page);
    expect(await serious(page)).toEqual([]);
    await page.emulateMedia({ forcedColors: "none" });
    for (const theme of ["colour-blind", "colour-blind dark", "dark"]) {
      await page.selectOption("#theme", theme);
      expect(await page.evaluate(() => document.documentElement.dataset["theme"])).toBe(theme);
      expect(await serious(page, { colours: true }), theme).toEqual([]);
    }
    expect(faults).toEqual([]);
    await page.close();
  });

  inPage("axe-core finds nothing serious where a formula is faulty from the start, or a phone shows it", async (there) => {
    for (const viewport of [
      { width: 1280, height: 800 },
      { width: 390, height: 844 },
    ]) {
      const graph = { ...defaultState.graph, formula: "f = (x +* y", values: {} };
      const { page, faults } = await there.visit({ bypassCSP: true, viewport, at: await at({ graph }) });
      await page.waitForFunction(() => (document.querySelector("#formula-fault")?.textContent ?? "") !== "");
      expect(await serious(page)).toEqual([]);
      const seen = await page.evaluate(() => ({
        // Neither a frame around nothing nor a button without anything to act on.
        empty: [...document.querySelectorAll("#step-card, .minimap")].filter((one) => one.getBoundingClientRect().height > 0).length,
        play: document.querySelector("#play")!.getAttribute("aria-disabled"),
        asks: [...document.querySelectorAll<HTMLButtonElement>(".asks button")].filter(({ disabled }) => !disabled).length,
        headings: document.querySelectorAll("h1").length,
        isHeard: getComputedStyle(document.querySelector("h1")!).display !== "none",
      }));
      expect(seen).toEqual({ empty: 0, play: "true", asks: 0, headings: 1, isHeard: true });
      await page.fill("#formula", "f = x * y");
      await standing(page, "graph");
      expect(await page.evaluate(() => document.querySelector("#play")!.getAttribute("aria-disabled"))).toBe("false");
      expect(faults).toEqual([]);
      await page.close();
    }
  });

  inPage("axe-core finds nothing serious on the other tabs in the colour-blind themes", async (there) => {
    const { page, faults } = await there.visit({ bypassCSP: true });
    for (const tab of tabs.filter((name) => name !== "graph")) {
      await page.click(`#tab-${tab}`);
      await standing(page, tab);
      if (tab === "code") {
        await page.click("#code-run");
        await page.waitForSelector(".code-done");
      }
      for (const theme of ["colour-blind", "colour-blind dark"]) {
        await page.selectOption("#theme", theme);
        expect(await page.evaluate(() => document.documentElement.dataset["theme"]), tab).toBe(theme);
        expect(await serious(page, { colours: true }), `${tab} ${theme}`).toEqual([]);
      }
    }
    expect(faults).toEqual([]);
    await page.close();
  });

  inPage("the Code tab tells its pictures in words, in the reader's language, and has no English left in Korean", async (there) => {
    const { page, faults } = await there.visit({ at: await at({ tab: "code" }, "ko") });
    await standing(page, "code");
    await page.click("#code-run");
    await page.waitForSelector(".code-done");
    await page.click(".code-pictures summary");
    const told = (await page.textContent(".code-pictures pre"))!;
    expect(told).toContain("역전파");
    // Every number of the lecture's graph.
    for (const number of ["-2", "5", "-4", "3", "-12"]) expect(told).toContain(number);
    const english = await englishOf("words/", "code/words-");
    expect((await textsOf(page)).filter((text) => english.has(text))).toEqual([]);
    expect(faults).toEqual([]);
    await page.close();
  });

  inPage("at 400 % (320 by 256 points) nothing is cut off: no tab scrolls sideways, each can be read to its end", async (there) => {
    for (const tab of tabs) {
      const { page, faults } = await there.visit({ viewport: { width: 320, height: 256 }, at: await at({ tab }) });
      await standing(page, tab);
      const found = await page.evaluate(() => {
        const { scrollWidth, scrollHeight } = document.documentElement;
        const fixed = [...document.querySelectorAll("main, main *")].filter((e) =>
          ["fixed", "sticky"].includes(getComputedStyle(e).position),
        );
        const covered = fixed.filter((e) => e.getBoundingClientRect().height > innerHeight / 4);
        return { wide: scrollWidth - innerWidth, high: scrollHeight > innerHeight, covered: covered.map((e) => e.className) };
      });
      expect(found, tab).toEqual({ wide: 0, high: true, covered: [] });
      expect(faults).toEqual([]);
      await page.close();
    }
  });

  inPage("the browser's own size of text is followed, and half as much again cuts nothing off", async (there) => {
    for (const width of [1280, 390])
      for (const tab of tabs) {
        const { page, faults } = await there.visit({ viewport: { width, height: 800 }, at: await at({ tab }) });
        const session = await (page as MorePage).context().newCDPSession(page);
        await session.send("Page.setFontSizes", { fontSizes: { standard: 24, fixed: 20 } });
        await page.reload();
        await standing(page, tab);
        const found = await page.evaluate(() => ({
          size: getComputedStyle(document.body).fontSize,
          wide: document.documentElement.scrollWidth - innerWidth,
          // What stands out of a panel that does not scroll sideways, or out of itself.
          cut: [...document.querySelectorAll<HTMLElement>(".bar button, main :is(button, dt, dd, h2)")]
            .filter((one) => one.getClientRects().length > 0 && one.closest(".unseen, .controls, .chips, .sheet-tabs") === null)
            .filter((one) => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).display !== "inline")
            .map((one) => one.id || one.textContent),
          figures: [...document.querySelectorAll<HTMLElement>(".figures")].filter((one) => one.scrollWidth > one.clientWidth).length,
        }));
        expect(found, `${tab} ${width}`).toEqual({ size: "21px", wide: 0, cut: [], figures: 0 });
        expect(faults).toEqual([]);
        await page.close();
      }
  });

  inPage("on a page of 800 by 600 the header is one row and the result of the net is whole", async (there) => {
    for (const language of ["en", "ko"] as const)
      for (const data of ["moons", "digits"] as const) {
        const { page, faults } = await there.visit({
          viewport: { width: 800, height: 600 },
          at: await at({ tab: "train", train: { ...defaultState.train, data } }, language),
        });
        await standing(page, "train");
        const found = await page.evaluate(
          (what) => {
            const box = (selector: string): DOMRect => document.querySelector(selector)!.getBoundingClientRect();
            const [picture, room] = [box(what), box(".outcome")];
            return {
              header: box(".bar").height < 48,
              whole: picture.top >= room.top && picture.bottom <= room.bottom && picture.width > 100,
            };
          },
          data === "moons" ? ".map-box" : ".pad-canvas",
        );
        expect(found, `${data} ${language}`).toEqual({ header: true, whole: true });
        expect(faults).toEqual([]);
        await page.close();
      }
  });

  inPage("health keeps its columns, and its bars are in sight beside the picture", async (there) => {
    for (const language of ["en", "ko"] as const) {
      const { page, faults } = await there.visit({ at: await at({}, language) });
      await standing(page, "graph");
      await page.click("#example-twoLayer");
      await page.click("#ask-health");
      await page.waitForSelector("#health-profile");
      const found = await page.evaluate(() => {
        const rows = [...document.querySelectorAll<HTMLElement>(".answer pre .in-columns")];
        const table = document.querySelector<HTMLElement>("#health-profile")!;
        return {
          rows: rows.length > 6,
          broken: rows.filter((row) => row.getClientRects().length > 1).map((row) => row.textContent),
          hidden: table.scrollWidth - table.closest<HTMLElement>(".sideways")!.clientWidth,
        };
      });
      expect({ ...found, hidden: Math.max(0, found.hidden) }, language).toEqual({ rows: true, broken: [], hidden: 0 });
      expect(faults).toEqual([]);
      await page.close();
    }
  });

  inPage("with reduced motion nothing moves by itself", async (there) => {
    for (const tab of tabs) {
      const { page, faults } = await there.visit({ reducedMotion: "reduce", at: await at({ tab }) });
      await standing(page, tab);
      const moving = await page.evaluate(() =>
        [...document.querySelectorAll("body *")]
          .filter((element) => {
            const { animationName, transitionDuration, scrollBehavior } = getComputedStyle(element);
            return animationName !== "none" || scrollBehavior === "smooth" || transitionDuration.split(", ").some((text) => text !== "0s");
          })
          .map((element) => element.outerHTML.slice(0, 100)),
      );
      expect(moving, tab).toEqual([]);
      expect(faults).toEqual([]);
      await page.close();
    }
  });
});

describe.skipIf(leftOut())("while a Hangul syllable is composed", () => {
  /** Composes as an input method does; `done` ends the syllable. */
  async function compose(page: Page, text: string): Promise<void> {
    const more = page as MorePage;
    const session = await more.context().newCDPSession(page);
    await session.send("Input.imeSetComposition", { text, selectionStart: text.length, selectionEnd: text.length });
  }

  inPage("Enter runs no command of the palette, and Ctrl+Enter no program", async (there) => {
    const { page, faults } = await there.visit({ at: await at({ tab: "code" }) });
    await standing(page, "code");
    await page.evaluate(() => document.querySelector(".code-editor")!.shadowRoot!.querySelector<HTMLElement>(".cm-content")!.focus());
    await compose(page, "하");
    await page.keyboard.press("Control+Enter");
    expect(await page.evaluate(() => document.querySelector<HTMLElement>("#code-lines")!.dataset["turn"])).toBe("0");
    await page.click("#search");
    await page.waitForSelector("#palette");
    await compose(page, "그");
    await page.keyboard.press("Enter");
    await page.keyboard.press("ArrowDown");
    expect(await page.evaluate(() => document.querySelector("#palette") !== null)).toBe(true);
    // The syllable is done: now Enter is a command.
    await page.keyboard.insertText("그");
    await page.fill("#palette input", "undo");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#palette", { state: "detached" });
    expect(faults).toEqual([]);
    await page.close();
  });

  inPage("a value's box stays what it is, and what is no number in it is told of each", async (there) => {
    const { page, faults } = await there.visit({ at: await at({ graph: { ...defaultState.graph, formula: "f = sum((x + y) * z)" } }) });
    await standing(page, "graph");
    const session = await (page as MorePage).context().newCDPSession(page);
    const syllable = async (...texts: readonly string[]): Promise<void> => {
      for (const text of texts) {
        await session.send("Input.imeSetComposition", { text, selectionStart: text.length, selectionEnd: text.length });
        // A box that were another one now would have got no more than this.
        await settled(page);
      }
    };
    await page.evaluate(() => {
      addEventListener(
        "compositionend",
        ({ data }) => (document.body.dataset["ended"] = `${document.body.dataset["ended"] ?? ""}${data} `),
        true,
      );
    });
    const look = (name: string): Promise<unknown> =>
      page.evaluate((id) => {
        const box = document.querySelector<HTMLInputElement>(id)!;
        return [
          box.tagName,
          box.value,
          box.getAttribute("aria-invalid"),
          document.activeElement === box,
          document.body.dataset["ended"] ?? "",
        ];
      }, `#value-${name}`);
    const told = (): Promise<string[]> => page.evaluate(() => document.querySelector("#formula-fault")!.textContent!.split("\n"));
    for (const name of ["y", "z"]) {
      await page.focus(`#value-${name}`);
      await page.keyboard.press("Control+A");
      await page.keyboard.press("Delete");
      expect(await look(name)).toEqual(["INPUT", "", "true", true, name === "y" ? "" : "한 "]);
      await syllable("ㅎ", "하", "한");
      expect(await look(name)).toEqual(["INPUT", "한", "true", true, name === "y" ? "" : "한 "]);
      await page.keyboard.insertText("한");
      expect(await look(name)).toEqual(["INPUT", "한", "true", true, name === "y" ? "한 " : "한 한 "]);
    }
    expect(await told()).toEqual(["y", "z"].map((name) => expect.stringMatching(new RegExp(`^${name}: .*한`))));
    await page.click("#formula");
    await settled(page);
    expect(await look("z")).toEqual(["INPUT", "한", "true", false, "한 한 "]);
    for (const name of ["y", "z"]) await page.fill(`#value-${name}`, "3");
    expect(await told()).toEqual([""]);
    // A number before the end of its composition, as other input methods give, makes no other box yet; and that one has the cursor where it was.
    await page.fill("#value-x", "[1, 2]");
    await page.waitForSelector("textarea#value-x");
    await page.focus("#value-x");
    await page.keyboard.press("Control+A");
    await syllable("1", "12");
    expect(await look("x")).toEqual(["TEXTAREA", "12", "false", true, "한 한 "]);
    await page.keyboard.insertText("12");
    expect(await look("x")).toEqual(["INPUT", "12", "false", true, "한 한 12 "]);
    await page.keyboard.press("Home");
    await page.keyboard.type("[5, ");
    await page.keyboard.press("End");
    await page.keyboard.type("]");
    expect(await look("x")).toEqual(["TEXTAREA", "[5, 12]", "false", true, "한 한 12 "]);
    expect(await told()).toEqual([""]);
    expect(faults).toEqual([]);
    await page.close();
  });

  inPage("Enter sends no form of the Import tab; Ctrl and the key of K search on a Hangul keyboard too", async (there) => {
    const { page, faults } = await there.visit({ at: await at({ tab: "import" }) });
    await standing(page, "import");
    await page.setInputFiles("#import-file", fileURLToPath(new URL("../fixtures/onnx/mlp/model.onnx", import.meta.url)));
    await page.waitForSelector("#import-target");
    await page.evaluate(() => {
      document.querySelector("#import-gradients")!.addEventListener("submit", () => (document.body.dataset["sent"] = "yes"), true);
    });
    await page.focus("#import-target");
    await compose(page, "하");
    await page.keyboard.press("Enter");
    expect(await page.evaluate(() => document.body.dataset["sent"])).toBe(undefined);
    // The syllable is done: now Enter sends it.
    await page.keyboard.insertText("하");
    await page.fill("#import-target", "1");
    await page.keyboard.press("Enter");
    expect(await page.evaluate(() => document.body.dataset["sent"])).toBe("yes");
    await page.waitForSelector("#import-loss");
    await page.evaluate(() =>
      document.body.dispatchEvent(
        new KeyboardEvent("keydown", { key: "ㅏ", code: "KeyK", ctrlKey: true, bubbles: true, cancelable: true }),
      ),
    );
    await page.waitForSelector("#palette");
    expect(faults).toEqual([]);
    await page.close();
  });

  inPage("no key acts in any picture that takes keys", async (there) => {
    const { page, faults } = await visitTrain(there, { data: "draw", layers: [] });
    const send = (selector: string, ...keys: readonly string[]): Promise<void> =>
      page.evaluate(
        ({ selector: where, keys: pressed }) => {
          const place = document.querySelector(where)!;
          for (const key of pressed)
            place.dispatchEvent(new KeyboardEvent("keydown", { key, isComposing: true, bubbles: true, cancelable: true }));
        },
        { selector, keys },
      );
    await page.waitForSelector(".marks");
    const before = await page.textContent(".draw-tools .hint");
    await send(".marks", "Enter", " ", "2", "ArrowLeft", "Enter");
    expect(await page.textContent(".draw-tools .hint")).toBe(before);
    await page.click("#data-digits");
    await page.waitForSelector("#pad");
    await ready(page);
    const reads = await page.textContent("#reads");
    await send("#pad", "d", " ", "ArrowDown");
    expect(await page.textContent("#reads")).toBe(reads);
    expect(faults).toEqual([]);
    await page.close();
  });
});

/** Several tabs of one reader, who has one storage. */
interface Context {
  newPage(): Promise<Page>;
  close(): Promise<void>;
}

/** Writes a formula, and waits until the address has it. */
async function write(page: Page, formula: string): Promise<void> {
  const before = await page.evaluate(() => location.hash);
  await page.fill("#formula", formula);
  await page.waitForFunction((hash) => location.hash !== hash, before);
}

const formulaIn = (page: Page): Promise<string> => page.evaluate(() => document.querySelector<HTMLTextAreaElement>("#formula")!.value);

describe.skipIf(leftOut())("a browser that refuses or loses something", () => {
  inPage("a graphics card that is refused, or lost while a net learns, changes nothing: all of it is WebAssembly", async (there) => {
    for (const gpu of [
      "{ requestAdapter: () => { window.asked = true; return Promise.reject(new Error('denied')); } }",
      "{ requestAdapter: () => { window.asked = true; return Promise.resolve({ isFallbackAdapter: false, requestDevice: () => Promise.resolve({ lost: new Promise((done) => setTimeout(() => done({ reason: 'destroyed', message: 'gone' }), 300)) }) }); } }",
    ]) {
      const { page, faults } = await visitTrain(
        there,
        { points: 40, stop: 5, pace: "full" },
        { before: first(`Object.defineProperty(navigator, "gpu", { value: ${gpu}, configurable: true });`) },
      );
      await ready(page);
      await page.click("#play");
      await page.waitForFunction(() => document.querySelector("#epoch")!.textContent === "5");
      expect(await numberIn(page, "#train-loss")).toBeGreaterThan(0);
      expect(await page.evaluate(() => "asked" in window)).toBe(false);
      expect(faults).toEqual([]);
      await page.close();
    }
  });

  test("where no WebAssembly may be compiled the net learns all the same, slower, and the page says so", async () => {
    const strict = await openStudio({ policy: (text) => text.replace(" 'wasm-unsafe-eval'", "") });
    const learn = async (there: Studio): Promise<{ loss: number; told: boolean }> => {
      const { page } = await visitTrain(there, { points: 20, layers: [2], stop: 2, pace: "full" });
      await ready(page);
      await page.click("#play");
      await page.waitForFunction(() => document.querySelector("#epoch")!.textContent === "2");
      const told = await page.evaluate(() => document.querySelector("#slow-engine") !== null);
      const loss = await numberIn(page, "#train-loss");
      await page.close();
      return { loss, told };
    };
    const without = await learn(strict);
    await strict.close();
    const usual = await learn(studio!);
    expect([without.told, usual.told]).toEqual([true, false]);
    expect(Math.abs(without.loss - usual.loss)).toBeLessThan(1e-3);
  });

  inPage("storage that is denied is told once, and the address has the work", async (there) => {
    const denied = `Object.defineProperty(window, "localStorage", { get() { throw new DOMException("denied", "SecurityError"); } });`;
    const { page, faults } = await there.visit({ before: first(denied) });
    await standing(page, "graph");
    await write(page, "f = a * b");
    await page.waitForSelector(".notice");
    expect(await page.textContent(".notice")).toContain("storage is full or denied");
    await page.click(".notice button");
    await write(page, "f = a * b + c");
    expect(await page.evaluate(() => document.querySelector(".notice") === null)).toBe(true);
    await page.reload();
    await standing(page, "graph");
    expect(await formulaIn(page)).toBe("f = a * b + c");
    expect(faults).toEqual([]);
    await page.close();
  });

  inPage("two tabs keep each its own work; a third begins with the last of it", async (there) => {
    const context = await (there.browser as unknown as { newContext(): Promise<Context> }).newContext();
    const faults: string[] = [];
    const open = async (): Promise<Page> => {
      const page = await context.newPage();
      page.on("console", (message) => {
        if (message.type() === "error" || message.type() === "warning") faults.push(message.text());
      });
      page.on("pageerror", (error) => faults.push(error.message));
      await page.goto(`${there.url}?lang=en`);
      await standing(page, "graph");
      return page;
    };
    const [page, beside] = [await open(), await open()];
    await write(page, "f = a * b");
    await write(beside, "f = c + d");
    for (const tab of [page, beside]) {
      await tab.reload();
      await standing(tab, "graph");
    }
    expect([await formulaIn(page), await formulaIn(beside)]).toEqual(["f = a * b", "f = c + d"]);
    expect(await formulaIn(await open())).toBe("f = c + d");
    expect(faults).toEqual([]);
    await context.close();
  });
});
