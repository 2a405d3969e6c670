import { withParticle } from "../words/particle.ts";
import type { FixedBy } from "./parameters.ts";

/** The languages in which `Inspection.text` speaks; what errors say is English in both. */
export type InspectionLanguage = "en" | "ko";

/** `12,810`. */
export function grouped(x: number): string {
  return String(x).replace(/\B(?=(\d{3})+$)/g, ",");
}

function plural(n: number, one: string, many: string = `${one}s`): string {
  return `${grouped(n)} ${n === 1 ? one : many}`;
}

/** What `Inspection.text` says, in one language. Lists of names are given as they are shown. */
export interface InspectionWords {
  readonly model: string;
  readonly producerUnknown: string;
  readonly irVersion: (version: number) => string;
  readonly inputs: string;
  readonly outputs: string;
  readonly none: string;
  readonly more: (shown: string, left: number) => string;
  readonly operators: (nodes: number, dead: number, functions: number) => string;
  readonly parameters: (numbers: number, tensors: number, bytes: string | null, trained: number) => string;
  readonly columns: readonly [name: string, type: string, trained: string, gradient: string];
  readonly trained: string;
  readonly fixed: Readonly<Record<FixedBy, string>>;
  readonly arrives: string;
  readonly arrivesNot: string;
  readonly constants: (count: number, bytes: string) => string;
  readonly unsupported: string;
  readonly blocks: (names: string) => string;
  readonly gradients: string;
  /** `unsupported` where that is the reason. */
  readonly unknown: (why: string, unsupported: boolean) => string;
  readonly nothingToTrain: string;
  readonly allReached: string;
  readonly branches: (names: string) => string;
  readonly unreached: (count: number, of: number, names: string) => string;
  readonly stops: (node: string, names: string) => string;
  readonly passedOver: (node: string, behind: number) => string;
  readonly folded: string;
  readonly foldedLayers: (count: number, products: boolean, names: string) => string;
  readonly tied: string;
  readonly tiedBy: (parameter: string, count: number, names: string) => string;
  readonly copies: string;
  readonly copyOf: (copy: string, first: string, transposed: boolean, tied: boolean) => string;
  readonly split: string;
  readonly needs: (node: string, what: string, inputs: string, weights: string, places: boolean) => string;
  readonly host: (count: number, of: number) => string;
  readonly memory: (sizes: string) => string;
  readonly costs: Readonly<Record<"weights" | "gradients" | "averages" | "forward" | "both" | "kept" | "operations", string>>;
}

