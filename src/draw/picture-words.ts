/** The words a picture uses, to be given in the reader's language. */
export interface PictureWords {
  /** How to read the picture, for those who do not see it. */
  readonly description: string;
  readonly value: string;
  readonly gradient: string;
  /** Under a wire that needs no gradient. Short: it stands in the picture. */
  readonly noGradient: string;
  readonly notYet: string;
  readonly localGradient: string;
  readonly sum: string;
  readonly to: string;
}

/** The words of an English picture. */
export const englishWords: PictureWords = {
  description: "A computational graph, drawn from left to right: the value of each wire stands above it, the gradient below.",
  value: "value",
  gradient: "gradient",
  noGradient: "no grad",
  notYet: "not yet known",
  localGradient: "local gradient",
  sum: "sum over branches",
  to: "to",
};
