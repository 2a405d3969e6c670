import { DomainError, ShapeError } from "../../ir/errors.ts";
import { lift } from "../../ir/leaf.ts";
import type { Value } from "../../ir/node.ts";
import type { Operand } from "../../ir/op.ts";
import { scope } from "../../ir/scope.ts";
import { axesOf, sizeOf } from "../../ir/shape.ts";
import { typeText } from "../../ir/type.ts";
import { add, mul, sub } from "../arithmetic.ts";
import { known } from "../define.ts";
import { rsqrt, square } from "../elementwise/roots.ts";
import { reshape } from "../linear/reshape.ts";
import { mean } from "../reduce/mean.ts";
import { optionalOperands } from "./optional-operands.ts";

/** The axes that are normalised together (the last one when left out), and what is added to the variance. */
export interface NormalizationAttrs {
  readonly axis?: number | readonly number[];
  readonly epsilon?: number;
}

/** What is added to the variance. */
export interface EpsilonAttrs {
  readonly epsilon?: number;
}

type Rest<A> = readonly (Operand | A | null | undefined)[];

/** A parameter of one number per element of `axes`, shaped so that it broadcasts over the other axes of x. */
function along(name: string, parameter: Operand, x: Value, axes: readonly number[], who: string): Value {
  const p = lift(parameter, x.type.dtype);
  const { shape } = x.type;
  const size = sizeOf(axes.map((a) => shape[a]!));
  if (p.type.shape.length === 0) return p;
  if (sizeOf(p.type.shape) !== size)
    throw new ShapeError(
      `${who}: ${name} is ${typeText(p.type)} and x is ${typeText(x.type)}; ${name} needs ${size} elements, those of axis ${axes.join()}`,
      {
        op: who,
      },
    );
  return reshape(p, { shape: shape.map((s, i) => (axes.includes(i) ? s : 1)) });
}

function scaled(v: Value, x: Value, scale: Operand | null, bias: Operand | null, axes: readonly number[], who: string): Value {
  const stretched = scale === null ? v : mul(v, along("scale", scale, x, axes, who));
  return bias === null ? stretched : add(stretched, along("bias", bias, x, axes, who));
}

/** (x - mean) / sqrt(variance + epsilon), the variance by two passes over the data and without Bessel's correction. */
function standardized(x: Value, axis: readonly number[], epsilon: number): Value {
  const centered = sub(x, mean(x, { axis, keepDims: true }));
  return mul(centered, rsqrt(add(mean(square(centered), { axis, keepDims: true }), epsilon)));
}

/**
 * Mean 0 and variance 1 over `axis`, then times `scale` plus `bias`, which have one number per normalised element.
 * `layerNormalization(x, scale?, bias?, { axis?, epsilon? = 1e-5 })`. Source: Ba, Kiros, Hinton, 2016.
 * @throws ShapeError for parameters of another size
 */
export function layerNormalization(x: Operand, ...rest: Rest<NormalizationAttrs>): Value {
  const { operands, attrs } = optionalOperands<NormalizationAttrs>("layerNormalization", ["axis", "epsilon"], 2, rest);
  const v = lift(x, "f64");
  const axes = axesOf("layerNormalization", attrs.axis ?? -1, v.type.shape.length);
  return scope("layerNormalization", () =>
    scaled(standardized(v, axes, attrs.epsilon ?? 1e-5), v, operands[0]!, operands[1]!, axes, "layerNormalization"),
  );
}

/** x over its root mean square along `axis`, times `scale`. `rmsNormalization(x, scale?, { axis?, epsilon? = 1e-5 })`. Source: Zhang, Sennrich, 2019. */
export function rmsNormalization(x: Operand, ...rest: Rest<NormalizationAttrs>): Value {
  const { operands, attrs } = optionalOperands<NormalizationAttrs>("rmsNormalization", ["axis", "epsilon"], 1, rest);
  const v = lift(x, "f64");
  const axes = axesOf("rmsNormalization", attrs.axis ?? -1, v.type.shape.length);
  return scope("rmsNormalization", () => {
    const size = rsqrt(add(mean(square(v), { axis: axes, keepDims: true }), attrs.epsilon ?? 1e-5));
    return scaled(mul(v, size), v, operands[0]!, null, axes, "rmsNormalization");
  });
}

