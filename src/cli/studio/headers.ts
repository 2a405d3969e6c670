/**
 * What the page may load: its own files, and nothing else; no inline script or style sheet, no `eval`. WebAssembly may be compiled, which is what the
 * engine does. The page's frame for code of the reader has a policy of its own that is stricter still, in its own file.
 */
export const contentSecurityPolicy: string = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  // Browsers write style attributes into text that is edited over coloured text; they can load nothing that the rest does not allow.
  "style-src-attr 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "worker-src 'self' blob:",
  "frame-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

/** For every file: shared memory between threads (COOP, COEP), no guessing of types, no address told to others. */
export const commonHeaders: Readonly<Record<string, string>> = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Cross-Origin-Resource-Policy": "same-origin",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
};

/** Headers that say what a file is. @param tag what stands for its content, for browsers that have it already */
export function sentWith(type: string, length: number, tag: string): Readonly<Record<string, string>> {
  return { ...commonHeaders, "Content-Type": type, "Content-Length": String(length), ETag: `"${tag}"` };
}

/** Media types of the files that a site may have; a file of another kind is not served. */
export const mediaTypes: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  mjs: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  json: "application/json",
  svg: "image/svg+xml",
  png: "image/png",
  txt: "text/plain; charset=utf-8",
  csv: "text/csv; charset=utf-8",
  wasm: "application/wasm",
  onnx: "application/octet-stream",
  safetensors: "application/octet-stream",
  woff2: "font/woff2",
  webmanifest: "application/manifest+json",
};
