import { existsSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { contentSecurityPolicy, mediaTypes, sentWith } from "./headers.ts";
import type { SiteFile } from "./site-file.ts";

/** What of `onnxruntime-web` a page loads: for the processor, and for WebGPU. */
const names = [
  "ort.wasm.min.mjs",
  "ort-wasm-simd-threaded.mjs",
  "ort-wasm-simd-threaded.wasm",
  "ort.webgpu.min.mjs",
  "ort-wasm-simd-threaded.asyncify.mjs",
  "ort-wasm-simd-threaded.asyncify.wasm",
] as const;

/** Where the files of the package `onnxruntime-web` lie that is installed beside this library; null where there is none, or none that has them all. */
export function runtimeFolder(): string | null {
  try {
    const folder = dirname(createRequire(import.meta.url).resolve("onnxruntime-web"));
    return names.every((name) => existsSync(`${folder}/${name}`)) ? `${folder}/` : null;
  } catch {
    return null;
  }
}

/** The runtime's files by their addresses. They are tens of megabytes that few pages ask for, so each is read when it first is. */
export function runtimeFiles(folder: string): ReadonlyMap<string, SiteFile> {
  return new Map(names.map((name) => [`/onnxruntime/${name}`, laterFile(`${folder}${name}`)]));
}

function laterFile(path: string): SiteFile {
  const { size, mtimeMs } = statSync(path);
  let bytes: Uint8Array | undefined;
  return {
    get bytes() {
      bytes ??= readFileSync(path);
      return bytes;
    },
    headers: {
      ...sentWith(mediaTypes[path.slice(path.lastIndexOf(".") + 1)]!, size, `${size.toString(36)}-${Math.round(mtimeMs).toString(36)}`),
      "Content-Security-Policy": contentSecurityPolicy,
      "Cache-Control": "no-cache",
    },
  };
}

/** The page with a word of where the runtime is: a site without it says nothing, so a page never asks for what is not there. */
export function withRuntime(page: Uint8Array): Uint8Array {
  return new TextEncoder().encode(
    new TextDecoder().decode(page).replace("</head>", '<meta name="onnxruntime-web" content="onnxruntime/">\n</head>'),
  );
}
