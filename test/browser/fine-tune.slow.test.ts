import { createReadStream, existsSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fixture } from "../onnx/tuned.ts";
import type { Asked, Told } from "./fine-tune-worker.ts";
import { type Browser, launch, type Page } from "./launch.ts";

const root: string = fileURLToPath(new URL("../../", import.meta.url));
let browser: Browser | null = null;
let server: Server | null = null;
let page: Page;

const types: Readonly<Record<string, string>> = { mjs: "text/javascript", js: "text/javascript", wasm: "application/wasm" };

beforeAll(async () => {
  browser = await launch(["--enable-unsafe-webgpu", "--enable-features=Vulkan", "--use-webgpu-adapter=swiftshader"]);
  if (browser === null) return;
  const build = await rolldown({
    input: `${root}test/browser/fine-tune-worker.ts`,
    external: /^(node:|@resvg\/|\/ort\/)/,
    platform: "browser",
  });
  const { output } = await build.generate({ format: "esm", codeSplitting: false });
  const script = output.map((chunk) => (chunk.type === "chunk" ? chunk.code : "")).join("");
  server = createServer((request, response) => {
    const url = request.url ?? "";
    const files: Record<string, readonly [string, string | Buffer]> = {
      "/": ["text/html", "<!doctype html><title>fine-tuning</title>"],
      "/worker.js": ["text/javascript", script],
      "/model.onnx": ["application/octet-stream", readFileSync(fixture("mlp/model.onnx"))],
      "/data.safetensors": ["application/octet-stream", readFileSync(fixture("mlp/data.safetensors"))],
    };
    const inOrt = /^\/ort\/([\w.-]+)$/.exec(url)?.[1];
    const path = `${root}node_modules/onnxruntime-web/dist/${inOrt}`;
    if (inOrt !== undefined && existsSync(path)) {
      response.writeHead(200, { "content-type": types[inOrt.split(".").at(-1)!] ?? "text/plain" });
      createReadStream(path).pipe(response);
      return;
    }
    const file = files[url];
    response.writeHead(file === undefined ? 404 : 200, { "content-type": file?.[0] ?? "text/plain" });
    response.end(file?.[1] ?? "");
  });
  await new Promise<void>((done) => server!.listen(0, "127.0.0.1", done));
  page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
});
afterAll(async () => {
  await browser?.close();
  server?.close();
});

/** Fine-tunes in a worker of the page. */
function tuned(asked: Asked): Promise<Told> {
  return page.evaluate(
    (asked) =>
      new Promise<Told>((done) => {
        const worker = new Worker("/worker.js", { type: "module" });
        worker.onmessage = ({ data }) => {
          worker.terminate();
          done(data as Told);
        };
        worker.onerror = (event) => done({ failure: event.message || "the worker could not start" });
        worker.postMessage(asked);
      }),
    asked,
  ) as unknown as Promise<Told>;
}

const told = JSON.parse(readFileSync(fixture("mlp/case.json"), "utf8")) as { losses: number[]; steps: number; options: { lr: number } };

test.each(["wasm", "onnxruntime", "onnxruntime, webgpu"] as const)(
  "a page fine-tunes PyTorch's file in a worker, step by step as PyTorch does: %s",
  async (engine, ...rest) => {
    const context = rest.at(-1) as { skip(): void } | undefined;
    if (browser === null) return context?.skip();
    if (engine === "onnxruntime, webgpu") {
      const adapter = await page.evaluate<boolean>("navigator.gpu?.requestAdapter().then((a) => a !== null) ?? false");
      if (!adapter) {
        console.log("this Chromium has no WebGPU adapter, not even in software: fine-tuning on it was left out");
        return context?.skip();
      }
    }
    const got = await tuned({ engine, steps: told.steps, rate: told.options.lr });
    expect(got.failure).toBeUndefined();
    expect(got.apart).toBe(0);
    expect(got.losses!.length).toBe(told.steps);
    got.losses!.forEach((loss, i) => {
      expect(Math.abs(loss - told.losses[i]!), `step ${i}`).toBeLessThan(1e-4 * told.losses[i]!);
    });
  },
  120_000,
);

// A step of adamW is one of adam and a decay of the weights; a session on a graphics card in software takes ten seconds to come up.
test.each(["adamW"] as const)(
  "a page takes the steps of %s on WebGPU as on the wasm engine",
  async (optimizer, ...rest) => {
    const context = rest.at(-1) as { skip(): void } | undefined;
    if (browser === null) return context?.skip();
    if (!(await page.evaluate<boolean>("navigator.gpu?.requestAdapter().then((a) => a !== null) ?? false"))) return context?.skip();
    const asked = { steps: 6, rate: 1e-2, optimizer };
    const compiled = await tuned({ ...asked, engine: "wasm" });
    const got = await tuned({ ...asked, engine: "onnxruntime, webgpu" });
    expect([compiled.failure, got.failure]).toEqual([undefined, undefined]);
    expect(got.apart).toBe(0);
    // These are no steps of nothing: without them the losses of the same batches are others.
    const still = await tuned({ ...asked, engine: "wasm", rate: 1e-9 });
    expect(Math.abs(got.losses!.at(-1)! - still.losses!.at(-1)!)).toBeGreaterThan(1e-2 * still.losses!.at(-1)!);
    got.losses!.forEach((loss, i) => {
      expect(Math.abs(loss - compiled.losses![i]!), `step ${i}`).toBeLessThan(1e-4 * compiled.losses![i]!);
    });
  },
  120_000,
);
