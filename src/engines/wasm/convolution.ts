import { areaOf, foldFunction, type Geometry, geometryOf, innerOf, isDirect, unfoldFunction } from "./conv.ts";
import { type Code, i32, type ModuleBuilder } from "./encoder.ts";
import { productScratch } from "./gemm.ts";
import { type Convolution, padded } from "./plan.ts";
import { addressOf, cut, type Parts, type Products, sharesOf } from "./product.ts";
import { isTiled, type Tiled, TileWriter, tiledScratch } from "./tiles.ts";

/** Shapes of x, w and y of a convolution or one of its transposes. */
function geometry({ node }: Convolution): Geometry {
  const kind = node.type.dtype as "f32" | "f64";
  const [a, b] = node.operands.map((v) => v?.type.shape) as [readonly number[], readonly number[]];
  const attrs = node.attrs as Parameters<typeof geometryOf>[4];
  const out = node.type.shape;
  if (node.op.name === "conv") return geometryOf(kind, a, b, out, attrs);
  return node.op.name === "convInput" ? geometryOf(kind, out, b, a, attrs) : geometryOf(kind, b, out, a, attrs);
}

/** Bytes of packed blocks and of unfolded columns that a convolution needs. */
export function convolutionScratch(step: Convolution): { readonly packed: number; readonly columns: number } {
  const g = geometry(step);
  const name = step.node.op.name as Tiled;
  if (isTiled(g, name)) return tiledScratch(g, name);
  const [o, area, inner] = [g.outChannels, areaOf(g), innerOf(g)];
  const products = [[o, area, inner], [o, inner, area], [inner, area, o]] as const; // biome-ignore format: three products
  return {
    packed: Math.max(...products.map(([m, n, k]) => productScratch(m, n, k, g.kind))),
    columns: padded(inner * area * (g.kind === "f32" ? 4 : 8)),
  };
}

/**
 * The code of a convolution, for each image and group: unfold and multiply; or multiply and fold; or unfold and add the product to the weights'
 * gradient. Threads share the images; of the weights' gradient, whose cells are sums over all images, they share the output channels.
 */
