/*
 * Widths are estimated, because a picture is made where there is no browser to ask. The table follows DejaVu Sans Bold, the widest of the usual
 * system fonts, so a text never comes out wider than the room kept for it.
 */

const narrow = " !|'`.,:;ijlIft()[]·";
const wide = "mwMW%@−+=×÷<>~≤≥⇢→∇∑Σ∂";

function characterWidth(character: string): number {
  if (narrow.includes(character)) return 0.44;
  if (wide.includes(character)) return 0.9;
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20) return 0;
  if (code < 0x7f) return character >= "A" && character <= "Z" ? 0.78 : 0.7;
  if (code >= 0x300 && code < 0x370) return 0;
  if (code >= 0x2080 && code <= 0x209c) return 0.46;
  if (code >= 0x1f000) return 1.4;
  return code >= 0x1100 ? 1.02 : 0.76;
}

/** An upper estimate of how wide a text is in a bold sans-serif font of the given size, in pixels. */
export function textWidth(text: string, size: number): number {
  let width = 0;
  for (const character of text) width += characterWidth(character);
  return width * size;
}

/**
 * The text itself if it fits, else as many of its characters as do and an ellipsis. Cuts between graphemes, so an accented letter or a family of
 * emoji is never torn.
 */
export function fitText(text: string, size: number, width: number): string {
  // Four characters a pixel is more than any font holds: this bounds the work on a text of megabytes.
  const start = text.slice(0, Math.ceil(width) * 4);
  if (start === text && textWidth(text, size) <= width) return text;
  const room = width - textWidth("…", size);
  let kept = "";
  let used = 0;
  for (const { segment } of new Intl.Segmenter("en", { granularity: "grapheme" }).segment(start)) {
    used += textWidth(segment, size);
    if (used > room) break;
    kept += segment;
  }
  return `${kept.trimEnd()}…`;
}
