import type { TrainState } from "../../../studio/train/state.ts";

/** A net of each kind: what the exports are tried on. */
export const nets: Readonly<Record<string, Partial<TrainState>>> = {
  plane: { layers: [3, 2], features: ["x1", "x2^2", "x1*x2", "sqrt(x1^2+x2^2)"], points: 20 },
  squared: { layers: [2], loss: "squared", activation: "relu", optimizer: "adamW", points: 20 },
  hinge: { layers: [], loss: "hinge", optimizer: "nesterov", penalty: "l1", schedule: "cosine", points: 20 },
  falling: { layers: [3], optimizer: "adam", rate: 0.05, penalty: "l2", penaltyRate: 0.02, schedule: "step", points: 20 },
  fading: { layers: [2], optimizer: "rmsProp", rate: 0.02, schedule: "exponential", points: 20 },
  rising: { layers: [2], optimizer: "momentum", rate: 0.1, penalty: "l1", schedule: "warmup", points: 20 },
  line: { data: "formula", formula: "x / 2", features: ["x1", "sin(x1)"], layers: [3], activation: "gelu", loss: "huber", points: 20 },
  table: {
    data: "csv",
    csv: ["a,b,c,kind", ...Array.from({ length: 24 }, (_, i) => `${100 + i},${i * i},${i % 5},${["p", "q", "r"][i % 3]}`)].join("\n"),
    layers: [4],
    activation: "silu",
  },
  scores: {
    data: "csv",
    csv: ["a,b,kind", ...Array.from({ length: 24 }, (_, i) => `${i},${i % 7},${["p", "q", "r"][i % 3]}`)].join("\n"),
    layers: [2],
    loss: "hinge",
  },
  amounts: {
    data: "csv",
    csv: ["a,b", ...Array.from({ length: 24 }, (_, i) => `${i},${1000.5 + i * i}`)].join("\n"),
    layers: [2],
    loss: "absolute",
  },
  images: { data: "digits", layers: [5], activation: "leakyRelu" },
  convolved: { data: "digits", kind: "conv", layers: [2, 3], activation: "relu", batch: 8 },
};
