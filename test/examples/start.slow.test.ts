import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "start-"));
afterAll(() => rmSync(folder, { recursive: true }));

const picture = join(folder, "classifier.svg");
const out = execFileSync(process.execPath, ["scripts/start.js", "--seeds", "5", "--out", picture], { cwd: root, encoding: "utf8" });

test("npm start explains the lecture's example", () => {
  expect(out).toContain("f = q1 * z = 3 * (-4) = -12");
  expect(out).toContain("df/dz = local 3 x upstream 1 = 3");
});

test("both classifiers read 95 % of held-out digits or more, as the mean over five splits; the file's own order is told too", () => {
  for (const loss of ["hinge", "softmax"]) {
    const line = out.split("\n").find((l) => l.startsWith(loss) && l.includes("mean over seeds 0 to 4"));
    const [mean, own] = [...(line ?? "").matchAll(/([\d.]+) %(?!,? held| last)/g)].map((m) => Number(m[1])).filter((x) => x !== 20);
    expect(mean).toBeGreaterThanOrEqual(95);
    expect(own).toBeGreaterThan(85);
  }
});

test("the classifier's picture has values above and gradients below the wires", () => {
  const svg = readFileSync(picture, "utf8");
  expect(svg.startsWith("<svg")).toBe(true);
  expect(svg).toContain("hinge");
  expect(svg).toContain("‖∇‖");
  expect(svg.trim().endsWith("</svg>")).toBe(true);
});
