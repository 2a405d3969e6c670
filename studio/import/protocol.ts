import type { Language, PictureOptions } from "chainrule";
import type { TensorFacts } from "./facts.ts";
import type { GivenInput, InputTrouble } from "./given-input.ts";

/** What was opened. */
export type Summary =
  | {
      readonly kind: "model";
      readonly name: string;
      readonly inputs: readonly PortFacts[];
      readonly outputs: readonly string[];
      readonly parameters: readonly ParameterRow[];
    }
  | { readonly kind: "graph"; readonly name: string; readonly text: string; readonly inputs: readonly PortFacts[] }
  | { readonly kind: "tensors"; readonly name: string; readonly tensors: readonly TensorRow[]; readonly header: string }
  | {
      readonly kind: "table";
      readonly name: string;
      readonly rows: number;
      /** How many columns there are beside the label, and the names of the first of them. */
      readonly width: number;
      readonly columns: readonly string[];
      /** The first rows and columns. */
      readonly cells: readonly (readonly number[])[];
      readonly label: { readonly name: string; readonly classes: readonly string[] | null } | null;
    };

export interface PortFacts {
  readonly name: string;
  /** As in `f32[batch,64]`. */
  readonly type: string;
}

export interface TensorRow {
  readonly name: string;
  readonly type: string;
}

export interface ParameterRow extends TensorRow {
  readonly trainable: boolean;
}

/** Which modules of the picture are open, and how it looks. */
export interface Look {
  /** Null: as many levels as are comfortable. */
  readonly depth: number | null;
  readonly open: readonly string[];
  readonly closed: readonly string[];
  /** Only what feeds this item, or lies within so many steps of it. */
  readonly near: { readonly item: string; readonly steps: number | "feeds" } | null;
  readonly theme: NonNullable<PictureOptions["theme"]>;
  readonly language: Language;
}

