export type { Into, Mpi, Ranks, Reducing } from "./mpi/mpi.ts";
export type { Pending } from "./mpi/pending.ts";
export { type MpiOptions, mpi } from "./mpi/start.ts";
