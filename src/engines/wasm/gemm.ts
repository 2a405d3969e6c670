import { type Code, type Instruction, i32, type ModuleBuilder, v128 } from "./encoder.ts";
import { cells } from "./kernel.ts";

type Real = "f32" | "f64";

/** How a product is cut: rows, columns and inner steps of one packed block, all balanced so that no block is a sliver. */
export interface Blocks {
  readonly rows: number;
  readonly columns: number;
  readonly inner: number;
}

/** Columns of a register block: two vectors. */
const columnsOf = (kind: Real): number => 32 / cells[kind].bytes;

/**
 * Rows of a register block. V8 keeps 15 of the 16 vector registers for values. A plain multiplication needs one for its result: five rows (10
 * accumulators, two vectors of B, one of A and the product) leave one over. A fused one needs none, and six rows (12 accumulators, two of B, one of
 * A) fill them.
 */
const rowsOf = (fused: boolean): number => (fused ? 6 : 5);
/** Rows of the register block for few rows, of which the other would leave too many unused. */
const fewRows = 4;

/** Blocks of rows hold whole register blocks of five and of six rows. */
export const rowUnit = 30;

/** Most rows, columns and inner steps of a packed block: A's block and B's block together stay in a second-level cache of 512 KiB, B's panel in the first. */
const most = { rows: 90, columns: 256, inner: 288 };

/** Cut into as few parts as `most` allows, all but the last of one size, a multiple of `by`. */
function balanced(whole: number, most: number, by: number): number {
  if (whole <= most) return Math.max(by, Math.ceil(whole / by) * by);
  const parts = Math.ceil(whole / most);
  return Math.ceil(whole / parts / by) * by;
}

/** How an m x n x k product is cut. f64 takes half the inner steps, which are twice as long. */
export function blocksOf(m: number, n: number, k: number, kind: Real): Blocks {
  return {
    rows: balanced(m, most.rows, rowUnit),
    columns: balanced(n, most.columns, columnsOf(kind)),
    inner: balanced(k, most.inner / (kind === "f32" ? 1 : 1.5), 4),
  };
}

/** Bytes of the packed blocks of A and B and of one tile at the edge, enough for parts of the product too. */
export function productScratch(m: number, n: number, k: number, kind: Real): number {
  const size = cells[kind].bytes;
  const { inner } = blocksOf(m, n, k, kind);
  const up = (x: number, by: number): number => Math.max(by, Math.ceil(x / by) * by);
  const [rows, columns] = [Math.min(up(m, rowUnit), most.rows), Math.min(up(n, columnsOf(kind)), most.columns)];
  return size * (rows * inner + columns * inner + 6 * columnsOf(kind)) + 64;
}

/** C += A B; A, or B, is packed as a whole already, by `packing`, and `a` or `b` is where. */
export const modes = { onto: 1, packedA: 2, packedB: 4 } as const;

/** A panel's rows are turned together by fours and twos in f32, by twos in f64, and a last one alone. */
function groupsOf(width: number, kind: Real): number[] {
  const groups: number[] = [];
  for (let at = 0; at < width; ) {
    const group = Math.min(width - at, kind === "f32" && width - at >= 4 ? 4 : 2);
    groups.push(group);
    at += group;
  }
  return groups;
}

/** Orders of bytes by which squares of vectors are turned. */
export const lowWords: readonly number[] = [0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23];
export const highWords: readonly number[] = [8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31];
export const lowHalves: readonly number[] = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23];
export const highHalves: readonly number[] = [8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31];

/**
 * The matrix product of a module, added when first asked for: packed blocks and a register kernel. Source: K. Goto, R. van de Geijn, "Anatomy of
 * high-performance matrix multiplication", 2008.
 */
export class ProductLibrary {
  private readonly module: ModuleBuilder;
  private readonly fused: boolean;
  private readonly made = new Map<string, number>();

  /** `fused`: the host has relaxed SIMD, whose multiply-and-add is one instruction. */
  constructor(module: ModuleBuilder, fused = false) {
    this.module = module;
    this.fused = fused;
  }

  private once(key: string, make: () => number): number {
    let index = this.made.get(key);
    if (index === undefined) this.made.set(key, (index = make()));
    return index;
  }

  /** Rows of a register block. */
  get rows(): number {
    return rowsOf(this.fused);
  }

