import type { DType } from "./dtype.ts";
import type { Node, Value } from "./node.ts";
import type { Held, Tensor } from "./tensor.ts";
import type { TensorType } from "./type.ts";

/** What an op accepts. Plain nested lists are not operands: in a tree they are lists. */
export type Operand = Value | Tensor | import("./dtype.ts").TypedArray | number;

/** A declared operand: required, optional (`"bias?"`) or variadic (`"xs..."`, last). */
export interface Slot {
  readonly name: string;
  readonly arity: "one" | "optional" | "rest";
}

/** A cotangent or tangent per result: one Value, or one per result (null: none arrived) when there are several. */
export type Flow = Value | readonly (Value | null)[];

/**
 * What the graph, the interpreter and the walks need of an op; `ops/define.ts` makes it from a declaration. `ir/` treats it as opaque.
 */
export interface AnyOp {
  readonly name: string;
  /** Operand names in order, without their `?` and `...`. */
  readonly operands: readonly string[];
  readonly slots: readonly Slot[];
  /** Names of the results; "list" when the attributes tell how many; null for a single one. */
  readonly results: readonly string[] | "list" | null;
  /** How infix notation writes it, if it does. */
  readonly symbol: string | null;
  /** Result types from operand types and canonical attributes. */
  infer(types: readonly (TensorType | null)[], attrs: object): TensorType | readonly TensorType[];
  /** The reference kernel. */
  run(node: Node, operands: readonly (Held | null)[]): Held | readonly Held[];
  /** The kernel on plain numbers, for elementwise ops on f64 scalars. */
  readonly scalar: ((...x: number[]) => number) | null;
  /** Reverse rule: cotangents of the operands for which `wanted` is true. Null: the op declares none. */
  readonly pull: ((node: Node, ct: Flow, wanted: (index: number) => boolean) => readonly (Operand | null)[]) | null;
  /** Forward rule: tangents of the results. Null: derived from `pull`. */
  readonly push: ((node: Node, tangents: readonly (Value | null)[]) => Flow | null) | null;
  /** Applies the op to other operands with canonical attributes, skipping normalisation: what graph rewriting uses. */
  readonly facts: OpFacts;
}

/** What laws, explanations and documents know of an op beyond its rules. */
export interface OpFacts {
  /** For each operand the interval on which the op is defined and smooth; absent: everywhere. */
  readonly domain: Readonly<Record<string, Interval>>;
  /** Distance of a point to the nearest kink or tie; absent: smooth. */
  readonly kink: ((...x: number[]) => number) | null;
  /** The local derivative of an elementwise op as nodes: what `explain` shows as numbers. */
  readonly local: ((node: Node) => readonly (Operand | null)[]) | null;
  /** The backward rule as people write it, per operand: `dW = X^T dY`. */
  readonly formula: Readonly<Record<string, string>> | null;
  readonly family: string;
  /** Operands in which the op is linear one at a time, or "all" together: its forward rule is then itself. */
  readonly linear: readonly string[] | "all" | null;
  /** Dtypes of operands that are not of the common dtype. */
  readonly dtypes: Readonly<Record<string, DType>>;
  /** A decomposition into our ops, for ops from outside. */
  readonly lower: ((node: Node) => Value) | null;
}

/** A range of numbers; open ends leave their bound out by what samplers and checks do. */
export interface Interval {
  readonly min?: number;
  readonly max?: number;
  /** Bounds themselves are outside. */
  readonly open?: boolean;
  /** Zero is outside. */
  readonly nonzero?: boolean;
}
