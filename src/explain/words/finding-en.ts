/** English sentences about paths, gradients that went wrong and bad values. `finding-ko.ts` has the same keys; the compiler holds them to it. */
export const findingEn = {
  noLine: "no source line is known: build it inside trace(() => ...), or set CHAINRULE_TRACE=1",
  inScope: (scope: string) => `in ${scope}`,
  inFormula: (line: number, column: number) => `in the formula, line ${line}, column ${column}`,
  atLine: (line: string) => `at ${line}`,
  pathsTitle: (f: string, x: string, count: string) => `d${f}/d${x} is a sum over ${count} paths from ${f} back to ${x}`,
  onePath: (f: string, x: string) => `d${f}/d${x} runs along the only path from ${f} back to ${x}`,
  noPath: (f: string, x: string) => `there is no path from ${f} back to ${x}: the gradient is 0`,
  live: (live: string, count: string) => `${live} of ${count} have no zero on them`,
  largest: (shown: number, count: string) => `the ${shown} largest of ${count}`,
  notRanked: "the search for the largest was given up; larger ones may be among the rest",
  rest: (count: string) => `the other ${count}`,
  total: "all together",
  gradient: "the gradient of the backward pass",
  magnitude: (m: string) => `the sizes of all paths add up to ${m}`,
  cancels: (m: string, g: string) => `the paths cancel: their sizes add up to ${m}, and ${g} is left`,
  path: "path",
  product: "local derivatives",
  contribution: "contribution",
  share: "share",
  more: (n: number) => `… ${n} more gates …`,
} as const;

type FindingWords = {
  readonly [K in keyof typeof findingEn]: (typeof findingEn)[K] extends (...args: infer A) => string ? (...args: A) => string : string;
};

export type { FindingWords };