function checkChannels(who: string, v: Value): void {
  if (v.type.shape.length < 2) throw new ShapeError(`${who}: x is ${typeText(v.type)}; channels are axis 1 of [N, C, ...]`, { op: who });
}

/** Mean and variance (without Bessel's correction) of each channel of x [N, C, ...] over all other axes: each of shape [C]. */
export function batchMoments(x: Operand): { mean: Value; variance: Value } {
  const v = lift(x, "f64");
  checkChannels("batchMoments", v);
  const axis = v.type.shape.map((_, i) => i).filter((i) => i !== 1);
  return scope("batchMoments", () => {
    const center = mean(v, { axis, keepDims: true });
    return { mean: reshape(center, { shape: [v.type.shape[1]!] }), variance: mean(square(sub(v, center)), { axis }) };
  });
}

/**
 * (x - mean) / sqrt(variance + epsilon) scale + bias, all four of shape [C], for x [N, C, ...]: with `batchMoments(x)` in training, with running
 * statistics after. Source: Ioffe, Szegedy, 2015.
 * @throws ShapeError for an x without channels or parameters of another size
 */
export function batchNormalization(
  x: Operand,
  scale: Operand,
  bias: Operand,
  center: Operand,
  variance: Operand,
  attrs: EpsilonAttrs = {},
): Value {
  const who = "batchNormalization";
  const { epsilon = 1e-5 } = known(who, attrs, ["epsilon"]);
  const v = lift(x, "f64");
  checkChannels(who, v);
  const axes = [1];
  return scope(who, () => {
    const factor = rsqrt(add(along("variance", variance, v, axes, who), epsilon));
    return scaled(mul(sub(v, along("mean", center, v, axes, who)), factor), v, scale, bias, axes, who);
  });
}

/** How many groups of channels, and what is added to the variance. */
export interface GroupAttrs extends EpsilonAttrs {
  readonly groups: number;
}

/**
 * Mean 0 and variance 1 over each of `groups` groups of channels of each sample of x [N, C, ...], then scale and bias per channel.
 * `groupNormalization(x, scale?, bias?, { groups, epsilon? = 1e-5 })`. Source: Wu, He, 2018.
 * @throws DomainError for groups that do not divide the channels
 */
export function groupNormalization(x: Operand, ...rest: Rest<GroupAttrs>): Value {
  const { operands, attrs } = optionalOperands<GroupAttrs>("groupNormalization", ["groups", "epsilon"], 2, rest);
  return byGroups("groupNormalization", lift(x, "f64"), operands, attrs.groups, attrs.epsilon);
}

/** `groupNormalization` with one channel a group: `instanceNormalization(x, scale?, bias?, { epsilon? = 1e-5 })`. Source: Ulyanov et al., 2016. */
export function instanceNormalization(x: Operand, ...rest: Rest<EpsilonAttrs>): Value {
  const { operands, attrs } = optionalOperands<EpsilonAttrs>("instanceNormalization", ["epsilon"], 2, rest);
  const v = lift(x, "f64");
  return byGroups("instanceNormalization", v, operands, v.type.shape[1] ?? 0, attrs.epsilon);
}

function byGroups(who: string, v: Value, operands: readonly (Operand | null)[], groups: number, epsilon = 1e-5): Value {
  checkChannels(who, v);
  const [n, c] = [v.type.shape[0]!, v.type.shape[1]!];
  if (!Number.isInteger(groups) || groups < 1 || c % groups !== 0)
    throw new DomainError(`${who}: groups is ${groups} and x has ${c} channels; the groups must divide the channels evenly`, { op: who });
  return scope(who, () => {
    const rows = reshape(v, { shape: [n, groups, sizeOf(v.type.shape.slice(1)) / groups] });
    const normal = reshape(standardized(rows, [2], epsilon), { shape: v.type.shape });
    return scaled(normal, v, operands[0]!, operands[1]!, [1], who);
  });
}
