import type { Branch, Carry, Control, Moving, Scan, While } from "./control.ts";
import { type Code, f64, i32 } from "./encoder.ts";
import { cells } from "./kernel.ts";
import { addressOf } from "./product.ts";
import type { Buffer } from "./view.ts";

/** What the code of an op with bodies calls. */
interface Calls {
  /** The global that holds the program's base address. */
  readonly base: number;
  /** Writes the steps of each body. */
  readonly parts: readonly ((code: Code) => void)[];
  /** Calls the step that throws. */
  readonly refuse: (code: Code) => void;
}

/** Writes an op with bodies: the loop or the choice, around its bodies' steps. */
export function writeControl(step: Control<unknown>, code: Code, calls: Calls): void {
  const writer = new ControlWriter(code, calls);
  if (step.form === "scan") writer.scan(step);
  else if (step.form === "while") writer.while(step);
  else writer.branch(step);
}

const unrolled = 64;

class ControlWriter {
  private readonly code: Code;
  readonly #calls: Calls;

  constructor(code: Code, calls: Calls) {
    this.code = code;
    this.#calls = calls;
  }

  #address(b: Buffer, offset = 0): Code {
    return addressOf(this.code, this.#calls.base, b, offset);
  }

  /** The address in an entry of the table. */
  #entry(slot: number): Code {
    return this.code.getGlobal(this.#calls.base).mem("i32.load", slot * 4);
  }

  #setEntry(slot: number, value: () => void): void {
    this.code.getGlobal(this.#calls.base);
    value();
    this.code.mem("i32.store", slot * 4);
  }

