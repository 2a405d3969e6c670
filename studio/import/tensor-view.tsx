import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { grouped } from "../words/words.ts";
import type { TensorFacts } from "./facts.ts";
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
    ...(facts.infinite > 0 ? [[words.infinite, grouped(facts.infinite)] as const] : []),
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

function Histogram({ facts, words }: { facts: TensorFacts; words: ImportWords }): JSX.Element {
  const bad = facts.nan + facts.infinite;
  const most = Math.max(1, ...facts.bins, bad);
  const width = 200;
  const height = 56;
  const step = (width - (bad > 0 ? 24 : 0)) / Math.max(1, facts.bins.length);
  return (
    <svg
      class="import-histogram"
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      aria-label={`${words.histogram}: ${short(facts.min)} … ${short(facts.max)}`}
    >
      {facts.bins.map((n, i) => {
        const tall = n === 0 ? 0 : Math.max(1, (n / most) * (height - 2));
        return <rect key={i} x={i * step} y={height - tall} width={step * 0.9} height={tall} />;
      })}
      {bad > 0 && (
        <>
          <rect
            class="import-bad"
            x={width - 18}
            y={height - Math.max(2, (bad / most) * (height - 14))}
            width={14}
            height={Math.max(2, (bad / most) * (height - 14))}
          />
          <text x={width - 11} y={10} text-anchor="middle">
            NaN
          </text>
        </>
      )}
    </svg>
  );
}

/** Blue to white to orange about zero; what is not finite is black and white stripes. */
function HeatMap({ map, words }: { map: NonNullable<TensorFacts["map"]>; words: ImportWords }): JSX.Element {
  const place = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const canvas = place.current!;
    canvas.width = map.columns;
    canvas.height = map.rows;
    const context = canvas.getContext("2d");
    if (context === null) return;
    const image = context.createImageData(map.columns, map.rows);
    const most = map.cells.reduce((a, x) => (Number.isFinite(x) ? Math.max(a, Math.abs(x)) : a), 0) || 1;
    map.cells.forEach((x, i) => {
      const t = Math.max(-1, Math.min(1, x / most));
      const stripe = (i + Math.floor(i / map.columns)) % 2 === 0 ? 0 : 255;
      const [r, g, b] = Number.isFinite(x)
        ? t < 0
          ? [255 + t * (255 - 33), 255 + t * (255 - 102), 255 + t * (255 - 172)]
          : [255 - t * (255 - 217), 255 - t * (255 - 95), 255 - t * (255 - 14)]
        : [stripe, stripe, stripe];
      image.data.set([r!, g!, b!, 255], i * 4);
    });
    context.putImageData(image, 0, 0);
  }, [map]);
  return <canvas class="import-heat" ref={place} role="img" aria-label={words.heat} />;
}
