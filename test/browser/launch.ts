import { existsSync } from "node:fs";
import { createRequire } from "node:module";

/*
 * The part of playwright-core that the tests use, declared by hand: types then need neither the package nor a browser, so a checkout without them
 * still compiles, and skips these tests with one line.
 */

/** A key press, a click, a number read: one tab of the browser. */
export interface Page {
  goto(url: string): Promise<unknown>;
  setContent(html: string): Promise<void>;
  evaluate<R, A = undefined>(f: ((given: A) => R) | string, given?: A): Promise<R>;
  waitForFunction<A>(f: (given: A) => unknown, given?: A): Promise<unknown>;
  waitForSelector(
    selector: string,
    options?: { timeout?: number; state?: "attached" | "visible" | "hidden" | "detached" },
  ): Promise<unknown>;
  selectOption(selector: string, value: string): Promise<unknown>;
  setInputFiles(selector: string, files: string | { name: string; mimeType: string; buffer: Buffer }): Promise<void>;
  reload(): Promise<unknown>;
  addScriptTag(script: { content: string }): Promise<unknown>;
  context(): { setOffline(offline: boolean): Promise<void> };
  click(selector: string): Promise<void>;
  dblclick(selector: string): Promise<void>;
  focus(selector: string): Promise<void>;
  fill(selector: string, value: string): Promise<void>;
  textContent(selector: string): Promise<string | null>;
  emulateMedia(media: {
    colorScheme?: "light" | "dark";
    reducedMotion?: "reduce" | "no-preference";
    forcedColors?: "active" | "none";
  }): Promise<void>;
  screenshot(options: { path: string; fullPage?: boolean }): Promise<unknown>;
  close(): Promise<void>;
  readonly keyboard: { press(key: string): Promise<void>; type(text: string): Promise<void>; insertText(text: string): Promise<void> };
  on(event: "console", take: (message: { type(): string; text(): string }) => void): unknown;
  on(event: "pageerror", take: (error: Error) => void): unknown;
  on(event: "request", take: (request: { url(): string }) => void): unknown;
}

/** How a tab looks and what it prefers. */
export interface PageOptions {
  readonly viewport?: { readonly width: number; readonly height: number };
  readonly locale?: string;
  readonly colorScheme?: "light" | "dark";
  readonly reducedMotion?: "reduce";
  readonly forcedColors?: "active";
  readonly deviceScaleFactor?: number;
  /** Lets a test look into pages whose policy forbids scripts from outside. */
  readonly bypassCSP?: boolean;
  readonly serviceWorkers?: "allow" | "block";
}

/** A running browser. */
export interface Browser {
  newPage(options?: PageOptions): Promise<Page>;
  isConnected(): boolean;
  close(): Promise<void>;
}

interface Playwright {
  readonly chromium: { launch(options: { executablePath: string; args: readonly string[]; headless: boolean }): Promise<Browser> };
}

const places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Nothing of these belongs to a test: no update, no sync, no phoning home. */
const quiet = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** The path of a Chromium on this machine, `CHAINRULE_CHROMIUM` first. */
export function chromiumPath(): string | null {
  const named = process.env["CHAINRULE_CHROMIUM"];
  return [...(named === undefined ? [] : [named]), ...places].find((path) => existsSync(path)) ?? null;
}

/** What a browser's test lacks here; null where it lacks nothing. */
function missing(): string | null {
  try {
    createRequire(import.meta.url).resolve("playwright-core");
  } catch {
    return "playwright-core is not installed (npm ci)";
  }
  return chromiumPath() === null ? "there is no Chromium (apt-get install chromium)" : null;
}

let isSaid = false;

/**
 * Whether tests in a browser are left out here, for `describe.skipIf`: they are then counted as skipped, and one line says why. Under `CI` they are not,
 * and fail.
 */
export function leftOut(): boolean {
  const what = missing();
  if (what === null || process.env["CI"] !== undefined) return false;
  if (!isSaid) console.log(`browser tests left out: ${what}`);
  isSaid = true;
  return true;
}

/**
 * Starts the system's Chromium. Where there is none, or no playwright-core, it gives null and says so in one line; under `CI` that is a failure,
 * so that the tests are never left out there.
 * @param more arguments for the browser beside the usual ones
 */
export async function launch(more: readonly string[] = []): Promise<Browser | null> {
  const what = missing();
  if (what !== null) {
    if (process.env["CI"] !== undefined) throw new Error(`browser tests: ${what}`);
    leftOut();
    return null;
  }
  const name: string = "playwright-core";
  const { chromium } = (await import(name)) as Playwright;
  return chromium.launch({
    executablePath: chromiumPath()!,
    args: [...(more.length > 0 ? quiet.filter((a) => a !== "--disable-gpu") : quiet), ...more],
    headless: true,
  });
}

/** A page with what went wrong on it: errors on the console, uncaught ones, and requests other than for the page itself. */
export async function watched(browser: Browser, viewport = { width: 1200, height: 800 }): Promise<{ page: Page; faults: string[] }> {
  const page = await browser.newPage({ viewport });
  const faults: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") faults.push(`console ${message.type()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => faults.push(`uncaught: ${error.message}`));
  page.on("request", (request) => {
    if (!/^(file|data|about):/.test(request.url())) faults.push(`request: ${request.url()}`);
  });
  return { page, faults };
}
