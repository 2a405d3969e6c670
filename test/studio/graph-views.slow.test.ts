import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compileExpression, evaluate, gradients, tensor, type Value, variable } from "../../src/index.ts";
import { packState } from "../../studio/state/address.ts";
import { defaultState } from "../../studio/state/slices.ts";
import { leftOut, type Page } from "../browser/launch.ts";
import { openStudio, type Studio } from "./open-studio.ts";
import { settled } from "./settled.ts";

let studio: Studio;
let page: Page;
let faults: string[];

beforeAll(async () => {
  studio = await openStudio();
});

afterAll(() => studio?.close());

async function at(graph: Partial<typeof defaultState.graph>, language = "en"): Promise<void> {
  await page?.close();
  const state = await packState({ ...defaultState, graph: { ...defaultState.graph, ...graph } });
  ({ page, faults } = await studio.visit({ at: `?lang=${language}#${state}`, viewport: { width: 1440, height: 860 } }));
  await page.waitForFunction(() => document.querySelector(".cr-item") !== null);
  await settled(page);
}

/** Where an item of the picture stands, by its label. */
const middle = (label: string): Promise<{ x: number; y: number }> =>
  page.evaluate((wanted) => {
    const item = [...document.querySelectorAll(".cr-item")].find((one) => one.querySelector(".cr-label")?.textContent === wanted)!;
    const { left, top, width, height } = (item.querySelector(".cr-body") ?? item).getBoundingClientRect();
    return { x: left + width / 2, y: top + height / 2 };
  }, label);

const press = async (...keys: string[]): Promise<void> => {
  for (const key of keys) await page.keyboard.press(key);
  await settled(page);
};

describe.skipIf(leftOut())("the picture from top to bottom", () => {
  test("has the loss at the bottom, arrow keys go along its wires, and the address keeps it", async () => {
    await at({ formula: "f = (x + y) * z", values: { x: "-2", y: "5", z: "-4" } });
    const before = [await middle("x"), await middle("f")];
    expect(before[1]!.x).toBeGreaterThan(before[0]!.x + 100);
    await page.click("#direction");
    await settled(page);
    expect(await page.evaluate(() => document.querySelector("#direction")!.getAttribute("aria-pressed"))).toBe("true");
    const now = [await middle("x"), await middle("y"), await middle("z"), await middle("f")];
    expect(now[3]!.y).toBeGreaterThan(now[0]!.y + 100);
    // Operands stand in their order, now from left to right.
    expect(now[0]!.x).toBeLessThan(now[1]!.x);
    expect(now[1]!.x).toBeLessThan(now[2]!.x);
    await page.evaluate(() => document.querySelector<SVGElement>('.cr-item[data-item="5"], .cr-output')!.focus());
    const focus = (): Promise<string> => page.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? "");
    await press("ArrowUp", "ArrowUp", "ArrowUp");
    expect(await focus()).toContain("+ to ×");
    await press("ArrowRight");
    expect(await focus()).toContain("z to ×");
    await press("ArrowUp");
    expect(await focus()).toMatch(/^z: variable/);
    await expect.poll(() => page.evaluate(() => location.hash.length), { timeout: 10_000 }).toBeGreaterThan(10);
    await page.click("#undo");
    await settled(page);
    expect((await middle("f")).x).toBeGreaterThan((await middle("x")).x + 100);
    expect(faults).toEqual([]);
  });
});

describe.skipIf(leftOut())("what lies over the picture", () => {
  /** Whether a body of an item stands under a legend. */
  const isCovered = (item: string): Promise<boolean> =>
    page.evaluate((which) => {
      const legends = [...document.querySelectorAll(".stage > .legend, .stage > .tint-legend")].map((legend) =>
        legend.getBoundingClientRect(),
      );
      const bodies = [...document.querySelectorAll(`${which} .cr-body`)];
      if (bodies.length === 0) throw new Error(`there is no ${which}`);
      return bodies.some((body) => {
        const { left, right, top, bottom } = body.getBoundingClientRect();
        return legends.some((over) => left < over.right && right > over.left && top < over.bottom && bottom > over.top);
      });
    }, item);

  test("hides no node of a tall graph from top to bottom: fitted, at its first step, and with the legend of colours", async () => {
    // So wide that the first nodes reach below the legend, and so tall that it fills the height.
    const formula = `a = x0 ${Array.from({ length: 9 }, (_, i) => `+ x${i + 1} * w${i + 1}`).join(" ")}\nf = ${"tanh(".repeat(9)}a${")".repeat(9)}`;
    await at({ formula, direction: "down", depth: -1 });
    for (const tint of [false, true]) {
      if (tint) await page.click("#tint");
      await settled(page);
      await page.click("#fit");
      expect(await isCovered(".cr-item"), "fitted").toBe(false);
      await page.click("#last");
      await settled(page);
      // What is stepped to comes into sight, below the legend.
      await page.click("#first");
      await page.click("#next");
      await settled(page);
      expect(await isCovered(".cr-item.cr-active"), "stepped to").toBe(false);
    }
    // The legend of colours comes over a fitted picture, which moves.
    await page.click("#tint");
    await page.click("#fit");
    await page.click("#tint");
    await page.waitForSelector("#tint-legend");
    await settled(page);
    expect(await isCovered(".cr-item"), "tinted").toBe(false);
    expect(faults).toEqual([]);
  });
});

