import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { picture } from "../../src/explain/picture/picture.ts";
import { add, explain, mul, relu, sigmoid, sub, type Value, variable, walkPage } from "../../src/index.ts";
import { type Browser, launch, type Page, watched } from "./launch.ts";

let browser: Browser | null = null;
const folder = mkdtempSync(join(tmpdir(), "page-"));
beforeAll(async () => {
  browser = await launch();
});
afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true });
});

async function opened(html: string): Promise<{ page: Page; faults: string[] }> {
  const path = join(folder, `${Math.random().toString(36).slice(2)}.html`);
  writeFileSync(path, html);
  const found = await watched(browser!);
  await found.page.goto(pathToFileURL(path).href);
  return found;
}

/** What a picture shows on its wires, by wire: value and gradient. Without a picture, the one on the stage. */
const onWires = (svg: string | undefined): string[] => {
  const root = svg === undefined ? document.querySelector("#stage")! : new DOMParser().parseFromString(svg, "image/svg+xml");
  return [...root.querySelectorAll("[data-wire]")]
    .sort((a, b) => Number(a.getAttribute("data-wire")) - Number(b.getAttribute("data-wire")))
    .map((wire) => [...wire.querySelectorAll("text")].map((t) => t.textContent).join(" | "));
};

const boxes = (): string => {
  const stage = document.querySelector("#stage svg")!.getBoundingClientRect();
  return JSON.stringify(
    [...document.querySelectorAll("#stage [data-item]")].map((item) => {
      const { x, y, width, height } = item.querySelector(".cr-body, text")!.getBoundingClientRect();
      return [x - stage.x, y - stage.y, width, height].map(Math.round);
    }),
  );
};

const head = (): string => document.querySelector("#count")!.textContent!;

function neuron(): Value {
  const [w, x, b] = [variable(2, "w"), variable(-1, "x"), variable(0.5, "b")];
  const q = add(mul(w, x), b);
  return add(mul(sigmoid(q), q), sub(relu(q), x));
}

test("a reader steps through both passes, sees the library's numbers, and nothing moves", async (context) => {
  if (browser === null) return context.skip();
  const f = neuron();
  const { page, faults } = await opened(walkPage(f));
  const steps = explain(f).steps.length;
  const still = await page.evaluate(boxes);
  expect(await page.evaluate(head)).toBe(`Step 0 of ${steps}`);
  const backward = explain(f).steps.filter((s) => s.pass === "backward").length;
  const made = picture(f);
  const blank = await browser.newPage(); // reads pictures that the page's policy would not let in
  for (let t = 1; t <= steps; t++) {
    await page.keyboard.press(".");
    expect(await page.evaluate(head)).toBe(`Step ${t} of ${steps}`);
    expect(await page.evaluate(boxes)).toBe(still);
    if (t <= steps - backward) continue;
    const drawn = made.svg(t);
    expect(await page.evaluate(onWires)).toEqual(await blank.evaluate(onWires, drawn));
  }
  // The end shows exactly what explain says.
  const shown = await page.evaluate(() => [...document.querySelectorAll("td.g")].map((cell) => cell.textContent));
  for (const { gradient } of explain(f).gradients) expect(shown).toContain(String(Number(gradient.data[0]!.toPrecision(6))));
  // Back to the start by every way there is.
  await page.keyboard.press("Home");
  expect(await page.evaluate(head)).toBe(`Step 0 of ${steps}`);
  expect((await page.evaluate(onWires)).every((text) => !/−?\d.*\| *−?\d/.test(text))).toBe(true);
  await page.keyboard.press("b");
  expect(await page.evaluate(head)).toBe(`Step ${steps - backward + 1} of ${steps}`);
  await page.keyboard.press(",");
  await page.keyboard.press("End");
  expect(await page.evaluate(head)).toBe(`Step ${steps} of ${steps}`);
  await page.keyboard.press("."); // past the end: stays
  expect(await page.evaluate(head)).toBe(`Step ${steps} of ${steps}`);
  await page.keyboard.press("f");
  await page.click("#next");
  expect(await page.evaluate(head)).toBe(`Step 1 of ${steps}`);
  await page.fill("#scrub", "4");
  expect(await page.evaluate(head)).toBe(`Step 4 of ${steps}`);
  await page.click('tr[data-step="6"] button');
  expect(await page.evaluate(head)).toBe(`Step 6 of ${steps}`);
  expect(await page.evaluate(() => document.querySelector("tr.now")?.getAttribute("data-step"))).toBe("6");
  expect(await page.textContent("#say")).toContain(`Step 6 of ${steps}`);
  await page.focus("#stage");
  await page.keyboard.press(" ");
  await page.waitForFunction(() => /Step [7-9]/.test(document.querySelector("#count")!.textContent!));
  await page.keyboard.press(" ");
  expect(await page.evaluate(boxes)).toBe(still);
  expect(faults).toEqual([]);
  await page.close();
});

test("language, theme and motion follow the reader", async (context) => {
  if (browser === null) return context.skip();
  const { page, faults } = await opened(walkPage(neuron(), { language: "ko" }));
  const paper = (): string => getComputedStyle(document.body).backgroundColor;
  expect(await page.evaluate(() => document.documentElement.lang)).toBe("ko");
  await page.keyboard.press("b");
  expect(await page.textContent("#say")).toContain("역전파");
  await page.click("#language");
  expect(await page.textContent("#say")).toContain("backward");
  expect(await page.evaluate(() => document.querySelector("[data-wire]")!.getAttribute("aria-label"))).toContain("gradient");
  const light = await page.evaluate(paper);
  await page.emulateMedia({ colorScheme: "dark", reducedMotion: "reduce" });
  const dark = await page.evaluate(paper);
  expect(dark).not.toBe(light);
  await page.click("#theme");
  expect(await page.evaluate(paper)).toBe(light);
  await page.focus("#stage");
  await page.keyboard.press(".");
  expect(await page.evaluate(() => getComputedStyle(document.querySelector(".cr-fresh")!).animationName)).toBe("none");
  expect(faults).toEqual([]);
  await page.close();
});

test("hostile names are text, and the page may not reach the network", async (context) => {
  if (browser === null) return context.skip();
  const names = [
    "<script>window.broken=1</script>",
    `"'><img src=x onerror=window.broken=1>`,
    "</style></title></script>",
    "é".repeat(300),
    "🧑‍🚀𝒳",
  ];
  const f = names.map((name, i) => variable(i + 1, name)).reduce((a, b) => mul(a, b));
  const { page, faults } = await opened(walkPage(f, { title: `</script><script>window.broken=1</script>` }));
  for (const key of ["End", "Home", "b"]) await page.keyboard.press(key);
  await page.click("#language");
  expect(await page.evaluate(() => "broken" in window)).toBe(false);
  expect(await page.evaluate(() => document.querySelectorAll("img").length)).toBe(0);
  expect(await page.textContent("h1")).toBe(`</script><script>window.broken=1</script>`);
  expect(faults).toEqual([]);
  const blocked = await page.evaluate(() =>
    fetch("https://example.org/").then(
      () => "reached",
      () => "refused",
    ),
  );
  expect(blocked).toBe("refused");
  await page.close();
});
