/** A stroke of the pen: points of the pad, each from 0 to 1 across and down. */
export type Stroke = readonly (readonly [number, number])[];

const fine = 32;

function distance(x: number, y: number, [ax, ay]: readonly [number, number], [bx, by]: readonly [number, number]): number {
  const [dx, dy] = [bx - ax, by - ay];
  const length = dx * dx + dy * dy;
  const t = length === 0 ? 0 : Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / length));
  return Math.hypot(x - ax - t * dx, y - ay - t * dy);
}

/** How wide the pen is over the bitmap, from its middle: the data set's digits have 0.3 of the picture in ink. */
const pen = 2.5;
/** The height that the middle of the pen may cross. */
const room = fine - 2 * pen - 1;
/** How wide the data set has its digits, of their height: the columns at both sides are empty in nearly all. */
const wide = 0.55;
/** What is narrower than this, a stroke of a one, stays as narrow as it was drawn. */
const narrow = 0.35;

/** How far a digit leans to the side for each step down, by the moments of its ink; strokes beyond 0.6 are no slant but the shape. */
function slant(strokes: readonly Stroke[]): { readonly lean: number; readonly middle: number } {
  let [ink, mx, my] = [1e-12, 0, 0];
  const pieces = strokes.flatMap((stroke) =>
    stroke.slice(1).map(([x, y], i) => {
      const [px, py] = stroke[i]!;
      const piece = { x: (x + px) / 2, y: (y + py) / 2, length: Math.hypot(x - px, y - py) };
      ink += piece.length;
      mx += piece.length * piece.x;
      my += piece.length * piece.y;
      return piece;
    }),
  );
  let [xy, yy] = [0, 1e-9];
  for (const { x, y, length } of pieces) {
    xy += length * (x - mx / ink) * (y - my / ink);
    yy += length * (y - my / ink) ** 2;
  }
  return { lean: Math.max(-0.6, Math.min(0.6, xy / yy)), middle: my / ink };
}

/**
 * Strokes as the data set has its digits: a bitmap of 32 x 32 that the digit fills in height, about half of it in width, in the middle across, counted
 * in blocks of 4 x 4 (Alpaydin and Kaynak 1998). Most of a slant is taken out, as the forms on which those digits were written kept it small. 64 numbers
 * from 0 to 1; null for an empty pad.
 */
export function digitImage(strokes: readonly Stroke[]): Float32Array | null {
  const drawn = strokes.flat();
  if (drawn.length === 0) return null;
  const { lean, middle } = slant(strokes);
  const upright = ([x, y]: readonly [number, number]): readonly [number, number] => [x - 0.7 * lean * (y - middle), y];
  const points = drawn.map(upright);
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const [width, height] = [right - left, bottom - top];
  // A dot stays a dot, and a dash a dash: nothing is blown up to fill the picture from almost nothing.
  const down = room / Math.max(height, 0.12, wide * wide * width);
  const across = width * down > narrow * room ? (wide * room) / width : down;
  const [middleX, middleY] = [(left + right) / 2, (top + bottom) / 2];
  const at = (point: readonly [number, number]): readonly [number, number] => {
    const [x, y] = upright(point);
    return [fine / 2 + (x - middleX) * across, fine / 2 + (y - middleY) * down];
  };
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