  /**
   * `(a, aRow, aColumn, b, bRow, bColumn, c, cRow, m, n, k, rows, columns, inner, scratch, mode)`: C = A B; strides in bytes, C's rows contiguous;
   * rows, columns and inner from `blocksOf`. `mode` is a sum of `modes`.
   */
  index(kind: Real): number {
    return this.once(kind, () => this.write(kind));
  }

  /** Rows of A, or columns of B, that are packed side by side, and what packs them: see `pack`. */
  packing(kind: Real, side: "a" | "b"): { readonly width: number; readonly pack: number } {
    const width = side === "a" ? this.rows : columnsOf(kind);
    return { width, pack: this.pack(kind, width) };
  }

  /**
   * Panels of `width` rows (or columns), each inner step side by side; missing rows are zeros: `(src, across, along, count, inner, dst)`. Where one of
   * the strides is one element, whole vectors are moved, turned if need be.
   */
  private pack(kind: Real, width: number): number {
    const size = cells[kind].bytes;
    const lanes = 16 / size;
    return this.once(`pack ${kind} ${width}`, () =>
      this.module.add(null, [i32, i32, i32, i32, i32, i32], [], (c) => {
        const [src, across, along, count, inner, dst] = [0, 1, 2, 3, 4, 5] as const;
        const [i, p, from, r, to, row] = Array.from({ length: 6 }, () => c.local(i32)) as [number, number, number, number, number, number];
        const offsets = Array.from({ length: width }, () => c.local(i32));
        const vectors = Array.from({ length: 8 }, () => c.local(v128));
        const forward = (steps: number): void => {
          c.move(dst, steps * width * size);
        };
        /** Element by element, from inner step p on. */
        const plainly = (): void => {
          c.block(() => {
            c.get(p).get(inner).op("i32.ge_s").brIf(0);
            c.loop(() => {
              for (let k = 0; k < width; k++)
                c.get(dst)
                  .get(from)
                  .get(offsets[k]!)
                  .op("i32.add")
                  .mem(`${kind}.load`)
                  .mem(`${kind}.store`, k * size);
              c.get(from).get(along).op("i32.add").set(from);
              forward(1);
              c.get(p).int(1).op("i32.add").tee(p).get(inner).op("i32.lt_s").brIf(0);
            });
          });
        };
        /** Rows side by side in memory: copies. */
        const copied = (): void => {
          c.count(
            p,
            () => c.int(0),
            () => c.get(inner),
            1,
            () => {
              let at = 0;
              for (; at + 16 <= width * size; at += 16) c.get(dst).get(from).mem("v128.load", at).mem("v128.store", at);
              if (at + 8 <= width * size) {
                c.get(dst).get(from).mem("v128.load64_zero", at).storeLane(64, 0, at);
                at += 8;
              }
              if (at < width * size) c.get(dst).get(from).mem("f32.load", at).mem("f32.store", at);
              c.get(from).get(along).op("i32.add").set(from);
              forward(1);
            },
          );
        };
        /** Inner steps side by side in memory: squares of rows and steps are turned. */
        const turned = (): void => {
          c.block(() => {
            c.get(inner).int(lanes).op("i32.lt_s").brIf(0);
            c.loop(() => {
              let first = 0;
              for (const group of groupsOf(width, kind)) {
                for (let k = 0; k < group; k++)
                  c.get(from)
                    .get(offsets[first + k]!)
                    .op("i32.add")
                    .mem("v128.load")
                    .set(vectors[k]!);
                const store = (step: number, value: () => void): void => {
                  c.get(dst);
                  value();
                  const at = (step * width + first) * size;
                  if (group === 4 || kind === "f64") c.mem("v128.store", at);
                };
                const [x, y, z, w, s, t, u, v] = vectors as [number, number, number, number, number, number, number, number];
                if (group === 1)
                  for (let step = 0; step < lanes; step++)
                    c.get(dst)
                      .get(x)
                      .storeLane(kind === "f32" ? 32 : 64, step, (step * width + first) * size);
                else if (kind === "f64") {
                  store(0, () => c.get(x).get(y).shuffle(lowHalves));
                  store(1, () => c.get(x).get(y).shuffle(highHalves));
                } else {
                  c.get(x).get(y).shuffle(lowWords).set(s);
                  c.get(x).get(y).shuffle(highWords).set(t);
                  if (group === 4) {
                    c.get(z).get(w).shuffle(lowWords).set(u);
                    c.get(z).get(w).shuffle(highWords).set(v);
                    store(0, () => c.get(s).get(u).shuffle(lowHalves));
                    store(1, () => c.get(s).get(u).shuffle(highHalves));
                    store(2, () => c.get(t).get(v).shuffle(lowHalves));
                    store(3, () => c.get(t).get(v).shuffle(highHalves));
                  } else
                    for (let step = 0; step < 4; step++)
                      c.get(dst)
                        .get(step < 2 ? s : t)
                        .storeLane(64, step % 2, (step * width + first) * size);
                }
                first += group;
              }
              c.move(from, 16);
              forward(lanes);
              c.get(p).int(lanes).op("i32.add").tee(p).int(lanes).op("i32.add").get(inner).op("i32.le_s").brIf(0);
            });
          });
          plainly();
        };
        for (const [k, offset] of offsets.entries()) c.get(across).int(k).op("i32.mul").set(offset);
        c.count(
          i,
          () => c.int(0),
          () => c.get(count),
          width,
          () => {
            c.get(src).get(i).get(across).op("i32.mul").op("i32.add").set(from);
            c.int(0).set(p);
            c.get(count).get(i).op("i32.sub").tee(r).int(width).op("i32.ge_s");
            c.if(
              () => {
                c.get(across).int(size).op("i32.eq");
                c.if(copied, () => {
                  c.get(along).int(size).op("i32.eq");
                  c.if(turned, plainly);
                });
              },
              () => {
                // The rows there are, one after the other, between zeros.
                c.get(dst)
                  .int(0)
                  .get(inner)
                  .int(width * size)
                  .op("i32.mul")
                  .fill();
                c.count(
                  row,
                  () => c.int(0),
                  () => c.get(r),
                  1,
                  () => {
                    c.get(src).get(i).get(row).op("i32.add").get(across).op("i32.mul").op("i32.add").set(from);
                    c.get(dst).plus(row, size).set(to);
                    c.count(
                      p,
                      () => c.int(0),
                      () => c.get(inner),
                      1,
                      () => {
                        c.get(to).get(from).mem(`${kind}.load`).mem(`${kind}.store`);
                        c.get(from).get(along).op("i32.add").set(from);
                        c.move(to, width * size);
                      },
                    );
                  },
                );
              },
            );
          },
        );
      }),
    );
  }

