import { EngineError } from "../ir/errors.ts";
import { builtin, nodeProcess } from "./node.ts";

/** A C function. */
export type Native = (...args: readonly unknown[]) => number;

interface Loaded {
  func(name: string, result: string, parameters: readonly string[]): Native;
  symbol(name: string): unknown;
}

/** The part of koffi that is used here. Declared by hand: the package is an optional peer, and the library compiles without it. */
export interface Koffi {
  load(path: string, options: { readonly global: boolean }): Loaded;
  address(memory: ArrayBufferView): bigint;
}

/** A family of MPI libraries: those of one have the same handles. */
export type Family = "openmpi" | "mpich";

/** What an element type, an operation or a communicator is to the library: an address in Open MPI, a number in MPICH. */
export type Handle = unknown;

/** C types that elements are sent as. */
export type Wire = "f64" | "f32" | "i32" | "i16" | "i8" | "u32" | "u16" | "u8";
/** How elements of several ranks become one. */
export type Reduction = "sum" | "prod" | "max" | "min";

/** The functions of an MPI library, and its handles. */
export interface Library {
  readonly family: Family;
  readonly path: string;
  readonly world: Handle;
  readonly errorsReturn: Handle;
  readonly types: Readonly<Record<Wire, Handle>>;
  readonly ops: Readonly<Record<Reduction | "any" | "all", Handle>>;
  /** Addresses with a meaning of their own. */
  readonly inPlace: bigint;
  readonly statusIgnore: number;
  /** Where memory lies that is not moved: an array over a buffer. */
  readonly address: (memory: ArrayBufferView) => number;
  /** `MPI_Allreduce` is `call.Allreduce`. */
  readonly call: Readonly<Record<Call, Native>>;
}

const signatures = {
  Init_thread: ["void*", "void*", "int", "void*"],
  Initialized: ["void*"],
  Finalized: ["void*"],
  Finalize: [],
  Abort: ["comm", "int"],
  Comm_rank: ["comm", "void*"],
  Comm_size: ["comm", "void*"],
  Comm_idup: ["comm", "void*", "address"],
  Comm_set_errhandler: ["comm", "errhandler"],
  Error_string: ["int", "void*", "void*"],
  Get_library_version: ["void*", "void*"],
  Test: ["address", "address", "address"],
  Testall: ["int", "address", "address", "address"],
  Isend: ["address", "int", "type", "int", "int", "comm", "address"],
  Irecv: ["address", "int", "type", "int", "int", "comm", "address"],
  Reduce_local: ["address", "address", "int", "type", "op"],
  Ibarrier: ["comm", "address"],
  Ibcast: ["void*", "int", "type", "int", "comm", "address"],
  Iallreduce: ["address", "address", "int", "type", "op", "comm", "address"],
  Iallgatherv: ["void*", "int", "type", "void*", "void*", "void*", "type", "comm", "address"],
  Ireduce_scatter: ["void*", "void*", "void*", "type", "op", "comm", "address"],
} as const;

/** A function of MPI, without its prefix. */
export type Call = keyof typeof signatures;

/** Open MPI's handles are the addresses of these symbols. */
const symbols = {
  world: "ompi_mpi_comm_world",
  errorsReturn: "ompi_mpi_errors_return",
  types: {
    f64: "ompi_mpi_double",
    f32: "ompi_mpi_float",
    i32: "ompi_mpi_int32_t",
    i16: "ompi_mpi_int16_t",
    i8: "ompi_mpi_int8_t",
    u32: "ompi_mpi_uint32_t",
    u16: "ompi_mpi_uint16_t",
    u8: "ompi_mpi_uint8_t",
  },
  ops: {
    sum: "ompi_mpi_op_sum",
    prod: "ompi_mpi_op_prod",
    max: "ompi_mpi_op_max",
    min: "ompi_mpi_op_min",
    any: "ompi_mpi_op_lor",
    all: "ompi_mpi_op_land",
  },
} as const;

/** The handles of the common ABI of MPICH, Intel MPI, MVAPICH and Cray MPI (`mpi.h` of MPICH 4). */
const numbers = {
  world: 0x44000000,
  errorsReturn: 0x54000001,
  types: {
    f64: 0x4c00080b,
    f32: 0x4c00040a,
    i32: 0x4c000439,
    i16: 0x4c000238,
    i8: 0x4c000137,
    u32: 0x4c00043d,
    u16: 0x4c00023c,
    u8: 0x4c00013b,
  },
  ops: { sum: 0x58000003, prod: 0x58000004, max: 0x58000001, min: 0x58000002, any: 0x58000007, all: 0x58000005 },
} as const;

const folders = ["", "/usr/lib64/openmpi/lib/", "/usr/lib64/mpich/lib/", "/opt/homebrew/lib/", "/usr/local/lib/"];
const files: Readonly<Record<Family, readonly string[]>> = {
  openmpi: ["libmpi.so.40", "libmpi.so", "libmpi.40.dylib", "libmpi.dylib"],
  mpich: ["libmpich.so.12", "libmpi.so.12", "libmpich.so", "libmpi.so", "libmpi.12.dylib", "libmpich.dylib"],
};

/** How to install one. */
const install = "install one: apt-get install openmpi-bin libopenmpi3 (Debian, Ubuntu), dnf install openmpi, brew install open-mpi";

