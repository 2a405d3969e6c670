import { walkPage } from "chainrule";
import type { Model } from "../graph/engine.ts";
import type { Language, themes } from "../state/slices.ts";

type PictureTheme = Exclude<(typeof themes)[number], "system">;

/** The picture at the step that is shown, as one SVG file that needs no other. */
export function svgOf({ picture }: Model, step: number, theme: PictureTheme): Blob {
  return new Blob([picture.svg(step, theme)], { type: "image/svg+xml" });
}

/** The same as PNG, twice as fine as on the screen. @throws Error where the browser cannot draw it */
export async function pngOf({ picture }: Model, step: number, theme: PictureTheme): Promise<Blob> {
  const scale = 2;
  const image = new Image();
  // Not a blob: an image of a blob has this page's policy, which would take the picture's styles from it.
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(picture.svg(step, theme))}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = image.naturalWidth * scale;
  canvas.height = image.naturalHeight * scale;
  const context = canvas.getContext("2d");
  if (context === null) throw new Error("canvas");
  context.scale(scale, scale);
  context.drawImage(image, 0, 0);
  return new Promise((done, failed) => canvas.toBlob((blob) => (blob === null ? failed(new Error("canvas")) : done(blob)), "image/png"));
}

/** Both passes as one HTML file to step through, without a network. */
export function pageOf({ f, variables, name }: Model, language: Language, theme: PictureTheme): Blob {
  return new Blob([walkPage(f, { wrt: variables, title: name, language, theme })], { type: "text/html" });
}
