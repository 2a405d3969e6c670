import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { commonHeaders, contentSecurityPolicy, mediaTypes } from "./headers.ts";

/** A file of the site: what is sent for its address. */
export interface SiteFile {
  readonly bytes: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
}

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

/** Reads the files of a folder, links left out. `/` is `index.html`; files whose names carry a hash of what is in them may be kept for ever. */
export async function readSite(folder: string): Promise<Site> {
  const site = new Map<string, SiteFile>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const type = mediaTypes[entry.name.slice(entry.name.lastIndexOf(".") + 1)];
    if (!entry.isFile() || type === undefined) continue;
    const path = `${entry.parentPath}/${entry.name}`;
    const bytes = await readFile(path);
    const address = `/${path.slice(folder.length).replaceAll("\\", "/").replace(/^\/+/, "")}`;
    const isPage = entry.name.endsWith(".html");
    const file: SiteFile = {
      bytes,
      headers: {
        ...commonHeaders,
        // A page inside the page says its own policy in its own text.
        ...(isPage && address !== "/index.html" ? {} : { "Content-Security-Policy": `${contentSecurityPolicy}; frame-ancestors 'none'` }),
        "Content-Type": type,
        "Content-Length": String(bytes.length),
        ETag: `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`,
        "Cache-Control": address.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "no-cache",
      },
    };
    site.set(address, file);
    if (address === "/index.html") site.set("/", file);
  }
  return site;
}
