import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { opener } from "../../../src/cli/studio/open-browser.ts";
import { runtimeFolder } from "../../../src/cli/studio/runtime.ts";
import { type Serving, serve } from "../../../src/cli/studio/serve.ts";
import { readSite } from "../../../src/cli/studio/site.ts";

let folder: string;
let serving: Serving;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "chainrule-site-"));
  const site = join(folder, "site");
  mkdirSync(join(site, "assets"), { recursive: true });
  writeFileSync(join(folder, "secret.txt"), "secret");
  writeFileSync(join(site, "index.html"), "<!doctype html><title>한글</title>");
  writeFileSync(join(site, "frame.html"), "<!doctype html>");
  writeFileSync(join(site, "assets", "code-abc.js"), "1");
  writeFileSync(join(site, "notes.exe"), "2");
  symlinkSync(join(folder, "secret.txt"), join(site, "link.txt"));
  serving = await serve(await readSite(site), "127.0.0.1", 0);
});

afterAll(async () => {
  await serving.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** Asks for exactly this target, which `fetch` would tidy up. */
function ask(path: string, { method = "GET", headers = {} }: { method?: string; headers?: Record<string, string> } = {}): Promise<Answer> {
  const { hostname, port } = new URL(serving.url);
  return new Promise((resolve, reject) => {
    const asked = request({ hostname, port, path, method, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (piece: string) => {
        text += piece;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    });
    asked.on("error", reject).end();
  });
}

describe("the studio's server", () => {
  test("gives the page with headers for shared memory and a strict policy", async () => {
    const { status, headers, text } = await ask("/?lang=ko");
    expect({ status, text }).toEqual({ status: 200, text: "<!doctype html><title>한글</title>" });
    expect(headers).toMatchObject({
      "content-type": "text/html; charset=utf-8",
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-embedder-policy": "require-corp",
      "x-content-type-options": "nosniff",
      "cache-control": "no-cache",
    });
    const policy = String(headers["content-security-policy"]);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).toContain("script-src 'self' 'wasm-unsafe-eval'; style-src 'self';");
    expect(policy).not.toMatch(/'unsafe-eval'|https?:|\*/);
  });

  test("lets the frame inside the page keep its own policy, and be taken from another origin: its own is opaque, and Firefox asks", async () => {
    const { headers } = await ask("/frame.html");
    expect(headers["content-security-policy"]).toBeUndefined();
    expect(headers["cross-origin-resource-policy"]).toBe("cross-origin");
    expect((await ask("/")).headers["cross-origin-resource-policy"]).toBe("same-origin");
  });

  test("lets a browser keep files whose names carry a hash, and answers 304 to what it has", async () => {
    const { headers } = await ask("/assets/code-abc.js");
    expect(headers["cache-control"]).toContain("immutable");
    const again = await ask("/assets/code-abc.js", { headers: { "If-None-Match": String(headers["etag"]) } });
    expect(again).toMatchObject({ status: 304, text: "" });
  });

  test.each([
    "/../secret.txt",
    "/..%2fsecret.txt",
    "/%2e%2e/secret.txt",
    "/assets/../../secret.txt",
    "/..\\secret.txt",
    "/..%5csecret.txt",
    "//etc/passwd",
    "/link.txt",
    "/notes.exe",
    "/assets/",
    "/index.html/",
    "/%00",
    "/%",
    "/constructor",
    "/__proto__",
  ])("has no file at %s", async (path) => {
    expect(await ask(path)).toMatchObject({ status: 404, text: "There is no such file in the studio.\n" });
  });

  test("answers HEAD without the file and refuses to be written to", async () => {
    expect(await ask("/", { method: "HEAD" })).toMatchObject({ status: 200, text: "" });
    const { status, headers, text } = await ask("/", { method: "POST" });
    expect({ status, allow: headers["allow"], text }).toEqual({
      status: 405,
      allow: "GET, HEAD",
      text: "This server only shows files: GET or HEAD.\n",
    });
  });

  test("refuses the name of another host", async () => {
    expect(await ask("/", { headers: { Host: "evil.example:80" } })).toMatchObject({
      status: 421,
      text: "This server answers under its own address only.\n",
    });
    expect((await ask("/", { headers: { Host: "localhost:1" } })).status).toBe(200);
  });

  test("lives on after a client that sends garbage", async () => {
    const { hostname, port } = new URL(serving.url);
    await new Promise<void>((resolve) => {
      const socket = connect(Number(port), hostname, () => socket.end("GARBAGE\0\r\n\r\n"));
      socket.on("close", () => resolve()).on("error", () => undefined);
      socket.resume();
    });
    expect((await ask("/")).status).toBe(200);
  });
});

test("ONNX Runtime's files are served where the package is, read when they are asked for, and only then told of in the page", async () => {
  const runtime = runtimeFolder();
  if (runtime === null) return;
  const site = join(folder, "with-runtime");
  mkdirSync(site);
  writeFileSync(join(site, "index.html"), "<!doctype html><head></head>");
  const plain = await readSite(site);
  const files = await readSite(site, runtime);
  const page = (of: typeof plain): string => new TextDecoder().decode(of.get("/")!.bytes);
  expect(page(plain)).toBe("<!doctype html><head></head>");
  expect(page(files)).toContain('<meta name="onnxruntime-web" content="onnxruntime/">');
  expect(files.get("/")!.headers["Content-Length"]).toBe(String(files.get("/")!.bytes.length));
  expect(files.get("/")!.headers["ETag"]).not.toBe(plain.get("/")!.headers["ETag"]);
  const module = files.get("/onnxruntime/ort-wasm-simd-threaded.wasm")!;
  expect(module.headers).toMatchObject({ "Content-Type": "application/wasm", "Cross-Origin-Embedder-Policy": "require-corp" });
  expect(module.headers["Content-Length"]).toBe(String(module.bytes.length));
  // A script of a worker brings its own policy, which is the page's.
  expect(files.get("/onnxruntime/ort.webgpu.min.mjs")!.headers["Content-Security-Policy"]).toContain("default-src 'none'");
  expect([...files.keys()].filter((address) => address.startsWith("/onnxruntime/")).length).toBe(6);
  expect(files.get("/onnxruntime/package.json")).toBeUndefined();
});

test("an address is opened where there is a screen, and only there", () => {
  expect(opener("linux", {})).toBeNull();
  expect(opener("linux", { DISPLAY: ":0" })).toEqual(["xdg-open"]);
  expect(opener("darwin", {})).toEqual(["open"]);
  expect(opener("win32", {})?.[0]).toBe("rundll32");
});