  /**
   * One register block of two vectors a row: `(a, b, inner, c, cRow, more)`; `more`: adds to what is in C.
   *
   * One step is done a turn. V8 moves all loads of a block of straight code to its front, where they take the registers of the accumulators, but for the
   * block that ends a loop; and each broadcast that has an offset of its own costs an addition, unless there are few. Newer V8 lose nothing by it.
   */
  private kernel(kind: Real, rows: number): number {
    const { fused } = this;
    const size = cells[kind].bytes;
    const lane = (op: string): Instruction => `${kind === "f32" ? "f32x4" : "f64x2"}.${op}` as Instruction;
    const stepA = rows * size;
    const vectors = 2;
    const stepB = vectors * 16;
    return this.once(`kernel ${kind} ${rows}`, () =>
      this.module.add(null, [i32, i32, i32, i32, i32, i32], [], (c) => {
        const [a, b, inner, out, outRow, more] = [0, 1, 2, 3, 4, 5] as const;
        const acc = Array.from({ length: rows }, () => Array.from({ length: vectors }, () => c.local(v128)));
        const columns = Array.from({ length: vectors }, () => c.local(v128));
        const x = c.local(v128);
        const end = c.local(i32);
        // Pointers move before the step, since what an addition gives needs no instruction to be an address, as what a loop carries does.
        c.move(a, -stepA);
        c.move(b, -stepB);
        c.get(a).plus(inner, stepA).set(end);
        c.block(() => {
          c.get(a).get(end).op("i32.ge_u").brIf(0);
          c.loop(() => {
            c.move(a, stepA);
            c.move(b, stepB);
            columns.forEach((local, v) => {
              c.get(b)
                .mem("v128.load", 16 * v)
                .set(local);
            });
            acc.forEach((line, r) => {
              c.get(a)
                .mem(kind === "f32" ? "v128.load32_splat" : "v128.load64_splat", r * size)
                .set(x);
              line.forEach((sum, v) => {
                c.get(x).get(columns[v]!);
                if (fused) c.get(sum).relaxedMadd(kind);
                else c.op(lane("mul")).get(sum).op(lane("add"));
                c.set(sum);
              });
            });
            c.get(a).get(end).op("i32.lt_u").brIf(0);
          });
        });
        const store = (adding: boolean): void => {
          for (const line of acc) {
            line.forEach((sum, v) => {
              c.get(out);
              if (adding)
                c.get(out)
                  .mem("v128.load", 16 * v)
                  .get(sum)
                  .op(lane("add"));
              else c.get(sum);
              c.mem("v128.store", 16 * v);
            });
            c.get(out).get(outRow).op("i32.add").set(out);
          }
        };
        c.get(more);
        c.if(
          () => store(true),
          () => store(false),
        );
      }),
    );
  }

