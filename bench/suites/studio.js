// The studio in Chromium, each number against its limit: steps, layout, panning, first paint, training, large files, bytes.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { rolldown } from "rolldown";
import { median, quantile } from "../harness/statistics.js";
import { digits } from "../harness/table.js";
import { firstPaint, importing, layouts, panning, stepToPaint, training, typing } from "../studio/measures.js";
import { openStudio } from "../studio/visit.js";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** ResNet-50 and GPT-2 as files: their real topology, made-up weights. @param {string} folder */
async function models(folder) {
  const build = await rolldown({ cwd: root, input: "test/studio/large-models.ts", platform: "node", external: /^node:/ });
  const file = join(folder, "models.mjs");
  await build.write({ file, format: "esm", codeSplitting: false });
  const { resnet50, gpt2 } = await import(file);
  return [
    ["ResNet-50", resnet50],
    ["GPT-2", gpt2],
  ].map(([name, make]) => {
    const path = join(folder, `${name}.onnx`);
    writeFileSync(path, make());
    return { name, path };
  });
}

/** Bytes of the scripts that the page loads before it runs, gzipped. */
function firstScripts() {
  const site = join(root, "dist/studio");
  const found = new Set(
    [...readFileSync(join(site, "index.html"), "utf8").matchAll(/<(?:script|link)[^>]*(?:src|href)="([^"]+\.js)"/g)].map((m) =>
      join(site, m[1]),
    ),
  );
  for (const file of found)
    for (const m of readFileSync(file, "utf8").matchAll(/(?:^|[;}])import(?:[^"'`;()]*from)?["'](\.[^"']+\.js)["']/g))
      found.add(join(dirname(file), m[1]));
  return [...found].reduce((sum, file) => sum + gzipSync(readFileSync(file), { level: 9 }).length, 0);
}

/**
 * @param {string} what
 * @param {number[]} samples
 * @param {{ unit: string, most?: number, least?: number, remark?: string }} about
 */
function row(what, samples, { unit, most, least, remark = "" }) {
  const middle = median(samples);
  const limit = most === undefined ? `at least ${least.toLocaleString("en")}` : `at most ${most.toLocaleString("en")}`;
  const times = most === undefined ? middle / least : most / middle;
  const spread = samples.length > 1 ? `${digits(quantile(samples, 0.25))} to ${digits(quantile(samples, 0.75))}` : "";
  return `| ${what} | ${unit} | ${digits(middle)} | ${spread} | ${limit} | ${times >= 1 ? "kept" : "**missed**"}, ${digits(times)} | ${remark} |`;
}

/** @returns {Promise<string>} a Markdown table */
export async function studio() {
  const folder = mkdtempSync(join(tmpdir(), "chainrule-studio-"));
  const page = await openStudio();
  const rows = [];
  try {
    const files = await models(folder);
    const step = await stepToPaint(page);
    rows.push(
      row("step to paint, 60 items", step.frame, {
        unit: "ms",
        most: 8,
        remark: `work of the page's thread from the key to the frame with the step, ${digits(median(step.frameCpu))} ms of processor time; by the clock, with waiting for the screen, ${digits(median(step.clock))} ms; with the card's formula in the frames after it ${digits(median(step.took))} ms of work, ${digits(median(step.cpu))} ms of processor time`,
      }),
    );
    const typed = await typing(page);
    rows.push(
      row(`a letter typed, ${typed.shown} items, to its frame`, typed.clock, {
        unit: "ms",
        most: 50,
        remark: `by the clock; ${digits(median(typed.took))} ms of it work of the page's thread; the graph follows when the keys pause`,
      }),
    );
    const laid = await layouts(page);
    rows.push(
      row(`layout, ${laid.items} items`, laid.took, { unit: "ms", most: 50, remark: `the first one in a page ${digits(laid.first)} ms` }),
    );
    const pan = await panning(page);
    rows.push(row(`panning, ${pan.count.toLocaleString("en")} elements`, pan.rates, { unit: "frames/s", least: 50 }));
    const first = await firstPaint(page);
    rows.push(
      row(
        "the lecture's example painted, nothing kept",
        first.map(({ picture }) => picture),
        { unit: "ms", most: 1000, remark: `the page itself ${digits(median(first.map((sample) => sample.page)))} ms` },
      ),
    );
    const trained = await training(page);
    rows.push(
      row(
        "training, spiral, 2-8-8-1",
        trained.map(({ samples }) => samples),
        { unit: "samples/s", least: 20_000 },
      ),
    );
    rows.push(
      row(
        "pictures of it",
        trained.map(({ draws }) => draws),
        {
          unit: "a second",
          least: 29,
          remark: `the worker draws them, at most 30 a second; the numbers beside them changed ${digits(median(trained.map(({ texts }) => texts)))} times a second`,
        },
      ),
    );
    rows.push(
      row(
        "the page's thread meanwhile",
        trained.map(({ busy }) => 100 * busy),
        { unit: "% busy", most: 30 },
      ),
    );
    for (const { name, path } of files) {
      const { bytes, items, samples } = await importing(page, path);
      rows.push(
        row(`${name} as a picture`, samples, {
          unit: "ms",
          most: 2000,
          remark: `${Math.round(bytes / 1e6)} MB, ${items} items, from the choice of the file`,
        }),
      );
    }
    rows.push(row("first scripts", [firstScripts() / 1000], { unit: "kB gzip", most: 60 }));
  } finally {
    await page.close();
    rmSync(folder, { recursive: true, force: true });
  }
  return ["| what | unit | median | quartiles | limit | | |", "|---|---|---|---|---|---|---|", ...rows].join("\n");
}
