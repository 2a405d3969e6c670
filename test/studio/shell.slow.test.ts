import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packState, unpackState } from "../../studio/state/address.ts";
import { defaultState } from "../../studio/state/slices.ts";
import { leftOut, type Page } from "../browser/launch.ts";
import { openStudio, type Studio } from "./open-studio.ts";

let studio: Studio;

beforeAll(async () => {
  studio = await openStudio();
});

afterAll(() => studio.close());

/** Remembers what the page lets the reader save. */
async function watchSaves(page: Page): Promise<void> {
  await page.evaluate(() => {
    const create = URL.createObjectURL;
    (window as unknown as { saved: Blob[] }).saved = [];
    URL.createObjectURL = (blob: Blob) => {
      (window as unknown as { saved: Blob[] }).saved.push(blob);
      return create(blob);
    };
  });
}

describe.skipIf(leftOut())("the studio's shell", () => {
  test("opens again without a network, in every tab", async () => {
    const { page, faults } = await studio.visit({ offline: true });
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
    // The worker is active; everything is kept once its cache has the last file.
    await page.waitForFunction(async () => {
      const [name] = await caches.keys();
      return name !== undefined && (await (await caches.open(name)).keys()).length > 20;
    });
    await page.reload();
    await page.context().setOffline(true);
    await page.reload();
    await page.waitForSelector("svg [data-item]");
    for (const tab of ["train", "import", "code", "graph"]) {
      await page.click(`#tab-${tab}`);
      await page.waitForSelector(`#panel-${tab}`);
    }
    expect(faults).toEqual([]);
    // The network is really away: what was never kept cannot be had.
    const there = (): Promise<string> => fetch("./nothing").then(String, () => "offline");
    expect(await page.evaluate(there)).toBe("offline");
    await page.context().setOffline(false);
    await page.close();
  });

  test("shares its address and saves its picture in three forms", async () => {
    const { page, faults } = await studio.visit();
    await page.waitForSelector("svg [data-item]");
    await watchSaves(page);
    await page.click("#open-share");
    await page.waitForSelector("#share-link");
    await page.click("#share-copy");
    await page.waitForFunction(() => document.querySelector("#share-outcome")?.textContent !== "");
    for (const [i, kind] of ["svg", "png", "html"].entries()) {
      await page.click(`#share-${kind}`);
      await page.waitForFunction((n) => (window as unknown as { saved: Blob[] }).saved.length > n, i);
    }
    const saved = await page.evaluate(async () => {
      const blobs = (window as unknown as { saved: Blob[] }).saved;
      return Promise.all(blobs.map(async (blob) => ({ type: blob.type, size: blob.size, head: (await blob.text()).slice(0, 60) })));
    });
    expect(saved.map(({ type }) => type)).toEqual(["image/svg+xml", "image/png", "text/html"]);
    expect(saved[0]!.head).toMatch(/^<svg /);
    expect(saved[1]!.head).toContain("PNG");
    expect(saved[2]!.head).toMatch(/^<!doctype html>/);
    expect(faults).toEqual([]);
    await page.close();
  });

  test.each([
    ["garbage", "#not-a-state!", "could not be read"],
    ["another version", "", "another version"],
    ["what unpacks to more than anyone wrote", "", "could not be read"],
  ])("begins from %s in the address, and says so", async (what, at, sentence) => {
    const { page } = await studio.visit();
    await page.waitForSelector("svg [data-item]");
    const hash =
      at !== ""
        ? at
        : await page.evaluate(async (bomb) => {
            const text = bomb
              ? "0".repeat(30_000_000)
              : JSON.stringify({ v: 99, tab: "code", graph: { formula: 7 }, code: { source: "// 코드" } });
            const packed = new Response(new Blob([text]).stream().pipeThrough(new CompressionStream("deflate-raw")));
            let binary = "";
            for (const byte of new Uint8Array(await packed.arrayBuffer())) binary += String.fromCharCode(byte);
            return `#${btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "")}`;
          }, what.startsWith("what"));
    await page.close();
    const other = await studio.visit({ at: `?lang=en${hash}` });
    await other.page.waitForSelector(".notice");
    expect(await other.page.textContent(".notice")).toContain(sentence);
    if (what === "another version") await other.page.waitForSelector("#panel-code");
    expect(other.faults).toEqual([]);
    await other.page.close();
  });

  test("undoes and redoes, and keeps its state over a reload", async () => {
    const { page, faults } = await studio.visit();
    await page.waitForSelector("svg [data-item]");
    await page.click("#tab-code");
    await page.waitForSelector("#panel-code");
    await page.click("#undo");
    await page.waitForSelector("#panel-graph");
    await page.click("#redo");
    await page.waitForSelector("#panel-code");
    // The address is written a moment after the last change.
    const written = async (): Promise<string> => (await unpackState((await page.evaluate(() => location.hash)).slice(1))).state.tab;
    await expect.poll(written, { timeout: 20_000 }).toBe("code");
    expect(await page.evaluate(() => document.title)).toBe("Code · chainrule studio");
    await page.reload();
    await page.waitForSelector("#panel-code");
    // An address that is pasted into the open page can be undone, gone back from, and gone to again.
    const go = (hash: string): Promise<void> =>
      page.evaluate((to) => {
        location.hash = to;
      }, hash);
    await go(await packState({ ...defaultState, tab: "import" }));
    await page.waitForSelector("#panel-import");
    await page.evaluate(() => history.back());
    await page.waitForSelector("#panel-code");
    await page.evaluate(() => history.forward());
    await page.waitForSelector("#panel-import");
    for (const tab of ["code", "import", "code"]) {
      await page.click("#undo");
      await page.waitForSelector(`#panel-${tab}`);
    }
    // One that cannot be read changes nothing, and does not stay in the address; read at the beginning, it leaves the last work.
    await expect.poll(written, { timeout: 20_000 }).toBe("code");
    await go("cut-off");
    await page.waitForSelector(".notice");
    expect(await page.textContent(".notice")).toContain("what you had before is here");
    await expect.poll(written, { timeout: 20_000 }).toBe("code");
    await page.goto("about:blank");
    await page.goto(`${studio.url}?lang=en#cut-off`);
    await page.waitForSelector("#panel-code");
    expect(await page.textContent(".notice")).toContain("what you had before is here");
    // Who chooses a language keeps it, and shares an address without one; the system's colours are followed when they change.
    await page.click("button[lang=ko]");
    expect(await page.evaluate(() => [location.search, document.documentElement.lang, document.title])).toEqual([
      "",
      "ko",
      "코드 · chainrule studio",
    ]);
    await page.emulateMedia({ colorScheme: "dark" });
    await page.waitForFunction(() => document.documentElement.dataset["theme"] === "dark");
    expect(faults).toEqual([]);
    await page.close();
  });

  test("says that a state is too long for an address, keeps the one before, and goes on when it fits again", async () => {
    const { page, faults } = await studio.visit();
    await page.waitForSelector("svg [data-item]");
    const type = (text: string): Promise<void> =>
      page.evaluate((given) => {
        const box = document.querySelector<HTMLInputElement>("#value-x")!;
        Object.getOwnPropertyDescriptor(Object.getPrototypeOf(box), "value")!.set!.call(box, given);
        box.dispatchEvent(new Event("input", { bubbles: true }));
      }, text);
    await type("?".repeat(3_000_000));
    await page.waitForSelector(".notice");
    expect(await page.textContent(".notice")).toContain("too long for an address");
    await page.click("#open-share");
    await page.waitForSelector("#share");
    expect(await page.textContent("#share p")).toContain("too long for an address");
    await page.keyboard.press("Escape");
    await type("0.25");
    await page.waitForSelector(".notice", { state: "detached" });
    await expect
      .poll(async () => (await unpackState((await page.evaluate(() => location.hash)).slice(1))).state.graph.values["x"], {
        timeout: 20_000,
      })
      .toBe("0.25");
    expect(faults).toEqual([]);
    await page.close();
  });

  test("works where storage is denied", async () => {
    const { page, faults } = await studio.visit();
    await page.evaluate(() => {
      Storage.prototype.setItem = () => {
        throw new DOMException("full", "QuotaExceededError");
      };
    });
    await page.click("#tab-code");
    await page.waitForSelector(".notice");
    expect(await page.textContent(".notice")).toContain("storage is full or denied");
    expect(faults).toEqual([]);
    await page.close();
  });
});
