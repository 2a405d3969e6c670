import type { Item, Link } from "./layers.ts";

/** How far a port may slide: input of several, the only input, output. */
export const inputSlide = 10;
const onlyInputSlide = 6;
const outputSlide = 6;

/** Slides ports along the node's side to meet wires that arrive or leave a few pixels off, so that no wire jogs beside its node. */
export function settlePorts(node: Item): void {
  const reach = node.half - 7;
  const slide = (ports: readonly Port[], farthest: number): void => {
    const settled = ports.map(({ offset, wanted }) =>
      Math.abs(wanted) <= reach && Math.abs(wanted - offset) <= farthest ? wanted : offset,
    );
    for (let i = 1; i < settled.length; i++) if (settled[i]! - settled[i - 1]! < 8) return;
    for (let i = 0; i < ports.length; i++) ports[i]!.set(settled[i]!);
  };
  slide(node.ins.map(inputPort), node.ins.length === 1 ? onlyInputSlide : inputSlide);
  slide(outputPorts(node), outputSlide);
}

interface Port {
  readonly offset: number;
  /** The offset that would make its wire straight. */
  readonly wanted: number;
  readonly set: (offset: number) => void;
}

function inputPort(link: Link): Port {
  return {
    offset: link.toOffset,
    wanted: link.from.y + link.fromOffset - link.to.y,
    set: (offset) => {
      link.toOffset = offset;
    },
  };
}

/** One port for each net; it wants to meet the nearest of its stretches. */
function outputPorts(node: Item): Port[] {
  const nets = new Map<number, Link[]>();
  for (const link of node.outs) nets.set(link.net, [...(nets.get(link.net) ?? []), link]);
  return [...nets.values()]
    .map((links) => {
      const offset = links[0]!.fromOffset;
      const wants = links.map((link) => link.to.y + link.toOffset - node.y);
      return {
        offset,
        wanted: wants.reduce((best, want) => (Math.abs(want - offset) < Math.abs(best - offset) ? want : best)),
        set: (to: number) => {
          for (const link of links) link.fromOffset = to;
        },
      };
    })
    .sort((a, b) => a.offset - b.offset);
}
