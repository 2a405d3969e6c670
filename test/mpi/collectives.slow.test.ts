import { beforeAll, describe, expect, test } from "vitest";
import { alone, ensureBuilt, jsonLines, type Launcher, launcherPath, mpirun, program } from "./launch.ts";

interface Said {
  readonly rank: number;
  readonly size: number;
  readonly family: string;
  readonly library: string;
  readonly names: number;
  readonly compared: number;
  readonly faults: readonly string[];
  readonly refusals: readonly string[];
}

beforeAll(ensureBuilt);

describe.each<[Launcher, readonly number[]]>([
  ["openmpi", [1, 2, 3, 4]],
  ["mpich", [1, 2, 3]],
])("under %s", (launcher, counts) => {
  const there = launcherPath(launcher) !== null;

  test.skipIf(!there).each(counts)("all operations on all dtypes agree with plain arrays on %i ranks", async (ranks) => {
    const { code, out, err } = await mpirun(launcher, ranks, [program("collectives.js")]);
    expect(err).toBe("");
    const said = jsonLines<Said>(out);
    expect(said.map(({ rank }) => rank).sort()).toEqual(Array.from({ length: ranks }, (_, i) => i));
    for (const { size, family, library, names, compared, faults, refusals, rank } of said) {
      expect({ size, family, names, faults }).toEqual({ size: ranks, family: launcher, names: ranks, faults: [] });
      expect(library).toMatch(launcher === "openmpi" ? /^Open MPI v\d/ : /^MPICH \d/);
      expect(compared).toBeGreaterThan(600);
      expect(refusals).toEqual([
        "DomainError: allReduce: op is mean; there are sum, prod, max, min",
        'DTypeError: allReduce: x is bool, which has no sum; { op: "max" } is true where any rank has true, "min" where all have; to count, cast to i32',
        `DomainError: broadcast: root is ${ranks}; ranks go from 0 to ${ranks - 1}`,
        "ShapeError: allGather: x is f64[], a scalar; what is joined are rows, axis 0: give it the shape [1]",
        "ShapeError: reduceScatter: x is f64[], a scalar; what is shared out are rows, axis 0",
        "ShapeError: allReduce: into is f64[2], and the result is f64[]; give memory of that type",
        `ShapeError: reduceScatter: rows are 1 for f64[3]; there is one number for each of the ${ranks} ranks, and together they are axis 0`,
        `ShapeError: allGather: x is f64[3], and rows says 1 for rank ${rank}`,
        ranks === 1
          ? "nothing"
          : `EngineError: mpi: another rank came to another sum than sum ${rank === 0 ? 2 : 1} of rank ${rank}; all ranks must run the same program, whatever rows they have`,
        "EngineError: mpi: a barrier was asked for after finalize()",
      ]);
    }
    expect(code).toBe(0);
  });
});

describe("without a launcher", () => {
  const there = launcherPath("openmpi") !== null;

  test.skipIf(!there)("there is one rank, and every operation works", () => {
    const { code, out } = alone([program("collectives.js")]);
    expect(jsonLines<Said>(out)).toMatchObject([{ rank: 0, size: 1, faults: [] }]);
    expect(code).toBe(0);
  });

  test.skipIf(!there)("a library of another family than the launcher's is an error that says which one to choose", () => {
    const { code, err } = alone([program("collectives.js")], { PMI_SIZE: "4", PMI_RANK: "2", CHAINRULE_MPI: "openmpi" });
    expect(err).toContain("mpi: MPICH's mpiexec started this as rank 2 of 4, and libmpi.so");
    expect(err).toContain("knows of no others: launcher and library do not belong together");
    expect(err).toContain("CHAINRULE_MPI=mpich");
    expect(code).not.toBe(0);
  });
});
