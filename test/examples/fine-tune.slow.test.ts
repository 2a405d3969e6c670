import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { onnx } from "../../src/onnx.ts";
import { launch } from "../browser/launch.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "tune-"));
const model = `${root}test/fixtures/onnx/mlp/model.onnx`;
const table = `${root}data/digits.csv`;
afterAll(() => rmSync(folder, { recursive: true }));
beforeAll(() => {
  execFileSync(process.execPath, ["scripts/ensure-built.js"], { cwd: root });
});

test("both examples of fine-tuning are under 40 lines", () => {
  for (const name of ["fine-tune.js", "fine-tune.html"])
    expect(readFileSync(`${root}examples/${name}`, "utf8").trimEnd().split("\n").length).toBeLessThan(40);
});

test("the script tunes a model of PyTorch's and writes it", async () => {
  const out = join(folder, "tuned.onnx");
  const said = execFileSync(process.execPath, ["examples/fine-tune.js", model, table, "label", out], { cwd: root, encoding: "utf8" });
  const accuracies = [...said.matchAll(/accuracy on held out rows ([\d.]+)/g)].map(([, x]) => Number(x));
  expect(accuracies.length).toBe(5);
  expect(accuracies.at(-1)).toBeGreaterThan(0.9);
  expect((await onnx.read(out)).params["net.0.weight"]!.data).not.toEqual((await onnx.read(model)).params["net.0.weight"]!.data);
});

test("the page does the same in Chromium, in a worker, and has the file to take away; a wrong file is told", async (context) => {
  const browser = await launch();
  if (browser === null) return context.skip();
  const types: Record<string, string> = { html: "text/html", js: "text/javascript" };
  const server = createServer((request, response) => {
    const path = normalize(`${root}${request.url ?? ""}`);
    const there = path.startsWith(root) && /\/(dist|examples)\//.test(path) && existsSync(path);
    response.writeHead(there ? 200 : 404, { "content-type": types[path.split(".").at(-1)!] ?? "text/plain" });
    response.end(there ? readFileSync(path) : "");
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/examples/fine-tune.html`);
    await page.setInputFiles("#table", table);
    await page.setInputFiles("#model", { name: "no.onnx", mimeType: "", buffer: Buffer.from("no model") });
    await page.click("#tune");
    await page.waitForFunction(() => (document.getElementById("said") as HTMLOutputElement).value.startsWith("onnx: "));
    await page.setInputFiles("#model", model);
    await page.click("#tune");
    await page.waitForFunction(() => !document.getElementById("link")!.hidden);
    const { said, bytes } = await page.evaluate(async () => {
      const link = document.getElementById("link") as HTMLAnchorElement;
      const file = new Uint8Array(await (await fetch(link.href)).arrayBuffer());
      return { said: (document.getElementById("said") as HTMLOutputElement).value, bytes: [...file] };
    });
    expect(Number(/[\d.]+$/.exec(said)?.[0])).toBeGreaterThan(0.9);
    expect((await onnx.read(Uint8Array.from(bytes))).trainable.length).toBe(6);
  } finally {
    server.close();
    await browser.close();
  }
}, 120_000);
