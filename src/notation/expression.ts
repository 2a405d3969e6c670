import type { Span } from "../ir/errors.ts";

/** Operators between two operands. `**` is read as `^`; `·×⋅∗` as `*`; `÷∕` as `/`; `−` as `-`; `≤ ≥ ≠` as `<= >= !=`. */
export type BinaryOperator = "<" | "<=" | ">" | ">=" | "==" | "!=" | "+" | "-" | "*" | "/" | "@" | "^";

/** A decimal number, never negative: `-2` is a `Negation` of 2. */
export interface Numeral {
  readonly kind: "number";
  readonly value: number;
  readonly span: Span;
}
/** A variable, a named line, a constant such as `pi`, or a word such as `f32`. Composed (NFC), with its path: `fc1.w`. */
export interface Name {
  readonly kind: "name";
  readonly name: string;
  readonly span: Span;
}
/** The place of the operand number `index` of an `expr` template. */
export interface Hole {
  readonly kind: "hole";
  readonly index: number;
  readonly span: Span;
}
/** A text in double quotes: the value of an attribute, or the subscripts of `einsum`. */
export interface Quoted {
  readonly kind: "string";
  readonly value: string;
  readonly span: Span;
}
/** `[a, b, c]` */
export interface List {
  readonly kind: "list";
  readonly items: readonly Expression[];
  readonly span: Span;
}
/** `-x` */
export interface Negation {
  readonly kind: "negation";
  readonly operand: Expression;
  readonly span: Span;
}
/** `x + y`, `x < y` and the like. */
export interface Operation {
  readonly kind: "operation";
  readonly operator: BinaryOperator;
  readonly left: Expression;
  readonly right: Expression;
  readonly span: Span;
}
/** `axis=1` in a call. `span` covers it whole, `nameSpan` the word before the `=`. */
export interface Keyword {
  readonly name: string;
  readonly nameSpan: Span;
  readonly value: Expression;
  readonly span: Span;
}
/** `sum(x, axis=1)`; `√x` is a call of `sqrt`. */
export interface Call {
  readonly kind: "call";
  readonly name: string;
  readonly nameSpan: Span;
  readonly operands: readonly Expression[];
  readonly keywords: readonly Keyword[];
  readonly span: Span;
}
/** `x.T` */
export interface Transpose {
  readonly kind: "transpose";
  readonly operand: Expression;
  readonly span: Span;
}
/** One entry between the brackets of `x[...]`: NumPy's basic indexing. */
export type Subscript =
  | { readonly kind: "at"; readonly index: Expression; readonly span: Span }
  | {
      readonly kind: "slice";
      readonly start: Expression | null;
      readonly end: Expression | null;
      readonly step: Expression | null;
      readonly span: Span;
    }
  | { readonly kind: "ellipsis"; readonly span: Span }
  | { readonly kind: "newAxis"; readonly span: Span };
/** `x[1:, -1]` */
export interface Indexing {
  readonly kind: "index";
  readonly operand: Expression;
  readonly subscripts: readonly Subscript[];
  readonly span: Span;
}

/** What a formula is made of. Spans are offsets into the source text, without enclosing parentheses. */
export type Expression = Numeral | Name | Hole | Quoted | List | Negation | Operation | Call | Transpose | Indexing;

/** One line: `name = value`, or a bare value. */
export interface Statement {
  readonly name: Name | null;
  readonly value: Expression;
  readonly span: Span;
}

/**
 * A parsed text: one or more statements, of which the last is the result.
 * `nodes` lists every expression after its parts, so that a plain loop over it replaces recursion however long the text is.
 */
export interface Formula {
  readonly source: string;
  readonly statements: readonly Statement[];
  readonly nodes: readonly Expression[];
  /** How many holes the template has. */
  readonly holes: number;
}
