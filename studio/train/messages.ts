import type { FaultKey, Problem } from "./data-sets.ts";
import type { FeatureName, TrainState } from "./state.ts";

/** What is told of a layer: its name, the root mean squares of its weights, of their gradient and of the gradient at its result, and troubles. */
export interface LayerHealth {
  readonly name: string;
  readonly weights: number;
  readonly gradient: number;
  readonly arriving: number;
  /** Of the last update: its norm over the weights' norm. */
  readonly ratio: number;
  /** Shares of units that are off for all rows, and of elements where the gate is flat. */
  readonly dead: number;
  readonly flat: number;
}

/** A point of the curves: after how many epochs, then loss and accuracy of both parts. */
export interface CurvePoint {
  readonly epoch: number;
  readonly train: number;
  readonly test: number;
  readonly trainRight: number;
  readonly testRight: number;
}

/** What the page knows of the data and the net before anything is learnt. */
export interface Facts {
  readonly problem: Omit<Problem, "train" | "test">;
  readonly points: { readonly train: Points; readonly test: Points };
  readonly layers: readonly { readonly name: string; readonly units: number; readonly shown: number; readonly weights: number }[];
  readonly parameters: number;
  readonly batches: number;
  readonly batch: number;
  /** Side of the neurons' pictures, and of the output's, in pixels. */
  readonly grid: number;
  readonly fine: number;
  /** How many inputs have wires and pictures. */
  readonly inputs: number;
  readonly features: readonly FeatureName[] | null;
  /** The pictures of the inputs themselves, [grid pixels, inputs]; of a plane or a line. */
  readonly inputMaps: Float32Array | null;
}

/** Rows as they are drawn: where, and what is right there. At most some thousands. */
export interface Points {
  readonly rows: number;
  readonly at: Float32Array;
  readonly y: Float32Array;
}

/** Where something stands in the picture of the net: its ends from left to right, and its middle from the top. */
export interface Place {
  readonly x: number;
  readonly y: number;
  readonly end: number;
}
/** Where the wires begin and end. */
export interface Places {
  readonly inputs: readonly Place[];
  readonly layers: readonly (readonly Place[])[];
  readonly output: Place | null;
}

/** What of a plane's pictures the reader chose: yes or no instead of shades, one unit large instead of the output. */
export interface Look {
  readonly isDark: boolean;
  readonly discrete: boolean;
  readonly unit: { readonly layer: number; readonly unit: number } | null;
}

/** How things stand now. Its arrays are handed over, not copied. */
export interface Snapshot {
  readonly step: number;
  readonly epoch: number;
  /** Samples a second, of late. */
  readonly speed: number;
  readonly rate: number;
  readonly curve: readonly CurvePoint[];
  readonly health: readonly LayerHealth[];
  /** By layer: [pixels, shown units] of the neurons' pictures; empty where there is no line or plane to draw over. */
  readonly maps: readonly Float32Array[];
  /** What the net says over the fine grid: from -1 to 1, a number, or for several classes the likeliest one plus its probability below 1. */
  readonly surface: Float32Array;
  /** By layer, the output last: weights of the shown part, [inputs, units]; and biases. */
  readonly weights: readonly { readonly w: Float32Array; readonly rows: number; readonly columns: number; readonly b: Float32Array }[];
  /** Probabilities of the drawn digit, and by hidden layer what its units say to it; and which test digits are wrong. */
  readonly digit: { readonly probabilities: Float32Array; readonly hidden: readonly Float32Array[] } | null;
}

/** The net and the first rows of the next step as plain numbers: what becomes a graph of its own. Its arrays are handed over, not copied. */
export interface Taken {
  readonly settings: TrainState;
  readonly inputs: readonly string[];
  /** `w` in the order of its elements; `shape` is [inputs, outputs], or a kernel's [outputs, inputs, 3, 3]. */
  readonly layers: readonly {
    readonly name: string;
    readonly w: Float32Array<ArrayBuffer>;
    readonly b: Float32Array<ArrayBuffer>;
    readonly shape: readonly number[];
  }[];
  /** What the net sees, row after row, and what is right for each. */
  readonly x: Float32Array<ArrayBuffer>;
  readonly y: Float32Array<ArrayBuffer>;
  readonly task: Problem["task"];
  /** Steps that were learnt before. */
  readonly steps: number;
}

/** A file that was made. */
export interface Exported {
  readonly name: string;
  readonly type: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}
export const formats = ["typescript", "pytorch", "json", "onnx", "safetensors"] as const;
export type Format = (typeof formats)[number];

export type Why = "asked" | "stop" | "not finite";

/** From the page to its worker. */
export type Asked =
  | {
      readonly kind: "setup";
      readonly id: number;
      readonly settings: TrainState;
      readonly csv?: string;
      readonly language: "en" | "ko";
      /** Whether the page can hand canvases over. */
      readonly hands: boolean;
    }
  /** A canvas to draw on from now on: `map`, `wires`, or a unit's as `layer:unit`; null where it is gone. */
  | { readonly kind: "canvas"; readonly name: string; readonly canvas: OffscreenCanvas | null }
  | { readonly kind: "look"; readonly look: Look }
  /** Where the wires run, on a canvas of this size, with so many pixels to one of the page's. */
  | { readonly kind: "places"; readonly places: Places; readonly width: number; readonly height: number; readonly fine: number }
  /** `until`: as fast as it can until so many steps are done since the net began. */
  | { readonly kind: "play"; readonly until?: number }
  | { readonly kind: "pause" }
  | { readonly kind: "step"; readonly unit: "batch" | "epoch" }
  | { readonly kind: "live"; readonly settings: TrainState; readonly language: "en" | "ko" }
  | { readonly kind: "shown" }
  | { readonly kind: "digit"; readonly pixels: Float32Array | null }
  | { readonly kind: "take"; readonly id: number; readonly rows: number }
  | { readonly kind: "export"; readonly id: number; readonly format: Format };

/** From the worker to the page; `id` is that of the setup it belongs to. */
export type Told =
  | { readonly kind: "ready"; readonly id: number; readonly facts: Facts; readonly isSlow: boolean; readonly draws: boolean }
  | { readonly kind: "snapshot"; readonly id: number; readonly snapshot: Snapshot; readonly playing: boolean; readonly pictures: number }
  | { readonly kind: "paused"; readonly id: number; readonly why: Why; readonly reason: string }
  | { readonly kind: "fault"; readonly id: number; readonly key: FaultKey | "failed"; readonly detail: string }
  | { readonly kind: "taken"; readonly id: number; readonly taken: Taken }
  | { readonly kind: "exported"; readonly id: number; readonly file: Exported }
  | { readonly kind: "refused"; readonly id: number; readonly reason: string };
