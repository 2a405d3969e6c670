import { describe, expect, test } from "vitest";
import { checked } from "../../src/mpi/checked.ts";
import { findLibrary, type Koffi, launcherIn, loadKoffi, prepareEnvironment } from "../../src/mpi/library.ts";
import { waited, waitedHere } from "../../src/mpi/pending.ts";
import { evenRows } from "../../src/mpi/ranks.ts";
import { checkVersions } from "../../src/mpi/start.ts";
import { mpi } from "../../src/mpi.ts";

/** A system on which these files are libraries with these symbols. */
function system(libraries: Readonly<Record<string, readonly string[]>>): Koffi & { readonly loaded: string[] } {
  const loaded: string[] = [];
  return {
    loaded,
    address: () => 4096n,
    load: (path) => {
      const own = libraries[path];
      if (own === undefined) throw new Error(`${path}: cannot open shared object file`);
      loaded.push(path);
      return {
        func: (name, _, parameters) => Object.assign(() => 0, { native: name, parameters }),
        symbol: (name) => {
          if (!own.includes(name) && !(own.includes("ompi_mpi_comm_world") && name.startsWith("ompi_"))) throw new Error(`no ${name}`);
          return BigInt(name.length);
        },
      };
    },
  };
}

const open = ["MPI_Init_thread", "ompi_mpi_comm_world"];
const mpich = ["MPI_Init_thread"];
const both = { "libmpi.so.40": open, "libmpich.so.12": mpich };

describe("the MPI library", () => {
  test("is that of the launcher where two are installed, Open MPI's without a launcher", () => {
    expect(findLibrary(system(both), undefined, {}).family).toBe("openmpi");
    expect(findLibrary(system(both), undefined, { PMI_RANK: "0", PMI_SIZE: "2" }).family).toBe("mpich");
    expect(findLibrary(system(both), undefined, { OMPI_COMM_WORLD_SIZE: "2", PMI_SIZE: "2" }).family).toBe("openmpi");
  });

  test("is the one that is named, by its family or its file, whoever started the process", () => {
    const env = { OMPI_COMM_WORLD_SIZE: "2" };
    expect(findLibrary(system(both), "mpich", env)).toMatchObject({ family: "mpich", path: "libmpich.so.12" });
    expect(findLibrary(system({ ...both, "/opt/own.so": mpich }), "/opt/own.so", env)).toMatchObject({
      family: "mpich",
      path: "/opt/own.so",
    });
  });

  test("is told by its symbols: a libmpi.so may be of either family", () => {
    expect(findLibrary(system({ "libmpi.so": mpich }), undefined, {}).family).toBe("mpich");
    expect(findLibrary(system({ "libmpi.so": open }), undefined, { PMI_SIZE: "2" }).family).toBe("openmpi");
  });

  test("has addresses as handles in Open MPI, numbers in MPICH", () => {
    const a = findLibrary(system(both), "openmpi", {});
    expect([typeof a.world, a.inPlace, a.statusIgnore]).toEqual(["number", 1n, 0]);
    const b = findLibrary(system(both), "mpich", {});
    expect([b.world, b.types.f32, b.ops.sum, b.inPlace, b.statusIgnore]).toEqual([0x44000000, 0x4c00040a, 0x58000003, 2n ** 64n - 1n, 1]);
  });

  test("that is missing is an error that says what to install", () => {
    expect(() => findLibrary(system({}), undefined, {})).toThrow(
      "mpi: no library of Open MPI or MPICH was found; install one: apt-get install openmpi-bin libopenmpi3 (Debian, Ubuntu)",
    );
    expect(() => findLibrary(system({ "libmpi.so.40": open }), "mpich", {})).toThrow("mpi: no library of MPICH was found");
    expect(() => findLibrary(system({}), "/no/where.so", {})).toThrow(
      "mpi: /no/where.so is no MPI library that can be loaded (/no/where.so: cannot open shared object file); name a file such as libmpi.so.40",
    );
    expect(() => findLibrary(system({ "/x.so": [] }), "/x.so", {})).toThrow("(it has no MPI_Init_thread)");
  });
});

