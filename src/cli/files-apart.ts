import { resolve } from "node:path";
import { UsageError } from "./usage-error.ts";

/**
 * Files of one command, by the options that name them: what is written must not be what is read, or written twice.
 * @throws UsageError for two that are one file
 */
export function checkApart(files: Readonly<Record<string, string | null | undefined>>, command: string): void {
  const seen = new Map<string, string>();
  for (const [option, file] of Object.entries(files)) {
    if (file === null || file === undefined || file === "-") continue;
    const other = seen.get(resolve(file));
    if (other !== undefined)
      throw new UsageError(`${other} and ${option} are both ${file}, and one would be written over the other; name another file`, command);
    seen.set(resolve(file), option);
  }
}
