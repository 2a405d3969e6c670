import type { DType } from "chainrule";

/** What a model says of an input: its sizes, of which some have only a name, or none. */
export interface Port {
  readonly dtype: DType;
  readonly shape: readonly (number | string | null)[] | null;
}

/** How the bytes of an image become numbers: 0 to 1, 0 to 255, -1 to 1, or by ImageNet's means and deviations. */
export const scales = ["unit", "bytes", "signed", "imagenet"] as const;
export type Scale = (typeof scales)[number];

/** An input in a file. */
export interface GivenFile {
  readonly kind: "file";
  readonly file: File;
  /** The tensor of an archive; null: the one of the input's name, or the only one. */
  readonly entry: string | null;
  /** Which example, from 1; null: all that there is. */
  readonly row: number | null;
  readonly scale: Scale;
}

/** An input that the reader gives instead of one that is drawn. */
export type GivenInput = { readonly kind: "text"; readonly text: string } | GivenFile;

/** What is wrong with a given input, or with a target: the words for it are the page's, in the reader's language. */
export type InputTrouble =
  | { readonly what: "empty" | "brackets" }
  | { readonly what: "number"; readonly text: string }
  | { readonly what: "ragged"; readonly one: number; readonly other: number }
  | { readonly what: "whole"; readonly x: string; readonly dtype: DType }
  | { readonly what: "range"; readonly x: string; readonly dtype: DType; readonly least: string; readonly most: string }
  | {
      readonly what: "shape";
      readonly given: string;
      readonly isList: boolean;
      readonly wanted: string;
      /** How many numbers it takes, or, where a size is open, of how many it takes a multiple. */
      readonly count: number;
      readonly isOpen: boolean;
    }
  | { readonly what: "choose"; readonly rows: number; readonly takes: number }
  | { readonly what: "row"; readonly row: number; readonly rows: number }
  | { readonly what: "entry"; readonly names: readonly string[] }
  | { readonly what: "image"; readonly wanted: string }
  | { readonly what: "kind" | "emptyFile"; readonly name: string }
  | { readonly what: "sizes"; readonly name: string; readonly one: number; readonly other: number }
  | { readonly what: "integers"; readonly output: string }
  | { readonly what: "class"; readonly x: string; readonly classes: number; readonly output: string }
  | { readonly what: "targets"; readonly given: number; readonly rows: number; readonly output: string };

/** Thrown where something that the reader gave does not fit. */
export class InputFault extends Error {
  readonly trouble: InputTrouble;

  constructor(trouble: InputTrouble) {
    super(`input: ${trouble.what}`);
    this.trouble = trouble;
  }
}
