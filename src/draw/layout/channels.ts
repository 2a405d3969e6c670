import type { Item, Link } from "./layers.ts";
import type { Spacing } from "./spacing.ts";

/** A vertical piece of wire in a channel: a net arrives from the left at `entry` and leaves to the right at `exits`. */
export interface Vertical {
  readonly net: number;
  readonly entry: number;
  readonly exits: readonly number[];
  readonly low: number;
  readonly high: number;
  /** The entry and the exits, each once, from top to bottom. */
  readonly stops: readonly number[];
  /** The stops where the net goes on in more than one direction. */
  readonly dots: ReadonlySet<number>;
  track: number;
  x: number;
}

/** How the links between two layers bend: the verticals of each link from left to right, none for a straight one. */
export interface Channel {
  readonly bends: Map<Link, readonly Vertical[]>;
  readonly verticals: readonly Vertical[];
  readonly tracks: number;
}

/** Routes the links that leave a layer. Verticals get tracks in an order that saves crossings and never lets two nets share a horizontal. */
export function routeChannel(layer: readonly Item[], spacing: Spacing): Channel {
  const bends = new Map<Link, readonly Vertical[]>();
  const nets: { links: Link[]; vertical: Vertical }[] = [];
  const taken: number[] = [];
  for (const item of layer) {
    for (const links of groupByNet(item.outs)) {
      const entry = item.y + links[0]!.fromOffset;
      const exits = links.map(exitOf);
      taken.push(entry, ...exits);
      if (exits.every((y) => y === entry)) continue;
      nets.push({ links, vertical: makeVertical(links[0]!.net, entry, exits) });
    }
  }
  const placed = orderTracks(
    nets.map(({ vertical }) => vertical),
    taken,
    spacing,
  );
  nets.forEach(({ links, vertical }, i) => {
    const chain = placed.chains[i]!;
    for (const link of links) bends.set(link, exitOf(link) === vertical.entry ? chain.slice(0, 1) : chain);
  });
  return { bends, verticals: placed.order, tracks: assignTracks(placed.order, spacing) };
}

const exitOf = (link: Link): number => link.to.y + link.toOffset;

function groupByNet(links: readonly Link[]): Link[][] {
  const groups = new Map<number, Link[]>();
  for (const link of links) {
    const group = groups.get(link.net);
    if (group) group.push(link);
    else groups.set(link.net, [link]);
  }
  return [...groups.values()];
}

function makeVertical(net: number, entry: number, exits: readonly number[]): Vertical {
  const leaving = new Set(exits);
  const stops = [...new Set([entry, ...exits])].sort((a, b) => a - b);
  const low = stops[0]!;
  const high = stops[stops.length - 1]!;
  const directions = (y: number): number => Number(y === entry) + Number(leaving.has(y)) + Number(y > low) + Number(y < high);
  return { net, entry, exits, low, high, stops, dots: new Set(stops.filter((y) => directions(y) > 2)), track: 0, x: 0 };
}

/** Crossings when `a` runs left of `b`: b's entry crosses a, a's exits cross b. */
function crossings(a: Vertical, b: Vertical): number {
  let count = b.entry > a.low && b.entry < a.high ? 1 : 0;
  for (const y of a.exits) if (y > b.low && y < b.high) count++;
  return count;
}

/** If b were left of a, a's entry and one of b's exits would run along the same line. */
function mustPrecede(a: Vertical, b: Vertical, apart: number): boolean {
  return b.exits.some((y) => Math.abs(y - a.entry) < apart && y !== b.entry);
}

/**
 * Left-to-right order of the verticals: pairwise preferences, under the constraint of `mustPrecede`. Where the constraints form a ring (two wires
 * that change places), one net is split: it goes halfway, lets the others pass, then goes on.
 */
function orderTracks(verticals: readonly Vertical[], taken: number[], spacing: Spacing): { order: Vertical[]; chains: Vertical[][] } {
  const { apart } = spacing;
  const count = verticals.length;
  const score = new Float64Array(count);
  const before: number[][] = verticals.map(() => []);
  for (let i = 0; i < count; i++) {
    for (let j = i + 1; j < count; j++) {
      const a = verticals[i]!;
      const b = verticals[j]!;
      if (a.high + apart < b.low || b.high + apart < a.low) continue;
      const preference = crossings(a, b) - crossings(b, a);
      score[i]! += preference;
      score[j]! -= preference;
      if (mustPrecede(a, b, apart)) before[j]!.push(i);
      if (mustPrecede(b, a, apart)) before[i]!.push(j);
    }
  }
  const better = (a: number, b: number): boolean =>
    b < 0 || score[a]! < score[b]! || (score[a] === score[b] && verticals[a]!.entry < verticals[b]!.entry);
  const chains: Vertical[][] = verticals.map((vertical) => [vertical]);
  const order: Vertical[] = [];
  /** The verticals whose entry no longer stands in another's way. */
  const entered = new Uint8Array(count);
  const done = new Uint8Array(count);
  for (let left = count; left > 0; ) {
    let next = -1;
    let split = -1;
    for (let i = 0; i < count; i++) {
      if (done[i]) continue;
      if (before[i]!.every((j) => entered[j])) {
        if (better(i, next)) next = i;
      } else if (!entered[i] && better(i, split)) split = i;
    }
    if (next >= 0) {
      const chain = chains[next]!;
      order.push(chain[chain.length - 1]!);
      entered[next] = 1;
      done[next] = 1;
      left--;
    } else {
      const whole = verticals[split]!;
      const lane = freeLane(whole, taken, spacing);
      const first = makeVertical(whole.net, whole.entry, [lane, ...whole.exits.filter((y) => y === whole.entry)]);
      chains[split] = [
        first,
        makeVertical(
          whole.net,
          lane,
          whole.exits.filter((y) => y !== whole.entry),
        ),
      ];
      order.push(first);
      entered[split] = 1;
    }
  }
  siftTracks(order, chains, apart);
  return { order, chains };
}

