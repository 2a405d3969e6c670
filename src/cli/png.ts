import { EngineError } from "../ir/errors.ts";

/** The part of @resvg/resvg-js that is used here. Declared by hand: the package is an optional peer, and the library compiles without it. */
interface ResvgModule {
  readonly Resvg: new (
    svg: string,
    options: {
      readonly fitTo: { readonly mode: "zoom"; readonly value: number };
      readonly font: { readonly loadSystemFonts: boolean; readonly defaultFontFamily: string };
    },
  ) => { render(): { asPng(): Uint8Array } };
}

/** Pixels of the picture for one of its own. Two keeps the small type sharp on today's screens. */
const zoom = 2;

/**
 * An SVG picture as PNG bytes, by resvg with the system's fonts.
 * @throws EngineError when @resvg/resvg-js is not installed
 */
export async function pngOf(svg: string, load: () => Promise<unknown> = loadResvg): Promise<Uint8Array> {
  let resvg: ResvgModule;
  try {
    resvg = (await load()) as ResvgModule;
  } catch (cause) {
    throw new EngineError("PNG needs the package @resvg/resvg-js: npm install @resvg/resvg-js (or write .svg, which needs nothing)", {
      cause,
    });
  }
  return new resvg.Resvg(plainStyles(svg), {
    fitTo: { mode: "zoom", value: zoom },
    font: { loadSystemFonts: true, defaultFontFamily: "DejaVu Sans" },
  })
    .render()
    .asPng();
}

// The name is kept from bundlers, which would look for the package.
async function loadResvg(): Promise<unknown> {
  const name: string = "@resvg/resvg-js";
  return await import(name);
}

/** resvg takes a `var(...)` for a colour it does not know and paints black; every colour stands before it plainly, so the variables can go. */
function plainStyles(svg: string): string {
  return svg.replace(/;[a-z-]+:var\(--[a-z-]+\)/g, "").replace("font-family:system-ui,-apple-system,", 'font-family:"DejaVu Sans",');
}
