/** What the reader has chosen in the picture: an item, or a wire of it. */
export type Chosen = { readonly kind: "item"; readonly id: string } | { readonly kind: "wire"; readonly index: number };

/** What can be asked of the library about a graph. */
export type About = "why" | "paths" | "checkOne" | "checkAll" | "firstBad" | "kinks" | "health" | "latex" | "markdown";

/** One line of a gradient check. */
export interface CheckRow {
  readonly name: string;
  readonly analytic: number;
  readonly numeric: number;
  readonly error: number;
  readonly verdict: "pass" | "look" | "fail" | "kink";
}

/** How large a layer's or a variable's values and gradients are, as root mean squares. */
export interface ProfileRow {
  readonly kind: "layer" | "variable";
  readonly name: string;
  readonly value: number;
  readonly gradient: number;
}

/** What the library says: text as it stands, or rows of a check; both null where there is nothing to tell. */
export interface Answer {
  readonly text: string | null;
  readonly rows: readonly CheckRow[] | null;
  /** Items of the picture that the answer speaks of. */
  readonly items: readonly string[];
  readonly failed: boolean;
  /** Beside the text of health: what bars are drawn of. */
  readonly profile?: readonly ProfileRow[];
}
