import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { contentSecurityPolicy, mediaTypes, sentWith } from "./headers.ts";
import { runtimeFiles, withRuntime } from "./runtime.ts";
import type { SiteFile } from "./site-file.ts";

/** The files of a site by their addresses: only what is a key is ever sent, so no address leads out of the folder. */
export type Site = ReadonlyMap<string, SiteFile>;

/** Where the built studio lies: beside the command line in `dist`, or in `dist` seen from the sources. */
export function siteFolder(): string | null {
  for (const path of ["./studio/", "../../../dist/studio/"]) {
    const folder = fileURLToPath(new URL(path, import.meta.url));
    if (existsSync(`${folder}index.html`)) return folder;
  }
  return null;
}

/**
 * Reads the files of a folder, links left out. `/` is `index.html`; files whose names carry a hash of what is in them may be kept for ever.
 * @param runtime the folder of ONNX Runtime's files, which the page then is told of; null: there is none
 */
export async function readSite(folder: string, runtime: string | null = null): Promise<Site> {
  const site = new Map<string, SiteFile>(runtime === null ? [] : runtimeFiles(runtime));
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const type = mediaTypes[entry.name.slice(entry.name.lastIndexOf(".") + 1)];
    if (!entry.isFile() || type === undefined) continue;
    const path = `${entry.parentPath}/${entry.name}`;
    const read = await readFile(path);
    const address = `/${path.slice(folder.length).replaceAll("\\", "/").replace(/^\/+/, "")}`;
    const isPage = entry.name.endsWith(".html");
    const bytes = runtime !== null && address === "/index.html" ? withRuntime(read) : read;
    const file: SiteFile = {
      bytes,
      headers: {
        ...sentWith(type, bytes.length, createHash("sha256").update(bytes).digest("base64url").slice(0, 22)),
        // A page inside the page says its own policy in its own text. Its origin is opaque, so that Firefox takes it for another site's.
        ...(isPage && address !== "/index.html"
          ? { "Cross-Origin-Resource-Policy": "cross-origin" }
          : { "Content-Security-Policy": `${contentSecurityPolicy}; frame-ancestors 'none'` }),
        "Cache-Control": address.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "no-cache",
      },
    };
    site.set(address, file);
    if (address === "/index.html") site.set("/", file);
  }
  return site;
}