export function writeConvolution(
  step: Convolution,
  module: ModuleBuilder,
  base: number,
  products: Products,
  parts: Parts,
): (code: Code) => void {
  const g = geometry(step);
  const { kind } = g;
  const size = kind === "f32" ? 4 : 8;
  const gemm = products.large.index(kind);
  const [inner, area, outs] = [innerOf(g), areaOf(g), g.outChannels];
  const direct = isDirect(g);
  const name = step.node.op.name as Tiled;
  const tiles = isTiled(g, name) ? new TileWriter(module, g, name, gemm).write() : null;
  const move = tiles !== null ? -1 : name === "convInput" ? foldFunction(module, g) : unfoldFunction(module, g);
  const image = g.inChannels * g.input.reduce((a, b) => a * b, 1) * size;
  const result = outs * area * size;
  const weights = outs * inner * size;
  const whole = name === "convWeight" ? outs : g.batch;
  const flops = 2 * g.batch * g.groups * outs * area * inner;
  // Each part of a gradient of weights unfolds all images: one part a thread.
  const shares = sharesOf(flops, parts.threads);
  const wanted = Math.min(whole, shares.parts, name === "convWeight" ? parts.threads : whole);
  const unit = name === "convWeight" ? 4 : 1;
  const chunk = wanted > 1 ? Math.ceil(whole / wanted / unit) * unit : whole;
  const count = Math.ceil(whole / chunk);
  const write = (code: Code, part: number | null): void => {
    const local = (): number => code.local(i32);
    const [x, w, y, column, n, group, from, some] = [local(), local(), local(), local(), local(), local(), local(), local()];
    const [first, second] = name === "conv" ? [x, w] : name === "convInput" ? [y, w] : [y, x];
    const third = name === "conv" ? y : name === "convInput" ? x : w;
    addressOf(code, base, step.a.buffer).set(first);
    addressOf(code, base, step.b.buffer).set(second);
    addressOf(code, base, step.out).set(third);
    parts.columns(code);
    code.set(column);
    if (part !== null) {
      code.get(part).int(chunk).op("i32.mul").set(from);
      code.int(whole).get(from).op("i32.sub").set(some);
      code.atMost(some, chunk);
    }
    const along = (target: number, by: number): void => {
      if (part !== null) code.get(target).plus(from, by).set(target);
    };
    const byImages = name !== "convWeight";
    if (byImages) {
      along(x, g.groups * image);
      along(y, g.groups * result);
    } else {
      along(y, area * size);
      along(w, inner * size);
    }
    if (tiles !== null) {
      const [from, to] = name === "convInput" ? [y, x] : [x, y];
      const outs = name === "convInput" ? g.inChannels : g.outChannels;
      code.count(
        group,
        () => code.int(0),
        () => code.int(g.groups),
        1,
        () => {
          tiles(code, {
            from,
            to,
            w,
            images: () => (byImages && part !== null ? code.get(some) : code.int(g.batch)),
            outs: () => (!byImages && part !== null ? code.get(some) : code.int(outs)),
            scratch: column,
            packed: () => parts.packed(code),
            steps: name === "convInput" ? [g.groups * result, g.groups * image] : [g.groups * image, g.groups * result],
          });
          for (const [pointer, by] of [
            [x, image],
            [y, result],
            [w, weights],
          ] as const)
            code.move(pointer, by);
        },
      );
      return;
    }
    const columns = (): void => {
      code.get(direct ? x : column);
    };
    /** Zeros in what is added to. */
    const clear = (at: () => void, bytes: () => void): void => {
      at();
      code.int(0);
      bytes();
      code.fill();
    };
    if (name === "convInput")
      clear(
        () => code.get(x),
        () => (part === null ? code.int(g.batch) : code.get(some)).int(g.groups * image).op("i32.mul"),
      );
    if (name === "convWeight") {
      code.count(
        group,
        () => code.int(0),
        () => code.int(g.groups),
        1,
        () =>
          clear(
            () => code.get(w).plus(group, weights),
            () => (part === null ? code.int(outs) : code.get(some)).int(inner * size).op("i32.mul"),
          ),
      );
    }
    const weight = (): void => {
      code.get(w).plus(group, weights);
    };
    code.count(
      n,
      () => code.int(0),
      () => (byImages && part !== null ? code.get(some) : code.int(g.batch)),
      1,
      () => {
        code.count(
          group,
          () => code.int(0),
          () => code.int(g.groups),
          1,
          () => {
            if (name !== "convInput" && !direct) code.get(x).get(column).call(move);
            if (name === "conv") {
              weight();
              code.int(inner * size).int(size);
              columns();
              code
                .int(area * size)
                .int(size)
                .get(y)
                .int(area * size);
              cut(code, { m: outs, n: area, k: inner }, kind);
              parts.packed(code);
              code.int(0).call(gemm);
            } else if (name === "convWeight") {
              code
                .get(y)
                .int(area * size)
                .int(size);
              columns();
              code.int(size).int(area * size);
              weight();
              code.int(inner * size);
              cut(code, { m: chunk, n: inner, k: area }, kind, part === null ? {} : { rows: some });
              parts.packed(code);
              code.int(1).call(gemm);
            } else {
              weight();
              code
                .int(size)
                .int(inner * size)
                .get(y)
                .int(area * size)
                .int(size);
              columns();
              code.int(area * size);
              cut(code, { m: inner, n: area, k: outs }, kind);
              parts.packed(code);
              code.int(0).call(gemm);
              if (!direct) code.get(x).get(column).call(move);
            }
            code.move(x, image);
            code.move(y, result);
          },
        );
      },
    );
  };
  if (count > 1) return parts.share({ ...shares, parts: count }, write);
  const index = module.add(null, [], [], (code) => write(code, null));
  return (code) => code.call(index);
}