test("a launcher is known by what it leaves in the environment", () => {
  expect(launcherIn({})).toBeNull();
  expect(launcherIn({ OMPI_COMM_WORLD_SIZE: "4", OMPI_COMM_WORLD_RANK: "1" })).toMatchObject({ family: "openmpi", rank: 1, size: 4 });
  expect(launcherIn({ SLURM_PROCID: "3", SLURM_NTASKS: "8" })).toMatchObject({ family: null, rank: 3, size: 8 });
  // The script of a job is no rank.
  expect(launcherIn({ SLURM_PROCID: "0", SLURM_NTASKS: "8" })).toBeNull();
});

test("without koffi the error says what to install", () => {
  expect(() => loadKoffi(["/nowhere/"])).toThrow("mpi needs the package koffi, which calls the system's MPI library: npm install koffi");
});

test("in a page there is no MPI, and the error says so", () => {
  const { process } = globalThis;
  try {
    Object.defineProperty(globalThis, "process", { value: undefined, configurable: true, writable: true });
    expect(() => mpi()).toThrow("mpi needs Node, 20.19 or later; in a page use the threads of wasm({ threads })");
  } finally {
    Object.defineProperty(globalThis, "process", { value: process, configurable: true, writable: true });
  }
});

test("a time that is none is refused", () => {
  expect(() => mpi({ timeout: 0 })).toThrow("mpi: timeout is 0; it is a number of seconds above 0");
});

test("signals and memory that V8 needs are kept from the library, unless somebody asked for them", () => {
  const env: Record<string, string | undefined> = { UCX_HANDLE_ERRORS: "bt" };
  prepareEnvironment(env);
  expect(env).toEqual({
    OMPI_MCA_opal_signal: "6",
    OMPI_MCA_mpi_warn_on_fork: "0",
    UCX_HANDLE_ERRORS: "bt",
    UCX_ERROR_SIGNALS: "",
    UCX_MEM_EVENTS: "no",
  });
});

test("ranks of another version are refused by name", () => {
  expect(() => checkVersions(0, ["a, process 1", "b, process 2"], ["chainrule 1", "chainrule 1"])).not.toThrow();
  expect(() => checkVersions(0, ["a, process 1", "b, process 2"], ["chainrule 1", "chainrule 2"])).toThrow(
    "mpi: rank 1 (b, process 2) runs chainrule 2, and rank 0 (a, process 1) chainrule 1; install the same versions on all machines",
  );
});

test("rows are shared out as evenly as they go", () => {
  expect(evenRows(10, 4)).toEqual([3, 3, 2, 2]);
  expect(evenRows(2, 3)).toEqual([1, 1, 0]);
});

describe("waiting", () => {
  test("lets others have their turns, and ends when it is done", async () => {
    let there = false;
    setTimeout(() => {
      there = true;
    }, 5);
    let checks = 0;
    await waited("it", () => there, { timeout: 10, check: () => checks++ });
    expect(checks).toBeGreaterThan(0);
  });

  test("for what does not come is given up with the reason", async () => {
    await expect(waited("a barrier", () => false, { timeout: 0.01, check: () => undefined })).rejects.toThrow(
      "mpi: a barrier was not done in 0.01 s: another rank does not take part in it; all ranks must call the same operations in the same order",
    );
    expect(() => waitedHere("the meeting", () => false, { timeout: 0.01, check: () => undefined })).toThrow(
      "mpi: the meeting was not done in 0.01 s",
    );
  });
});

test("a fault of the library is told in its own words", () => {
  const library = findLibrary(system(both), "openmpi", {});
  const call = {
    ...library.call,
    Error_string: (_: unknown, text: unknown, length: unknown) => {
      (text as Uint8Array).set(new TextEncoder().encode("MPI_ERR_TRUNCATE: message truncated"));
      (length as Int32Array)[0] = 35;
      return 0;
    },
  };
  expect(() => checked({ ...library, call }, 15, "broadcast of f64[2]")).toThrow(
    "mpi: broadcast of f64[2] failed: MPI_ERR_TRUNCATE: message truncated; do all ranks give the same type?",
  );
});
