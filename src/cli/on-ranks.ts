import type { Ranks } from "../mpi/ranks.ts";
import { checkFile } from "./checkpoint-file.ts";
import { describeError } from "./describe-error.ts";
import type { CommandIo } from "./io.ts";
import type { TrainSettings } from "./train-settings.ts";
import { UsageError } from "./usage-error.ts";

/**
 * The same on every rank that the launcher started. Rank 0 alone writes; what goes wrong on another one alone ends all.
 * @throws UsageError for data from standard input, which a launcher hands to rank 0 alone
 */
export async function onRanks(
  settings: Pick<TrainSettings, "checkpoint" | "resume" | "force" | "data">,
  command: string,
  io: CommandIo,
  run: (io: CommandIo, ranks: Ranks) => Promise<number>,
): Promise<number> {
  if (settings.data === "-")
    throw new UsageError("--data - with --mpi: a launcher hands standard input to rank 0 alone; write the data to a file", command);
  const { mpi } = await import("../mpi.ts");
  const ranks = mpi();
  const quiet: CommandIo = { ...io, write: () => undefined, writeError: () => undefined, isTerminal: { output: false, error: false } };
  try {
    if (ranks.rank === 0) await checkFile(settings, command);
    if (ranks.size === 1)
      io.writeError(`--mpi: there is one rank; for more start it by the launcher: mpirun -np 4 chainrule ${command} --mpi ...\n`);
    const code = await run(ranks.rank === 0 ? io : quiet, ranks);
    await ranks.finalize();
    return code;
  } catch (error) {
    if (ranks.rank === 0) throw error;
    // Most of what goes wrong, as with a column that is not there, does so everywhere, and rank 0 tells of it.
    await ranks.quiet();
    ranks.fail(describeError(error).message);
    throw error;
  }
}
