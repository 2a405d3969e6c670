import { walkPage } from "chainrule";
import type { Model } from "../graph/engine.ts";
import type { Language, themes } from "../state/slices.ts";
import type { Box } from "./picture-of-tab.ts";

export type PictureTheme = Exclude<(typeof themes)[number], "system">;

/** The part of a picture that is in sight, as a picture of its own; the whole where that is nothing, or all. */
export function partOf(svg: string, { x, y, width, height }: Box): string {
  const size = /width="([\d.]+)" height="([\d.]+)" viewBox="(\S+) (\S+) (\S+) (\S+)"/;
  return svg.replace(size, (text, _w, _h, ...places: readonly string[]) => {
    const [left, top, wide, high] = places.slice(0, 4).map(Number) as [number, number, number, number];
    const [x0, y0] = [Math.max(left, x), Math.max(top, y)];
    const [w, h] = [Math.min(left + wide, x + width) - x0, Math.min(top + high, y + height) - y0];
    if (!(w >= 1 && h >= 1)) return text;
    const [vx, vy, vw, vh] = [x0, y0, w, h].map((n) => String(Math.round(n * 100) / 100));
    return `width="${vw}" height="${vh}" viewBox="${vx} ${vy} ${vw} ${vh}"`;
  });
}

/** The largest side and area that browsers draw. */
const longestSide = 16_000;
const mostPixels = 120e6;

/** A picture as PNG, twice as fine as on the screen, or as fine as a browser draws it. @throws Error where the browser cannot draw it */
export async function pngOf(svg: string): Promise<Blob> {
  const image = new Image();
  // Not a blob: an image of a blob has this page's policy, which would take the picture's styles from it.
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const { naturalWidth: width, naturalHeight: height } = image;
  const scale = Math.min(2, longestSide / width, longestSide / height, Math.sqrt(mostPixels / (width * height)));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.floor(width * scale));
  canvas.height = Math.max(1, Math.floor(height * scale));
  const context = canvas.getContext("2d");
  if (context === null) throw new Error("canvas");
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((done, failed) => canvas.toBlob((blob) => (blob === null ? failed(new Error("canvas")) : done(blob)), "image/png"));
}

/** Both passes as one HTML file to step through, without a network. */
export function pageOf({ f, variables, name }: Model, language: Language, theme: PictureTheme): string {
  return walkPage(f, { wrt: variables, title: name, language, theme });
}

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** A picture as one HTML file without a script: it can be scrolled, and read in words. */
export function stillPage(svg: string, title: string, language: Language): string {
  const policy = "default-src 'none'; style-src 'unsafe-inline'";
  return `<!doctype html>
<html lang="${language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${escaped(title)}</title>
<style>body { margin: 0; } svg { display: block; }</style></head>
<body><main>
${svg}</main></body></html>
`;
}