describe.skipIf(leftOut())("the tint of the nodes", () => {
  const formula = "f = exp(20 * x) * y + z * 0";
  const values = { x: "0.5", y: "0.001", z: "3" };

  test("is viridis by the logarithm of the gradient, with a legend, as far as the walk has come", async () => {
    await at({ formula, values, depth: -1 });
    expect(await page.evaluate(() => document.querySelectorAll(".tints rect").length)).toBe(0);
    await page.click("#tint");
    await settled(page);
    // The forward pass has no gradients yet.
    expect(await page.evaluate(() => document.querySelectorAll(".tints rect").length)).toBe(0);
    await page.click("#last");
    await settled(page);
    const variables = Object.fromEntries(Object.entries(values).map(([name, text]) => [name, variable(tensor(Number(text)), name)]));
    const slopes = gradients(compileExpression(formula)(variables), variables);
    const sizes = Object.values(slopes).map((g) => Math.abs(evaluate(g as Value).data[0]!));
    const told = await page.evaluate(() => [...document.querySelectorAll(".tints rect")].map((rect) => rect.getAttribute("data-tint")!));
    for (const size of sizes.filter((x) => x > 0))
      expect(
        told.some((text) => Math.abs(Number(text) - size) < 0.01 * size),
        `${size}`,
      ).toBe(true);
    // z times 0: a gradient of 0 has no place on a logarithm.
    const place = await middle("z");
    expect(
      await page.evaluate(
        ({ x, y }) =>
          [...document.querySelectorAll(".tints rect")].some((rect) => {
            const { left, right, top, bottom } = rect.getBoundingClientRect();
            return left < x && x < right && top < y && y < bottom;
          }),
        place,
      ),
    ).toBe(false);
    expect(await page.textContent("#tint-legend")).toMatch(/‖∇‖ᵣₘₛ 10\S+ {2}?10\S+/);
    const [least, most] = await page.evaluate(() => {
      const rects = [...document.querySelectorAll(".tints rect")].sort(
        (a, b) => Number(a.getAttribute("data-tint")) - Number(b.getAttribute("data-tint")),
      );
      const bright = (rect: Element): number =>
        (/\d+ \d+ \d+/.exec(rect.getAttribute("fill")!)![0].split(" ").map(Number) as number[]).reduce((a, b) => a + b, 0);
      return [bright(rects[0]!), bright(rects.at(-1)!)];
    });
    expect(most).toBeGreaterThan(least!);
    await page.click("#previous");
    await settled(page);
    expect(await page.evaluate(() => document.querySelectorAll(".tints rect").length)).toBeLessThan(told.length);
    expect(faults).toEqual([]);
  });

  test("marks what is not finite by a dashed rim, and says so in the legend", async () => {
    await at({ formula: "f = log(x) * y", values: { x: "0", y: "1" }, tint: true });
    await page.click("#last");
    await settled(page);
    expect(await page.evaluate(() => document.querySelectorAll(".tints .bad").length)).toBeGreaterThan(0);
    expect(await page.textContent("#tint-legend")).toContain("not finite");
  });
});