/** Up to this many verticals, sifting is worth its time. */
const mostSifted = 250;

/** Moves each vertical to the place among the others where it crosses least, as far as `mustPrecede` and the order within a chain allow. */
function siftTracks(order: Vertical[], chains: readonly (readonly Vertical[])[], apart: number): void {
  const count = order.length;
  if (count < 2 || count > mostSifted) return;
  const index = new Map(order.map((vertical, i) => [vertical, i]));
  /** What it costs more to have i left of j than the other way round; `never` where it is not allowed. */
  const never = 30_000;
  const cost = new Int16Array(count * count);
  let isWorthIt = false;
  for (let i = 0; i < count; i++) {
    for (let j = i + 1; j < count; j++) {
      const a = order[i]!;
      const b = order[j]!;
      if (a.high + apart < b.low || b.high + apart < a.low) continue;
      const more = mustPrecede(b, a, apart) ? never : mustPrecede(a, b, apart) ? -never : crossings(a, b) - crossings(b, a);
      cost[i * count + j] = more;
      cost[j * count + i] = -more;
      if (more > 0 && more !== never) isWorthIt = true;
    }
  }
  if (!isWorthIt) return;
  for (const [first, second] of chains) {
    if (second === undefined) continue;
    const i = index.get(first!)!;
    const j = index.get(second)!;
    cost[i * count + j] = -never;
    cost[j * count + i] = never;
  }
  const line = Array.from({ length: count }, (_, i) => i);
  for (let round = 0, moved = true; moved && round < 4; round++) {
    moved = false;
    for (let i = 0; i < count; i++) {
      const from = line.indexOf(i);
      let best = 0;
      let place = from;
      let gain = 0;
      for (let p = from - 1; p >= 0; p--) {
        const more = cost[line[p]! * count + i]!;
        if (more === -never) break;
        gain += more;
        if (gain > best) {
          best = gain;
          place = p;
        }
      }
      gain = 0;
      for (let p = from + 1; p < count; p++) {
        const more = cost[i * count + line[p]!]!;
        if (more === -never) break;
        gain += more;
        if (gain > best) {
          best = gain;
          place = p;
        }
      }
      if (place === from) continue;
      line.splice(from, 1);
      line.splice(place, 0, i);
      moved = true;
    }
  }
  const sifted = line.map((i) => order[i]!);
  for (let i = 0; i < count; i++) order[i] = sifted[i]!;
}

/** A height on a vertical's way that no other horizontal of the channel uses: well off its entry, so that the detour does not look like a slip. */
function freeLane({ entry, exits }: Vertical, taken: number[], { detour, clearance, apart }: Spacing): number {
  const mean = exits.reduce((sum, y) => sum + y, 0) / exits.length;
  const wanted = Math.abs(mean - entry) / 2 > detour ? Math.round((mean + entry) / 2) : entry + (mean < entry ? -detour : detour);
  const near = (clear: number, reach: number): number | undefined => {
    for (let step = 0; step < reach; step++) {
      const lane = wanted + (step % 2 === 0 ? step / 2 : -(step + 1) / 2);
      if (taken.every((y) => Math.abs(y - lane) >= clear)) return lane;
    }
    return undefined;
  };
  const lane = near(clearance, 5 * clearance) ?? near(apart, 2 * apart * (2 * taken.length + 1) + 2)!;
  taken.push(lane);
  return lane;
}

/** Each vertical takes the first track right of every earlier one it would touch. Returns the number of tracks. */
function assignTracks(order: readonly Vertical[], { touch }: Spacing): number {
  let tracks = 0;
  order.forEach((vertical, i) => {
    for (let j = 0; j < i; j++) {
      const other = order[j]!;
      if (other.high + touch < vertical.low || vertical.high + touch < other.low) continue;
      vertical.track = Math.max(vertical.track, other.track + 1);
    }
    tracks = Math.max(tracks, vertical.track + 1);
  });
  return tracks;
}
