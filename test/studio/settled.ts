import type { Page } from "../browser/launch.ts";

/** Waits until what is written beside the picture has followed it, which it does a frame later. */
export async function settled(page: Page): Promise<void> {
  await page.evaluate(
    () => new Promise<void>((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => setTimeout(done))))),
  );
}
