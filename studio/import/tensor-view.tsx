import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { BinsPicture } from "../tensors/bins.tsx";
import { badKinds, isAboveThere, isBelowThere, isNaNThere } from "../tensors/not-finite.ts";
import { grouped } from "../words/words.ts";
import type { HeatCells, TensorFacts } from "./facts.ts";
import { short } from "./short.ts";
import type { ImportWords } from "./words-en.ts";

/** What is known of a tensor: statistics, a histogram, a heat map. NaN and infinities have bins and a pattern of their own. */
export function TensorView({ facts, words, kind }: { facts: TensorFacts; words: ImportWords; kind: "value" | "gradient" }): JSX.Element {
  const rows: readonly (readonly [string, string])[] = [
    [words.shape, `${facts.dtype}[${facts.shape.join(", ")}]`],
    [words.count, grouped(facts.count)],
    [words.range, `${short(facts.min)} … ${short(facts.max)}`],
    [words.mean, short(facts.mean)],
    [words.deviation, short(facts.deviation)],
    [words.zeros, grouped(facts.zeros)],
    ...(facts.nan > 0 ? [[words.nan, grouped(facts.nan)] as const] : []),
    ...(facts.above > 0 ? [[words.above, grouped(facts.above)] as const] : []),
    ...(facts.below > 0 ? [[words.below, grouped(facts.below)] as const] : []),
  ];
  return (
    <div class={`import-tensor import-${kind}`}>
      <table>
        <tbody>
          {rows.map(([name, text]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{text}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <Histogram facts={facts} words={words} />
      {facts.map !== null && <HeatMap map={facts.map} words={words} />}
      <p class="import-numbers">
        <b>{words.numbers}</b>{" "}
        {facts.first.map((x) => short(Number.isFinite(x) ? x : null) + (Number.isFinite(x) ? "" : ` (${x})`)).join("  ")}
      </p>
    </div>
  );
}

function Histogram({ facts: { bins, min, max, nan, above, below }, words }: { facts: TensorFacts; words: ImportWords }): JSX.Element {
  const bad = { [isNaNThere]: nan, [isAboveThere]: above, [isBelowThere]: below };
  return <BinsPicture of={{ bins, bad }} label={`${words.histogram}: ${short(min)} … ${short(max)}`} kind="import-histogram" />;
}

type Colour = readonly [red: number, green: number, blue: number];
const white: Colour = [255, 255, 255];
const black: Colour = [0, 0, 0];
const blue: Colour = [33, 102, 172];
const orange: Colour = [217, 95, 14];

/** The colour of a pixel of a block that is not finite: lying bars of blue, squares of black, standing bars of orange; slanting bars for several. */
function badColour(bits: number, x: number, y: number): Colour {
  switch (bits) {
    case isNaNThere:
      return ((x >> 1) + (y >> 1)) % 2 === 0 ? black : white;
    case isAboveThere:
      return (x >> 1) % 2 === 0 ? orange : black;
    case isBelowThere:
      return (y >> 1) % 2 === 0 ? blue : black;
    default:
      return ((x + y) >> 1) % 2 === 0 ? black : white;
  }
}

/** Blue to white to orange about zero. */
function colourOf(t: number): Colour {
  const [r, g, b] = t < 0 ? blue : orange;
  const share = Math.abs(t);
  return [255 + share * (r - 255), 255 + share * (g - 255), 255 + share * (b - 255)];
}

function paint(canvas: HTMLCanvasElement, { rows, columns, cells, bad }: HeatCells, side: number): void {
  canvas.width = columns * side;
  canvas.height = rows * side;
  const context = canvas.getContext("2d");
  if (context === null) return;
  const image = context.createImageData(canvas.width, canvas.height);
  const most = cells.reduce((a, x) => Math.max(a, Math.abs(x)), 0) || 1;
  for (let y = 0; y < canvas.height; y++)
    for (let x = 0; x < canvas.width; x++) {
      const i = Math.floor(y / side) * columns + Math.floor(x / side);
      const bits = bad[i]!;
      const [r, g, b] = bits === 0 ? colourOf(cells[i]! / most) : badColour(bits, x, y);
      image.data.set([r, g, b, 255], (y * canvas.width + x) * 4);
    }
  context.putImageData(image, 0, 0);
}

/** One block of what is not finite, for the legend. */
function Swatch({ bits }: { bits: number }): JSX.Element {
  const place = useRef<HTMLCanvasElement>(null);
  useEffect(() => paint(place.current!, { rows: 1, columns: 1, cells: new Float32Array(1), bad: Uint8Array.of(bits) }, 12), [bits]);
  return <canvas class="import-swatch" ref={place} aria-hidden="true" />;
}

/** Blue to white to orange about zero; what is not finite has patterns, which a legend tells. */
function HeatMap({ map, words }: { map: HeatCells; words: ImportWords }): JSX.Element {
  const place = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    // A block is at least as wide as a pattern.
    const side = Math.max(4, Math.min(16, Math.floor(256 / Math.max(map.rows, map.columns))));
    paint(place.current!, map, side);
  }, [map]);
  const kinds = new Set(map.bad);
  const several = [...kinds].some((bits) => bits !== 0 && badKinds.every(({ bit }) => bit !== bits));
  const shown = badKinds.filter(({ bit }) => kinds.has(bit));
  const legend = [...shown.map(({ sign }) => sign), ...(several ? [words.severalBad] : [])];
  return (
    <>
      <canvas class="import-heat" ref={place} role="img" aria-label={[words.heat, ...legend].join(", ")} />
      {legend.length > 0 && (
        <p class="import-legend">
          {shown.map(({ bit, sign }) => (
            <span key={bit}>
              <Swatch bits={bit} /> {sign}
            </span>
          ))}
          {several && (
            <span>
              <Swatch bits={isNaNThere | isAboveThere} /> {words.severalBad}
            </span>
          )}
        </p>
      )}
    </>
  );
}
