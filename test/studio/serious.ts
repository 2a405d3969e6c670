import axe from "axe-core";
import type { Page } from "../browser/launch.ts";

/** What axe-core finds serious or worse on the page as it stands, with the place. The page has to be opened with `bypassCSP`. */
export async function serious(page: Page): Promise<string[]> {
  await page.addScriptTag({ content: axe.source });
  return page.evaluate<string[]>(`axe.run().then(({ violations }) =>
    violations.filter(({ impact }) => impact === "serious" || impact === "critical").flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ": " + html.slice(0, 200))))`);
}
