// Times and crossings of layouts, ours first; see run.js.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { layoutScene } from "../../src/draw/layout/layout-scene.ts";
import { crossingScenes } from "../../test/draw/crossing-scenes.ts";
import { machine } from "../harness/machine.js";
import { dagreLayout, elk, viz } from "./engines.js";

const project = fileURLToPath(new URL("../../../../", import.meta.url));
const scenes = crossingScenes();

/**
 * Points in which wires of different outputs cross, each once; any directions.
 * @param {any} scene @param {{ x: number, y: number }[][]} wires
 */
function crossings(scene, wires) {
  const segments = wires.flatMap((points, w) => {
    const net = `${scene.wires[w].from} ${scene.wires[w].output}`;
    return points.slice(1).map((b, i) => ({ net, a: points[i], b, left: Math.min(points[i].x, b.x), right: Math.max(points[i].x, b.x) }));
  });
  segments.sort((s, t) => s.left - t.left);
  const found = new Set();
  const open = [];
  for (const s of segments) {
    let kept = 0;
    for (const t of open) {
      if (t.right < s.left) continue;
      open[kept++] = t;
      if (t.net === s.net) continue;
      const at = meeting(s.a, s.b, t.a, t.b);
      if (at !== null) found.add(`${[s.net, t.net].sort()} ${Math.round(at.x)},${Math.round(at.y)}`);
    }
    open.length = kept;
    open.push(s);
  }
  return found.size;
}

/** Where two segments properly cross. @param {any} a @param {any} b @param {any} c @param {any} d */
function meeting(a, b, c, d) {
  const det = (b.x - a.x) * (d.y - c.y) - (b.y - a.y) * (d.x - c.x);
  if (Math.abs(det) < 1e-9) return null;
  const s = ((c.x - a.x) * (d.y - c.y) - (c.y - a.y) * (d.x - c.x)) / det;
  const t = ((c.x - a.x) * (b.y - a.y) - (c.y - a.y) * (b.x - a.x)) / det;
  if (s <= 1e-6 || s >= 1 - 1e-6 || t <= 1e-6 || t >= 1 - 1e-6) return null;
  return { x: a.x + s * (b.x - a.x), y: a.y + s * (b.y - a.y) };
}

async function writeFixture() {
  /** @type {Record<string, number>} */
  const counts = {};
  for (const [name, scene] of scenes) counts[name] = crossings(scene, await elk(scene));
  const about =
    "Crossings in ELK's layouts (elkjs 0.12.1, layered, orthogonal, BRANDES_KOEPF); written by node bench/layout/run.js fixture";
  writeFileSync(`${project}test/fixtures/layout/elk-crossings.json`, `${JSON.stringify({ about, crossings: counts }, null, 2)}\n`);
}

async function writeResults() {
  const engines = {
    ours: async (/** @type {any} */ s) => layoutScene(s).wires.map(({ points }) => points),
    elkjs: elk,
    dagre: dagreLayout,
    "viz-js dot": viz,
  };
  const rows = [];
  /** @type {number[]} */
  const ratios = [];
  for (const name of ["60", "538", "2250"]) {
    const scene = scenes.get(name);
    /** @type {any} */
    let ours = null;
    for (const [engine, layout] of Object.entries(engines)) {
      const times = [];
      let wires = [];
      // The slow ones once cold on large graphs; the others warm: the median of many, less the first, in which the code is still being compiled.
      const rounds = name === "60" ? (engine === "elkjs" ? 41 : 301) : engine === "ours" ? 13 : 1;
      for (let i = 0; i < rounds; i++) {
        const start = process.cpuUsage();
        try {
          wires = await layout(scene);
        } catch (error) {
          rows.push(`| ${scene.items.length} items, ${scene.wires.length} wires | ${engine} | fails: ${String(error).slice(0, 60)} | | |`);
          break;
        }
        const used = process.cpuUsage(start);
        times.push((used.user + used.system) / 1000);
      }
      if (wires.length === 0) continue;
      const late = times.slice(times.length / 3).sort((a, b) => a - b);
      const warm = late[late.length >> 1];
      ours ??= warm;
      const count = crossings(scene, wires);
      rows.push(
        `| ${scene.items.length} items, ${scene.wires.length} wires | ${engine} | ${count} | ${warm.toFixed(warm < 100 ? 1 : 0)} | ${(warm / ours).toPrecision(3)} |`,
      );
      console.log(rows[rows.length - 1]);
    }
  }
  const { crossings: known } = JSON.parse(readFileSync(`${project}test/fixtures/layout/elk-crossings.json`, "utf8"));
  for (const [name, scene] of scenes)
    ratios.push(
      (crossings(
        scene,
        layoutScene(scene).wires.map(({ points }) => [...points]),
      ) +
        1) /
        (known[name] + 1),
    );
  const mean = Math.exp(ratios.reduce((sum, r) => sum + Math.log(r), 0) / ratios.length);
  const text = [
    "<!-- layout -->",
    "## Layout of pictures",
    "",
    "Layouts with room for the numbers on every wire. Ours and ELK keep operands in port order; dagre and Graphviz do not, which saves them crossings and lets operands",
    "change places, and they draw each branch of an output from its start, which costs them some. Milliseconds of processor time in Node, warm (a median) for ours and for 60 items, cold else.",
    "",
    "| graph | engine | crossings | ms | times ours |",
    "|---|---|---|---|---|",
    ...rows,
    "",
    `Over these, ${scenes.size - 3} more graphs (50 random ones, the gallery): crossings + 1 are ${mean.toPrecision(3)} times ELK's, geometric mean; the worst ${Math.max(...ratios).toPrecision(3)} times.`,
    "",
    `${machine()}; \`node bench/layout/run.js results\``,
    "",
  ].join("\n");
  const path = `${project}bench/RESULTS.md`;
  const old = readFileSync(path, "utf8");
  const start = old.indexOf("<!-- layout -->");
  const end = start < 0 ? -1 : old.indexOf("\n<!-- ", start + 1);
  const rest = start < 0 ? old.trimEnd() : (old.slice(0, start) + (end < 0 ? "" : old.slice(end + 1))).trimEnd();
  writeFileSync(path, `${rest}\n\n${text}`);
}

if (process.argv[2] === "fixture") await writeFixture();
else await writeResults();
