import { ChainruleError, EngineError } from "../ir/errors.ts";
import { checked } from "./checked.ts";
import { findLibrary, type Library, launcherIn, loadKoffi, prepareEnvironment } from "./library.ts";
import { builtin, type NodeProcess, nodeProcess } from "./node.ts";
import { Operations } from "./operations.ts";
import type { Mpi } from "./ranks.ts";
import { Watch } from "./watch.ts";
import { World } from "./world.ts";

/** Options of {@link mpi}. */
export interface MpiOptions {
  /** `openmpi`, `mpich`, or the file of a library. Left out: `CHAINRULE_MPI`, then the family of the launcher, then what there is. */
  readonly library?: string;
  /** Seconds after which an operation that another rank does not take part in is given up; 600 when left out. */
  readonly timeout?: number;
  /** Seconds without a sign of life after which a rank is lost; 10 when left out. */
  readonly silence?: number;
}

/** Seconds in which all ranks have to have come to their `mpi()`. */
const meeting = 120;
/** Milliseconds for which the end by a signal is put off: the watch looks every 50, and Open MPI's launcher kills a second later. */
const lastMoment = 150;
/** Bytes that a rank says of itself. */
const card = 512;

interface Held {
  mpi: Mpi | null;
}
/** MPI can be begun once in a process, by however many copies of this library. */
const held = (): Held => {
  const all = globalThis as { [key: symbol]: Held | undefined };
  const own = Symbol.for("chainrule.mpi");
  all[own] ??= { mpi: null };
  return all[own];
};

/**
 * The ranks that this process was started with: `mpirun -np 4 node script.js`. It finds the system's MPI library, Open MPI or MPICH, by the package koffi, and
 * begins MPI; a second call gives the same. Started without a launcher there is one rank, 0 of 1. At the end of the process MPI ends too: in good order, or,
 * where the process ends with an error, by ending all ranks. Node alone.
 * @throws EngineError without koffi, without an MPI library, where library and launcher do not belong together, and in a page; the message says what to install
 */
export function mpi(options: MpiOptions = {}): Mpi {
  const one = held();
  one.mpi ??= begun(options);
  return one.mpi;
}

function begun({ library: named, timeout = 600, silence = 10 }: MpiOptions): Mpi {
  const process = nodeProcess();
  for (const [name, x] of [
    ["timeout", timeout],
    ["silence", silence],
  ] as const)
    if (!(x > 0)) throw new EngineError(`mpi: ${name} is ${x}; it is a number of seconds above 0`);
  prepareEnvironment(process.env);
  const library = findLibrary(loadKoffi(), named ?? process.env["CHAINRULE_MPI"], process.env);
  const { call, world } = library;
  const number = new Int32Array(1);
  checked(library, call.Initialized(number), "MPI_Initialized");
  if (number[0] === 0) checked(library, call.Init_thread(null, null, 0, number), "MPI_Init_thread");
  checked(library, call.Comm_set_errhandler(world, library.errorsReturn), "MPI_Comm_set_errhandler");
  call.Comm_rank(world, number);
  const rank = number[0]!;
  call.Comm_size(world, number);
  const size = number[0]!;
  const started = launcherIn(process.env);
  if (size === 1 && started !== null && started.size > 1)
    throw new EngineError(
      `mpi: ${started.name} started this as rank ${started.rank} of ${started.size}, and ${library.path} (${library.family}) knows of no others: launcher and library do not belong together; start with the library's own mpirun, or choose the library: CHAINRULE_MPI=${library.family === "openmpi" ? "mpich" : "openmpi"} (under Slurm: srun --mpi=pmix for Open MPI, --mpi=pmi2 for MPICH)`,
    );
  const names = gathered(library, size, `${builtin("node:os").hostname()}, process ${process.pid}`);
  checkVersions(rank, names, gathered(library, size, `chainrule ${packageVersion()}, Node ${process.version}, ${process.arch}`));
  const channel = size === 1 ? world : secondOf(library);
  const sameMachine = names.every((name) => hostOf(name) === hostOf(names[0]!));
  const watch = size === 1 ? null : watchOf(library, rank, size, names, silence * 1000);
  let over = false;
  const abort = (): never => {
    over = true;
    process.exitCode = 1;
    call.Abort(world, 1);
    return process.exit(1);
  };
  const finalize = (): void => {
    over = true;
    watch?.leave();
    call.Finalize();
  };
  process.on("uncaughtExceptionMonitor", (error) => {
    if (over || watch === null) return;
    const text = error instanceof ChainruleError ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error);
    // Node would tell of it when MPI has ended the process already. What rank 0 says is often what all ranks would say, so its name is left out.
    if (rank === 0) process.stderr.write(`${error instanceof ChainruleError ? `${error.name}: ` : ""}${text}\n`);
    watch.fail(text, rank === 0);
    watch.await(5000);
    abort();
  });
  if (watch !== null) sayingWhichSignal(process, watch);
  process.on("exit", (code) => {
    if (over) return;
    if (code === 0 || size === 1) {
      finalize();
      return;
    }
    over = true;
    watch?.fail(`its process ended with exit code ${code}`, rank === 0);
    watch?.await(5000);
    call.Abort(world, code);
  });
  return new World({ library, channel, version: versionOf(library), rank, size, names, sameMachine, watch, timeout, abort, finalize });
}

/**
 * A rank that a signal ends, for the program has no handler of its own, says so before: where the signal was sent to all, by Ctrl-C or by the launcher, nobody has died.
 */