  /** Copies, or adds, `height` rows and `width` columns of a whole block to where less than a block is wanted: `(tile, tileRow, c, cRow, height, width, more)`. */
  private edge(kind: Real): number {
    const size = cells[kind].bytes;
    return this.once(`edge ${kind}`, () =>
      this.module.add(null, [i32, i32, i32, i32, i32, i32, i32], [], (c) => {
        const [tile, tileRow, out, outRow, height, width, more] = [0, 1, 2, 3, 4, 5, 6] as const;
        const [i, to, from, end] = [c.local(i32), c.local(i32), c.local(i32), c.local(i32)] as const;
        const line = (adding: boolean): void => {
          c.loop(() => {
            c.get(to);
            if (adding) c.get(to).mem(`${kind}.load`);
            c.get(from).mem(`${kind}.load`);
            if (adding) c.op(`${kind}.add`);
            c.mem(`${kind}.store`);
            c.move(from, size);
            c.get(to).int(size).op("i32.add").tee(to).get(end).op("i32.lt_u").brIf(0);
          });
        };
        c.count(
          i,
          () => c.int(0),
          () => c.get(height),
          1,
          () => {
            c.get(tile).set(from);
            c.get(out).tee(to).plus(width, size).set(end);
            c.get(more);
            c.if(
              () => line(true),
              () => line(false),
            );
            c.get(tile).get(tileRow).op("i32.add").set(tile);
            c.get(out).get(outRow).op("i32.add").set(out);
          },
        );
      }),
    );
  }