const en: InspectionWords = {
  model: "ONNX model",
  producerUnknown: "producer unknown",
  irVersion: (version) => `IR version ${version}`,
  inputs: "Inputs",
  outputs: "Outputs",
  none: "none",
  more: (shown, left) => `${shown} and ${left} more`,
  operators: (nodes, dead, functions) =>
    `Operators: ${plural(nodes, "node")}${dead > 0 ? `, and ${plural(dead, "node")} that no output needs` : ""}${functions > 0 ? `, with ${plural(functions, "function")} of the model's own` : ""}`,
  parameters: (numbers, tensors, bytes, trained) =>
    `Parameters: ${plural(numbers, "number")} in ${plural(tensors, "tensor")}${bytes === null ? "" : `, ${bytes}`}; ${grouped(trained)} of them are trained`,
  columns: ["name", "type", "trained", "gradient"],
  trained: "yes",
  fixed: {
    operand: "no: statistics",
    name: "no: by its name",
    buffer: "no: a buffer",
    constant: "no: a constant",
    mask: "no: a mask",
    angles: "no: angles",
    "single number": "no: one number",
  },
  arrives: "yes",
  arrivesNot: "none",
  constants: (count, bytes) => `and ${plural(count, "constant")}, ${bytes}: whole numbers, bounds, scales`,
  unsupported: "Not supported",
  blocks: (names) => `blocks ${names}`,
  gradients: "Gradients",
  unknown: (why) => `not known: ${why}`,
  nothingToTrain: "there is nothing to train",
  allReached: "every trained parameter gets one",
  branches: (names) =>
    `every trained parameter gets one but those of a branch that data choose, which get theirs where it is taken: ${names}`,
  unreached: (count, of, names) => `${plural(count, "trained parameter")} of ${of} ${count === 1 ? "gets" : "get"} none: ${names}`,
  stops: (node, names) => `none passes through ${node}, which blocks ${names}`,
  passedOver: (node, behind) =>
    `none passes through ${node}; the ${plural(behind, "parameter")} behind it ${behind === 1 ? "gets its" : "get theirs"} another way`,
  folded: "Folded batch normalisations",
  foldedLayers: (count, products, names) =>
    `${plural(count, products ? "layer" : "convolution")} with a batch normalisation in ${count === 1 ? "its" : "their"} weight and bias, which are trained as they are: ${names}`,
  tied: "Tied weights",
  tiedBy: (parameter, count, names) => `${parameter} is used by ${plural(count, "node")}: ${names}`,
  copies: "Copies",
  copyOf: (copy, first, transposed, tied) =>
    `${copy} is ${first}${transposed ? " transposed" : ""}, written twice: ${tied ? "they are one weight, and are written to both places" : `training moves them apart, unless they are tied (--tie ${copy})`}`,
  split: "Split by data",
  needs: (node, what, inputs, weights, places) => {
    const from = [...(inputs === "" ? [] : [`the data of ${inputs}`]), ...(weights === "" ? [] : [`the weights ${weights}`])];
    const how = places ? "bound as a tensor of places" : "bound as numbers of shapes, a program for each choice of them";
    return `${node} needs ${what}${from.length > 0 ? `, from ${from.join(" and ")}` : ""}: ${how}`;
  },
  host: (count, of) =>
    `model.bind(inputs) computes ${plural(count, "node")} of ${grouped(of)} on the host for it; model.apply(params, inputs, bound) is the rest, one graph:`,
  memory: (sizes) => `Memory${sizes === "" ? "" : ` with ${sizes}`}`,
  costs: {
    weights: "weights",
    gradients: "their gradients",
    averages: "Adam's averages",
    forward: "forward pass",
    both: "with backward pass",
    kept: "kept for it",
    operations: "operations",
  },
};

/** What nodes ask of data, where it is more than the name of an operand. */
const asked: Readonly<Record<string, string>> = {
  "its output shape": "출력 모양",
  "its training mode": "학습 모드",
  "the padding value": "채움 값",
  "the sizes of pieces": "조각의 크기",
  "a place in a sequence": "시퀀스의 자리",
  "how many numbers it makes": "만들 수의 개수",
  "how many rounds it makes": "반복 횟수",
  "which branch it takes": "고를 가지",
  "which elements of its operand are not 0": "피연산자의 0이 아닌 원소",
  "which elements its condition keeps": "조건이 남기는 원소",
};

