import { mediaTypes } from "../../src/cli/studio/headers.ts";
import { runtimeFolder } from "../../src/cli/studio/runtime.ts";
import { type Serving, serve } from "../../src/cli/studio/serve.ts";
import { readSite, siteFolder } from "../../src/cli/studio/site.ts";
import { type Browser, launch, type Page, type PageOptions } from "../browser/launch.ts";

export interface VisitOptions extends PageOptions {
  readonly at?: string;
  readonly before?: (page: Page) => Promise<void>;
  /** With the service worker, which fetches all of the site for later: seconds of work, in a tab that is soon closed. */
  readonly offline?: boolean;
}

/** The studio as `chainrule studio` serves it, and a browser to visit it with. */
export interface Studio {
  readonly url: string;
  readonly browser: Browser;
  /**
   * Opens a tab of its own. `faults` gathers what may never happen: errors and warnings on the console, uncaught errors, requests to anywhere else.
   * @param at what follows the address: `?lang=ko`, `#state`
   * @param before what is done to the tab before it goes there
   */
  visit(options?: VisitOptions): Promise<{ readonly page: Page; readonly faults: string[] }>;
  close(): Promise<void>;
}

/**
 * Serves the built studio on a free port and starts the browser.
 * @param args arguments for the browser
 * @param files files that the server has beside the studio's, by their addresses
 * @param runtime the folder of ONNX Runtime's files; null: a static site, which has none
 * @param policy changes the policy that the server sends
 */
export async function openStudio({
  args = [],
  files = new Map(),
  runtime = runtimeFolder(),
  policy,
}: {
  readonly args?: readonly string[];
  readonly files?: ReadonlyMap<string, Uint8Array>;
  readonly runtime?: string | null;
  readonly policy?: (text: string) => string;
} = {}): Promise<Studio> {
  const browser = await launch(args);
  if (browser === null) throw new Error("there is no browser; tests of the studio stand in describe.skipIf(leftOut())");
  const site = new Map(await readSite(siteFolder()!, runtime));
  for (const [address, bytes] of files)
    site.set(address, {
      bytes,
      headers: { "Content-Type": mediaTypes[address.slice(address.lastIndexOf(".") + 1)]!, ETag: JSON.stringify(address) },
    });
  if (policy !== undefined)
    for (const [address, { bytes, headers }] of site)
      site.set(address, { bytes, headers: Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, policy(text)])) });
  const serving: Serving = await serve(site, "127.0.0.1", 0);
  return {
    url: serving.url,
    browser,
    visit: async ({ at = "?lang=en", before, offline = false, ...options } = {}) => {
      const serviceWorkers = offline ? "allow" : "block";
      const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, serviceWorkers, ...options });
      const faults: string[] = [];
      page.on("console", (message) => {
        // What the browser itself remarks when a page asks for a graphics card that the machine does not have.
        if (message.text() === "No available adapters.") return;
        if (message.text() === "Service Worker registration blocked by Playwright") return;
        if (message.type() === "error" || message.type() === "warning") faults.push(`console ${message.type()}: ${message.text()}`);
      });
      page.on("pageerror", (error) => faults.push(`uncaught: ${error.message}`));
      page.on("request", (request) => {
        if (!request.url().startsWith(serving.url) && !/^(data|blob|about):/.test(request.url())) faults.push(`request: ${request.url()}`);
      });
      await before?.(page);
      await page.goto(serving.url + at);
      return { page, faults };
    },
    close: async () => {
      await browser.close();
      await serving.close();
    },
  };
}
