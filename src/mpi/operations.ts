import { byteSize } from "../files/element-bytes.ts";
import { sizeOf } from "../ir/shape.ts";
import { type TensorType, typeText } from "../ir/type.ts";
import { checked } from "./checked.ts";
import type { Library, Native } from "./library.ts";
import { eager, type Pending, resolved, waited, waitedHere } from "./pending.ts";

/** Where a request of the library lies: it writes a handle there, of four bytes or eight. */
export interface Slot {
  readonly memory: BigInt64Array;
  readonly address: number;
  /** What the library reads or writes for it, kept from being collected. */
  kept: unknown;
}

/**
 * What the library works at. A small message is there in ten microseconds, so beginning one and asking for it makes no text, no promise and no memory of its own: requests lie
 * in places that are used again, and are handed over by their addresses, which costs half of what handing over an array does.
 */
export class Operations {
  readonly library: Library;
  readonly timeout: number;
  /** Called now and then while waiting; does not come back when a rank is lost. */
  readonly check: () => void;
  /** What goes on only while it is asked, and is not the library's. */
  private readonly progress: () => void;
  /** All that there are: the library may write to one that nobody else holds any more. */
  private readonly slots: Slot[] = [];
  private readonly free: Slot[] = [];
  private readonly test: Native;
  private readonly flag: Int32Array;
  private readonly flagAddress: number;
  private readonly statusIgnore: number;

  constructor(library: Library, timeout: number, check: () => void, progress: () => void = () => undefined) {
    this.library = library;
    this.timeout = timeout;
    this.check = check;
    this.progress = progress;
    this.test = library.call.Test;
    this.statusIgnore = library.statusIgnore;
    // Buffers of their own: a small array without one may be moved while the library has its address.
    this.flag = new Int32Array(new ArrayBuffer(4));
    this.flagAddress = library.address(this.flag);
  }

  /** Begins an operation: `call` is given the address of the request. */
  begin(what: string, of: TensorType | null, call: (request: number) => number, ...kept: readonly unknown[]): Operation {
    const slot = this.take();
    return this.begun(slot, call(slot.address), what, of, kept);
  }

  /** Where the next request goes. */
  take(): Slot {
    return this.free.pop() ?? this.added();
  }

  private added(): Slot {
    const memory = new BigInt64Array(new ArrayBuffer(8));
    const slot = { memory, address: this.library.address(memory), kept: null };
    this.slots.push(slot);
    return slot;
  }

  /** An operation as the library has begun it, or why it has not; `kept` is the memory that it reads and writes. */
  begun(slot: Slot, code: number, what: string, of: TensorType | null, kept: unknown): Operation {
    if (code !== 0) checked(this.library, code, textOf(what, of));
    slot.kept = kept;
    return new Operation(this, slot, what, of);
  }

  /** Whether the library is done with a request, asked so many times at most; the request may then be used again. */
  isDone(slot: Slot, times: number): boolean {
    const { test, flag, flagAddress, statusIgnore } = this;
    const { address } = slot;
    for (let i = 0; i < times; i++) {
      const code = test(address, flagAddress, statusIgnore);
      if (code !== 0) checked(this.library, code, "MPI_Test");
      if (flag[0] === 0) {
        this.progress();
        continue;
      }
      slot.kept = null;
      this.free.push(slot);
      return true;
    }
    return false;
  }
}

/** `allReduce of f32[4]`. */
function textOf(what: string, of: TensorType | null): string {
  return of === null ? what : `${what} of ${typeText(of)}`;
}

/** An operation that was begun. */
export class Operation implements Pending {
  private readonly all: Operations;
  /** Null when it is done. */
  private slot: Slot | null;
  private readonly what: string;
  private readonly of: TensorType | null;

  constructor(all: Operations, slot: Slot, what: string, of: TensorType | null) {
    this.all = all;
    this.slot = slot;
    this.what = what;
    this.of = of;
  }

  done(): boolean {
    return this.isDone(1);
  }

  private isDone(times: number): boolean {
    if (this.slot === null) return true;
    if (!this.all.isDone(this.slot, times)) return false;
    this.slot = null;
    return true;
  }

  wait(): Promise<void> {
    if (this.isDone(eager)) return resolved;
    const { all, of } = this;
    const bytes = of === null ? 0 : byteSize(of.dtype) * sizeOf(of.shape);
    return waited(textOf(this.what, of), () => this.done(), { timeout: all.timeout, check: all.check, bytes });
  }

  /** Waits without letting anything else have a turn. */
  waitHere(): void {
    const { all } = this;
    waitedHere(textOf(this.what, this.of), () => this.done(), { timeout: all.timeout, check: all.check });
  }
}