describe.skipIf(leftOut())("the table of a long walk", () => {
  test("has every step on one of its pages, follows the walk, and turns by button", async () => {
    // A line for each: a formula may be 200 deep.
    const lines = ["s0 = x", ...Array.from({ length: 170 }, (_, i) => `s${i + 1} = s${i} + x * ${i}`)];
    await at({ formula: lines.join("\n"), values: { x: "1" }, table: true });
    await page.waitForSelector("#page-range");
    const total = Number(/of (\d+)/.exec((await page.textContent("#page-range"))!)![1]);
    expect(total).toBeGreaterThan(600);
    await page.click("#page-first");
    const seen = new Set<string>();
    for (let turns = 0; turns < 20; turns++) {
      await settled(page);
      for (const name of await page.evaluate(() =>
        [...document.querySelectorAll("#trace-table tbody th button")].map((b) => b.textContent ?? ""),
      ))
        seen.add(name);
      if (await page.evaluate(() => document.querySelector("#page-next")!.getAttribute("aria-disabled") === "true")) break;
      await page.click("#page-next");
    }
    expect(seen.size).toBe(total);
    // A step brings the page on which it stands.
    await page.click("#first");
    await settled(page);
    expect(await page.textContent("#page-range")).toBe(`steps 1 to 300 of ${total}`);
    await page.click("#last");
    await settled(page);
    expect(await page.textContent("#page-range")).toContain(`to ${total} of ${total}`);
    expect(await page.evaluate(() => document.querySelector("#trace-table [aria-current=step] button")?.textContent)).toBe(String(total));
    expect(faults).toEqual([]);
  });
});

describe.skipIf(leftOut())("numbers that are not finite", () => {
  test.each(["en", "ko"])("have a bin with a sign and a pattern each, in the histogram and in the heat map: %s", async (language) => {
    await at({ formula: "Y = log(A) * S\nf = sum(Y)", values: { A: "[[0, 2], [-1, 0]]", S: "[[1, 1], [1, -1]]" }, depth: -1 }, language);
    await page.click("#last");
    await settled(page);
    const product = await page.evaluate(
      () =>
        [...document.querySelectorAll(".cr-item")]
          .find((one) => one.querySelector(".cr-label")?.textContent === "×")!
          .getAttribute("data-item")!,
    );
    await page.click(`.cr-item[data-item="${product}"]`);
    await page.waitForSelector(".histogram.fwd");
    const bins = await page.evaluate(() => {
      const [histogram] = document.querySelectorAll(".histogram.fwd");
      return {
        signs: [...histogram!.querySelectorAll("[data-bad]")].map((bin) => bin.textContent),
        patterns: new Set([...histogram!.querySelectorAll("pattern path")].map((path) => path.getAttribute("d"))).size,
        told: histogram!.getAttribute("aria-label")!,
        pills: [...histogram!.parentElement!.querySelectorAll(".pill")].map((pill) => pill.textContent),
        cells: [...document.querySelector(".heat")!.querySelectorAll("rect")].map(
          (rect) => rect.getAttribute("fill")?.replace(/.*-/, "") ?? "",
        ),
      };
    });
    expect(bins.signs).toEqual(["−∞", "NaN", "+∞"]);
    expect(bins.patterns).toBe(3);
    expect(bins.told).toMatch(/, −∞ 1, NaN 1, \+∞ 1$/);
    expect(bins.pills).toEqual(["−∞ 1", "NaN 1", "+∞ 1"]);
    expect(bins.cells).toEqual(["4)", "", "1)", "2)"]);
    expect(faults).toEqual([]);
  });
});

