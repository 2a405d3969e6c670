import { afterAll, beforeAll, expect, test } from "vitest";
import { leftOut } from "../browser/launch.ts";
import { openStudio, type Studio } from "./open-studio.ts";
import { ready, visitTrain } from "./train-page.ts";

let studio: Studio | null;
beforeAll(async () => {
  studio = await openStudio();
});
afterAll(() => studio?.close());

const minutes = Number(process.env["CHAINRULE_TRAIN_MINUTES"] ?? 10);

test.skipIf(leftOut())(
  "ten minutes of training leave the page's memory and the worker's flat",
  { timeout: (2 * minutes + 5) * 60_000 },
  async (context) => {
    if (studio === null) return context.skip();
    const { page, faults } = await visitTrain(studio, { data: "spiral", layers: [8, 8], optimizer: "adam", rate: 0.01, pace: "full" });
    await ready(page);
    await page.click("#play");
    // Each look waits for a collection, up to a minute on a busy machine. The page is isolated, so the browser tells what the page and its workers hold together.
    const held = (): Promise<number> =>
      page.evaluate<number>("performance.measureUserAgentSpecificMemory().then(({ bytes }) => bytes / 2 ** 20)");
    const found: number[] = [];
    const pause = (seconds: number): Promise<unknown> => page.evaluate(`new Promise((done) => setTimeout(done, ${1000 * seconds}))`);
    await pause(20);
    const rounds = Math.max(3, minutes);
    for (let i = 0; i < rounds; i++) {
      found.push(await held());
      await pause((minutes * 60) / rounds);
    }
    found.push(await held());
    console.log(
      `MiB, page and worker, over ${minutes} minutes: ${found.map((mib) => mib.toFixed(1)).join(" ")}; epoch ${await page.textContent("#epoch")}`,
    );
    const half = found.length >> 1;
    const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
    expect(mean(found.slice(half)) - mean(found.slice(0, half))).toBeLessThan(8);
    expect(faults).toEqual([]);
    await page.close();
  },
);
