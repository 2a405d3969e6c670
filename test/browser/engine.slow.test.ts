import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readImage } from "../../src/data/image.ts";
import { png } from "../data/make-image.ts";
import { type Browser, launch, type Page } from "./launch.ts";

const root: string = fileURLToPath(new URL("../../", import.meta.url));
let browser: Browser | null = null;
const servers: Server[] = [];
let script = "";

beforeAll(async () => {
  browser = await launch();
  if (browser === null) return;
  execFileSync(process.execPath, ["scripts/ensure-built.js"], { cwd: root });
  const build = await rolldown({ input: `${root}test/browser/engine-page.ts`, external: /^(node:|@resvg\/)/, platform: "browser" });
  const { output } = await build.generate({ format: "esm", codeSplitting: false });
  script = output.map((chunk) => (chunk.type === "chunk" ? chunk.code : "")).join("");
});
afterAll(async () => {
  await browser?.close();
  for (const server of servers) server.close();
});

/** A page of a server of its own. `headers` go with everything. */
async function opened(headers: Record<string, string>): Promise<Page> {
  const server = createServer((request, response) => {
    const files: Record<string, readonly [string, string | Buffer]> = {
      "/": ["text/html", '<!doctype html><title>engine</title><script type="module" src="/page.js"></script>'],
      "/page.js": ["text/javascript", script],
      "/photo.png": [
        "image/png",
        Buffer.from(
          png(
            "rgb",
            4,
            3,
            Array.from({ length: 36 }, (_, i) => i),
          ),
        ),
      ],
      "/wasm-worker.js": ["text/javascript", readFileSync(`${root}dist/wasm-worker.js`)],
    };
    const file = files[request.url ?? ""];
    response.writeHead(file === undefined ? 404 : 200, { "content-type": file?.[0] ?? "text/plain", ...headers });
    response.end(file?.[1] ?? "");
  });
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const page = await browser!.newPage();
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  await page.waitForFunction(() => "training" in globalThis);
  return page;
}

const isolated = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" };
const training = (kind: string) => `training(${JSON.stringify(kind)})`;
interface Trained {
  readonly losses: number[];
  readonly shared: boolean;
}

test("in Chromium every op agrees with the reference", async (context) => {
  if (browser === null) return context.skip();
  const page = await opened({});
  expect(await page.evaluate<string[]>("disagreements()")).toEqual([]);
  await page.close();
});

test("a training that names no engine works in a worker: the page has its turns, and the weights are those of the page's own thread", async (context) => {
  if (browser === null) return context.skip();
  const page = await opened({});
  const found = await page.evaluate<{ workers: number; same: boolean; steps: number; turns: number; longest: number }>("byDefault()");
  expect(found).toMatchObject({ workers: 1, same: true, steps: 40 });
  expect(found.turns).toBeGreaterThan(10);
  await page.close();
});

test("a page reads images as Node does, with the browser's decoder", async (context) => {
  if (browser === null) return context.skip();
  const page = await opened({});
  const samples = Array.from({ length: 4 * 3 * 3 }, (_, i) => (i * 29) % 256);
  const photo = png("rgb", 4, 3, samples);
  const read = (bytes: Uint8Array, options: object): Promise<string> =>
    page.evaluate<string>(`image(${JSON.stringify([...bytes])}, ${JSON.stringify(options)})`);
  expect(await read(photo, { dtype: "u8" })).toBe(`3,4,3: ${samples.join()}`);
  for (const options of [{ grey: true, dtype: "u8" }, { dtype: "u8" }] as const)
    expect(await read(photo, options)).toBe(
      `${options.dtype && "grey" in options ? "3,4,1" : "3,4,3"}: ${[...(await readImage(photo, options)).data].join()}`,
    );
  expect(await read(png("rgba", 2, 1, [9, 8, 7, 255, 9, 8, 7, 0]), { dtype: "u8" })).toBe("1,2,3: 9,8,7,255,255,255");
  expect(
    await read(
      png(
        "grey",
        8,
        4,
        Array.from({ length: 32 }, (_, i) => (i % 8 < 4 ? 0 : 255)),
      ),
      { size: 4, fit: "cover", grey: true, dtype: "u8" },
    ),
  ).toMatch(/^4,4,1: 0,0,255,255,/);
  expect(await read(photo.subarray(0, 45), {})).toContain("image: the PNG image cannot be decoded; it is damaged or cut short (");
  expect(await read(new TextEncoder().encode("<svg/>"), {})).toContain("image: it is no PNG, JPEG or WebP image");
  expect(await page.evaluate<string>('fetchedImage("/none.png")')).toBe("/none.png: it cannot be fetched: 404 Not Found");
  expect(await page.evaluate<string>('fetchedImage("/photo.png")')).toBe("3,4,3");
  await page.close();
});

test("in an isolated page threads and a worker give the numbers of one thread", async (context) => {
  if (browser === null) return context.skip();
  const page = await opened(isolated);
  const plain = await page.evaluate<Trained>(training("plain"));
  expect(plain.losses[9]).toBeLessThan(plain.losses[0]!);
  const threads = await page.evaluate<Trained>(training("threads"));
  expect(threads).toEqual({ losses: plain.losses, shared: true });
  expect((await page.evaluate<Trained>(training("worker"))).losses).toEqual(plain.losses);
  await page.close();
});

test("in an isolated page both threads compute parts of a large product, with the bits of one thread", async (context) => {
  if (browser === null) return context.skip();
  const page = await opened(isolated);
  const { mine, theirs, same } = await page.evaluate<{ mine: number; theirs: number; same: boolean }>("shares()");
  expect(same).toBe(true);
  expect(mine).toBeGreaterThan(0);
  expect(theirs).toBeGreaterThan(0);
  await page.close();
});

test("a page without SIMD is told so before anything is compiled", async (context) => {
  if (browser === null) return context.skip();
  const page = await opened({});
  expect(await page.evaluate<string>("withoutVectors()")).toContain("wasm: this host does not compile WebAssembly with SIMD");
  await page.close();
});

test("in any other page threads fall back to one, and under a strict policy the worker of an own file still runs", async (context) => {
  if (browser === null) return context.skip();
  const page = await opened({ "content-security-policy": "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'" });
  const plain = await page.evaluate<Trained>(training("plain"));
  expect(await page.evaluate<Trained>(training("threads"))).toEqual({ losses: plain.losses, shared: false });
  expect((await page.evaluate<Trained>(training("worker"))).losses).toEqual(plain.losses);
  await page.close();
});