/** A part of the picture: what it is, where it stands, and what the wires at it say. */
export interface Part {
  readonly id: string;
  readonly kind: "parameter" | "input" | "constant" | "op" | "module" | "output";
  readonly label: string;
  /** What texts call it. */
  readonly name: string;
  readonly title: string;
  /** What stands small in it: a shape, what a module holds, a remark of its health. */
  readonly note: string;
  /** The open modules around it, by their ids, the innermost first. */
  readonly modules: readonly string[];
  /** The parts that it gets its operands from, by their places in the list, in their order. */
  readonly from: readonly number[];
  /** Above its wire: the value, or its shape. */
  readonly value: string;
  /** Below its wire; `none` where no gradient is needed. */
  readonly gradient: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** An open module: its frame, whose x and y are those of its middle. */
export interface Group {
  readonly id: string;
  readonly label: string;
  readonly x: number;
  readonly y: number;
}

/** A picture for the page: SVG whose elements carry the places of items and wires, and what a reader can do with each. */
export interface Drawing {
  readonly svg: string;
  readonly style: string;
  readonly width: number;
  readonly height: number;
  readonly items: readonly Part[];
  /** Open modules, which can be closed. */
  readonly groups: readonly Group[];
  readonly milliseconds: number;
}

/** A part of the model that a search found: the item that shows it now. */
export interface Found {
  readonly name: string;
  readonly op: string;
  readonly type: string;
  /** The module path that has to be open for it to be seen; empty at the top. */
  readonly path: string;
  readonly item: string;
}

/** What is known of an item of the picture. */
export interface ItemFacts {
  readonly title: string;
  readonly ops: readonly { readonly op: string; readonly count: number }[];
  readonly parameters: readonly TensorRow[];
  readonly outputs: readonly TensorRow[];
  /** Of the parameter, if the item is one. */
  readonly value: TensorFacts | null;
  readonly gradient: TensorFacts | null;
}

/** What gradients are of, and for what input. */
export interface GradientAsk {
  readonly output: string;
  /** `sum` and `mean` of the output, the cross entropy of the class `target`, or the mean square of the difference from the numbers `target`. */
  readonly loss: LossName;
  /** As it was typed: a class, or one for each row; a number, or one for each of the output. */
  readonly target: string;
  /** Inputs that are not given are drawn from it. */
  readonly seed: number;
  /** What was given, by the names of the inputs. */
  readonly inputs: Readonly<Record<string, GivenInput>>;
}

export const lossNames = ["class", "squares", "sum", "mean"] as const;
export type LossName = (typeof lossNames)[number];

/** What became of an input that was given. */
export type InputFacts =
  | { readonly type: string; readonly rows: number | null; readonly facts: TensorFacts }
  | { readonly trouble: InputTrouble }
  | { readonly fault: string };

export interface GradientRow extends TensorRow {
  /** Root mean square of the weight, and of its gradient. */
  readonly weight: number;
  readonly gradient: number | null;
}

export interface Gradients {
  readonly loss: number;
  readonly rows: readonly GradientRow[];
  /** The output that was chosen, for this input. */
  readonly output: TensorFacts;
  readonly milliseconds: number;
}

/** What a model is tuned on: the library's own compiler, or ONNX Runtime, on the processor or on the graphics card. */
export type EngineName = "wasm" | "onnxruntime" | "webgpu";

export interface TuneAsk {
  readonly engine: EngineName;
  /** The folder of ONNX Runtime's files on the studio's server; the empty text where it has none. */
  readonly runtime: string;
  readonly epochs: number;
  readonly batch: number;
  readonly rate: number;
  readonly optimizer: "adam" | "sgd";
  readonly seed: number;
}

/** How tuning goes. */
export interface TuneState {
  readonly step: number;
  readonly steps: number;
  readonly loss: number;
  /** The share of right answers among the rows of the batch, for classes. */
  readonly accuracy: number | null;
}

/** That an engine would not go on, at which step, and why: WebAssembly has taken over with the state of the step before. */
export interface TakenOver {
  readonly step: number;
  readonly why: "lost" | "refused";
  readonly reason: string;
}

/** What the page asks of the worker. */
export interface Asks {
  open: { readonly ask: { readonly files: readonly File[] }; readonly answer: Summary };
  inspection: {
    readonly ask: Record<string, never>;
    /** The text in each language, and the weights that no gradient arrives at. */
    readonly answer: { readonly texts: Readonly<Record<"en" | "ko", string>>; readonly blocked: readonly string[] };
  };
  draw: { readonly ask: Look; readonly answer: Drawing };
  /** The picture as a file: SVG, or a page in which both passes are stepped through; null where it has no numbers to step on. */
  file: {
    readonly ask: { readonly kind: "svg" | "page"; readonly theme: Look["theme"]; readonly language: Language };
    readonly answer: string | null;
  };
  find: { readonly ask: { readonly text: string }; readonly answer: readonly Found[] };
  item: { readonly ask: { readonly id: string }; readonly answer: ItemFacts };
  tensor: { readonly ask: { readonly name: string }; readonly answer: TensorFacts };
  /** Whether an input that was given fits. */
  input: { readonly ask: { readonly name: string; readonly given: GivenInput }; readonly answer: InputFacts };
  gradients: { readonly ask: GradientAsk; readonly answer: Gradients };
  data: { readonly ask: { readonly file: File; readonly label: string | null }; readonly answer: Summary };
  tune: { readonly ask: TuneAsk; readonly answer: { readonly loss: number; readonly stopped: boolean } };
  stop: { readonly ask: Record<string, never>; readonly answer: null };
  save: { readonly ask: Record<string, never>; readonly answer: Blob };
}

export type AskName = keyof Asks;

export type ToWorker = { readonly [K in AskName]: { readonly id: number; readonly kind: K; readonly ask: Asks[K]["ask"] } }[AskName];

/** What takes time. */
export type Work = "read" | "inspect" | "build" | "layout" | "gradients" | "tune";

export interface Amount {
  readonly done: number;
  readonly of: number;
  readonly unit: "bytes" | "steps";
}

export type FromWorker =
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly error: string; readonly trouble?: InputTrouble }
  /** What it does, and how much of it is done, where that is known: bytes of a file, steps of a computation. */
  | { readonly progress: Work; readonly amount?: Amount }
  | { readonly tuning: TuneState }
  | { readonly takenOver: TakenOver };
