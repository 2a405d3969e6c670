/** A stroke of the pen: points of the pad, each from 0 to 1 across and down. */
export type Stroke = readonly (readonly [number, number])[];

const fine = 32;

function distance(x: number, y: number, [ax, ay]: readonly [number, number], [bx, by]: readonly [number, number]): number {
  const [dx, dy] = [bx - ax, by - ay];
  const length = dx * dx + dy * dy;
  const t = length === 0 ? 0 : Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / length));
  return Math.hypot(x - ax - t * dx, y - ay - t * dy);
}

/**
 * Strokes as the data set has its digits: a bitmap of 32 x 32 that the digit fills in height (or in width, where it is wider), in the middle across,
 * counted in blocks of 4 x 4 (Alpaydin and Kaynak 1998). 64 numbers from 0 to 1; null for an empty pad.
 */
export function digitImage(strokes: readonly Stroke[]): Float32Array | null {
  const points = strokes.flat();
  if (points.length === 0) return null;
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const pen = 2;
  const room = fine - 2 * pen - 1;
  // A dot stays a dot: nothing is blown up to fill the picture from almost nothing.
  const scale = room / Math.max(bottom - top, right - left, 0.12);
  const [middleX, middleY] = [(left + right) / 2, (top + bottom) / 2];
  const at = ([x, y]: readonly [number, number]): readonly [number, number] => [
    fine / 2 + (x - middleX) * scale,
    fine / 2 + (y - middleY) * scale,
  ];
  const lines = strokes.map((stroke) => stroke.map(at));
  const image = new Float32Array(64);
  for (let y = 0; y < fine; y++)
    for (let x = 0; x < fine; x++) {
      const inked = lines.some((line) =>
        line.some((p, i) => distance(x + 0.5, y + 0.5, p, line[Math.min(i + 1, line.length - 1)]!) <= pen),
      );
      if (inked) image[(y >> 2) * 8 + (x >> 2)]! += 1 / 16;
    }
  return image;
}
