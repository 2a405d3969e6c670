/** Every word of the page, in English. Korean has the same keys (`ko.ts`); sentences with numbers are functions. */
export const en = {
  graph: "Graph",
  train: "Train",
  import: "Import",
  code: "Code",
  tabs: "Views",
  undo: "Undo",
  redo: "Redo",
  language: "Language",
  theme: "Colours",
  "theme system": "as the system",
  "theme light": "light",
  "theme dark": "dark",
  "theme colour-blind": "colour-blind",
  "theme colour-blind dark": "colour-blind, dark",
  garbled: "This address could not be read; the page begins anew.",
  version: "This address was written by another version; what could be read is shown.",
  storage: "Your browser's storage is full or denied: your work stays in the address of this page only.",
  loading: "Loading …",
  close: "Close",
};

export type Words = typeof en;
