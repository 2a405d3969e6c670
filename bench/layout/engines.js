// Other layouts on our scenes: nodes of the same sizes, and a label of 56 x 32 on every wire. Each gives the wires as lists of points.
import dagre from "@dagrejs/dagre";
import { instance } from "@viz-js/viz";
import ELK from "elkjs/lib/elk.bundled.js";
import { layoutScene } from "../../src/draw/layout/layout-scene.ts";

const label = { width: 56, height: 32 };

/** @param {any} scene */
function portsOf(scene) {
  const ins = new Map();
  const outs = new Map();
  for (const { id } of scene.items) {
    ins.set(id, []);
    outs.set(id, new Set());
  }
  for (const wire of scene.wires) {
    ins.get(wire.to).push(wire.input);
    outs.get(wire.from).add(wire.output);
  }
  return { ins, outs };
}

/** Layered, orthogonal, ports in fixed order, as in the table of the first measurements. @param {any} scene */
export async function elk(scene) {
  const { ins, outs } = portsOf(scene);
  const bodies = layoutScene(scene).items;
  const port = (/** @type {string} */ id, /** @type {string} */ side, /** @type {number} */ index) => ({
    id,
    width: 0,
    height: 0,
    layoutOptions: { "elk.port.side": side, "elk.port.index": String(index) },
  });
  const graph = {
    id: "root",
    layoutOptions: {
      "elk.algorithm": "layered",
      "elk.direction": "RIGHT",
      "elk.edgeRouting": "ORTHOGONAL",
      "elk.layered.nodePlacement.strategy": "BRANDES_KOEPF",
      "elk.spacing.nodeNode": "14",
      "elk.layered.spacing.nodeNodeBetweenLayers": "30",
      "elk.randomSeed": "1",
      "elk.separateConnectedComponents": "false",
    },
    children: bodies.map(({ id, body }) => ({
      id,
      width: body.width,
      height: body.height,
      layoutOptions: { "elk.portConstraints": "FIXED_ORDER" },
      ports: [
        ...[...outs.get(id)].sort((a, b) => a - b).map((o, i) => port(`${id}:o${o}`, "EAST", i)),
        // ELK counts ports clockwise: those on the left from the bottom up.
        ...ins
          .get(id)
          .sort((/** @type {number} */ a, /** @type {number} */ b) => b - a)
          .map((/** @type {number} */ o, /** @type {number} */ i) => port(`${id}:i${o}`, "WEST", 100 + i)),
      ],
    })),
    edges: scene.wires.map((/** @type {any} */ w, /** @type {number} */ i) => ({
      id: `e${i}`,
      sources: [`${w.from}:o${w.output}`],
      targets: [`${w.to}:i${w.input}`],
      labels: [{ id: `l${i}`, text: "x", ...label }],
    })),
  };
  const done = await new ELK().layout(graph);
  return done.edges.map((/** @type {any} */ { sections: [s] }) => [s.startPoint, ...(s.bendPoints ?? []), s.endPoint]);
}

/** @param {any} scene */
export async function dagreLayout(scene) {
  const g = new dagre.graphlib.Graph({ multigraph: true });
  g.setGraph({ rankdir: "LR", nodesep: 14, edgesep: 10, ranksep: 30 });
  g.setDefaultEdgeLabel(() => ({}));
  for (const { id, body } of layoutScene(scene).items) g.setNode(id, { width: body.width, height: body.height });
  scene.wires.forEach((/** @type {any} */ w, /** @type {number} */ i) => {
    g.setEdge(w.from, w.to, { ...label, labelpos: "c" }, `${i}`);
  });
  dagre.layout(g);
  return scene.wires.map((/** @type {any} */ w, /** @type {number} */ i) => g.edge(w.from, w.to, `${i}`).points);
}

const graphviz = await instance();

/** @param {any} scene */
export async function viz(scene) {
  const inches = (/** @type {number} */ px) => px / 72;
  const number = new Map(scene.items.map((/** @type {any} */ { id }, /** @type {number} */ i) => [id, `n${i}`]));
  const lines = ["digraph {", 'rankdir=LR; nodesep=0.2; ranksep=0.4; node [shape=box, fixedsize=true, label=""];'];
  for (const { id, body } of layoutScene(scene).items)
    lines.push(`${number.get(id)} [width=${inches(body.width)}, height=${inches(body.height)}];`);
  scene.wires.forEach((/** @type {any} */ w, /** @type {number} */ i) => {
    lines.push(`${number.get(w.from)} -> ${number.get(w.to)} [id="${i}", label="-0.50\\n-0.50", fontsize=12];`);
  });
  lines.push("}");
  const { objects: _, edges = [] } = graphviz.renderJSON(lines.join("\n"));
  const found = new Array(scene.wires.length);
  for (const edge of edges) found[Number(edge.id)] = bezier(edge.pos);
  return found;
}

/** The points of a spline such as "e,9,9 1,2 3,4 ...", eight to a curve. @param {string} pos */
function bezier(pos) {
  const ends = pos.split(" ").filter((part) => !/^[se],/.test(part));
  const p = ends.map((part) => part.split(",").map(Number));
  const points = [{ x: p[0][0], y: p[0][1] }];
  for (let i = 0; i + 3 < p.length; i += 3)
    for (let k = 1; k <= 8; k++) {
      const t = k / 8;
      const mix = (/** @type {number} */ c) =>
        (1 - t) ** 3 * p[i][c] + 3 * (1 - t) ** 2 * t * p[i + 1][c] + 3 * (1 - t) * t * t * p[i + 2][c] + t ** 3 * p[i + 3][c];
      points.push({ x: mix(0), y: mix(1) });
    }
  return points;
}
