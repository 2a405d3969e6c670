/** The words of a picture of a profile. */
export interface ProfileWords {
  title(steps: number, milliseconds: string): string;
  readonly description: string;
  step(number: number, what: string): string;
  /** Several short steps as one box. */
  folded(steps: number): string;
  facts(milliseconds: string, share: string, predicted: string, operations: string, bytes: string): string;
}

/** The words of a profile's picture, by language. */
export const profileWords: { readonly en: ProfileWords; readonly ko: ProfileWords } = {
  en: {
    title: (steps, milliseconds) => `${steps} steps, ${milliseconds} ms`,
    description: "The steps of a compiled program and who reads whose results; the stronger the colour, the larger the share of the time.",
    step: (number, what) => `step ${number}, ${what}`,
    folded: (steps) => `${steps} short steps`,
    facts: (milliseconds, share, predicted, operations, bytes) =>
      `${milliseconds} ms, ${share} of the time; at least ${predicted} ms for ${operations} operations and ${bytes} bytes`,
  },
  ko: {
    title: (steps, milliseconds) => `${steps}단계, ${milliseconds}ms`,
    description: "컴파일된 프로그램의 단계들입니다. 선은 결과를 읽는 단계로 이어지고, 색이 짙을수록 시간이 많이 걸립니다.",
    step: (number, what) => `${number}번 단계, ${what}`,
    folded: (steps) => `짧은 단계 ${steps}개`,
    facts: (milliseconds, share, predicted, operations, bytes) =>
      `${milliseconds}ms, 전체 시간의 ${share}. 연산 ${operations}회와 ${bytes}바이트에는 적어도 ${predicted}ms가 듭니다`,
  },
};
