import { type Serving, serve } from "../../src/cli/studio/serve.ts";
import { readSite, siteFolder } from "../../src/cli/studio/site.ts";
import { type Browser, launch, type Page, type PageOptions } from "../browser/launch.ts";

/** The studio as `chainrule studio` serves it, and a browser to visit it with; null where there is no browser (it said so). */
export interface Studio {
  readonly url: string;
  readonly browser: Browser;
  /**
   * Opens a tab of its own. `faults` gathers what may never happen: errors and warnings on the console, uncaught errors, requests to anywhere else.
   * @param at what follows the address: `?lang=ko`, `#state`
   */
  visit(options?: PageOptions & { readonly at?: string }): Promise<{ readonly page: Page; readonly faults: string[] }>;
  close(): Promise<void>;
}

/** Serves the built studio on a free port and starts the browser. */
export async function openStudio(): Promise<Studio | null> {
  const browser = await launch();
  if (browser === null) return null;
  const serving: Serving = await serve(await readSite(siteFolder()!), "127.0.0.1", 0);
  return {
    url: serving.url,
    browser,
    visit: async ({ at = "?lang=en", ...options } = {}) => {
      const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, ...options });
      const faults: string[] = [];
      page.on("console", (message) => {
        if (message.type() === "error" || message.type() === "warning") faults.push(`console ${message.type()}: ${message.text()}`);
      });
      page.on("pageerror", (error) => faults.push(`uncaught: ${error.message}`));
      page.on("request", (request) => {
        if (!request.url().startsWith(serving.url) && !/^(data|blob|about):/.test(request.url())) faults.push(`request: ${request.url()}`);
      });
      await page.goto(serving.url + at);
      return { page, faults };
    },
    close: async () => {
      await browser.close();
      await serving.close();
    },
  };
}
