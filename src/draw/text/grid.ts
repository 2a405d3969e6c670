import type { Point } from "../layout/routes.ts";
import { graphemesOf, graphemeWidth } from "./cell-width.ts";

/** How a line is drawn; of two that share a cell the one named later here. */
export type Stroke = "dotted" | "light" | "dashed" | "heavy";

const strokes: readonly Stroke[] = ["dotted", "light", "dashed", "heavy"];

/** Box characters by the directions a cell's line goes to: up 1, down 2, left 4, right 8. */
const light = " │││─╯╮┤─╰╭├─┴┬┼";
const heavy = " ┃┃┃━┛┓┫━┗┏┣━┻┳╋";
const straight: Record<"dotted" | "dashed", readonly [vertical: string, horizontal: string]> = { dotted: ["┊", "┈"], dashed: ["╎", "╌"] };

/** A sheet of terminal cells. */
export class Grid {
  private readonly rows: Map<number, Map<number, string>> = new Map();
  private readonly ways: Map<number, Map<number, { bits: number; stroke: Stroke }>> = new Map();

  /** A line along points, which goes on into what stands at its ends. */
  line(points: readonly Point[], stroke: Stroke, from: Point, to: Point): void {
    for (let i = 0; i + 1 < points.length; i++) this.stretch(points[i]!, points[i + 1]!, stroke);
    const first = points[0]!;
    const last = points[points.length - 1]!;
    this.mark(first, towards(first, from), stroke);
    this.mark(last, towards(last, to), stroke);
  }

  /** One character over a line. */
  put({ x, y }: Point, character: string): void {
    this.row(y).set(x, character);
  }

  /** A text; wide characters take two cells. */
  write({ x, y }: Point, text: string): void {
    let at = x;
    for (const grapheme of graphemesOf(text)) {
      const width = graphemeWidth(grapheme);
      if (width === 0) continue;
      this.row(y).set(at, grapheme);
      if (width === 2) this.row(y).set(at + 1, "");
      at += width;
    }
  }

  /** The rows as lines, without margins. */
  lines(): string[] {
    let [top, bottom, left, right] = [
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
    ];
    for (const sheet of [this.rows, this.ways])
      for (const [y, row] of sheet)
        for (const x of row.keys()) {
          top = Math.min(top, y);
          bottom = Math.max(bottom, y);
          left = Math.min(left, x);
          right = Math.max(right, x);
        }
    const lines: string[] = [];
    for (let y = top; y <= bottom; y++) {
      let line = "";
      for (let x = left; x <= right; x++) line += this.rows.get(y)?.get(x) ?? this.wayAt(x, y);
      lines.push(line.trimEnd());
    }
    return lines;
  }

  private stretch(from: Point, to: Point, stroke: Stroke): void {
    const dx = Math.sign(to.x - from.x);
    const dy = Math.sign(to.y - from.y);
    if (dx === 0 && dy === 0) return;
    const ahead = dx > 0 ? 8 : dx < 0 ? 4 : dy > 0 ? 2 : 1;
    const back = dx > 0 ? 4 : dx < 0 ? 8 : dy > 0 ? 1 : 2;
    for (let { x, y } = from; ; x += dx, y += dy) {
      const isEnd = x === to.x && y === to.y;
      const isStart = x === from.x && y === from.y;
      this.mark({ x, y }, (isEnd ? 0 : ahead) | (isStart ? 0 : back), stroke);
      if (isEnd) break;
    }
  }

  private mark({ x, y }: Point, bits: number, stroke: Stroke): void {
    let row = this.ways.get(y);
    if (row === undefined) this.ways.set(y, (row = new Map()));
    const known = row.get(x);
    if (known === undefined) row.set(x, { bits, stroke });
    else {
      known.bits |= bits;
      if (strokes.indexOf(stroke) > strokes.indexOf(known.stroke)) known.stroke = stroke;
    }
  }

  private row(y: number): Map<number, string> {
    let row = this.rows.get(y);
    if (row === undefined) this.rows.set(y, (row = new Map()));
    return row;
  }

  private wayAt(x: number, y: number): string {
    const way = this.ways.get(y)?.get(x);
    if (way === undefined) return " ";
    const { bits, stroke } = way;
    if (stroke === "heavy") return heavy[bits]!;
    const isVertical = (bits & 12) === 0;
    const isHorizontal = (bits & 3) === 0;
    if ((stroke === "dotted" || stroke === "dashed") && (isVertical || isHorizontal)) return straight[stroke][isVertical ? 0 : 1];
    return light[bits]!;
  }
}

/** The direction from a cell to another one. */
function towards(from: Point, to: Point): number {
  if (from.y === to.y) return to.x > from.x ? 8 : to.x < from.x ? 4 : 0;
  return Math.abs(to.y - from.y) >= 1 ? (to.y > from.y ? 2 : 1) : 0;
}
