// The built studio, served by the command line, and a Chromium to visit it with: what the suite `studio` measures in.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { deflateRawSync } from "node:zlib";
import { chromium } from "playwright-core";

const places = [process.env["CHAINRULE_CHROMIUM"], "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const program = fileURLToPath(new URL("../../bin/chainrule.js", import.meta.url));

/** `chainrule studio` on a free port. */
async function serve() {
  const child = spawn(process.execPath, [program, "studio", "--port", "0"], { stdio: ["pipe", "pipe", "ignore"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const { value } = await lines.next();
  if (typeof value !== "string" || !value.startsWith("http")) throw new Error("chainrule studio printed no address");
  return { url: value, close: () => child.kill("SIGINT") };
}

/** Serves the page and starts the browser. */
export async function openStudio() {
  const executablePath = places.find((path) => path !== undefined && existsSync(path));
  if (executablePath === undefined) throw new Error("there is no Chromium (apt-get install chromium); CHAINRULE_CHROMIUM names one");
  const serving = await serve();
  const browser = await chromium.launch({
    executablePath,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  return {
    url: serving.url,
    browser,
    /**
     * A tab with nothing kept from others.
     * @param {object} [state] what the address says
     * @param {(argument: unknown) => void} [before] runs in the page before its own scripts
     * @param {unknown} [argument] what it is given
     */
    async visit(state, before = () => {}, argument = undefined) {
      const context = await browser.newContext({ viewport: { width: 1440, height: 860 } });
      const page = await context.newPage();
      await page.addInitScript(before, argument);
      await page.goto(`${serving.url}?lang=en${state === undefined ? "" : `#${packed(state)}`}`);
      return page;
    },
    async close() {
      await browser.close();
      serving.close();
    },
  };
}

/** The state as the page's address has it. @param {object} state */
function packed(state) {
  return deflateRawSync(JSON.stringify({ v: 1, ...state })).toString("base64url");
}

/**
 * What a page's main thread did while `work` ran, as Chromium's trace tells it.
 *
 * @param {import("playwright-core").Page} page
 * @param {() => Promise<void>} work
 */
export async function traced(page, work) {
  const browser = page.context().browser();
  await browser.startTracing(page, {
    categories: ["devtools.timeline", "disabled-by-default-devtools.timeline", "toplevel", "blink.user_timing", "__metadata"],
  });
  await work();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString("utf8"));
  return traceEvents;
}