  /** Copies bytes, all of them and no more. */
  #copy(to: () => void, from: () => void, bytes: number): void {
    const { code } = this;
    if (bytes === 0) return;
    if (bytes > unrolled) {
      to();
      from();
      code.int(bytes).moveBytes();
      return;
    }
    const [target, source] = [code.local(i32), code.local(i32)];
    to();
    code.set(target);
    from();
    code.set(source);
    for (let at = 0; at < bytes; ) {
      const width = bytes - at >= 8 ? 8 : bytes - at >= 4 ? 4 : 1;
      code.get(target).get(source);
      if (width === 8) code.mem("f64.load", at).mem("f64.store", at);
      else if (width === 4) code.mem("i32.load", at).mem("i32.store", at);
      else code.mem("i32.load8_u", at).mem("i32.store8", at);
      at += width;
    }
  }

  #clear(b: Buffer): void {
    this.#address(b);
    this.code
      .int(0)
      .int(b.length * cells[b.dtype].bytes)
      .fill();
  }

  /** The places change: what was written last is read next. */
  #turn({ now, next, result, other }: Carry): void {
    this.#setEntry(now, () => this.#entry(next));
    this.#setEntry(next, () => {
      this.#address(result);
      this.#address(other).op("i32.xor");
      this.#entry(now).op("i32.xor");
    });
  }

  /** The number of rounds of a loop over rows, in a local. */
  #rounds({ length, rows }: Scan<unknown>): number {
    const { code } = this;
    const n = code.local(i32);
    if (length === null) {
      code.int(rows).set(n);
      return n;
    }
    const { load, type } = cells[length.buffer.dtype];
    const given = code.local(f64);
    this.#address(length.buffer, length.offset * cells[length.buffer.dtype].bytes).mem(load);
    if (type === i32) code.op(length.buffer.dtype === "u32" ? "f64.convert_i32_u" : "f64.convert_i32_s");
    else if (type !== f64) code.op("f64.promote_f32");
    code.set(given);
    code.get(given).get(given).op("f64.floor").op("f64.eq");
    code.get(given).float64(0).op("f64.ge").op("i32.and");
    code.get(given).float64(rows).op("f64.le").op("i32.and").op("i32.eqz");
    code.if(() => this.#calls.refuse(code));
    code.get(given).op("i32.trunc_sat_f64_s").set(n);
    return n;
  }

  scan(step: Scan<unknown>): void {
    const { code } = this;
    const { carries, walked, stacked, reverse, every, rows, length } = step;
    const n = this.#rounds(step);
    if (length !== null) {
      for (const { view } of stacked) this.#clear(view.buffer);
      for (const { saved } of carries) if (saved !== null) this.#clear(saved);
    }
    const none = (): void => {
      for (const c of carries)
        this.#copy(
          () => this.#address(c.result),
          () => this.#address(c.init),
          c.bytes,
        );
      code.op("return");
    };
    if (rows === 0) {
      none();
      return;
    }
    if (length !== null) {
      code.get(n).op("i32.eqz");
      code.if(none);
    }
    for (const c of carries) {
      this.#setEntry(c.now, () => this.#address(c.init));
      // The last of an odd number of rounds writes where the first does.
      this.#setEntry(c.next, () => {
        this.#address(c.result);
        this.#address(c.other);
        code.get(n).int(1).op("i32.and").op("select");
      });
    }
    const row = code.local(i32);
    if (reverse) code.get(n).int(1).op("i32.sub").set(row);
    else code.int(0).set(row);
    const moving: readonly Moving[] = [...walked, ...stacked];
    for (const { view, slot, step: by } of moving)
      this.#setEntry(slot, () => {
        this.#address(view.buffer, view.offset * cells[view.buffer.dtype].bytes);
        if (reverse) code.get(row).int(by).op("i32.mul").op("i32.add");
      });
    const stretch = code.local(i32);
    const left = code.local(i32);
    code.int(-1).set(stretch);
    code.get(n).set(left);
    const direction = reverse ? -1 : 1;
    code.loop(() => {
      if (every > 0) {
        const place = code.local(i32);
        code.get(row).int(every).op("i32.div_u").tee(place).get(stretch).op("i32.ne");
        code.if(() => {
          code.get(place).set(stretch);
          for (const { saved, now, bytes } of carries)
            if (saved !== null)
              this.#copy(
                () => this.#address(saved).get(place).int(bytes).op("i32.mul").op("i32.add"),
                () => this.#entry(now),
                bytes,
              );
        });
      }
      this.#calls.parts[0]!(code);
      for (const c of carries) this.#turn(c);
      for (const { slot, step: by } of moving)
        this.#setEntry(slot, () =>
          this.#entry(slot)
            .int(direction * by)
            .op("i32.add"),
        );
      code.get(row).int(direction).op("i32.add").set(row);
      code.get(left).int(-1).op("i32.add").tee(left).brIf(0);
    });
  }

  while(step: While<unknown>): void {
    const { code } = this;
    const { carries, asked, rounds, limit } = step;
    for (const c of carries) {
      this.#setEntry(c.now, () => this.#address(c.init));
      this.#setEntry(c.next, () => this.#address(c.result));
    }
    const made = code.local(i32);
    code.int(0).set(made);
    code.block(() => {
      code.loop(() => {
        this.#calls.parts[0]!(code);
        this.#address(asked).mem("i32.load8_u").op("i32.eqz").brIf(1);
        code.get(made).int(limit).op("i32.eq");
        code.if(() => this.#calls.refuse(code));
        this.#calls.parts[1]!(code);
        for (const c of carries) this.#turn(c);
        code.get(made).int(1).op("i32.add").set(made).br(0);
      });
    });
    for (const c of carries) {
      const from = code.local(i32);
      this.#entry(c.now).tee(from);
      this.#address(c.result).op("i32.ne");
      code.if(() =>
        this.#copy(
          () => this.#address(c.result),
          () => code.get(from),
          c.bytes,
        ),
      );
    }
    if (rounds !== null) this.#address(rounds).get(made).mem("i32.store");
  }

  branch({ test }: Branch<unknown>): void {
    const { code } = this;
    const [yes, no] = this.#calls.parts;
    if (test === null) {
      yes!(code);
      return;
    }
    this.#address(test.buffer, test.offset).mem("i32.load8_u");
    code.if(
      () => yes!(code),
      () => no!(code),
    );
  }
}
