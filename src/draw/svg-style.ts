import type { Palette } from "./theme.ts";

const fonts = `system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Noto Sans KR","Noto Sans CJK KR",sans-serif`;

/** The inline `style` of the root: the theme as CSS variables, which a page can set anew. */
export function themeVariables(palette: Palette): string {
  return Object.entries(palette)
    .map(([name, colour]) => `--${name}:${colour}`)
    .join(";");
}

/**
 * The style sheet. Every colour comes twice: plainly, for programs that do not know CSS variables (librsvg, Inkscape), and as the variable, which
 * wins wherever it is understood.
 */
export function styleSheet(palette: Palette): string {
  const colour = (property: string, name: keyof Palette): string => `${property}:${palette[name]};${property}:var(--${name})`;
  const rules = [
    `.cr text{font-family:${fonts};font-variant-numeric:tabular-nums;text-anchor:middle;${colour("fill", "ink")}}`,
    `.cr-paper{${colour("fill", "paper")}}`,
    `.cr .cr-line{fill:none;stroke-width:1.5;stroke-linecap:round;${colour("stroke", "wire")}}`,
    `.cr-dot{${colour("fill", "ink")}}`,
    `.cr-tensor .cr-line{stroke-width:2.6;${colour("stroke", "wire-tensor")}}`,
    `.cr-broadcast .cr-line{stroke-dasharray:.1 5}`,
    `.cr-zero .cr-line{stroke-width:1.2;stroke-dasharray:.1 4}`,
    `.cr-upstream .cr-line{stroke-width:3.4;stroke-dasharray:none;${colour("stroke", "grad")}}`,
    `.cr-downstream .cr-line{stroke-width:2.4;stroke-dasharray:6 4;stroke-linecap:butt;${colour("stroke", "grad")}}`,
    `.cr-arrow{${colour("fill", "grad")}}`,
    `.cr .cr-value,.cr .cr-gradient,.cr .cr-quiet{font-size:12px;font-weight:700;paint-order:stroke;stroke-width:4px;stroke-linejoin:round;${colour("stroke", "paper")}}`,
    `.cr .cr-value{${colour("fill", "fwd")}}`,
    `.cr .cr-gradient{font-style:italic;${colour("fill", "grad")}}`,
    `.cr .cr-quiet{font-weight:400;font-size:11px;${colour("fill", "muted")}}`,
    `.cr .cr-not-yet{font-size:15px;font-weight:700}`,
    `.cr .cr-fresh{font-size:14.2px}`,
    `.cr-value-bars{${colour("fill", "fwd")}}`,
    `.cr-gradient-bars{${colour("fill", "grad")}}`,
    `.cr-chip rect{stroke-width:1;${colour("fill", "local-fill")};${colour("stroke", "local")}}`,
    `.cr .cr-chip text{font-size:10.5px;font-weight:600;${colour("fill", "local")}}`,
    `.cr-sum rect{stroke-width:1;${colour("fill", "op")};${colour("stroke", "grad")}}`,
    `.cr .cr-sum text{font-size:10.5px;font-weight:700;${colour("fill", "grad")}}`,
    `.cr-sum.cr-active rect{stroke-width:2;${colour("fill", "grad")}}`,
    `.cr .cr-sum.cr-active text{${colour("fill", "paper")}}`,
    `.cr-body{stroke-width:1.6;${colour("fill", "op")};${colour("stroke", "ink")}}`,
    `.cr-parameter .cr-body{stroke-width:1.4;${colour("fill", "parameter")};${colour("stroke", "parameter-line")}}`,
    `.cr-input .cr-body{stroke-width:1.4;${colour("fill", "input")};${colour("stroke", "input-line")}}`,
    `.cr-constant .cr-body{stroke-width:1.2;stroke-dasharray:4 3;${colour("fill", "paper")};${colour("stroke", "muted")}}`,
    `.cr-heat{${colour("fill", "grad")}}`,
    `.cr-inner{fill:none;stroke-width:1;${colour("stroke", "ink")}}`,
    `.cr-group rect{stroke-width:1.2;stroke-dasharray:6 4;fill-opacity:.45;${colour("fill", "input")};${colour("stroke", "input-line")}}`,
    `.cr .cr-group-title{text-anchor:start;font-weight:700;paint-order:stroke;stroke-width:4px;stroke-linejoin:round;${colour("stroke", "paper")};${colour("fill", "muted")}}`,
    `.cr .cr-side{text-anchor:start}`,
    `.cr-note rect{stroke-width:1;${colour("fill", "grad-fill")};${colour("stroke", "grad")}}`,
    `.cr .cr-note text{font-size:10px;font-weight:700;${colour("fill", "grad")}}`,
    `.cr-pending .cr-body{${colour("stroke", "input-line")}}`,
    `.cr-item.cr-active .cr-body{stroke-width:4;${colour("fill", "accent-fill")};${colour("stroke", "accent")}}`,
    `.cr .cr-label{font-weight:500}`,
    `.cr-op .cr-word{font-weight:600}`,
    `.cr .cr-output .cr-label{font-style:italic;font-weight:700}`,
    `.cr .cr-shape{font-size:10px;${colour("fill", "muted")}}`,
  ];
  return rules.join("\n");
}