/** Which launcher started this process, and as which of how many ranks it says; null where none did. */
export function launcherIn(
  env: Readonly<Record<string, string | undefined>>,
): { readonly family: Family | null; readonly name: string; readonly rank: number; readonly size: number } | null {
  const open = env["OMPI_COMM_WORLD_SIZE"];
  if (open !== undefined)
    return { family: "openmpi", name: "Open MPI's mpirun", rank: Number(env["OMPI_COMM_WORLD_RANK"]), size: Number(open) };
  const mpich = env["PMI_SIZE"];
  if (mpich !== undefined) return { family: "mpich", name: "MPICH's mpiexec", rank: Number(env["PMI_RANK"]), size: Number(mpich) };
  // Within a script of Slurm all have these; srun starts processes that have a number above 0 too.
  const task = Number(env["SLURM_PROCID"] ?? 0);
  if (task > 0) return { family: null, name: "Slurm's srun", rank: task, size: Number(env["SLURM_NTASKS"] ?? task + 1) };
  return null;
}

/** Koffi, from where this library lies or where the program runs. @throws EngineError when it is not installed */
export function loadKoffi(places: readonly string[] = [import.meta.url, `${nodeProcess().cwd()}/`]): Koffi {
  let cause: unknown;
  for (const place of places)
    try {
      return builtin("node:module").createRequire(place)("koffi") as Koffi;
    } catch (error) {
      cause ??= error;
    }
  throw new EngineError("mpi needs the package koffi, which calls the system's MPI library: npm install koffi", { cause });
}

/**
 * Finds the MPI library: the one named, a file or a family; else that of the launcher which started this process; else Open MPI, then MPICH.
 * @throws EngineError when there is none, with what to install
 */
export function findLibrary(koffi: Koffi, named: string | undefined, env: Readonly<Record<string, string | undefined>>): Library {
  const family = named === "openmpi" || named === "mpich" ? named : undefined;
  if (named !== undefined && family === undefined) {
    const found = tried(koffi, named, null);
    if (typeof found !== "string") return found;
    throw new EngineError(
      `mpi: ${named} is no MPI library that can be loaded (${found}); name a file such as libmpi.so.40, or openmpi or mpich`,
    );
  }
  const started = launcherIn(env);
  const order: readonly Family[] =
    family !== undefined ? [family] : started?.family === "mpich" ? ["mpich", "openmpi"] : ["openmpi", "mpich"];
  for (const one of order)
    for (const folder of folders)
      for (const file of files[one]) {
        const found = tried(koffi, folder + file, one);
        if (typeof found !== "string") return found;
      }
  const wanted = family === undefined ? "Open MPI or MPICH" : family === "openmpi" ? "Open MPI" : "MPICH";
  throw new EngineError(
    `mpi: no library of ${wanted} was found; ${install}; or name its file: mpi({ library: "/path/libmpi.so" }), CHAINRULE_MPI`,
  );
}

/** A library with its handles, or why it is none. */
function tried(koffi: Koffi, path: string, wanted: Family | null): Library | string {
  let lib: Loaded;
  try {
    // Open MPI loads its parts as plugins, which look for the library's symbols among all that are there.
    lib = koffi.load(path, { global: true });
  } catch (error) {
    return (error as Error).message;
  }
  const has = (name: string): boolean => {
    try {
      return lib.symbol(name) !== null;
    } catch {
      return false;
    }
  };
  if (!has("MPI_Init_thread")) return "it has no MPI_Init_thread";
  const family: Family = has(symbols.world) ? "openmpi" : "mpich";
  if (wanted !== null && family !== wanted) return `it is a library of ${family}`;
  return libraryOf(koffi, lib, family, path);
}

function libraryOf(koffi: Koffi, lib: Loaded, family: Family, path: string): Library {
  const open = family === "openmpi";
  // Addresses as numbers: koffi takes them in a third of the time that it needs for a pointer.
  const handle = open ? "uintptr_t" : "int";
  const named: Readonly<Record<string, string>> = { comm: handle, type: handle, op: handle, errhandler: handle, address: "uintptr_t" };
  const call = {} as Record<Call, Native>;
  for (const [name, parameters] of Object.entries(signatures) as [Call, readonly string[]][])
    call[name] = lib.func(
      `MPI_${name}`,
      "int",
      parameters.map((p) => named[p] ?? p),
    );
  // Below 2^53.
  const symbol = (name: string): Handle => Number(lib.symbol(name));
  const table = <K extends string>(of: Readonly<Record<K, string>>): Record<K, Handle> =>
    Object.fromEntries(Object.entries<string>(of).map(([key, name]) => [key, symbol(name)])) as Record<K, Handle>;
  const handles = open
    ? {
        world: symbol(symbols.world),
        errorsReturn: symbol(symbols.errorsReturn),
        types: table(symbols.types),
        ops: table(symbols.ops),
      }
    : numbers;
  const address = (memory: ArrayBufferView): number => Number(koffi.address(memory));
  return { family, path, ...handles, inPlace: open ? 1n : 0xffff_ffff_ffff_ffffn, statusIgnore: open ? 0 : 1, address, call };
}

/**
 * What has to be said before the library is loaded: the handlers of signals that Open MPI and UCX install would take those from V8, which runs
 * WebAssembly by them, and end the process where it has an error to tell of. And UCX (1.13, which MPICH has in Debian) tries out whether it hears of memory by moving the
 * end of the heap up and down again: what another of V8's threads has been given there meanwhile is then gone, and the process dies of it, once in some forty starts.
 */
export function prepareEnvironment(env: Record<string, string | undefined>): void {
  env["OMPI_MCA_opal_signal"] ??= "6";
  // The guard of the ranks is started as a process of its own, and Open MPI warns of that on some networks; it touches none of the library's memory.
  env["OMPI_MCA_mpi_warn_on_fork"] ??= "0";
  env["UCX_HANDLE_ERRORS"] ??= "none";
  env["UCX_ERROR_SIGNALS"] ??= "";
  env["UCX_MEM_EVENTS"] ??= "no";
}
