/** The words a picture uses, to be given in the reader's language. */
export interface PictureWords {
  /** How to read the picture, for those who do not see it. */
  readonly description: string;
  /** The same for a graph without numbers. */
  readonly shapesDescription: string;
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
  description: "A computational graph: the value of each wire stands above it, the gradient below.",
  shapesDescription: "A computational graph: the shape of each wire's value stands above it.",
  value: "value",
  gradient: "gradient",
  noGradient: "no grad",
  notYet: "not yet known",
  localGradient: "local gradient",
  sum: "sum over branches",
  to: "to",
};

/** The words of a Korean picture. */
export const koreanWords: PictureWords = {
  description: "계산 그래프입니다. 선 위에는 값이, 선 아래에는 기울기가 있습니다.",
  shapesDescription: "계산 그래프입니다. 선 위에는 값의 모양이 있습니다.",
  value: "값",
  gradient: "기울기",
  noGradient: "기울기 없음",
  notYet: "아직 모름",
  localGradient: "지역 기울기",
  sum: "분기점 합",
  to: "→",
};
