// Rank 1 has another version of the library than rank 0: a copy in the folder OTHER.
const rank = process.env.OMPI_COMM_WORLD_RANK ?? process.env.PMI_RANK;
const { mpi } = await import(rank === "1" ? `${process.env.OTHER}/dist/mpi.js` : "../../../dist/mpi.js");
mpi();
console.log("all are the same");
