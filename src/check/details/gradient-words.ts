/** Words of gradient reports in one language. */
export interface GradientWords {
  readonly title: string;
  readonly variables: string;
  readonly ops: string;
  readonly sweep: string;
  readonly precision: string;
  readonly noPrecision: string;
  readonly columns: readonly [variable: string, order: string, analytic: string, numeric: string, error: string, verdict: string];
  readonly opColumns: readonly [op: string, gates: string, checked: string, error: string, verdict: string];
  readonly precisionColumns: readonly [variable: string, error: string, ulps: string];
  readonly step: string;
  readonly crossed: string;
  readonly along: (path: string, direction: number) => string;
  readonly verdicts: Readonly<Record<"pass" | "look" | "fail" | "kink", string>>;
  readonly bands: Readonly<Record<"good" | "kinks" | "uneasy" | "wrong", string>>;
  readonly passed: string;
  readonly open: (n: number) => string;
  readonly failed: string;
  readonly sweepNote: (best: string, step: string) => string;
  readonly more: (n: number) => string;
  readonly x: string;
  readonly y: string;
  readonly value: string;
}

const en: GradientWords = {
  title: "Gradient check",
  variables: "By variable",
  ops: "By op, each gate by itself",
  sweep: "Plain central differences by step size",
  precision: "f32 beside f64",
  noPrecision: "the function does not compute in f32",
  columns: ["variable", "order", "analytic", "numeric", "error", "verdict"],
  opColumns: ["op", "gates", "checked", "error", "verdict"],
  precisionColumns: ["variable", "error", "ulps of f32"],
  step: "step",
  crossed: "kinks crossed",
  along: (path, direction) => `${path} along ${direction}`,
  verdicts: { pass: "pass", look: "look", fail: "fail", kink: "kink" },
  bands: { good: "good (below 1e-7)", kinks: "fine with kinks (below 1e-4)", uneasy: "uneasy (below 1e-2)", wrong: "probably wrong" },
  passed: "every gradient agrees",
  open: (n) => `no gradient is wrong as far as could be seen; look at the ${n === 1 ? "row" : `${n} rows`} marked so`,
  failed: "a gradient does not agree",
  sweepNote: (best, step) => `best ${best} at step ${step}`,
  more: (n) => `and ${n} more`,
  x: "step size h",
  y: "relative error",
  value: "value",
};

const ko: GradientWords = {
  title: "기울기 검사",
  variables: "변수별",
  ops: "연산별(게이트를 하나씩)",
  sweep: "간격별 중앙 차분",
  precision: "f64와 비교한 f32",
  noPrecision: "이 함수는 f32로 계산되지 않습니다",
  columns: ["변수", "차수", "해석적", "수치", "오차", "판정"],
  opColumns: ["연산", "게이트", "검사", "오차", "판정"],
  precisionColumns: ["변수", "오차", "f32 ulp"],
  step: "간격",
  crossed: "넘은 꺾인 점",
  along: (path, direction) => `${path}, 방향 ${direction}`,
  verdicts: { pass: "통과", look: "확인 필요", fail: "실패", kink: "꺾인 점" },
  bands: {
    good: "좋음(1e-7 미만)",
    kinks: "꺾인 점이 있으면 괜찮음(1e-4 미만)",
    uneasy: "의심스러움(1e-2 미만)",
    wrong: "틀렸을 가능성이 큼",
  },
  passed: "모든 기울기가 일치합니다",
  open: (n) => `틀린 기울기는 없는 것 같지만, '확인 필요'로 표시된 행 ${n}개를 살펴보세요`,
  failed: "일치하지 않는 기울기가 있습니다",
  sweepNote: (best, step) => `간격 ${step}에서 가장 작은 오차 ${best}`,
  more: (n) => `그 밖에 ${n}개`,
  x: "간격 h",
  y: "상대 오차",
  value: "값",
};

/** The words of a language. */
export function gradientWords(language: "en" | "ko"): GradientWords {
  return language === "ko" ? ko : en;
}
