import type { Node } from "../ir/node.ts";
import type { Place } from "./place.ts";

/** What is the matter with a gradient or a value. */
export type Trouble = "missing" | "zero" | "notFinite" | "tiny" | "huge" | "ordinary";

/** What a gate did to a gradient, or how a value that is not finite came about. */
export type Cause =
  | "reluOff"
  | "lost"
  | "clipped"
  | "branchNotTaken"
  | "stopped"
  | "neverRead"
  | "saturated"
  | "flat"
  | "rounded"
  | "integer"
  | "compared"
  | "zeroFactor"
  | "underflow"
  | "cancels"
  | "ruleSendsNothing"
  | "unconnected"
  | "shrinks"
  | "grows"
  | "manyShrink"
  | "manyGrow"
  | "passes"
  | "given"
  | "logOfNegative"
  | "logOfZero"
  | "rootOfNegative"
  | "slopeOfRoot"
  | "overflow"
  | "zeroOverZero"
  | "overZero"
  | "infinityOverInfinity"
  | "infinityLessInfinity"
  | "zeroTimesInfinity"
  | "zeroTimesInfiniteSlope"
  | "infiniteSlope"
  | "powerOfNegative"
  | "zeroToNegative"
  | "outsideDomain"
  | "madeNotFinite";

/** A number or tensor that stood at a gate. */
export interface Fact {
  readonly slot: string;
  readonly name: string;
  /** The value, or the gradient that arrived, at the elements in question. */
  readonly value: string;
}

/** A gate that stopped, shrank, blew or spoiled something. */
export interface GateFinding {
  readonly cause: Cause;
  readonly node: Node;
  readonly op: string;
  readonly name: string;
  /** The operand toward which it happened: its name in the declaration, and the value that stands there. */
  readonly operand: string | null;
  readonly into: string | null;
  /** The L1 norm of the gradient that arrived at the gate and could have gone on, and the share of it that the gate stopped. */
  readonly upstream: number | null;
  readonly share: number | null;
  readonly facts: readonly Fact[];
  readonly reason: string;
  readonly advice: string | null;
  readonly place: Place;
}

/** What was found, in the order of weight, and how to say it. */
export interface Finding extends GateFinding {
  readonly trouble: Trouble;
  /** Whether it happened in the forward or the backward pass. */
  readonly pass: "forward" | "backward";
  /** One sentence on what is the matter. */
  readonly headline: string;
  /** By gradients: from the end back through the gate to x. Of a bad value: from an input forward to the gate. */
  readonly path: readonly Node[];
  readonly pathNames: readonly string[];
  /** All gates of weight; the first one is the finding itself. */
  readonly gates: readonly GateFinding[];
  text(): string;
  markdown(): string;
  latex(): string;
  toJSON(): FindingJson;
}

/** A finding in JSON. */
export interface FindingJson {
  readonly trouble: Trouble;
  readonly pass: "forward" | "backward";
  readonly headline: string;
  readonly path: readonly string[];
  readonly gates: readonly {
    readonly cause: Cause;
    readonly op: string;
    readonly name: string;
    readonly operand: string | null;
    readonly into: string | null;
    readonly upstream: number | string | null;
    readonly share: number | string | null;
    readonly facts: readonly Fact[];
    readonly reason: string;
    readonly advice: string | null;
    readonly source: string | null;
    readonly line: string | null;
  }[];
}
