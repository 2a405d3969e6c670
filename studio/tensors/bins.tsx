import type { JSX } from "preact";
import { useId } from "preact/hooks";
import { grouped } from "../words/words.ts";
import { badKinds, isAboveThere, isBelowThere, isNaNThere } from "./not-finite.ts";

/** Paths of the patterns on a tile of 6 by 6: lines lying for minus infinity, squares for NaN, lines standing for plus infinity. */
const tiles: Readonly<Record<number, string>> = {
  [isBelowThere]: "M0 0h6v3h-6z",
  [isNaNThere]: "M0 0h3v3h-3zM3 3h3v3h-3z",
  [isAboveThere]: "M0 0h3v6h-3z",
};

/** A pattern for each kind that is not finite, named `id` and its bit. @param scale how large a tile of 6 by 6 is drawn */
export function BadPatterns({ id, bits, scale = 1 }: { id: string; bits: readonly number[]; scale?: number }): JSX.Element {
  return (
    <defs>
      {bits.map((bit) => (
        <pattern
          key={bit}
          class="bad-pattern"
          id={`${id}-${bit}`}
          width={6}
          height={6}
          patternUnits="userSpaceOnUse"
          patternTransform={`scale(${scale})`}
        >
          <path d={tiles[bit]!} />
        </pattern>
      ))}
    </defs>
  );
}

/** How many numbers fall into each bin, and how many are not finite, by their bits. */
export interface Bins {
  readonly bins: readonly number[];
  readonly bad: Readonly<Record<number, number>>;
}

/** A histogram; NaN and the infinities stand beside it, each in a bin of its own with a pattern and a sign. */
export function BinsPicture({ of: { bins, bad: badCounts }, label, kind }: { of: Bins; label: string; kind: string }): JSX.Element {
  const id = useId();
  const bad = badKinds.map((one) => ({ ...one, n: badCounts[one.bit] ?? 0 })).filter(({ n }) => n > 0);
  const most = Math.max(1, ...bins, ...bad.map(({ n }) => n));
  const width = 200;
  const height = 56;
  const bin = 24;
  const before = bad.some(({ bit }) => bit === isBelowThere) ? bin : 0;
  const step = (width - bin * bad.length) / Math.max(1, bins.length);
  const told = bad.map(({ sign, n }) => `, ${sign} ${grouped(n)}`).join("");
  return (
    <svg class={kind} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={`${label}${told}`}>
      <BadPatterns id={id} bits={bad.map(({ bit }) => bit)} />
      {bins.map((n, i) => {
        const tall = n === 0 ? 0 : Math.max(1, (n / most) * (height - 2));
        return <rect key={i} x={before + i * step} y={height - tall} width={step * 0.9} height={tall} />;
      })}
      {bad.map(({ bit, sign, n }, i) => {
        // Minus infinity stands to the left of all numbers, the others to the right.
        const x = bit === isBelowThere ? 0 : width - bin * (bad.length - i);
        const tall = Math.max(4, (n / most) * (height - 14));
        return (
          <g key={bit} class="bad-bin" data-bad={sign}>
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
