import type { NumberArray } from "../ir/dtype.ts";
import { type TensorType, typeText } from "../ir/type.ts";
import { checked } from "./checked.ts";
import type { Handle, Library } from "./library.ts";
import { eager, type Pending, resolved, waited } from "./pending.ts";

/** Below this a message goes out at once, with its elements in it, in both libraries (Open MPI's limit is 4096 bytes with its own header): one exchange of everything is then the fastest. */
const small = 4000;
/** With more than two ranks a sum goes round in so many steps that short ones are left to the library's tree. */
const leastPart = 16 * 1024;
/** Parts begin at whole lines of the cache. */
const line = 64;
/** Tags go from 0 to 32767 at least in every library. */
const tags = 2 ** 15;

/** A message to and one from a neighbour, and what becomes of what came. Places and lengths are in elements. */
interface Step {
  readonly to: number;
  readonly from: number;
  readonly sent: number;
  readonly sentCount: number;
  readonly got: number;
  readonly gotCount: number;
  /** Whether what came is added to what is there, or written over it. */
  readonly adds: boolean;
}

/** How elements of one kind and number are summed by these ranks. */
export interface Plan {
  readonly steps: readonly Step[];
  /** Bytes for what comes before it is added. */
  readonly scratchBytes: number;
  /** Memory for it that nobody uses now. */
  readonly free: Scratch[];
  /** Whether what is there is added to what came: then that is copied. */
  readonly ordered: boolean;
}

/** Memory for what comes, and two requests; used again and again. */
interface Scratch {
  /** Of the elements' type. */
  readonly view: NumberArray;
  readonly address: number;
  /** The library writes handles there, of four bytes or eight each. */
  readonly requests: BigInt64Array;
  readonly requestsAddress: number;
}

/** What is summed in place, as the library is told of it. */
export interface Summand {
  readonly data: NumberArray;
  readonly count: number;
  readonly address: number;
  readonly type: Handle;
  readonly elementBytes: number;
  /** How it is summed by messages; null where the library sums it. */
  readonly plan: Plan | null;
}

/** What sums need to know. */
export interface Neighbours {
  readonly rank: number;
  readonly ranks: number;
  /** A communicator on which nobody else sends messages from rank to rank. */
  readonly channel: Handle;
  readonly timeout: number;
  /** Called now and then while waiting; does not come back when a rank is lost. */
  readonly check: () => void;
}

/** Where the parts of a vector begin, one for each rank, and where the last one ends. */
export function partsOf(count: number, ranks: number, elementBytes: number): number[] {
  const unit = Math.max(1, line / elementBytes);
  return Array.from({ length: ranks + 1 }, (_, i) => Math.min(count, Math.ceil((count * i) / ranks / unit) * unit));
}

/**
 * The steps of one rank in a sum that goes round (Patarasuk and Yuan 2009, "Bandwidth optimal all-reduce algorithms for clusters of workstations"): parts are added up from rank to rank
 * until each rank has the sum of one, and these go round once more. Every element is added up by one rank alone, so all ranks get the same bits, in an order that the number of ranks and elements fixes.
 */
export function stepsAround(rank: number, starts: readonly number[]): Step[] {
  const ranks = starts.length - 1;
  const [to, from] = [(rank + 1) % ranks, (rank + ranks - 1) % ranks];
  const part = (i: number): readonly [at: number, count: number] => {
    const own = (i + 2 * ranks) % ranks;
    return [starts[own]!, starts[own + 1]! - starts[own]!];
  };
  const steps: Step[] = [];
  for (const adds of [true, false])
    for (let t = 0; t < ranks - 1; t++) {
      const first = adds ? rank : rank + 1;
      const [[sent, sentCount], [got, gotCount]] = [part(first - t), part(first - t - 1)];
      steps.push({ to, from, sent, sentCount, got, gotCount, adds });
    }
  return steps;
}

/** Two ranks exchange everything. */
function exchanged(rank: number, count: number): Step[] {
  return [{ to: 1 - rank, from: 1 - rank, sent: 0, sentCount: count, got: 0, gotCount: count, adds: true }];
}

/**
 * Sums of the ranks of one machine, made of messages instead of by `MPI_Iallreduce`. Open MPI's goes to one rank and back where there are fewer than four, or less than 64 kB, and so takes
 * up to twice as long between two ranks as its sister that blocks; these take as long as that one from some 16 kB on, and nothing blocks.
 */
export class OwnSums {
  readonly library: Library;
  readonly near: Neighbours;
  readonly flag: Int32Array;
  readonly flagAddress: number;
  readonly handleBytes: number;
  private readonly plans = new Map<string, Plan>();
  private readonly running: OwnSum[] = [];
  private begunSoFar = 0;

  constructor(library: Library, near: Neighbours) {
    this.library = library;
    this.near = near;
    // A buffer of its own: a small array without one may be moved while the library has its address.
    this.flag = new Int32Array(new ArrayBuffer(4));
    this.flagAddress = library.address(this.flag);
    this.handleBytes = library.family === "openmpi" ? 8 : 4;
  }