describe.skipIf(leftOut())("row times column", () => {
  const values = { A: "[[1, 2, 3], [4, 5, 6]]", B: "[[1, 0.5], [-1, 2], [0, 3]]" };
  /** The names of the matrices, what is lit in each, and the sum that is spelled. */
  const products = (): Promise<{ names: string[]; lit: string[][]; sum: string }[]> =>
    page.evaluate(() =>
      [...document.querySelectorAll("#products .product")].map((product) => ({
        names: [...product.querySelectorAll("caption")].map((caption) => caption.textContent ?? ""),
        lit: [...product.querySelectorAll("table")].map((table) =>
          [...table.querySelectorAll("td.lit")].map((cell) => cell.textContent ?? ""),
        ),
        sum: product.querySelector(".sum")?.textContent ?? "",
      })),
    );

  test("shows which row and which column make the chosen element, forward and backward, by pointer and by keys", async () => {
    await at({ formula: "Y = A @ B\nf = sum(Y * Y)", values, step: 1 });
    await page.click("#products summary");
    expect(await products()).toEqual(
      [
        { names: ["A 2×3", "B 3×2", "Y 2×2"], lit: [["1", "2", "3"], ["1", "-1", "0"], ["-1"]], sum: "Y[0, 0] = 1·1 + 2·-1 + 3·0 = -1" },
      ].map((p) => ({ ...p, lit: p.lit.map((l) => l.map((x) => x.replace("-", "−"))), sum: p.sum.replaceAll("-", "−") })),
    );
    await page.click('#products button[aria-label^="row 1, column 1"]');
    await settled(page);
    expect((await products())[0]!.sum.replaceAll("−", "-")).toBe(
      "Y[1, 1] = 4·0.500 + 5·2 + 6·3 = 30".replace("0.500", (await products())[0]!.sum.includes("0.500") ? "0.500" : "0.5"),
    );
    await press("ArrowUp");
    expect((await products())[0]!.sum.replaceAll("−", "-")).toMatch(/^Y\[0, 1\] = .* = 13\.5$/);
    expect(await page.evaluate(() => document.activeElement?.getAttribute("aria-label"))).toMatch(/^row 0, column 1: 13\.5/);
    // The same step backward: dA = dY Bᵀ, dB = Aᵀ dY.
    await page.click("#last");
    await settled(page);
    if (!(await page.evaluate(() => (document.querySelector("#products") as HTMLDetailsElement).open)))
      await page.click("#products summary");
    const back = await products();
    expect(back.map(({ names }) => names)).toEqual([
      ["dY 2×2", "Bᵀ 2×3", "dA 2×3"],
      ["Aᵀ 3×2", "dY 2×2", "dB 3×2"],
    ]);
    // dY = 2 Y = [[-2, 27], [-2, 60]].
    expect(back[0]!.lit.map((list) => list.map((x) => Number(x.replace("−", "-"))))).toEqual([[-2, 27], [1, 0.5], [11.5]]);
    expect(back[1]!.lit.map((list) => list.map((x) => Number(x.replace("−", "-"))))).toEqual([[1, 4], [-2, -2], [-10]]);
    expect(faults).toEqual([]);
  });
});

describe.skipIf(leftOut())("health on the Graph tab", () => {
  const formula = "h = relu(x @ W1)\nf = mean((h @ W2)^2)";
  const values = { x: "[[1, 2], [-1, 0.5]]", W1: "[[0.5, -1], [0.25, -1]]", W2: "[[1], [2]]" };

  test("judges by limits that the reader changes and the address keeps, and has bars beside its text", async () => {
    await at({ formula, values });
    await page.click("#ask-health");
    await page.waitForSelector("#health-profile");
    const usual = await page.textContent("#answer-text > pre");
    expect(usual).not.toContain("vanish");
    const bars = await page.evaluate(() =>
      [...document.querySelectorAll("#health-profile tbody tr")].map((row) => ({
        name: row.querySelector("th")!.textContent!,
        gradient: Number(row.querySelectorAll("td")[1]!.textContent!.replace("−", "-")),
        width: Number(row.querySelector(".full")!.getAttribute("width")),
      })),
    );
    expect(bars.map(({ name }) => name)).toEqual(expect.arrayContaining(["x variable", "W1 variable", "W2 variable"]));
    const byGradient = [...bars].sort((a, b) => a.gradient - b.gradient);
    expect(byGradient.map(({ width }) => width)).toEqual([...bars.map(({ width }) => width)].sort((a, b) => a - b));
    await page.click("#health-limits summary");
    await page.fill("#limit-vanishing", "1000");
    await press("Tab");
    await page.waitForFunction(() => document.querySelector("#answer-text > pre")?.textContent?.includes("vanishes"));
    const own = await page.textContent("#answer-text > pre");
    expect(own).not.toBe(usual);
    // What is no limit is taken back; the address has what is.
    await page.fill("#limit-exploding", "-3");
    await press("Tab");
    expect(await page.evaluate(() => (document.querySelector("#limit-exploding") as HTMLInputElement).value)).toBe("");
    await expect.poll(() => page.evaluate(() => location.hash.length), { timeout: 10_000 }).toBeGreaterThan(20);
    await new Promise((resolve) => setTimeout(resolve, 700));
    await page.reload();
    await page.waitForSelector(".cr-item", { state: "attached" });
    await page.click("#health-limits summary");
    expect(await page.evaluate(() => (document.querySelector("#limit-vanishing") as HTMLInputElement).value)).toBe("1000");
    await page.click("#reset-limits");
    await page.click("#ask-health");
    await page.waitForSelector("#health-profile");
    expect(await page.textContent("#answer-text > pre")).toBe(usual);
    expect(faults).toEqual([]);
  });
});
