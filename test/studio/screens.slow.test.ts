import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { leftOut } from "../browser/launch.ts";
import { openStudio, type Studio } from "./open-studio.ts";
import { differencePng, differing, mostDiffering, type Pixels, readPixels, shifted, smallPng } from "./screen-pixels.ts";
import { addressOf, fontFiles, photograph, prepare, type Screen, screens, steady } from "./screens.ts";

/*
 * Thirteen screens of the studio against the pictures in test/fixtures/screens. `npm run screens` makes these anew (then look at each); where one
 * differs, what was seen and where it differs are left in a folder that the message names.
 */

const remake = process.env["CHAINRULE_SCREENS"] === "remake";
const kept = fileURLToPath(new URL("../fixtures/screens/", import.meta.url));
const seen = join(tmpdir(), "chainrule-screens");

let studio: Studio;

beforeAll(async () => {
  studio = await openStudio({ args: steady, files: fontFiles });
});

afterAll(() => studio.close());

/** @returns the screen as it is now, and what went wrong on its page */
async function take(screen: Screen, planted = ""): Promise<{ readonly png: Uint8Array; readonly faults: readonly string[] }> {
  const { page, faults } = await studio.visit({
    viewport: { width: 1280, height: 800 },
    deviceScaleFactor: 1,
    colorScheme: screen.theme?.endsWith("dark") === true ? "dark" : "light",
    ...screen.page,
    // The test's own letters are what the page's policy forbids.
    bypassCSP: true,
    at: await addressOf(screen),
    before: (made) => prepare(made, screen, planted),
  });
  const png = await photograph(page, screen);
  await page.close();
  return { png, faults };
}

const references = new Map<string, Promise<Pixels>>();
function reference(file: string): Promise<Pixels> {
  let pixels = references.get(file);
  if (pixels === undefined) references.set(file, (pixels = readPixels(readFileSync(join(kept, file)))));
  return pixels;
}

describe.skipIf(leftOut())("screens of the studio", () => {
  for (const screen of screens)
    test(`${screen.file} looks as it did`, async () => {
      const { png, faults } = await take(screen);
      expect(faults).toEqual([]);
      if (remake) {
        mkdirSync(kept, { recursive: true });
        writeFileSync(join(kept, screen.file), await smallPng(png));
        return;
      }
      const [wanted, found] = [await reference(screen.file), await readPixels(png)];
      const share = differing(wanted, found);
      if (share > mostDiffering) {
        mkdirSync(seen, { recursive: true });
        writeFileSync(join(seen, screen.file), png);
        writeFileSync(join(seen, `${screen.file.replace(".png", ".difference.png")}`), await differencePng(wanted, found));
      }
      expect(share, `more pixels differ than may; look at ${screen.file} and its difference in ${seen}`).toBeLessThanOrEqual(mostDiffering);
    });

  test.each(screens.map(({ file }) => file))("a picture that stands 4 pixels to the right of %s is seen", async (file) => {
    const wanted = await reference(file);
    expect(differing(wanted, wanted)).toBe(0);
    expect(differing(wanted, shifted(wanted, 4))).toBeGreaterThan(mostDiffering);
  });

  test("a page whose content stands 4 pixels to the right is seen", async () => {
    const [screen] = screens;
    const { png } = await take(screen!, "#app { padding-left: 4px; }");
    expect(differing(await reference(screen!.file), await readPixels(png))).toBeGreaterThan(mostDiffering);
  });
});
