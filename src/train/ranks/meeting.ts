import { crc32 } from "../../data/crc32.ts";
import { DomainError, NumericError } from "../../ir/errors.ts";
import { typeOfLeaf } from "../../ir/graph.ts";
import type { Tensor } from "../../ir/tensor.ts";
import { leaves } from "../../ir/tree.ts";
import { typeText } from "../../ir/type.ts";
import type { Ranks } from "../../mpi/ranks.ts";
import type { TrainOptions } from "../options.ts";
import type { TrainState } from "../programs.ts";
import { texts, together } from "./exchange.ts";
import { distributedOf } from "./options.ts";
import { alike } from "./symmetric.ts";

/** What has to be the same on all ranks, by what people call it. */
export type Description = Readonly<Record<string, string>>;

/** A training, as far as all ranks need the same. */
export function describe(
  state: TrainState,
  options: Omit<TrainOptions<unknown, never, never>, "engine"> & { readonly engine: { readonly name: string } },
  order: object,
  batch: unknown,
): Description {
  const facts: Record<string, string> = {};
  const tell = (what: string, x: unknown): void => {
    facts[what] = x === undefined ? "not given" : typeof x === "object" ? JSON.stringify(x) : String(x);
  };
  tell("the seed: key", [...state.key.data]);
  for (const [fact, value] of Object.entries(order)) tell(`the data: ${fact}`, value);
  for (const [fact, value] of Object.entries(options.validate?.order ?? {})) tell(`the validation: ${fact}`, value);
  if (batch !== undefined)
    for (const { path, leaf } of leaves(batch)) {
      const { type } = leaf as Tensor;
      tell(`the data: a row of ${path || "it"}`, typeText(type.shape.length === 0 ? type : { ...type, shape: type.shape.slice(1) }));
    }
  for (const [name, tree] of Object.entries({
    "the model: params": state.params,
    "the model: stats": state.stats,
    "the optimizer: opt": state.opt,
  }))
    for (const { path, leaf } of leaves(tree)) tell(`${name}.${path}`, typeText(typeOfLeaf(leaf)));
  tell("the engine: name", options.engine.name);
  for (const name of ["epochs", "steps", "patience", "monitor", "keep"] as const) tell(`the options: ${name}`, options[name]);
  tell("the options: checkpoint.resume", options.checkpoint?.resume === true);
  const { bucket, check, shard, syncBatchNorm } = distributedOf(options.distributed) ?? {};
  for (const [name, value] of Object.entries({ bucket, check, shard, syncBatchNorm })) tell(`the options: distributed.${name}`, value);
  return facts;
}

/** Compares what the ranks are about to train. @throws DomainError, on all of them, that names the first rank that differs from rank 0, and in what */
export async function meet(ranks: Ranks, own: Description): Promise<void> {
  const all = (await texts(ranks, JSON.stringify(own))).map((text) => JSON.parse(text) as Description);
  const first = all[0]!;
  for (let rank = 1; rank < all.length; rank++) {
    const other = all[rank]!;
    const names = [...new Set([...Object.keys(first), ...Object.keys(other)])];
    const faults = names.filter((name) => first[name] !== other[name]);
    if (faults.length === 0) continue;
    const told = faults
      .slice(0, 5)
      .map((name) => `${name.replace(": ", ", ")}: ${other[name] ?? "missing"} there, ${first[name] ?? "missing"} on rank 0`);
    throw alike(
      new DomainError(
        `train: rank ${rank} (${ranks.names[rank]}) is not about to train what rank 0 is:\n  ${told.join("\n  ")}${faults.length > 5 ? `\n  and ${faults.length - 5} more` : ""}\nStart the same program with the same data and options on all ranks`,
      ),
    );
  }
}

/** Compares the parameters of all ranks bit by bit. @throws NumericError, on all of them, with the first tensor that differs and the rank that has it */
export async function checkSame(ranks: Ranks, { params, stats, opt }: TrainState, step: number): Promise<void> {
  const all = leaves({ params, stats, opt });
  const sums = all.map(({ leaf }) => {
    const { buffer, byteOffset, byteLength } = (leaf as Tensor).data;
    return crc32(new Uint8Array(buffer, byteOffset, byteLength));
  });
  const { each } = await together(ranks, sums);
  for (const [i, { path }] of all.entries()) {
    const rank = each(i).findIndex((sum) => sum !== each(i)[0]);
    if (rank > 0)
      throw alike(
        new NumericError(
          `train: after step ${step} ${path} is not the same on rank ${rank} (${ranks.names[rank]}) as on rank 0; all ranks need the same processors, or at least the same kinds of instructions, and losses that depend on nothing but their arguments`,
        ),
      );
  }
}
