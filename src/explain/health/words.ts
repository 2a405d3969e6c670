import { withParticle } from "../../words/particle.ts";
import type { Language } from "../explain.ts";

const en = {
  title: "Health",
  healthy: "nothing is out of order",
  warnings: (n: number): string => (n === 1 ? "1 thing to look at" : `${n} things to look at`),
  faults: (n: number): string => (n === 1 ? "1 thing is broken" : `${n} things are broken`),
  levels: { bad: "broken", warn: "look", note: "note" },
  parameters: "Parameters",
  layers: "Layers, from the input to the loss",
  findings: "Findings",
  parameter: "parameter",
  layer: "layer",
  type: "type",
  weight: "rms of weights",
  gradient: "rms of gradient",
  ratio: "update / weights",
  rate: (aim: string) => `rate for ${aim}`,
  activation: "rms of activations",
  nonFiniteValue: (name: string, op: string, count: number, size: number, what: string) =>
    `${name} (${op}) is the first value that is not finite: ${count} of ${size} elements are ${what}`,
  nonFiniteGradient: (name: string, count: number, size: number, what: string, by: string) =>
    `going backward, the gradient of ${name} is the first that is not finite: ${count} of ${size} elements are ${what}; the rule of ${by} made it`,
  deadUnits: (name: string, share: string, units: number, samples: number) =>
    `${name}: ${share} of its ${units} units are off for every one of the ${samples} samples; they get no gradient and cannot learn. Try a smaller rate, biases above 0, or leakyRelu`,
  deadUnit: (name: string) => `${name} is off, so no gradient passes through it`,
  saturated: (name: string, op: string, share: string) =>
    `${name}: ${share} of its elements sit where ${op} is flat, and pass almost no gradient. Try smaller weights before it, or another gate`,
  updateLow: (name: string, ratio: string, aim: string) =>
    `${name}: an update moves it by ${ratio} of its size; about ${aim} is usual, so the rate may be too low`,
  updateHigh: (name: string, ratio: string, aim: string) =>
    `${name}: an update moves it by ${ratio} of its size; about ${aim} is usual, so the rate may be too high`,
  firstLoss: (name: string, loss: string, expected: string, what: string) => `${name} = ${loss}; guessing gives ${expected} (${what})`,
  firstLossOff: (name: string, loss: string, expected: string, what: string) =>
    `${name} = ${loss}, but before any training it should be near ${expected} (${what}): look at the initial weights, the labels and the loss`,
  inputScale: (data: string, parameter: string, rms: string) =>
    `${data}, which meets ${parameter}, has a root mean square of ${rms}; gradients of ${parameter} scale with it. Bring it near 1 (subtract the mean, divide by the deviation)`,
  vanishing: (name: string, rms: string) => `the gradient of ${name} is ${rms} (root mean square): it vanishes before it gets there`,
  exploding: (name: string, rms: string) => `the gradient of ${name} is ${rms} (root mean square): it explodes on the way`,
  shrinking: (from: string, to: string, ratio: string) =>
    `from layer ${to} back to layer ${from} the gradient shrinks to ${ratio} of itself: it vanishes toward the input`,
  growing: (from: string, to: string, ratio: string) =>
    `from layer ${to} back to layer ${from} the gradient grows ${ratio} times: it explodes toward the input`,
  noGradient: (name: string) => `no gradient reaches ${name}: it does not influence the loss`,
  zeroGradient: (name: string) =>
    `the gradient of ${name} is exactly 0 everywhere; whyZero(loss, ${name}), or chainrule why, says what stops it`,
  kink: (name: string, op: string, count: number, size: number, pytorch: string, jax: string, used: string): string =>
    `${name}: ${count} of ${size} elements sit exactly on a kink or tie of ${op}; the derivative taken there is ${used}${pytorch === jax ? " (PyTorch and JAX agree)" : ` (PyTorch ${pytorch}, JAX ${jax})`}`,
  kinkUnknown: (name: string, op: string, count: number, size: number) =>
    `${name}: ${count} of ${size} elements sit exactly on a kink or tie of ${op}; docs/conventions.md says which derivative is taken`,
  jaxDiffers: (name: string, op: string, jax: string) =>
    `${name}: JAX takes ${jax} as the derivative of ${op} there, so its gradients differ here`,
  unit: "one sample",
};

/** The words of health reports. */
export type HealthWords = typeof en;

