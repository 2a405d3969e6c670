import { f32, f64, type Instruction, i32, type ModuleBuilder, v128 } from "./encoder.ts";

/** Rows and columns of a register block: twelve accumulators, two vectors of B and one of A fit the sixteen vector registers. */
const rows = 6;
/** How much of the inner size, of the rows and of the columns one packed block holds: B's block stays in the second-level cache, A's panels in the first. */
const innerBlock = 256;
const rowBlock = 96;
const columnBlock = 512;

/** Bytes of the packed blocks of A and B and of one edge tile. */
export function productScratch(m: number, n: number, k: number, kind: "f32" | "f64"): number {
  const size = kind === "f32" ? 4 : 8;
  const columns = kind === "f32" ? 8 : 4;
  const up = (x: number, by: number): number => Math.ceil(x / by) * by;
  const inner = Math.min(k, innerBlock);
  return size * ((Math.min(m, rowBlock) + rows - 1) * inner + up(Math.min(n, columnBlock), columns) * inner + rows * columns) + 64;
}

/**
 * The matrix product of a module, added when first asked for: packed blocks and a register kernel. Source: K. Goto, R. van de Geijn, "Anatomy of
 * high-performance matrix multiplication", 2008.
 */
export class ProductLibrary {
  private readonly module: ModuleBuilder;
  private readonly made = new Map<string, number>();
  constructor(module: ModuleBuilder) {
    this.module = module;
  }

  /** `(a, aRow, aColumn, b, bRow, bColumn, c, m, n, k, scratch, more)`: C = A B, or C += A B where `more` is 1; C contiguous, strides in bytes. */
  index(kind: "f32" | "f64"): number {
    let index = this.made.get(kind);
    if (index === undefined) this.made.set(kind, (index = this.write(kind)));
    return index;
  }

