import { type Signal, signal } from "@preact/signals";

/** A part of a picture, in its own measure. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The picture that a tab shows, for those who want it as a file. */
export interface TabPicture {
  readonly name: string;
  /** What of it is in sight. */
  box(): Box | null;
  svg(): Promise<string>;
  /** The whole as a page of its own; null: a still page of the picture does. */
  page(): Promise<string | null>;
}

/** The open tab puts a function here that gives its picture, if there is one. */
export const pictureOfTab: Signal<() => TabPicture | null> = signal(() => null);
