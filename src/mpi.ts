export type { Pending } from "./mpi/pending.ts";
export type { Into, Mpi, Ranks, Reducing } from "./mpi/ranks.ts";
export { type MpiOptions, mpi } from "./mpi/start.ts";