const ko: HealthWords = {
  title: "학습 상태 점검",
  healthy: "이상이 없습니다",
  warnings: (n) => `살펴볼 것이 ${n}개 있습니다`,
  faults: (n) => `고장 난 것이 ${n}개 있습니다`,
  levels: { bad: "고장", warn: "확인", note: "참고" },
  parameters: "매개변수",
  layers: "층, 입력에서 손실 쪽으로",
  findings: "발견한 것",
  parameter: "매개변수",
  layer: "층",
  type: "타입",
  weight: "가중치 rms",
  gradient: "기울기 rms",
  ratio: "갱신 / 가중치",
  rate: (aim) => `${withParticle(aim, "이")} 되는 학습률`,
  activation: "활성값 rms",
  nonFiniteValue: (name, op, count, size, what) =>
    `${withParticle(`${name}(${op})`, "이")} 처음으로 유한하지 않은 값입니다. 원소 ${size}개 중 ${count}개가 ${what}입니다`,
  nonFiniteGradient: (name, count, size, what, by) =>
    `역전파에서 처음으로 유한하지 않은 것은 ${name}의 기울기입니다. 원소 ${size}개 중 ${count}개가 ${withParticle(what, "이며")}, ${by}의 규칙에서 생겼습니다`,
  deadUnits: (name, share, units, samples) =>
    `${name}: 뉴런 ${units}개 중 ${share}가 표본 ${samples}개 모두에서 꺼져 있습니다. 기울기를 받지 못해 학습할 수 없습니다. 학습률을 줄이거나, 편향을 0보다 크게 하거나, leakyRelu를 써 보세요`,
  deadUnit: (name) => `${withParticle(name, "이")} 꺼져 있어 기울기가 지나가지 못합니다`,
  saturated: (name, op, share) =>
    `${name}: 원소의 ${share}가 ${op}의 평평한 곳에 있어 기울기가 거의 지나가지 못합니다. 앞의 가중치를 줄이거나 다른 게이트를 써 보세요`,
  updateLow: (name, ratio, aim) =>
    `${name}: 한 번 갱신할 때 자기 크기의 ${ratio}만큼 움직입니다. 보통은 ${aim} 정도이므로 학습률이 너무 작을 수 있습니다`,
  updateHigh: (name, ratio, aim) =>
    `${name}: 한 번 갱신할 때 자기 크기의 ${ratio}만큼 움직입니다. 보통은 ${aim} 정도이므로 학습률이 너무 클 수 있습니다`,
  firstLoss: (name, loss, expected, what) => `${name} = ${loss}. 무작위로 고르면 ${expected}입니다(${what})`,
  firstLossOff: (name, loss, expected, what) =>
    `${name} = ${loss}인데, 학습 전에는 ${expected}에 가까워야 합니다(${what}). 초기 가중치, 레이블, 손실을 살펴보세요`,
  inputScale: (data, parameter, rms) =>
    `${withParticle(parameter, "과")} 만나는 ${data}의 제곱평균제곱근이 ${rms}입니다. ${parameter}의 기울기가 여기에 비례합니다. 평균을 빼고 표준편차로 나누어 1에 가깝게 하세요`,
  vanishing: (name, rms) => `${name}의 기울기가 ${rms}(제곱평균제곱근)입니다. 도착하기 전에 소실됩니다`,
  exploding: (name, rms) => `${name}의 기울기가 ${rms}(제곱평균제곱근)입니다. 오는 길에 폭주합니다`,
  shrinking: (from, to, ratio) => `${to} 층에서 ${from} 층까지 거슬러 가며 기울기가 ${ratio}배로 줄어듭니다. 입력 쪽으로 갈수록 소실됩니다`,
  growing: (from, to, ratio) => `${to} 층에서 ${from} 층까지 거슬러 가며 기울기가 ${ratio}배로 커집니다. 입력 쪽으로 갈수록 폭주합니다`,
  noGradient: (name) => `${name}에는 기울기가 도착하지 않습니다. 손실에 영향을 주지 않습니다`,
  zeroGradient: (name) => `${name}의 기울기가 모두 정확히 0입니다. 무엇이 막는지는 whyZero(loss, ${name}) 또는 chainrule why가 알려 줍니다`,
  kink: (name, op, count, size, pytorch, jax, used) =>
    `${name}: 원소 ${size}개 중 ${count}개가 ${op}의 꺾인 점 또는 동점에 정확히 있습니다. 그곳의 미분으로는 ${withParticle(used, "을")} 씁니다${pytorch === jax ? "(PyTorch와 JAX가 같음)" : `(PyTorch ${pytorch}, JAX ${jax})`}`,
  kinkUnknown: (name, op, count, size) =>
    `${name}: 원소 ${size}개 중 ${count}개가 ${op}의 꺾인 점 또는 동점에 정확히 있습니다. 어떤 미분을 쓰는지는 docs/conventions.md에 있습니다`,
  jaxDiffers: (name, op, jax) => `${name}: JAX는 ${op}의 그곳 미분으로 ${withParticle(jax, "을")} 쓰므로 기울기가 다릅니다`,
  unit: "표본 하나",
};

/** The words of a language. */
export function healthWords(language: Language): HealthWords {
  return language === "ko" ? ko : en;
}
