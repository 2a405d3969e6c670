/*
 * How many columns of a terminal a character takes. Ambiguous ones (`×`, `∇`, `−`) take one, as terminals do unless they are told otherwise.
 * Ranges after Unicode 16, EastAsianWidth.txt (W and F) and emoji-data.txt (Emoji_Presentation), neighbours joined.
 */

const wide: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x231a, 0x231b],
  [0x2329, 0x232a],
  [0x23e9, 0x23ec],
  [0x23f0, 0x23f0],
  [0x23f3, 0x23f3],
  [0x25fd, 0x25fe],
  [0x2614, 0x2615],
  [0x2648, 0x2653],
  [0x267f, 0x267f],
  [0x2693, 0x2693],
  [0x26a1, 0x26a1],
  [0x26aa, 0x26ab],
  [0x26bd, 0x26be],
  [0x26c4, 0x26c5],
  [0x26ce, 0x26ce],
  [0x26d4, 0x26d4],
  [0x26ea, 0x26ea],
  [0x26f2, 0x26f5],
  [0x26fa, 0x26fd],
  [0x2705, 0x2705],
  [0x270a, 0x270b],
  [0x2728, 0x2728],
  [0x274c, 0x274e],
  [0x2753, 0x2757],
  [0x2795, 0x2797],
  [0x27b0, 0x27bf],
  [0x2b1b, 0x2b1c],
  [0x2b50, 0x2b55],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0x9fff],
  [0xa000, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff01, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1f64f],
  [0x1f680, 0x1f6ff],
  [0x1f900, 0x1f9ff],
  [0x1fa70, 0x1faff],
  [0x20000, 0x3fffd],
];

function isWide(code: number): boolean {
  let low = 0;
  let high = wide.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const [from, to] = wide[middle]!;
    if (code < from) high = middle - 1;
    else if (code > to) low = middle + 1;
    else return true;
  }
  return false;
}

/** The columns of one grapheme: what is seen as one character. */
export function graphemeWidth(grapheme: string): number {
  const code = grapheme.codePointAt(0) ?? 0;
  // A lone mark, a joiner or a direction control takes no column; U+FE0F asks for the picture form, which is wide.
  if (/^[\p{M}\p{Cf}\p{Cc}]/u.test(grapheme)) return 0;
  return isWide(code) || grapheme.includes("\uFE0F") || /^\p{Regional_Indicator}{2}/u.test(grapheme) ? 2 : 1;
}

/** The graphemes of a text that can stand in a terminal: control characters, which could move the cursor, become U+FFFD. */
export function graphemesOf(text: string): string[] {
  const safe = text.replace(/[\p{Cc}\p{Cs}\u2028\u2029\u202A-\u202E\u2066-\u2069]/gu, "\uFFFD");
  return Array.from(new Intl.Segmenter("en", { granularity: "grapheme" }).segment(safe), ({ segment }) => segment);
}

/** How many columns a text takes. */
export function cellWidth(text: string): number {
  return graphemesOf(text).reduce((sum, grapheme) => sum + graphemeWidth(grapheme), 0);
}

/** The text, or as much of it as fits with an ellipsis. */
export function fitCells(text: string, columns: number): string {
  // Bounds the work on a text of megabytes: no more than a few code units make a column.
  const list = graphemesOf(text.slice(0, 40 * columns + 40));
  let used = 0;
  let kept = "";
  for (let i = 0; i < list.length; i++) {
    const width = graphemeWidth(list[i]!);
    if (used + width > columns) {
      while (kept !== "" && used > columns - 1) {
        const all = graphemesOf(kept);
        const last = all.pop()!;
        used -= graphemeWidth(last);
        kept = all.join("");
      }
      return `${kept}…`;
    }
    kept += list[i];
    used += width;
  }
  return kept;
}