function sayingWhichSignal(process: NodeProcess, watch: Watch): void {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    const ending = (): void => {
      if (process.listenerCount(signal) > 1) return;
      watch.signalled(signal);
      setTimeout(() => {
        process.off(signal, ending);
        process.kill(process.pid, signal);
      }, lastMoment);
    };
    process.on(signal, ending);
  }
}

/** Another communicator of the same ranks. */
function secondOf(library: Library): unknown {
  const { call, world, family, errorsReturn } = library;
  // A pointer in Open MPI, a number of four bytes in MPICH.
  const handle = new BigInt64Array(1);
  together(library, "MPI_Comm_idup", (request) => call.Comm_idup(world, handle, request), handle);
  const second = family === "openmpi" ? Number(handle[0]) : new Int32Array(handle.buffer)[0]!;
  checked(library, call.Comm_set_errhandler(second, errorsReturn), "MPI_Comm_set_errhandler");
  return second;
}

function versionOf({ call }: Library): string {
  const text = new Uint8Array(8192);
  const length = new Int32Array(1);
  call.Get_library_version(text, length);
  const all = new TextDecoder().decode(text.subarray(0, length[0]));
  const [first = ""] = all.replace(/\0/g, "").split("\n");
  const [, mpich] = /^MPICH Version:\s*(\S+)/.exec(first) ?? [];
  return mpich === undefined ? first.split(", package")[0]! : `MPICH ${mpich}`;
}

/** The version in the package.json that is nearest above this file: it lies one folder up in `dist`, two in `src`. */
function packageVersion(): string {
  const { existsSync, readFileSync } = builtin("node:fs");
  for (const up of ["../package.json", "../../package.json"]) {
    const url = new URL(up, import.meta.url);
    if (existsSync(url)) return (JSON.parse(readFileSync(url, "utf8")) as { readonly version: string }).version;
  }
  return "unknown";
}

/** @throws EngineError, on all ranks, where they do not run the same: their programs could differ, or the last bits of what they compute */
export function checkVersions(rank: number, names: readonly string[], versions: readonly string[]): void {
  const other = versions.findIndex((version) => version !== versions[0]);
  if (other < 0) return;
  // Rank 0 tells of it, and the launcher then ends the others.
  if (rank !== 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10_000);
  throw new EngineError(
    `mpi: rank ${other} (${names[other]}) runs ${versions[other]}, and rank 0 (${names[0]}) ${versions[0]}; install the same versions on all machines`,
  );
}

/** What every rank says of itself. */
function gathered(library: Library, size: number, own: string): string[] {
  const { call, world, types } = library;
  const said = new Uint8Array(card);
  said.set(new TextEncoder().encode(own).subarray(0, card));
  const all = new Uint8Array(size * card);
  const counts = new Int32Array(size).fill(card);
  const places = Int32Array.from({ length: size }, (_, i) => i * card);
  const exchange = (request: number): number => call.Iallgatherv(said, card, types.u8, all, counts, places, types.u8, world, request);
  together(library, "the exchange of the ranks' names", exchange, said, all, counts, places);
  return Array.from({ length: size }, (_, i) => new TextDecoder().decode(all.slice(i * card, (i + 1) * card)).replace(/\0+$/, ""));
}

/** What all ranks do before any of them goes on. */
function together(library: Library, what: string, call: (request: number) => number, ...kept: readonly unknown[]): void {
  new Operations(library, meeting, () => undefined).begin(what, null, call, ...kept).waitHere();
}

/** The machine in the name of a rank. */
function hostOf(name: string): string {
  return name.replace(/, process \d+$/, "");
}

/** The watch of this rank: rank 0 says where it listens, and a word that strangers do not know. */
function watchOf(library: Library, rank: number, size: number, names: readonly string[], silence: number): Watch | null {
  const near = names.every((name) => hostOf(name) === hostOf(names[0]!));
  const facts = { rank, size, names, silence };
  if (rank === 0) {
    const token = builtin("node:crypto").randomBytes(16).toString("hex");
    const watch = new Watch({ ...facts, token, port: 0, addresses: [near ? "127.0.0.1" : "0.0.0.0"] });
    const port = watch.port();
    const interfaces = Object.values(builtin("node:os").networkInterfaces()).flat();
    const outer = interfaces.filter((i) => i !== undefined && !i.internal && i.family === "IPv4").map((i) => i!.address);
    const addresses = near ? ["127.0.0.1"] : [hostOf(names[0]!), ...outer];
    passed(library, JSON.stringify({ token, port, addresses }));
    return watch;
  }
  const { token, port, addresses } = JSON.parse(passed(library, "")) as { token: string; port: number; addresses: string[] };
  const watch = port === 0 ? null : new Watch({ ...facts, token, port, addresses });
  if (watch === null || !watch.linked())
    nodeProcess().stderr.write(
      `chainrule: rank ${rank} (${names[rank]}) cannot reach rank 0 at ${addresses.join(", ")}: a rank that is lost will be noticed by the launcher, or when the timeout is over\n`,
    );
  return watch;
}

/** A text of rank 0, on all ranks. */
function passed(library: Library, text: string): string {
  const { call, world, types } = library;
  const bytes = new Uint8Array(4096);
  bytes.set(new TextEncoder().encode(text));
  together(library, "the meeting of the ranks", (request) => call.Ibcast(bytes, bytes.length, types.u8, 0, world, request), bytes);
  return new TextDecoder().decode(bytes).replace(/\0+$/, "");
}
