import { execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root: string = fileURLToPath(new URL("../../", import.meta.url));

/** The launchers that the tests know. */
export type Launcher = "openmpi" | "mpich";

const places: Readonly<Record<Launcher, readonly string[]>> = {
  openmpi: ["/usr/bin/mpirun.openmpi", "/usr/lib64/openmpi/bin/mpirun", "/opt/homebrew/bin/mpirun"],
  mpich: ["/usr/bin/mpirun.mpich", "/usr/lib64/mpich/bin/mpirun"],
};
const packages: Readonly<Record<Launcher, readonly string[]>> = { openmpi: ["openmpi-bin"], mpich: ["mpich"] };

function pathOf(launcher: Launcher): string | null {
  return places[launcher].find((path) => existsSync(path)) ?? null;
}

/** Whether packages can be installed here: as root on Debian and its kin. */
function installs(): boolean {
  return process.getuid?.() === 0 && existsSync("/usr/bin/apt-get") && existsSync("/etc/debian_version");
}

/**
 * The path of a launcher. Where it is missing it is installed, as root on Debian; else this gives null and says so in one line, and fails under `CI`,
 * so that the tests are never left out there.
 */
export function launcherPath(launcher: Launcher): string | null {
  const found = pathOf(launcher);
  if (found !== null) return found;
  if (installs())
    try {
      const options = { stdio: "ignore" as const, timeout: 300_000, env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } };
      execFileSync("apt-get", ["update", "-qq"], options);
      execFileSync("apt-get", ["install", "-y", "--no-install-recommends", ...packages[launcher]], options);
    } catch {
      // Without a network: what is missing is told below.
    }
  const now = pathOf(launcher);
  if (now !== null) return now;
  const missing = `there is no ${launcher === "openmpi" ? "Open MPI" : "MPICH"} (apt-get install ${packages[launcher].join(" ")})`;
  if (process.env["CI"] !== undefined) throw new Error(`MPI tests: ${missing}`);
  console.log(`MPI tests left out: ${missing}`);
  return null;
}

/** What a run left. */
export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
  readonly seconds: number;
}

/** Builds `dist` where it is old: the ranks are processes of plain Node. */
export function ensureBuilt(): void {
  execFileSync(process.execPath, ["scripts/ensure-built.js"], { cwd: root, stdio: "ignore" });
}

const environment = (more: Readonly<Record<string, string>>): NodeJS.ProcessEnv => ({
  ...process.env,
  FORCE_COLOR: "0",
  // The launcher gives the ranks a terminal of its own.
  NO_COLOR: "1",
  OMPI_ALLOW_RUN_AS_ROOT: "1",
  OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: "1",
  ...more,
});

/** How the ranks are started, and what happens to them. */
export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Options of the launcher itself. */
  readonly launch?: readonly string[];
  /** Sees what is written so far; used to send signals at the right moment. */
  readonly watch?: (written: string, launcher: number) => void;
}

/** Runs a command of Node on so many ranks. */
export function mpirun(
  launcher: Launcher,
  ranks: number,
  args: readonly string[],
  { env = {}, cwd = root, launch = [], watch }: RunOptions = {},
): Promise<Ran> {
  const path = pathOf(launcher);
  if (path === null) throw new Error(`there is no launcher of ${launcher}`);
  const options = launcher === "openmpi" ? ["--oversubscribe", "--mca", "btl", "self,vader"] : [];
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(path, [...options, ...launch, "-np", String(ranks), process.execPath, ...args], {
      cwd,
      env: environment(env),
      stdio: ["ignore", "pipe", "pipe"],
    });
    const limit = setTimeout(() => child.kill("SIGKILL"), 100_000);
    let out = "";
    let err = "";
    child.stdout.setEncoding("utf8").on("data", (piece: string) => {
      out += piece;
      watch?.(out + err, child.pid!);
    });
    child.stderr.setEncoding("utf8").on("data", (piece: string) => {
      err += piece;
      watch?.(out + err, child.pid!);
    });
    child.on("error", reject);
    child.on("close", (code) => {
      clearTimeout(limit);
      resolve({ code, out, err, seconds: (performance.now() - began) / 1000 });
    });
  });
}

/** The processes that a launcher started, as Linux lists them. */
export function ranksOf(launcher: number): number[] {
  const parentOf = (pid: string): number => {
    try {
      // After the name in brackets, which may hold anything: the state, then the parent.
      return Number(
        readFileSync(`/proc/${pid}/stat`, "utf8")
          .replace(/^.*\) /s, "")
          .split(" ")[1],
      );
    } catch {
      return Number.NaN; // it has ended
    }
  };
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && parentOf(name) === launcher)
    .map(Number);
}

/** Runs a command of Node without a launcher. */
export function alone(args: readonly string[], env: Readonly<Record<string, string>> = {}): Ran {
  const began = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, env: environment(env), encoding: "utf8" });
  return { code: status, out: stdout, err: stderr, seconds: (performance.now() - began) / 1000 };
}

/** The lines of JSON among what was written, whoever wrote them. */
export function jsonLines<T>(text: string): T[] {
  return text
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as T);
}

/** The path of a program of the tests. */
export function program(name: string): string {
  return fileURLToPath(new URL(`./programs/${name}`, import.meta.url));
}
