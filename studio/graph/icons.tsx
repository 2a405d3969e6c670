import type { JSX } from "preact";

/** Drawn here, because the characters for media controls are missing in many fonts. */
export const icons = {
  first: "M3 3v10M13 3 6 8l7 5z",
  previous: "m11 3-7 5 7 5z",
  play: "m4 2.500 9 5.500-9 5.500z",
  pause: "M4.500 3v10M11 3v10",
  next: "m5 3 7 5-7 5z",
  last: "M13 3v10M3 3l7 5-7 5z",
  // Two nodes, one above the other, and the wire between them.
  down: "M6 1.500h4v3.500H6zM6 11h4v3.500H6zM8 5v5M6 8.500l2 2 2-2",
  // A node with a shade from dark to bright.
  tint: "M8 2a6 6 0 1 0 .010 0zM8 2v12M10 2.500v11M12 3.600v8.800",
  fit: "M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4",
  plus: "M8 3v10M3 8h10",
  minus: "M3 8h10",
  distributor: "M2 8h4M6 8l5-4M6 8l5 4M9 3.500l2.500.300-.800 2.300M9 12.500l2.500-.300-.800-2.300",
  switcher: "M2 4.500h3l6 7h3M2 11.500h3l6-7h3",
  router: "M2 8h5l6-4M10 3.500l3 .500-1 2.500M7 8l6 4",
  adder: "M2 4l5 4-5 4M7 8h7M10.500 5.500v5",
  scaler: "M2 13 13 3M9 3h4v4",
} as const;

export function Icon({ of }: { readonly of: keyof typeof icons }): JSX.Element {
  return (
    <svg viewBox="0 0 16 16" aria-hidden="true" class={`icon-${of}`}>
      <path d={icons[of]} />
    </svg>
  );
}