  private write(kind: "f32" | "f64"): number {
    const size = kind === "f32" ? 4 : 8;
    const columns = (16 / size) * 2;
    const { module } = this;
    const lane = (op: string): Instruction => `${kind === "f32" ? "f32x4" : "f64x2"}.${op}` as Instruction;
    const scalar = kind === "f32" ? f32 : f64;

    /** Panels of `width` rows (or columns), each inner step side by side; missing rows are zeros. (src, across, along, count, inner, dst) */
    const pack = (width: number): number =>
      module.add(null, [i32, i32, i32, i32, i32, i32], [], (c) => {
        const [src, across, along, count, inner, dst] = [0, 1, 2, 3, 4, 5] as const;
        const [i, p, from, r] = [c.local(i32), c.local(i32), c.local(i32), c.local(i32)] as const;
        c.count(
          i,
          () => c.int(0),
          () => c.get(count),
          width,
          () => {
            c.get(src).get(i).get(across).op("i32.mul").op("i32.add").set(from);
            c.get(count).get(i).op("i32.sub").set(r);
            c.get(r).int(width).op("i32.ge_s");
            c.if(
              () => {
                const full = (unit: boolean): void => {
                  c.count(
                    p,
                    () => c.int(0),
                    () => c.get(inner),
                    1,
                    () => {
                      if (unit && width * size === 32) {
                        c.get(dst).get(from).mem("v128.load").mem("v128.store");
                        c.get(dst).get(from).mem("v128.load", 16).mem("v128.store", 16);
                      } else
                        for (let k = 0; k < width; k++) {
                          c.get(dst).get(from);
                          if (k > 0) c.get(across).int(k).op("i32.mul").op("i32.add");
                          c.mem(`${kind}.load`).mem(`${kind}.store`, k * size);
                        }
                      c.get(from).get(along).op("i32.add").set(from);
                      c.get(dst)
                        .int(width * size)
                        .op("i32.add")
                        .set(dst);
                    },
                  );
                };
                c.get(across).int(size).op("i32.eq");
                c.if(
                  () => full(true),
                  () => full(false),
                );
              },
              () => {
                c.count(
                  p,
                  () => c.int(0),
                  () => c.get(inner),
                  1,
                  () => {
                    for (let k = 0; k < width; k++) {
                      c.get(r).int(k).op("i32.gt_s");
                      c.if(
                        () => {
                          c.get(dst)
                            .get(from)
                            .get(across)
                            .int(k)
                            .op("i32.mul")
                            .op("i32.add")
                            .mem(`${kind}.load`)
                            .mem(`${kind}.store`, k * size);
                        },
                        () => {
                          c.get(dst);
                          if (kind === "f32") c.float32(0);
                          else c.float64(0);
                          c.mem(`${kind}.store`, k * size);
                        },
                      );
                    }
                    c.get(from).get(along).op("i32.add").set(from);
                    c.get(dst)
                      .int(width * size)
                      .op("i32.add")
                      .set(dst);
                  },
                );
              },
            );
          },
        );
      });
    const packA = pack(rows);
    const packB = pack(columns);

    /** One register block: (a, b, inner, c, cRow, more). `more`: adds to what is in C. */
    const kernel = module.add(null, [i32, i32, i32, i32, i32, i32], [], (c) => {
      const [a, b, inner, out, outRow, more] = [0, 1, 2, 3, 4, 5] as const;
      const acc = Array.from({ length: rows * 2 }, () => c.local(v128));
      const [b0, b1, x, row, end] = [c.local(v128), c.local(v128), c.local(v128), c.local(i32), c.local(i32)] as const;
      const once = (step: number): void => {
        c.get(b)
          .mem("v128.load", step * columns * size)
          .set(b0);
        c.get(b)
          .mem("v128.load", step * columns * size + 16)
          .set(b1);
        for (let r = 0; r < rows; r++) {
          c.get(a)
            .mem(kind === "f32" ? "v128.load32_splat" : "v128.load64_splat", (step * rows + r) * size)
            .set(x);
          c.get(x)
            .get(b0)
            .op(lane("mul"))
            .get(acc[2 * r]!)
            .op(lane("add"))
            .set(acc[2 * r]!);
          c.get(x)
            .get(b1)
            .op(lane("mul"))
            .get(acc[2 * r + 1]!)
            .op(lane("add"))
            .set(acc[2 * r + 1]!);
        }
      };
      const repeat = (steps: number, bound: () => void): void => {
        c.block(() => {
          c.get(a);
          bound();
          c.op("i32.ge_u").brIf(0);
          c.loop(() => {
            for (let s = 0; s < steps; s++) once(s);
            c.get(b)
              .int(steps * columns * size)
              .op("i32.add")
              .set(b);
            c.get(a)
              .int(steps * rows * size)
              .op("i32.add")
              .tee(a);
            bound();
            c.op("i32.lt_u").brIf(0);
          });
        });
      };
      c.get(a)
        .get(inner)
        .int(-4)
        .op("i32.and")
        .int(rows * size)
        .op("i32.mul")
        .op("i32.add")
        .set(row);
      c.get(a)
        .get(inner)
        .int(rows * size)
        .op("i32.mul")
        .op("i32.add")
        .set(end);
      repeat(4, () => c.get(row));
      repeat(1, () => c.get(end));
      c.get(out).set(row);
      c.get(more);
      c.if(
        () => {
          for (let r = 0; r < rows; r++) {
            for (const h of [0, 1]) {
              c.get(row)
                .get(row)
                .mem("v128.load", 16 * h)
                .get(acc[2 * r + h]!)
                .op(lane("add"))
                .mem("v128.store", 16 * h);
            }
            c.get(row).get(outRow).op("i32.add").set(row);
          }
        },
        () => {
          for (let r = 0; r < rows; r++) {
            for (const h of [0, 1])
              c.get(row)
                .get(acc[2 * r + h]!)
                .mem("v128.store", 16 * h);
            c.get(row).get(outRow).op("i32.add").set(row);
          }
        },
      );
    });

    return module.add(null, [i32, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32], [], (c) => {
      const [a, aRow, aColumn, b, bRow, bColumn, out, m, n, k, scratch, onto] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11] as const;
      const [jc, pc, ic, jr, ir] = [c.local(i32), c.local(i32), c.local(i32), c.local(i32), c.local(i32)] as const;
      const [nc, kc, mc, blockA, blockB, tile, at, i, j, more] = Array.from({ length: 10 }, () => c.local(i32)) as [
        number,
        number,
        number,
        number,
        number,
        number,
        number,
        number,
        number,
        number,
      ];
      const least = (local: number, whole: number, from: number, most: number): void => {
        c.get(whole).get(from).op("i32.sub").tee(local).int(most).get(local).int(most).op("i32.lt_s").op("select").set(local);
      };
      const cell = (): void => {
        // out + ((ic + ir) n + jc + jr) size
        c.get(out)
          .get(ic)
          .get(ir)
          .op("i32.add")
          .get(n)
          .op("i32.mul")
          .get(jc)
          .op("i32.add")
          .get(jr)
          .op("i32.add")
          .int(size)
          .op("i32.mul")
          .op("i32.add");
      };
      // Nothing to add up: the product is zero.
      c.get(k).op("i32.eqz").get(onto).op("i32.eqz").op("i32.and");
      c.if(() => {
        c.count(
          i,
          () => c.int(0),
          () => c.get(m).get(n).op("i32.mul"),
          1,
          () => {
            c.get(out).get(i).int(size).op("i32.mul").op("i32.add");
            if (scalar === f32) c.float32(0);
            else c.float64(0);
            c.mem(`${kind}.store`);
          },
        );
        c.op("return");
      });
      c.get(scratch).set(tile);
      c.get(scratch)
        .int(rows * columns * size)
        .op("i32.add")
        .set(blockA);
      c.count(
        jc,
        () => c.int(0),
        () => c.get(n),
        columnBlock,
        () => {
          least(nc, n, jc, columnBlock);
          c.count(
            pc,
            () => c.int(0),
            () => c.get(k),
            innerBlock,
            () => {
              least(kc, k, pc, innerBlock);
              c.get(pc).int(0).op("i32.ne").get(onto).op("i32.or").set(more);
              // A's block is at most the rows there are, rounded up to whole panels.
              c.get(m)
                .int(rowBlock)
                .get(m)
                .int(rowBlock)
                .op("i32.lt_s")
                .op("select")
                .int(rows - 1)
                .op("i32.add")
                .get(kc)
                .op("i32.mul")
                .int(size)
                .op("i32.mul")
                .get(blockA)
                .op("i32.add")
                .int(15)
                .op("i32.add")
                .int(-16)
                .op("i32.and")
                .set(blockB);
              c.get(b).get(pc).get(bRow).op("i32.mul").op("i32.add").get(jc).get(bColumn).op("i32.mul").op("i32.add");
              c.get(bColumn).get(bRow).get(nc).get(kc).get(blockB).call(packB);
              c.count(
                ic,
                () => c.int(0),
                () => c.get(m),
                rowBlock,
                () => {
                  least(mc, m, ic, rowBlock);
                  c.get(a).get(ic).get(aRow).op("i32.mul").op("i32.add").get(pc).get(aColumn).op("i32.mul").op("i32.add");
                  c.get(aRow).get(aColumn).get(mc).get(kc).get(blockA).call(packA);
                  c.count(
                    jr,
                    () => c.int(0),
                    () => c.get(nc),
                    columns,
                    () => {
                      c.count(
                        ir,
                        () => c.int(0),
                        () => c.get(mc),
                        rows,
                        () => {
                          const operands = (): void => {
                            c.get(blockA).get(ir).get(kc).op("i32.mul").int(size).op("i32.mul").op("i32.add");
                            c.get(blockB).get(jr).get(kc).op("i32.mul").int(size).op("i32.mul").op("i32.add");
                            c.get(kc);
                          };
                          c.get(ir)
                            .int(rows)
                            .op("i32.add")
                            .get(mc)
                            .op("i32.le_s")
                            .get(jr)
                            .int(columns)
                            .op("i32.add")
                            .get(nc)
                            .op("i32.le_s")
                            .op("i32.and");
                          c.if(
                            () => {
                              operands();
                              cell();
                              c.get(n).int(size).op("i32.mul").get(more).call(kernel);
                            },
                            () => {
                              operands();
                              c.get(tile)
                                .int(columns * size)
                                .int(0)
                                .call(kernel);
                              c.count(
                                i,
                                () => c.int(0),
                                () => {
                                  least(at, mc, ir, rows);
                                  c.get(at);
                                },
                                1,
                                () => {
                                  c.count(
                                    j,
                                    () => c.int(0),
                                    () => {
                                      least(at, nc, jr, columns);
                                      c.get(at);
                                    },
                                    1,
                                    () => {
                                      const target = (): void => {
                                        cell();
                                        c.get(i).get(n).op("i32.mul").get(j).op("i32.add").int(size).op("i32.mul").op("i32.add");
                                      };
                                      const from = (): void => {
                                        c.get(tile)
                                          .get(i)
                                          .int(columns)
                                          .op("i32.mul")
                                          .get(j)
                                          .op("i32.add")
                                          .int(size)
                                          .op("i32.mul")
                                          .op("i32.add")
                                          .mem(`${kind}.load`);
                                      };
                                      c.get(more);
                                      c.if(
                                        () => {
                                          target();
                                          target();
                                          c.mem(`${kind}.load`);
                                          from();
                                          c.op(`${kind}.add`).mem(`${kind}.store`);
                                        },
                                        () => {
                                          target();
                                          from();
                                          c.mem(`${kind}.store`);
                                        },
                                      );
                                    },
                                  );
                                },
                              );
                            },
                          );
                        },
                      );
                    },
                  );
                },
              );
            },
          );
        },
      );
    });
  }
}
