import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export const root: string = fileURLToPath(new URL("../../", import.meta.url));
const run = promisify(execFile);

export interface Verdict {
  readonly function: string;
  readonly description?: string;
  readonly valid: boolean;
  readonly off: number;
  readonly error?: string;
}

/** What the checker says of the goldens of an eval, which it sends to the tool over a pipe. */
export async function verdicts(name: string, ...options: readonly string[]): Promise<Verdict[]> {
  const args = ["bench/gradbench/run.js", "--json", ...options, name];
  const { stdout } = await run(process.execPath, args, { cwd: root, maxBuffer: 1 << 26 }).catch((error: { stdout: string }) => error);
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Verdict);
}
