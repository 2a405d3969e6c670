import { nodeFiles } from "../files/node-files.ts";
import type { TrainSettings } from "./train-settings.ts";
import { UsageError } from "./usage-error.ts";

/** @throws UsageError where a checkpoint would be written over, or there is none to go on from */
export async function checkFile(
  { checkpoint, resume, force }: Pick<TrainSettings, "checkpoint" | "resume" | "force">,
  command: string,
): Promise<void> {
  if (resume && force) throw new UsageError("--resume and --force do not go together; choose one", command);
  const there = await (await nodeFiles()).stat(checkpoint).then(
    () => true,
    () => false,
  );
  if (there && !resume && !force)
    throw new UsageError(
      `${checkpoint} is there already: --resume goes on from it, --force starts anew, --checkpoint names another`,
      command,
    );
  if (!there && resume) throw new UsageError(`there is no ${checkpoint} to go on from; leave --resume out to begin`, command);
}
