import type { Node } from "../ir/node.ts";
import type { Tensor } from "../ir/tensor.ts";
import type { Place } from "./place.ts";

/** One gate on a path: the gradient enters at its result and leaves toward one operand. */
export interface PathStep {
  readonly node: Node;
  readonly op: string;
  /** The name of the gate's result, and its value there. */
  readonly name: string;
  readonly value: Tensor;
  /** The operand's name in the declaration, and the name of the value that it leads to. */
  readonly slot: string;
  readonly into: string;
  /** d(result) / d(operand) on this path; null by edge, where it is a block (see `jacobian`). */
  readonly local: number | null;
  /** The backward rule in words, for gates that are not elementwise. */
  readonly rule: string;
  /** Flat indices of the elements that the path goes through; 0 for scalars, -1 by edge. */
  readonly element: number;
  readonly intoElement: number;
  readonly place: Place;
  /** The Jacobian block of this step, of shape [...result, ...operand]. */
  jacobian(): Tensor;
}

/** A path from the end back to x. */
export interface GradientPath {
  readonly steps: readonly PathStep[];
  /** What the path adds to the gradient: the product of its local derivatives, a number, or a block of x's type by edge. */
  readonly contribution: Tensor;
  /** |contribution|, the L1 norm for a block. */
  readonly size: number;
  /** The share in the sum of all paths' sizes; null by edge, where that sum is not known. */
  readonly share: number | null;
}

/** The gradient as a sum over paths. */
export interface PathSum {
  readonly name: string;
  readonly wrt: string;
  readonly by: "element" | "edge";
  /** All paths, and those with no zero on them (null by edge). */
  readonly count: bigint;
  readonly live: bigint | null;
  /** The largest paths, by size. False `ranked`: the search for them was given up, and larger ones may exist. */
  readonly top: readonly GradientPath[];
  readonly ranked: boolean;
  /** The paths that `top` leaves out. */
  readonly rest: { readonly count: bigint; readonly sum: Tensor };
  /** What `top` and `rest` add up to, and the gradient that the backward pass gives. */
  readonly total: Tensor;
  readonly gradient: Tensor;
  /** The sum of all paths' sizes: far above |gradient| where paths cancel; null by edge. */
  readonly magnitude: number | null;
}
