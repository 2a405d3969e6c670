import type { Theme } from "./scene.ts";

/** The roles a colour has in a picture; each is a CSS variable `--name`. */
export interface Palette {
  readonly paper: string;
  readonly ink: string;
  /** Text and lines that stand back: shapes, `no grad`, what the walk has not reached. */
  readonly muted: string;
  readonly wire: string;
  readonly "wire-tensor": string;
  /** Values, written forward. */
  readonly fwd: string;
  /** Gradients, written backward. */
  readonly grad: string;
  readonly op: string;
  readonly parameter: string;
  readonly "parameter-line": string;
  readonly input: string;
  readonly "input-line": string;
  readonly accent: string;
  readonly "accent-fill": string;
  readonly local: string;
  readonly "local-fill": string;
  readonly "grad-fill": string;
}

const light: Palette = {
  paper: "#f7f8fb",
  ink: "#131a2a",
  muted: "#5f6b80",
  wire: "#76829b",
  "wire-tensor": "#55617d",
  fwd: "#00735c",
  grad: "#b8430a",
  op: "#ffffff",
  parameter: "#fff1cc",
  "parameter-line": "#ad8210",
  input: "#e9eef5",
  "input-line": "#7a88a1",
  accent: "#2456d6",
  "accent-fill": "#eaf0ff",
  local: "#5433c0",
  "local-fill": "#f0ebff",
  "grad-fill": "#fdeee4",
};

const dark: Palette = {
  paper: "#11151c",
  ink: "#e8edf6",
  muted: "#97a3b8",
  wire: "#74819c",
  "wire-tensor": "#93a1bd",
  fwd: "#3fd0b5",
  grad: "#ff8f66",
  op: "#1a2130",
  parameter: "#372d13",
  "parameter-line": "#d0a43a",
  input: "#1d2836",
  "input-line": "#7c8da8",
  accent: "#82a8ff",
  "accent-fill": "#1d2b4d",
  local: "#bba8ff",
  "local-fill": "#2a2348",
  "grad-fill": "#3a2117",
};

/** The colours of each theme. Values and gradients keep a contrast of 5.5 to the paper and stay apart for colour-blind eyes (CIEDE2000). */
export const palettes: Record<Theme, Palette> = /* @__PURE__ */ makePalettes();

function makePalettes(): Record<Theme, Palette> {
  return {
    light,
    dark,
    "colour-blind": { ...light, fwd: "#0b62b0", grad: "#b84300", accent: "#4a2fb0" },
    "colour-blind dark": { ...dark, fwd: "#6cb6ff", grad: "#ffa657", accent: "#c3b1ff" },
  };
}
