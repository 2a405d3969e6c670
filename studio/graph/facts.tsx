import type { Tensor } from "chainrule";
import type { JSX } from "preact";
import { engine } from "./model.ts";
import { graphWords } from "./words.ts";

const bins = 24;
const mostCells = 64;

/** Numbers in bins, with those that are not finite in one of their own. */
export function binned(data: ArrayLike<number>): {
  readonly counts: readonly number[];
  readonly low: number;
  readonly high: number;
  readonly bad: number;
} {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  let bad = 0;
  for (let i = 0; i < data.length; i++) {
    const x = data[i]!;
    if (!Number.isFinite(x)) bad++;
    else {
      low = Math.min(low, x);
      high = Math.max(high, x);
    }
  }
  const counts = new Array<number>(bins).fill(0);
  const width = (high - low) / bins;
  for (let i = 0; i < data.length; i++) {
    const x = data[i]!;
    if (Number.isFinite(x)) counts[width > 0 ? Math.min(bins - 1, Math.floor((x - low) / width)) : Math.floor(bins / 2)]!++;
  }
  return { counts, low, high, bad };
}

/** A histogram; what is not finite stands apart, hatched. */
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
  const { counts, low, high, bad } = binned(data);
  const most = Math.max(1, bad, ...counts);
  const number = (x: number): string => engine.value?.formatNumber(x) ?? String(x);
  const label = w.histogramOf(what, number(low), number(high), bad);
  const height = 44;
  return (
    <figure>
      <svg
        class={`histogram ${kind}`}
        viewBox={`0 0 ${bins * 8 + 20} ${height + 2}`}
        role="img"
        aria-label={label}
        preserveAspectRatio="none"
      >
        {counts.map((count, i) => {
          const tall = count === 0 ? 0 : Math.max(1, (height * count) / most);
          return <rect key={i} x={i * 8} y={height - tall + 1} width={7} height={tall} />;
        })}
        <path class="axis" d={`M0 ${height + 1.5}H${bins * 8}`} />
        {bad > 0 && <rect class="bad" x={bins * 8 + 8} y={height - (height * bad) / most + 1} width={10} height={(height * bad) / most} />}
      </svg>
      <figcaption>
        {number(low)} … {number(high)}
        {bad > 0 && (
          <span class="pill warn">
            {bad} {w.notFinite}
          </span>
        )}
      </figcaption>
    </figure>
  );
}

/** A matrix as coloured cells: signed, from blue over white to orange; what is not finite is crossed out. */
export function HeatMap({ tensor, what }: { readonly tensor: Tensor; readonly what: string }): JSX.Element | null {
  const w = graphWords.value;
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
      const isBad = !Number.isFinite(x);
      const share = isBad || most === 0 ? 0 : Math.abs(x) / most;
      cells.push(
        <rect
          key={`${r} ${c}`}
          class={isBad ? "bad" : x < 0 ? "negative" : "positive"}
          x={c}
          y={r}
          width={1}
          height={1}
          fill-opacity={isBad ? 1 : share.toFixed(3)}
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
      {cells}
    </svg>
  );
}
