import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { alone, ensureBuilt, jsonLines, launcherPath, mpirun, program } from "./launch.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "ranks-bad-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeAll(ensureBuilt);
const there = launcherPath("openmpi") !== null;
type Said = { readonly size: number; readonly w: number };

describe.skipIf(!there)("ranks", () => {
  test("of another version of the library are refused, by name and once", async () => {
    const own = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
    cpSync(join(root, "dist"), join(folder, "dist"), { recursive: true, filter: (path) => !/[/\\]studio$|\.map$|\.d\.ts$/.test(path) });
    writeFileSync(join(folder, "package.json"), JSON.stringify({ ...own, version: "99.0.0" }));
    const { code, out, err } = await mpirun("openmpi", 3, [program("versions.js")], { env: { OTHER: folder } });
    const message =
      /EngineError: mpi: rank 1 \(.+, process \d+\) runs chainrule 99\.0\.0, Node v[^,]+, \w+, and rank 0 \(.+, process \d+\) chainrule (\S+),/g;
    const said = [...err.matchAll(message)];
    expect(said).toHaveLength(1);
    expect(said[0]![1]).toBe(own.version);
    expect(out).not.toContain("all are the same");
    expect(code).not.toBe(0);
  });

  test("more of them than rows train what one process trains, and so do one rank and a run without a launcher", async () => {
    const [one] = jsonLines<Said>(alone([program("rows.js")], { ALONE: "1" }).out);
    const [bare] = jsonLines<Said>(alone([program("rows.js")]).out);
    expect(bare).toEqual({ size: 1, w: one!.w });
    for (const size of [1, 4]) {
      const { code, out, err } = await mpirun("openmpi", size, [program("rows.js")]);
      expect(err).toBe("");
      expect(code).toBe(0);
      const said = jsonLines<Said>(out);
      expect(said).toHaveLength(1);
      expect(said[0]!.size).toBe(size);
      expect(Math.abs(said[0]!.w - one!.w)).toBeLessThan(1e-5);
    }
  });

  test("on a host that is not there are the launcher's to refuse: it ends, and nothing was started", async () => {
    const hosts = join(folder, "hosts");
    writeFileSync(hosts, "localhost slots=1\nno-such-host.invalid slots=1\n");
    const { code, out } = await mpirun("openmpi", 2, [program("rows.js")], { launch: ["--hostfile", hosts] });
    expect(code).not.toBe(0);
    expect(jsonLines<Said>(out)).toEqual([]);
  });

  test("asked for on the command line without a launcher are one, which is said", () => {
    const csv = join(folder, "rows.csv");
    writeFileSync(csv, "a,b,c\n1,2,0\n2,1,1\n3,4,0\n4,3,1\n");
    const args = ["train", "--mpi", "--model", "mlp:2-4-2", "--data", csv, "--target", "c", "--epochs", "1", "--split", "0.5"];
    const { code, err } = alone([join(root, "bin/chainrule.js"), ...args, "--checkpoint", join(folder, "one.ckpt")]);
    expect(err).toContain("--mpi: there is one rank; for more start it by the launcher: mpirun -np 4 chainrule train --mpi");
    expect(code).toBe(0);
  });
});
