import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join, normalize } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { mediaTypes } from "../../src/cli/studio/headers.ts";
import { siteFolder } from "../../src/cli/studio/site.ts";
import { type Browser, launch, leftOut, watched } from "../browser/launch.ts";

let browser: Browser;
let server: Server;
let url = "";
/** The built site as a plain host has it: below a folder, with media types and no other header. */
beforeAll(async () => {
  browser = (await launch())!;
  const folder = siteFolder()!;
  server = createServer((request, response) => {
    const path = new URL(request.url!, "http://host").pathname;
    if (!path.startsWith("/lectures/2026/")) {
      response.writeHead(404).end();
      return;
    }
    const name = path.slice("/lectures/2026/".length) || "index.html";
    try {
      const bytes = readFileSync(join(folder, normalize(`/${name}`)));
      response
        .writeHead(200, {
          "Content-Type": mediaTypes[name.slice(name.lastIndexOf(".") + 1)] ?? "application/octet-stream",
        })
        .end(bytes);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/lectures/2026/`;
});

afterAll(async () => {
  await browser?.close();
  server?.close();
});

describe.skipIf(leftOut())("a copy of the site on a plain host, below a folder, without the two headers", () => {
  test("works in every tab on one thread, without a network from the first visit on, and opens again without one", {
    timeout: 180_000,
  }, async () => {
    const { page, faults } = await watched(browser);
    await page.goto(url);
    await page.waitForSelector(".cr-item");
    expect(await page.evaluate(() => [crossOriginIsolated, typeof SharedArrayBuffer])).toEqual([false, "undefined"]);
    await page.waitForFunction(() => navigator.serviceWorker.controller?.state === "activated");
    await page.context().setOffline(true);
    const runs = async (): Promise<void> => {
      await page.click("#tab-code");
      await page.click("#code-run");
      await page.waitForFunction(() => document.querySelector("#code-lines")?.textContent?.endsWith("Done."));
      expect(await page.evaluate(() => document.querySelectorAll(".code-pictures img").length)).toBe(1);
    };
    await runs();
    await page.click("#tab-graph");
    await page.click("#first");
    await page.click("#last");
    await page.waitForFunction(() => document.querySelector("#next")?.getAttribute("aria-disabled") === "true");
    await page.click("#ask-checkAll");
    await page.waitForSelector("#check-table .verdict.pass");
    await page.click("#tab-train");
    await page.waitForSelector("#play:not([disabled])");
    await page.click("#step-epoch");
    await page.waitForFunction(() => Number(document.querySelector("#epoch")?.textContent) >= 1);
    await page.click("#tab-import");
    await page.waitForSelector("#import-file", { state: "attached" });
    await page.setInputFiles("#import-file", new URL("../fixtures/onnx/mlp/model.onnx", import.meta.url).pathname);
    await page.waitForSelector("#import-canvas [data-item]", { state: "attached" });
    await page.reload();
    await page.waitForSelector("main");
    await runs();
    await page.context().setOffline(false);
    const asked = faults.filter(
      (fault) =>
        !fault.startsWith(`request: ${url}`) && !fault.startsWith("request: blob:") && !fault.includes("ERR_INTERNET_DISCONNECTED"),
    );
    expect(asked).toEqual([]);
    await page.close();
  });
});
