import { isFloat } from "../ir/dtype.ts";
import { DomainError, DTypeError, GraphError } from "../ir/errors.ts";
import { isTensor, isValue } from "../ir/leaf.ts";
import type { Tensor } from "../ir/tensor.ts";
import { checkOptionNames, isRecord, kindText } from "../notation/given.ts";

/** @throws DomainError for a size of a layer that is no whole number of 1 or more */
export function checkSizes(who: string, sizes: Readonly<Record<string, number>>): void {
  for (const [name, size] of Object.entries(sizes))
    if (!Number.isInteger(size) || size < 1)
      throw new DomainError(`${who}: ${name} is ${kindText(size)}; a layer's sizes are whole numbers of 1 or more`, { op: who });
}

/** @throws GraphError for what is no key: without types it is easily forgotten, and the sizes then stand in its place */
export function checkKey(who: string, key: unknown): void {
  if (!isTensor(key) && !isValue(key))
    throw new GraphError(`${who}: key is ${kindText(key)}; it comes first, and random.key makes it: ${who}(random.key(0), ...)`, {
      op: who,
    });
}

/** @throws GraphError, DomainError, DTypeError for options that do not make parameters: other names, a dtype of no floats, an initialiser that was not made */
export function checkInit(who: string, options: unknown, known: readonly string[] = []): void {
  const all = ["dtype", ...known];
  checkOptionNames(who, options, all, '{ dtype: "f32" }', { useBias: "bias", activation: "the function behind the layer" });
  const { dtype, weight, biasWeight } = options as Readonly<Record<string, unknown>>;
  if (dtype !== undefined && !isFloat(dtype as "f32"))
    throw new DTypeError(`${who}: dtype is ${kindText(dtype)}; parameters are floats, "f32" or "f64"`, { op: who });
  for (const [name, make] of Object.entries({ weight, biasWeight }))
    if (make !== undefined && typeof make !== "function") throw notMade(who, name, make);
}

/** What an initialiser gave. @throws GraphError for one that was named, and not made by its call */
export function begun(who: string, name: string, made: Tensor): Tensor {
  if (!isTensor(made)) throw notMade(who, name, made);
  return made;
}

function notMade(who: string, name: string, x: unknown): GraphError {
  return new GraphError(`${who}: ${name} is ${kindText(x)}; an initialiser is what a call makes: initializers.kaimingUniform()`, {
    op: who,
  });
}

/** @throws GraphError for parameters that are none of this kind of layer: swapped with x, forgotten, or another layer's */
export function checkParams(kind: string, who: string, params: unknown, needs: readonly string[]): void {
  if (!isRecord(params))
    throw new GraphError(
      `${who}: the parameters are ${kindText(params)}; they come first, and ${kind}.init makes them: ${kind}(params, x)`,
      {
        op: kind,
      },
    );
  const missing = needs.find((name) => params[name] === undefined);
  if (missing === undefined) return;
  const has = Object.keys(params).slice(0, 8).join(", ");
  throw new GraphError(`${who}: the parameters have no ${missing}, only ${has || "nothing"}; ${kind}.init makes those of this layer`, {
    op: kind,
  });
}

/** @throws DomainError for parts that do not divide a size evenly */
export function checkDivides(who: string, name: string, parts: number, what: string, size: number): void {
  if (!Number.isInteger(parts) || parts < 1 || size % parts !== 0)
    throw new DomainError(`${who}: ${name} is ${parts} and ${what} is ${size}; ${name} must divide ${what} evenly`, { op: who });
}

/** @throws DomainError where it is not said, by a plain truth value, whether a layer trains: a Value would count as true in silence */
export function checkTrain(who: string, train: unknown): void {
  if (typeof train !== "boolean")
    throw new DomainError(
      `${who}: train is ${train === undefined ? "missing" : typeof train === "object" ? "a Value" : String(train)}; it is true or false, known while the graph is built: make one graph for training and one for evaluation`,
      { op: who },
    );
}
