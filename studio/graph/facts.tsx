import type { Tensor } from "chainrule";
import type { JSX } from "preact";
import { useId } from "preact/hooks";
import { BadPatterns, type Bins, BinsPicture } from "../tensors/bins.tsx";
import { badKinds, badOf } from "../tensors/not-finite.ts";
import { grouped } from "../words/words.ts";
import { engine } from "./model.ts";
import { graphWords } from "./words.ts";

const binCount = 24;
const mostCells = 64;

/** Numbers in bins, with NaN and each infinity counted apart. */
export function binned(data: ArrayLike<number>): Bins & { readonly low: number; readonly high: number } {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  const bad: Record<number, number> = {};
  for (let i = 0; i < data.length; i++) {
    const x = data[i]!;
    const bit = badOf(x);
    if (bit !== 0) bad[bit] = (bad[bit] ?? 0) + 1;
    else {
      low = Math.min(low, x);
      high = Math.max(high, x);
    }
  }
  const bins = new Array<number>(binCount).fill(0);
  const width = high - low;
  for (let i = 0; i < data.length; i++) {
    const x = data[i]!;
    if (!Number.isFinite(x)) continue;
    // The width of huge numbers is not finite.
    const at = width > 0 && Number.isFinite(width) ? Math.floor(((x - low) / width) * binCount) : binCount >> 1;
    bins[Math.min(binCount - 1, at)]!++;
  }
  return { bins, low, high, bad };
}

/** A histogram; NaN and the infinities stand apart, each with a bin, a pattern and a sign of its own. */
export function Histogram({
  data,
  what,
  kind,
}: {
  readonly data: ArrayLike<number>;
  readonly what: string;
  readonly kind: "fwd" | "grad";
}): JSX.Element {
  const w = graphWords.value;
  const { low, high, ...found } = binned(data);
  const number = (x: number): string => engine.value?.formatNumber(x) ?? String(x);
  const range = low > high ? "–" : `${number(low)} … ${number(high)}`;
  return (
    <figure>
      <BinsPicture of={found} label={w.histogramOf(what, range)} kind={`histogram ${kind}`} />
      <figcaption>
        {range}
        {badKinds.map(
          ({ bit, sign }) =>
            found.bad[bit] !== undefined && (
              <span key={bit} class="pill warn">
                {sign} {grouped(found.bad[bit])}
              </span>
            ),
        )}
      </figcaption>
    </figure>
  );
}

/** A matrix as coloured cells: signed, from blue over white to orange; NaN and the infinities have the patterns of their bins. */
export function HeatMap({ tensor, what }: { readonly tensor: Tensor; readonly what: string }): JSX.Element | null {
  const w = graphWords.value;
  const id = useId();
  const { shape } = tensor.type;
  if (shape.length === 0 || shape.length > 4) return null;
  const columns = shape.at(-1)!;
  const rows = columns === 0 ? 0 : tensor.data.length / columns;
  if (rows === 0) return null;
  const shownRows = Math.min(rows, mostCells);
  const shownColumns = Math.min(columns, mostCells);
  let most = 0;
  for (let i = 0; i < tensor.data.length; i++) if (Number.isFinite(tensor.data[i])) most = Math.max(most, Math.abs(tensor.data[i]!));
  const cells: JSX.Element[] = [];
  for (let r = 0; r < shownRows; r++)
    for (let c = 0; c < shownColumns; c++) {
      const x = tensor.data[r * columns + c]!;
      const bad = badOf(x);
      const share = bad !== 0 || most === 0 ? 0 : Math.abs(x) / most;
      cells.push(
        <rect
          key={`${r} ${c}`}
          class={bad !== 0 ? "bad" : x < 0 ? "negative" : "positive"}
          x={c}
          y={r}
          width={1}
          height={1}
          {...(bad !== 0 ? { fill: `url(#${id}-${bad})`, "data-bad": bad } : { "fill-opacity": share.toFixed(3) })}
        >
          <title>{`[${r}, ${c}] ${x}`}</title>
        </rect>,
      );
    }
  return (
    <svg
      class="heat"
      viewBox={`0 0 ${shownColumns} ${shownRows}`}
      role="img"
      aria-label={w.heatOf(what, rows, columns)}
      width={Math.min(280, Math.max(40, shownColumns * 22))}
      height={Math.min(200, Math.max(14, shownRows * Math.min(22, 280 / shownColumns)))}
      preserveAspectRatio="none"
    >
      <BadPatterns id={id} bits={badKinds.map(({ bit }) => bit)} scale={1 / 12} />
      {cells}
    </svg>
  );
}