  /** How these elements are summed; null where that is left to the library. All ranks answer alike. */
  planOf(data: NumberArray): Plan | null {
    const { rank, ranks } = this.near;
    const { length: count, byteLength: bytes, BYTES_PER_ELEMENT: elementBytes } = data;
    if (count === 0 || (ranks > 2 && bytes < ranks * leastPart)) return null;
    const key = `${count} ${data.constructor.name}`;
    let plan = this.plans.get(key);
    if (plan === undefined) {
      const whole = ranks === 2 && bytes < small;
      const steps = whole ? exchanged(rank, count) : stepsAround(rank, partsOf(count, ranks, elementBytes));
      const scratchBytes = Math.max(...steps.map(({ gotCount, adds }) => (adds ? gotCount : 0))) * elementBytes;
      plan = { steps, scratchBytes, free: [], ordered: whole && rank === 0 };
      this.plans.set(key, plan);
    }
    return plan;
  }

  /** Begins to replace a vector by the sum over all ranks. */
  begin(x: Summand, plan: Plan, of: TensorType): OwnSum {
    const sum = new OwnSum(this, x, of, plan, plan.free.pop() ?? this.added(plan, x.data), this.begunSoFar++ % tags);
    this.running.push(sum);
    return sum;
  }

  private added({ scratchBytes }: Plan, like: NumberArray): Scratch {
    const view = new (like.constructor as new (memory: ArrayBuffer) => NumberArray)(new ArrayBuffer(scratchBytes));
    const requests = new BigInt64Array(new ArrayBuffer(16));
    const { address } = this.library;
    return { view, address: address(view), requests, requestsAddress: address(requests) };
  }

  /** A sum is there. */
  ended(sum: OwnSum): void {
    const { running } = this;
    const last = running.pop()!;
    if (last !== sum) running[running.indexOf(sum)] = last;
  }

  /** Lets all that were begun go on: another rank may wait for one while this one waits for something else. */
  progress(except: OwnSum | null): void {
    if (this.running.length === (except === null ? 0 : 1)) return;
    for (const sum of [...this.running]) if (sum !== except) sum.goOn();
  }
}

/** A sum that was begun. */
export class OwnSum implements Pending {
  private readonly all: OwnSums;
  private readonly x: Summand;
  private readonly of: TensorType;
  private readonly plan: Plan;
  private readonly scratch: Scratch;
  private readonly tag: number;
  /** The step whose messages are on their way; as many as there are when all is done. */
  private at = 0;

  constructor(all: OwnSums, x: Summand, of: TensorType, plan: Plan, scratch: Scratch, tag: number) {
    this.all = all;
    this.x = x;
    this.of = of;
    this.plan = plan;
    this.scratch = scratch;
    this.tag = tag;
    this.exchange(plan.steps[0]!);
  }

  done(): boolean {
    if (this.goOn()) return true;
    this.all.progress(this);
    return false;
  }

  wait(): Promise<void> {
    for (let i = 0; i < eager; i++) if (this.done()) return resolved;
    const { timeout, check } = this.all.near;
    const patience = { timeout, check, bytes: this.x.count * this.x.elementBytes };
    return waited(`allReduce of ${typeText(this.of)}`, () => this.done(), patience);
  }

  /** Whether all is done, after one look at the messages that are on their way. */
  goOn(): boolean {
    const { plan, all, scratch } = this;
    if (this.at === plan.steps.length) return true;
    const { library, flag, flagAddress } = all;
    this.check(library.call.Testall(2, scratch.requestsAddress, flagAddress, library.statusIgnore));
    if (flag[0] === 0) return false;
    const step = plan.steps[this.at]!;
    if (step.adds) this.add(step);
    const next = plan.steps[++this.at];
    if (next === undefined) {
      plan.free.push(scratch);
      all.ended(this);
      return true;
    }
    this.exchange(next);
    return false;
  }

  /** What comes is received first, so that it has a place when it is there. */
  private exchange({ to, from, sent, sentCount, got, gotCount, adds }: Step): void {
    const { x, tag, scratch } = this;
    const { library, near, handleBytes } = this.all;
    const { call } = library;
    const { address, type, elementBytes } = x;
    const place = adds ? scratch.address : address + got * elementBytes;
    this.check(call.Irecv(place, gotCount, type, from, tag, near.channel, scratch.requestsAddress));
    const own = address + sent * elementBytes;
    this.check(call.Isend(own, sentCount, type, to, tag, near.channel, scratch.requestsAddress + handleBytes));
  }

  private add({ got, gotCount }: Step): void {
    const { x, plan, scratch, all } = this;
    const { call, ops } = all.library;
    const { data, type, address, elementBytes } = x;
    const place = address + got * elementBytes;
    if (!plan.ordered) {
      this.check(call.Reduce_local(scratch.address, place, gotCount, type, ops.sum));
      return;
    }
    // Both ranks add the other's to rank 0's, in this order: which NaN becomes of two is told by their order.
    this.check(call.Reduce_local(place, scratch.address, gotCount, type, ops.sum));
    data.set(scratch.view);
  }

  private check(code: number): void {
    if (code !== 0) checked(this.all.library, code, `allReduce of ${typeText(this.of)}`);
  }
}
