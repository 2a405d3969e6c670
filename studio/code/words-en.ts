/** The Code tab's words in English. */
export const en = {
  program: "Program",
  run: "Run",
  stop: "Stop",
  running: "Running …",
  output: "Output",
  pictures: "Pictures",
  nothing: "Run the program to see what it says. show(f) draws a value with its gradients.",
  examples: "Examples",
  lecture: "(x + y) z",
  neuron: "sigmoid neuron",
  descent: "gradient descent",
  moons: "train on moons",
  ownGate: "a gate of your own",
  hessian: "second derivatives",
  done: "Done.",
  stopped: "Stopped.",
  silent: "Ended: 10 seconds without an answer. Print something now and then in long runs.",
  gone: "Ended: the browser closed the program, most likely because it filled its memory. Keep fewer arrays and texts.",
  unreachable:
    "The frame that programs run in could not be loaded. This browser keeps no pages for reading without a network here, so programs need the network.",
  about:
    "TypeScript against the library's public interface. It runs apart from this page, without a network, with 512 MiB of engine memory, 1 GiB of arrays and a million nodes at most.",
  keys: "Ctrl+Enter runs. Escape, then Tab leaves the editor.",
  line: (line: number, text: string): string => `line ${line}: ${text}`,
  cut: "Older lines were dropped.",
  inWords: "In words",
  sheet: { output: "Output", pictures: "Pictures", about: "About" },
  sheetLabel: "Panels",
  picturesCount: (n: number): string => (n === 0 ? "Pictures" : `Pictures (${n})`),
  pictureOf: (title: string): string => (title === "" ? "the graph" : title),
};

export type CodeWords = typeof en;
