import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readCheckpoint } from "../../src/train/checkpoint.ts";
import { alone, ensureBuilt, type Launcher, launcherPath, mpirun, program, ranksOf } from "./launch.ts";

interface Said {
  readonly rank: number;
  readonly steps: number;
  readonly digest: string;
  readonly losses?: readonly number[];
  readonly weights?: readonly number[];
}

const folder = mkdtempSync(join(tmpdir(), "ranks-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeAll(ensureBuilt);
const there = launcherPath("openmpi") !== null;
const file = program("train.js");

const furthest = (a: readonly number[], b: readonly number[]): number => Math.max(...a.map((x, i) => Math.abs(x - b[i]!)));
/** What each rank left in a folder: lines of a standard output that all share are cut where a pipe is full. */
const saidIn = (out: string, ranks: number): Said[] =>
  Array.from({ length: ranks }, (_, rank) => JSON.parse(readFileSync(join(out, `${rank}.json`), "utf8")) as Said);
const ran = async (launcher: Launcher, ranks: number, env: Readonly<Record<string, string>>): Promise<readonly Said[]> => {
  const OUT = mkdtempSync(join(folder, "out-"));
  const { code, err } = await mpirun(launcher, ranks, [file], { env: { ...env, OUT } });
  expect(err).toBe("");
  expect(code).toBe(0);
  return saidIn(OUT, ranks);
};
const one = (OPTIMIZER: string): Said => {
  const OUT = mkdtempSync(join(folder, "one-"));
  expect(alone([file], { ALONE: "1", OPTIMIZER, OUT }).code).toBe(0);
  return saidIn(OUT, 1)[0]!;
};

describe.skipIf(!there)("100 steps in f32", () => {
  test.each<[string, string, Launcher, readonly number[]]>([
    ["adam", "", "openmpi", [2]],
    ["adam", "shared out", "openmpi", [3]],
    ["sgd", "", "openmpi", [4]],
    ["sgd", "shared out", "mpich", launcherPath("mpich") === null ? [] : [2]],
  ])("with %s %s under %s are those of one process, to 1e-5, with the same bits on all ranks", async (OPTIMIZER, how, launcher, counts) => {
    const { weights, losses } = one(OPTIMIZER);
    for (const ranks of counts) {
      const said = await ran(launcher, ranks, { OPTIMIZER, CHECK: "10", BUCKET: "300", ...(how !== "" && { SHARD: "1" }) });
      expect(said).toHaveLength(ranks);
      expect(new Set(said.map(({ digest }) => digest)).size).toBe(1);
      expect(furthest(said[0]!.weights!, weights!)).toBeLessThan(1e-5);
      expect(furthest(said[0]!.losses!, losses!)).toBeLessThan(1e-5);
    }
  });

  test("are the same bits each time", async () => {
    const [a, b] = [await ran("openmpi", 3, { HIDDEN: "50" }), await ran("openmpi", 3, { HIDDEN: "50" })];
    expect(a[0]!.digest).toBe(b[0]!.digest);
  });

  test("go on from a checkpoint on another number of ranks", async () => {
    const FILE = join(folder, "on.ckpt");
    const { weights } = one("adam");
    await ran("openmpi", 3, { FILE, STEPS: "47", SHARD: "1" });
    const said = await ran("openmpi", 2, { FILE, RESUME: "1" });
    expect(said.map(({ steps }) => steps)).toEqual([100, 100]);
    expect(furthest(said[0]!.weights!, weights!)).toBeLessThan(1e-5);
  });
});

describe.skipIf(!there)("a rank that", () => {
  const whole = async (FILE: string): Promise<void> => {
    const { header } = await readCheckpoint(FILE);
    expect(header.step % 5).toBe(0);
    expect(header.step).toBeGreaterThan(0);
  };

  test.each<[string, string, RegExp]>([
    ["is killed", "kill", /^chainrule: rank 1 \(.+, process \d+\) has died: its process ended without a word/m],
    ["was first and is killed", "kill first", /^chainrule: rank 0 \(.+, process \d+\) has died/m],
    ["has lost its guard", "guard", /^chainrule: the guard of the ranks, a process beside rank 0 \(.+, process \d+\), is gone/m],
    [
      "is stopped",
      "stop",
      /^chainrule: rank 1 \(.+, process \d+\) has not been heard of for 10 s: it is stopped, or its machine hangs or is cut off/m,
    ],
    ["has an error of its own", "throw", /^chainrule: rank 1 \(.+, process \d+\): Error: out of luck/m],
    ["leaves with an exit code", "exit", /^chainrule: rank 1 \(.+, process \d+\): its process ended with exit code 3/m],
    ["meets a NaN", "nan", /^NumericError: train: step 1, epoch 1: the loss is NaN on rank 1 \(.+, process \d+\)/m],
    [
      "has another model",
      "model",
      /^DomainError: train: rank 1 \(.+\) is not about to train what rank 0 is:\n {2}the model, params\.a\.w: f32\[8,17\] there, f32\[8,16\] on rank 0/m,
    ],
    [
      "has other data",
      "data",
      /^DomainError: train: rank 1 \(.+\) is not about to train what rank 0 is:\n {2}the data, checksum: [0-9a-f]{8} there, [0-9a-f]{8} on rank 0/m,
    ],
  ])("%s ends all in time with one message, and the checkpoint is whole", async (_, FAULT, message) => {
    const FILE = join(folder, `${FAULT}.ckpt`);
    const start = performance.now();
    let began = 0;
    const { code, err, seconds } = await mpirun("openmpi", 3, [file], {
      env: { FAULT, FILE, STEPS: "1000000", SLOW: "5" },
      watch: (written) => {
        if (began === 0 && written.includes("begins")) began = (performance.now() - start) / 1000;
      },
    });
    const ours = err.match(/^(chainrule: |\w*Error: )/gm) ?? [];
    expect(err).toMatch(message);
    expect(ours).toHaveLength(1);
    expect(code).not.toBe(0);
    // From when the ranks were there: that they come up is the machine's business.
    expect(seconds - began).toBeLessThan(30);
    if (!["nan", "model", "data"].includes(FAULT)) await whole(FILE);
  });
});

test.skipIf(launcherPath("mpich") === null).each([[[]], [["-disable-auto-cleanup"]]])(
  "under MPICH's launcher, which kills the others at once, a kill ends all with one message too, and the checkpoint is whole: %j",
  // On a busy machine the launcher may be faster than the rank that tells of it; it then tells itself which process has ended.
  { retry: 2 },
  async (launch) => {
    const FILE = join(folder, `mpich${launch.length}.ckpt`);
    const { code, err } = await mpirun("mpich", 3, [file], { env: { FAULT: "kill", FILE, STEPS: "1000000", SLOW: "5" }, launch });
    const said = err.match(/^chainrule: .*/gm) ?? [];
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(/^chainrule: rank 1 \(.+, process \d+\) has died: its process ended without a word/);
    expect(code).not.toBe(0);
    expect((await readCheckpoint(FILE)).header.step).toBeGreaterThan(0);
  },
);

describe.skipIf(!there)("mpirun chainrule train --mpi", () => {
  const bin = fileURLToPath(new URL("../../bin/chainrule.js", import.meta.url));
  const digits = fileURLToPath(new URL("../../data/digits.csv", import.meta.url));
  const args = (target: string, ...more: string[]): string[] => [
    ...[bin, "train", "--mpi", "--model", "mlp:64-16-10", "--data", digits, "--target", target],
    ...more,
  ];

  test("is stopped by Ctrl-C with one report and a checkpoint, and goes on on another number of ranks, which now read their rows from the file", async () => {
    const ckpt = join(folder, "digits.ckpt");
    let sent = false;
    const { out, err } = await mpirun("openmpi", 2, args("label", "--epochs", "100000", "--checkpoint", ckpt), {
      // As the launcher does, but without its waits, in which it reads nothing and after which it kills.
      watch: (written, launcher) => {
        if (!sent && written.includes("epoch 2/")) for (const rank of ranksOf(launcher)) process.kill(rank, "SIGTERM");
        sent ||= written.includes("epoch 2/");
      },
    });
    expect(out.match(/^Training: .*; it was stopped$/gm)).toHaveLength(1);
    expect(err).toMatch(/stopped after step \d+; the run is in .*digits\.ckpt\. Go on with\n {2}mpirun -np RANKS chainrule train --mpi/);
    const { header } = await readCheckpoint(ckpt);
    expect(header.step).toBeGreaterThan(20);
    const epochs = String(header.epoch + 1);
    const on = await mpirun("openmpi", 3, args("label", "--epochs", epochs, "--checkpoint", ckpt, "--resume", "--memory", "0"));
    expect(on.err).toContain(`goes on after step ${header.step}`);
    expect(on.code).toBe(0);
  }, 120_000);

  test("lets batch norm see the rows of all ranks, and refuses a model without one", async () => {
    const run = (model: string) => {
      const ckpt = join(folder, `${model.length}.ckpt`);
      const told = args("label", "--sync-batch-norm", "--epochs", "1", "--checkpoint", ckpt);
      return mpirun(
        "openmpi",
        2,
        told.map((x) => (x === "mlp:64-16-10" ? model : x)),
      );
    };
    const normed = await run("mlp:64-16-10,batchnorm");
    expect(normed.code).toBe(0);
    expect(normed.out.match(/^Training: .* all epochs are done/gm)).toHaveLength(1);
    const plain = await run("mlp:64-16-10");
    expect(
      plain.err.match(
        /--sync-batch-norm: --model mlp:64-16-10 has no batch norm; leave it out, or give the layers between some: mlp:64-32-10,batchnorm/g,
      ),
    ).toHaveLength(1);
    expect(plain.code).not.toBe(0);
  });

  test("says once what is wrong everywhere", async () => {
    const { code, err } = await mpirun("openmpi", 2, args("nothing"));
    expect(err.match(/there is no column "nothing"/g)).toHaveLength(1);
    expect(code).not.toBe(0);
  });
});