  private write(kind: Real): number {
    const size = cells[kind].bytes;
    const rows = rowsOf(this.fused);
    const width = columnsOf(kind);
    const packB = this.pack(kind, width);
    const heights = [rows, fewRows].map((height) => ({
      height,
      pack: this.pack(kind, height),
      kernel: this.kernel(kind, height),
    }));
    const edge = this.edge(kind);
    return this.module.add(null, new Array(16).fill(i32), [], (c) => {
      const [a, aRow, aColumn, b, bRow, bColumn, out, outRow, m, n, k, mostRows, mostColumns, mostInner, scratch, mode] = [
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
      ] as const;
      const local = (): number => c.local(i32);
      const [jc, pc, ic, jr, ir, nc, kc, mc] = [local(), local(), local(), local(), local(), local(), local(), local()] as const;
      const [blockA, blockB, panelB, more, to, some, few] = [local(), local(), local(), local(), local(), local(), local()] as const;
      /** The panel of a block that starts with row or column `at`. */
      const panel = (block: number, at: number): void => {
        c.get(block).get(at).get(kc).op("i32.mul").int(size).op("i32.mul").op("i32.add");
      };
      const is = (what: keyof typeof modes): Code => c.get(mode).int(modes[what]).op("i32.and");
      /** The block of an operand that is packed as a whole, from row or column `at` of `count` on: those of one inner step after the other. */
      const found = (operand: number, at: number, count: number, width: number, into: number): void => {
        c.get(count)
          .int(width - 1)
          .op("i32.add")
          .int(width);
        c.op("i32.div_u");
        c.int(width).op("i32.mul").get(pc).op("i32.mul").get(at).get(kc).op("i32.mul").op("i32.add").int(size).op("i32.mul");
        c.get(operand).op("i32.add").set(into);
      };
      const least = (whole: number, from: number, most: () => void, into: number): void => {
        c.get(whole).get(from).op("i32.sub").tee(into);
        most();
        c.get(into);
        most();
        c.op("i32.lt_s").op("select").set(into);
      };
      const each = (local: number, end: number, step: () => void, body: () => void): void => {
        c.int(0).set(local);
        c.block(() => {
          c.get(local).get(end).op("i32.ge_s").brIf(0);
          c.loop(() => {
            body();
            c.get(local);
            step();
            c.op("i32.add").tee(local).get(end).op("i32.lt_s").brIf(0);
          });
        });
      };
      // Nothing to add up: the product is zero.
      c.get(k).op("i32.eqz");
      is("onto").op("i32.eqz").op("i32.and");
      c.if(() => {
        each(
          ir,
          m,
          () => c.int(1),
          () => {
            c.get(out).get(ir).get(outRow).op("i32.mul").op("i32.add").int(0).get(n).int(size).op("i32.mul").fill();
          },
        );
        c.op("return");
      });
      c.get(scratch)
        .int(rows * width * size)
        .op("i32.add")
        .tee(blockA);
      c.get(mostRows).get(mostInner).op("i32.mul").int(size).op("i32.mul").op("i32.add").set(blockB);
      const columns = (): Code => c.get(mostColumns);
      each(jc, n, columns, () => {
        least(n, jc, columns, nc);
        const inner = (): Code => c.get(mostInner);
        each(pc, k, inner, () => {
          least(k, pc, inner, kc);
          c.get(pc).int(0).op("i32.ne");
          is("onto").op("i32.or").set(more);
          is("packedB").if(
            () => found(b, jc, n, width, blockB),
            () => {
              c.get(b).get(pc).get(bRow).op("i32.mul").op("i32.add").get(jc).get(bColumn).op("i32.mul").op("i32.add");
              c.get(bColumn).get(bRow).get(nc).get(kc).get(blockB).call(packB);
            },
          );
          const rowBlock = (): Code => c.get(mostRows);
          each(ic, m, rowBlock, () => {
            least(m, ic, rowBlock, mc);
            // A is packed by the usual number of rows. Few where they come out even, and the others would leave more than a sixteenth unused.
            c.get(mc)
              .int(rows - 1)
              .op("i32.add")
              .int(rows);
            c.op("i32.div_u");
            c.int(rows).op("i32.mul").get(mc).op("i32.sub").int(16).op("i32.mul").get(mc).op("i32.gt_s");
            c.get(mc)
              .int(fewRows - 1)
              .op("i32.and")
              .op("i32.eqz")
              .op("i32.and");
            is("packedA").op("i32.eqz").op("i32.and").set(few);
            const [tall, low] = heights as [(typeof heights)[number], (typeof heights)[number]];
            const either = (write: (h: typeof tall) => void): void => {
              c.get(few).if(
                () => write(low),
                () => write(tall),
              );
            };
            is("packedA").if(
              () => found(a, ic, m, rows, blockA),
              () =>
                either(({ pack }) => {
                  c.get(a).get(ic).get(aRow).op("i32.mul").op("i32.add").get(pc).get(aColumn).op("i32.mul").op("i32.add");
                  c.get(aRow).get(aColumn).get(mc).get(kc).get(blockA).call(pack);
                }),
            );
            const panelRows = ({ height, kernel }: typeof tall): void => {
              each(
                ir,
                mc,
                () => c.int(height),
                () => {
                  // out + (ic + ir) outRow + (jc + jr) size
                  c.get(out).get(ic).get(ir).op("i32.add").get(outRow).op("i32.mul").op("i32.add");
                  c.get(jc).get(jr).op("i32.add").int(size).op("i32.mul").op("i32.add").set(to);
                  c.get(ir).int(height).op("i32.add").get(mc).op("i32.le_s");
                  c.get(jr).int(width).op("i32.add").get(nc).op("i32.le_s").op("i32.and");
                  const operands = (): void => {
                    panel(blockA, ir);
                    c.get(panelB).get(kc);
                  };
                  c.if(
                    () => {
                      operands();
                      c.get(to).get(outRow).get(more).call(kernel);
                    },
                    () => {
                      operands();
                      c.get(scratch)
                        .int(width * size)
                        .int(0)
                        .call(kernel);
                      c.get(scratch)
                        .int(width * size)
                        .get(to)
                        .get(outRow);
                      least(mc, ir, () => c.int(height), some);
                      c.get(some);
                      least(nc, jr, () => c.int(width), some);
                      c.get(some).get(more).call(edge);
                    },
                  );
                },
              );
            };
            each(
              jr,
              nc,
              () => c.int(width),
              () => {
                panel(blockB, jr);
                c.set(panelB);
                either(panelRows);
              },
            );
          });
        });
      });
    });
  }
}
