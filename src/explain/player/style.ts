import { styleSheet, themeVariables } from "../../draw/svg-style.ts";
import { palettes } from "../../draw/theme.ts";

/** The one style sheet of a page: the picture's, the page's, and both themes as variables. */
export function pageStyle(colourBlind: boolean): string {
  const [light, dark] = colourBlind ? [palettes["colour-blind"], palettes["colour-blind dark"]] : [palettes.light, palettes.dark];
  return `:root{${themeVariables(light)};color-scheme:light}
@media (prefers-color-scheme:dark){:root{${themeVariables(dark)};color-scheme:dark}}
:root[data-theme=light]{${themeVariables(light)};color-scheme:light}
:root[data-theme=dark]{${themeVariables(dark)};color-scheme:dark}
${styleSheet(light)}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Noto Sans KR","Noto Sans CJK KR",sans-serif;word-break:keep-all;overflow-wrap:anywhere}
header,main,section{max-width:1600px;margin:0 auto;padding:0 20px}
header{display:flex;flex-wrap:wrap;gap:8px 16px;align-items:center;padding-top:14px}
h1{font-size:18px;font-weight:650;margin:0;flex:1 1 240px;min-width:0}
h2{font-size:15px;margin:22px 0 8px}
button,select{font:inherit;color:inherit;background:var(--op);border:1px solid var(--input-line);border-radius:7px;min-height:34px;padding:2px 10px;cursor:pointer}
button:hover{border-color:var(--accent)}
button svg{display:block;width:18px;height:18px;fill:currentColor}
button[aria-pressed=true]{background:var(--accent-fill);border-color:var(--accent)}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
#stage{overflow:auto;border:1px solid var(--input-line);border-radius:10px;margin:12px 0;padding:6px;max-height:64vh}
#stage .cr{display:block;margin:0 auto}
#stage.fit .cr{width:100%;height:auto}
.controls{display:flex;flex-wrap:wrap;gap:8px;align-items:center}
.controls input{flex:1 1 220px;min-width:140px;accent-color:var(--accent)}
#count{min-width:8.5em;font-variant-numeric:tabular-nums;text-align:right}
#card{border:1px solid var(--input-line);border-radius:10px;background:var(--op);padding:10px 16px;margin:12px 0;min-height:7.5em}
#card h2{margin:0 0 4px}
#card p{margin:0;font-variant-numeric:tabular-nums}
.legend{display:flex;flex-wrap:wrap;gap:4px 18px;font-size:13px;color:var(--muted);margin:0;padding:0}
.legend .v{color:var(--fwd);font-weight:700}
.legend .g{color:var(--grad);font-weight:700;font-style:italic}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:14px}
th,td{text-align:left;padding:3px 10px;border-bottom:1px solid var(--input);vertical-align:top}
th{font-weight:600;color:var(--muted)}
td button{min-height:26px;padding:0 8px}
td.v{color:var(--fwd)}
td.g{color:var(--grad);font-style:italic}
tr.now{background:var(--accent-fill)}
.said{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
@media (prefers-reduced-motion:no-preference){.cr .cr-fresh{animation:fresh .35s ease-out}@keyframes fresh{from{opacity:.15}}}
@media (forced-colors:active){.cr-item.cr-active .cr-body{stroke:Highlight}}
@media print{.controls,#theme,#language{display:none}}`;
}