const ko: InspectionWords = {
  model: "ONNX 모델",
  producerUnknown: "만든 프로그램 알 수 없음",
  irVersion: (version) => `IR 버전 ${version}`,
  inputs: "입력",
  outputs: "출력",
  none: "없음",
  more: (shown, left) => `${shown} 외 ${left}개`,
  operators: (nodes, dead, functions) =>
    `연산: 노드 ${grouped(nodes)}개${dead > 0 ? `, 어느 출력에도 필요 없는 노드 ${grouped(dead)}개` : ""}${functions > 0 ? `, 모델이 정의한 함수 ${grouped(functions)}개` : ""}`,
  parameters: (numbers, tensors, bytes, trained) =>
    `매개변수: 텐서 ${grouped(tensors)}개에 값 ${grouped(numbers)}개${bytes === null ? "" : `, ${bytes}`}. 그중 ${grouped(trained)}개를 학습합니다`,
  columns: ["이름", "자료형", "학습", "기울기"],
  trained: "함",
  fixed: {
    operand: "안 함: 통계값",
    name: "안 함: 이름으로 판단",
    buffer: "안 함: 버퍼",
    constant: "안 함: 상수",
    mask: "안 함: 마스크",
    angles: "안 함: 각도표",
    "single number": "안 함: 수 하나",
  },
  arrives: "있음",
  arrivesNot: "없음",
  constants: (count, bytes) => `그 밖에 상수 ${grouped(count)}개, ${bytes}: 정수, 범위, 배율`,
  unsupported: "지원하지 않는 연산",
  blocks: (names) => `막힌 매개변수: ${names}`,
  gradients: "기울기",
  unknown: (why, unsupported) => `알 수 없습니다: ${unsupported ? "지원하지 않는 연산이 있습니다" : why}`,
  nothingToTrain: "학습할 것이 없습니다",
  allReached: "학습하는 매개변수 모두에 기울기가 도착합니다",
  branches: (names) =>
    `학습하는 매개변수 모두에 기울기가 도착합니다. 다만 데이터로 갈리는 분기의 매개변수에는 그 분기를 지날 때만 도착합니다: ${names}`,
  unreached: (count, of, names) => `학습하는 매개변수 ${grouped(of)}개 중 ${grouped(count)}개에는 기울기가 도착하지 않습니다: ${names}`,
  stops: (node, names) => `${node}에서 기울기가 끊깁니다. 막힌 매개변수: ${names}`,
  passedOver: (node, behind) => `${node}에서 기울기가 끊기지만, 그 앞의 매개변수 ${grouped(behind)}개는 다른 경로로 기울기를 받습니다`,
  folded: "합쳐진 배치 정규화",
  foldedLayers: (count, products, names) =>
    `${products ? "층" : "합성곱"} ${grouped(count)}개의 가중치와 편향에 배치 정규화가 합쳐져 있으며, 합쳐진 그대로 학습합니다: ${names}`,
  tied: "공유하는 가중치",
  tiedBy: (parameter, count, names) => `${withParticle(parameter, "을")} 노드 ${grouped(count)}개가 씁니다: ${names}`,
  copies: "사본",
  copyOf: (copy, first, transposed, tied) =>
    `${withParticle(copy, "은")} ${withParticle(transposed ? `${first}의 전치` : first, "과")} 값이 같은 사본입니다. ${tied ? "하나의 가중치로 학습하고 두 곳에 모두 저장합니다" : `묶지 않으면(--tie ${copy}) 학습하면서 서로 달라집니다`}`,
  split: "데이터로 나뉘는 부분",
  needs: (node, what, inputs, weights, places) => {
    const from = [...(inputs === "" ? [] : [`데이터 ${inputs}`]), ...(weights === "" ? [] : [`가중치 ${weights}`])];
    const how = places ? "위치를 담은 텐서로 묶습니다" : "모양을 이루는 수로 묶으며, 수가 다르면 프로그램도 다릅니다";
    return `${node}에 필요한 것: ${asked[what] ?? what.replace(/^its /, "")}${from.length > 0 ? ` (출처: ${from.join(", ")})` : ""}. ${how}`;
  },
  host: (count, of) =>
    `model.bind(inputs)가 이를 위해 노드 ${grouped(of)}개 중 ${grouped(count)}개를 호스트에서 계산합니다. 나머지는 model.apply(params, inputs, bound)로, 하나의 그래프입니다:`,
  memory: (sizes) => `메모리${sizes === "" ? "" : ` (${sizes})`}`,
  costs: {
    weights: "가중치",
    gradients: "가중치의 기울기",
    averages: "Adam의 평균",
    forward: "순전파",
    both: "역전파까지",
    kept: "역전파를 위해 남기는 값",
    operations: "연산 수",
  },
};

export const inspectionWords: Readonly<Record<InspectionLanguage, InspectionWords>> = { en, ko };
