import type { JSX } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { grouped } from "../words/words.ts";
import { type HeatCells, isAboveThere, isBelowThere, isNaNThere, type TensorFacts } from "./facts.ts";
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

/** What is not finite, in the order of its bins: each has a pattern and a sign of its own. */
const badKinds = [
  { bit: isBelowThere, sign: "−∞", count: ({ below }: TensorFacts) => below },
  { bit: isNaNThere, sign: "NaN", count: ({ nan }: TensorFacts) => nan },
  { bit: isAboveThere, sign: "+∞", count: ({ above }: TensorFacts) => above },
] as const;

/** Paths of the patterns on a tile of 6 by 6: lines lying for minus infinity, squares for NaN, lines standing for plus infinity. */
const tiles: Readonly<Record<number, string>> = {
  [isBelowThere]: "M0 0h6v3h-6z",
  [isNaNThere]: "M0 0h3v3h-3zM3 3h3v3h-3z",
  [isAboveThere]: "M0 0h3v6h-3z",
};

/** A histogram; NaN and the infinities stand beside it, each in a bin of its own. */
function Histogram({ facts, words }: { facts: TensorFacts; words: ImportWords }): JSX.Element {
  const id = useId();
  const bad = badKinds.map((kind) => ({ ...kind, n: kind.count(facts) })).filter(({ n }) => n > 0);
  const most = Math.max(1, ...facts.bins, ...bad.map(({ n }) => n));
  const width = 200;
  const height = 56;
  const bin = 24;
  const before = bad.some(({ bit }) => bit === isBelowThere) ? bin : 0;
  const step = (width - bin * bad.length) / Math.max(1, facts.bins.length);
  const told = bad.map(({ sign, n }) => `, ${sign} ${grouped(n)}`).join("");
  return (
    <svg
      class="import-histogram"
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      aria-label={`${words.histogram}: ${short(facts.min)} … ${short(facts.max)}${told}`}
    >
      <defs>
        {bad.map(({ bit }) => (
          <pattern key={bit} id={`${id}-${bit}`} width={6} height={6} patternUnits="userSpaceOnUse">
            <path d={tiles[bit]!} />
          </pattern>
        ))}
      </defs>
      {facts.bins.map((n, i) => {
        const tall = n === 0 ? 0 : Math.max(1, (n / most) * (height - 2));
        return <rect key={i} x={before + i * step} y={height - tall} width={step * 0.9} height={tall} />;
      })}
      {bad.map(({ bit, sign, n }, i) => {
        // Minus infinity stands to the left of all numbers, the others to the right.
        const x = bit === isBelowThere ? 0 : width - bin * (bad.length - i);
        const tall = Math.max(4, (n / most) * (height - 14));
        return (
          <g key={bit} class="import-bad" data-bad={sign}>
            <rect x={x + 3} y={height - tall} width={bin - 6} height={tall} style={{ fill: `url(#${id}-${bit})` }} />
            <text x={x + bin / 2} y={10} text-anchor="middle">
              {sign}
            </text>
          </g>
        );
      })}
    </svg>
  );
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
