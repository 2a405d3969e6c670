import type { Language } from "../explain/explain.ts";
import type { Communication } from "./ranks/meter.ts";

/** Why a run ended. */
export type Ending = "epochs" | "steps" | "patience" | "aborted";

/** The sentences about a run, in one language. */
export interface TrainWords {
  /** What the report begins with. */
  readonly training: string;
  readonly steps: (n: number) => string;
  readonly epochs: (n: number) => string;
  readonly numbers: (n: number) => string;
  readonly endings: Readonly<Record<Ending, string>>;
  readonly losses: (loss: string, monitored: string, best: string, step: number) => string;
  /** What messages between ranks cost. */
  readonly communication: (c: Communication) => string;
  readonly lastCheckup: (step: number) => string;
  readonly loss: string;
  /** Amounts of time. */
  readonly seconds: (s: string) => string;
  readonly minutes: (m: number, s: string) => string;
  readonly hours: (h: number, m: string) => string;
  /** Of the progress line. */
  readonly epoch: (now: number, all: number) => string;
  readonly step: (now: string) => string;
  readonly speed: (rows: string) => string;
  readonly left: (time: string) => string;
  readonly goesOn: (step: number) => string;
  readonly validationLoss: string;
  readonly best: string;
}

const megabytes = (bytes: number): string => (bytes / 1e6).toPrecision(3);
const short = (milliseconds: number): string => milliseconds.toPrecision(2);
const percent = (share: number): string => `${(100 * share).toFixed(0)}%`;

/** A count with its noun. */
function counted(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}

/** What is said while training and about it. */
export const trainWords: Readonly<Record<Language, TrainWords>> = {
  en: {
    training: "Training",
    steps: (n) => counted(n, "step"),
    epochs: (n) => counted(n, "epoch"),
    numbers: (n) => `${n} numbers`,
    endings: {
      epochs: "all epochs are done",
      steps: "all steps are done",
      patience: "it got no better for as long as patience allows",
      aborted: "it was stopped",
    },
    losses: (loss, monitored, best, step) => `loss ${loss}; best ${monitored} ${best} at step ${step}`,
    communication: ({ ranks, bytes, buckets, alone, waited, late, hidden }) =>
      `${ranks} ranks: ${megabytes(bytes)} MB of gradients a step in ${counted(buckets, "bucket")}; messages take ${short(alone)} ms by themselves, ${short(waited)} ms of a step are waited for: ${percent(hidden)} hidden behind the backward pass; ranks that are late are waited for ${short(late)} ms more`,
    lastCheckup: (step) => `last checkup, step ${step}`,
    loss: "loss",
    seconds: (s) => `${s} s`,
    minutes: (m, s) => `${m} min ${s} s`,
    hours: (h, m) => `${h} h ${m} min`,
    epoch: (now, all) => `epoch ${now}/${all}`,
    step: (now) => `step ${now}`,
    speed: (rows) => `${rows} rows/s`,
    left: (time) => `${time} left`,
    goesOn: (step) => `goes on after step ${step}`,
    validationLoss: "validation loss",
    best: "(best)",
  },
  ko: {
    training: "학습",
    steps: (n) => `${n}단계`,
    epochs: (n) => `${n}에폭`,
    numbers: (n) => `매개변수 값 ${n}개`,
    endings: {
      epochs: "모든 에폭을 마쳤습니다",
      steps: "모든 단계를 마쳤습니다",
      patience: "patience만큼 기다려도 나아지지 않아 멈췄습니다",
      aborted: "중간에 멈췄습니다",
    },
    losses: (loss, monitored, best, step) => `손실 ${loss}, 가장 좋은 ${monitored === "loss" ? "손실" : monitored} ${best} (${step}단계)`,
    communication: ({ ranks, bytes, buckets, alone, waited, late, hidden }) =>
      `랭크 ${ranks}개: 단계마다 기울기 ${megabytes(bytes)} MB를 버킷 ${buckets}개로 나누어 보냅니다. 메시지만 보내면 ${short(alone)} ms 걸리고, 단계마다 기다리는 시간은 ${short(waited)} ms입니다. ${percent(hidden)}가 역전파와 겹쳐 드러나지 않습니다. 늦는 랭크를 기다리는 데 ${short(late)} ms가 더 듭니다`,
    lastCheckup: (step) => `마지막 점검, ${step}단계`,
    loss: "손실",
    seconds: (s) => `${s}초`,
    minutes: (m, s) => `${m}분 ${s}초`,
    hours: (h, m) => `${h}시간 ${m}분`,
    epoch: (now, all) => `에폭 ${now}/${all}`,
    step: (now) => `단계 ${now}`,
    speed: (rows) => `초당 ${rows}행`,
    left: (time) => `${time} 남음`,
    goesOn: (step) => `${step}단계 다음부터 이어 갑니다`,
    validationLoss: "검증 손실",
    best: "(최고)",
  },
};

/** `1 h 02 min`, `3 min 05 s`, `4.2 s`. */
export function duration(seconds: number, words: TrainWords = trainWords.en): string {
  if (seconds < 60) return words.seconds(String(seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)));
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return words.minutes(minutes, String(Math.floor(seconds % 60)).padStart(2, "0"));
  return words.hours(Math.floor(minutes / 60), String(minutes % 60).padStart(2, "0"));
}
