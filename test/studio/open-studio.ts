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

/** A tab that was closed and may be opened again, with the list that its faults go to. */
interface Tab {
  readonly page: Page;
  /** How it was asked for. */
  readonly key: string;
  faults: string[];
  /** Ends it for good. */
  readonly end: () => Promise<void>;
}

/** What a file of tests leaves to the next one in this process: the server, the browser, and closed tabs, the newest last. */
interface Running {
  readonly serving: Serving;
  readonly browser: Browser;
  readonly closed: Tab[];
}

interface StudioOptions {
  readonly args?: readonly string[];
  readonly files?: ReadonlyMap<string, Uint8Array>;
  readonly runtime?: string | null;
  readonly policy?: (text: string) => string;
}

async function start({ args = [], files = new Map(), runtime = runtimeFolder(), policy }: StudioOptions): Promise<Running> {
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
  return { browser, serving: await serve(site, "127.0.0.1", 0), closed: [] };
}

/** The plain studio of this process: a browser takes a second to start, and it ends with the process. */
let plain: Running | null = null;

/** Clears all that an origin keeps. */
const forget = `(async () => {
  localStorage.clear();
  for (const { name } of await indexedDB.databases())
    await new Promise((done) => Object.assign(indexedDB.deleteDatabase(name), { onsuccess: done, onerror: done, onblocked: done }));
})()`;

/** As many closed tabs are kept at most; each holds some 50 MB. */
const mostClosed = 4;

/**
 * Makes the tab's `close` leave the page instead, so that it can be opened again as good as new: a new tab takes a process and compiles every script, which is
 * most of the time that these tests take. Whoever asks for the tab's context, adds a script to it or changes its media changes what cannot be told from
 * outside, and then it closes.
 */
function recycled(tab: Tab, { serving, closed }: Running): void {
  const page = tab.page as unknown as Record<"context" | "addInitScript" | "emulateMedia", (...given: unknown[]) => unknown> &
    Pick<Page, "goto" | "evaluate" | "close"> & { readonly mouse: { move(x: number, y: number): Promise<void> } };
  let isChanged = false;
  for (const name of ["context", "addInitScript", "emulateMedia"] as const) {
    const does = page[name].bind(page);
    page[name] = (...given) => {
      isChanged = true;
      return does(...given);
    };
  }
  page.close = async () => {
    if (isChanged) return tab.end();
    if (closed.includes(tab)) return;
    try {
      // A text of the same origin, in which no script runs: what was kept there is forgotten, when nobody writes there any more.
      await page.goto(`${serving.url}sw.js`);
      await page.evaluate(forget);
      await page.mouse.move(0, 0);
    } catch {
      return tab.end();
    }
    closed.push(tab);
    if (closed.length > mostClosed) await closed.shift()!.end();
  };
}

/**
 * Serves the built studio on a free port and starts the browser.
 * @param args arguments for the browser
 * @param files files that the server has beside the studio's, by their addresses
 * @param runtime the folder of ONNX Runtime's files; null: a static site, which has none
 * @param policy changes the policy that the server sends
 */
export async function openStudio(options: StudioOptions = {}): Promise<Studio> {
  const isPlain = Object.keys(options).length === 0;
  if (isPlain && !(plain?.browser.isConnected() ?? false)) plain = await start(options);
  const running = isPlain ? plain! : await start(options);
  const { browser, serving, closed } = running;
  const open = new Set<Tab>();
  return {
    url: serving.url,
    browser,
    visit: async ({ at = "?lang=en", before, offline = false, ...options } = {}) => {
      const wanted: PageOptions = { viewport: { width: 1280, height: 800 }, serviceWorkers: offline ? "allow" : "block", ...options };
      const key = JSON.stringify(wanted);
      const mayBeOld = before === undefined && !offline;
      const last = mayBeOld ? closed.findLastIndex((one) => one.key === key) : -1;
      let [tab] = last < 0 ? [] : closed.splice(last, 1);
      if (tab === undefined) {
        const page = await browser.newPage(wanted);
        const made: Tab = { page, key, faults: [], end: page.close.bind(page) };
        page.on("console", (message) => {
          // What the browser itself remarks when a page asks for a graphics card that the machine does not have.
          if (message.text() === "No available adapters.") return;
          if (message.text() === "Service Worker registration blocked by Playwright") return;
          if (message.type() === "error" || message.type() === "warning") made.faults.push(`console ${message.type()}: ${message.text()}`);
        });
        page.on("pageerror", (error) => made.faults.push(`uncaught: ${error.message}`));
        page.on("request", (request) => {
          if (!request.url().startsWith(serving.url) && !/^(data|blob|about):/.test(request.url()))
            made.faults.push(`request: ${request.url()}`);
        });
        if (mayBeOld) recycled(made, running);
        tab = made;
      } else tab.faults = [];
      open.add(tab);
      const { page, faults } = tab;
      await before?.(page);
      await page.goto(serving.url + at);
      return { page, faults };
    },
    close: async () => {
      if (isPlain) {
        // What a test that failed has left open.
        await Promise.all([...open].filter((tab) => !closed.includes(tab)).map(({ end }) => end()));
        return;
      }
      await browser.close();
      await serving.close();
    },
  };
}
