import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "../browser/launch.ts";

/** A third of the bytes of the package's own `source`, which the browser reads anew for each page. */
const source: string = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export interface Looking {
  /** Only what stands in there. */
  readonly within?: string;
  /** Only the rule that looks at colours, where the same page has been looked at whole in other ones. */
  readonly colours?: boolean;
}

/** What axe-core finds serious or worse on the page as it stands, with the place. The page has to be opened with `bypassCSP`. */
export async function serious(page: Page, { within = "html", colours = false }: Looking = {}): Promise<string[]> {
  if (!(await page.evaluate<boolean>("'axe' in window"))) await page.evaluate(`${source};0`);
  const options = { resultTypes: ["violations"], preload: false, ...(colours ? { runOnly: ["color-contrast"] } : {}) };
  return page.evaluate<string[]>(`axe.run(${JSON.stringify(within)}, ${JSON.stringify(options)}).then(({ violations }) =>
    violations.filter(({ impact }) => impact === "serious" || impact === "critical").flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ": " + html.slice(0, 200))))`);
}
