// What the MPI library takes by itself, called from C on memory of the caller: microseconds of each of so many sums of floats in place, one after the other. A shared library, loaded
// by both ranks of the bench, so that C and the program in JavaScript sum the same buffers in the same processes; and a program, to see that this is what C takes in processes of its own.
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

void meet(void) { MPI_Barrier(MPI_COMM_WORLD); }

double nonblocking(void *x, int n, int inner) {
  const double from = MPI_Wtime();
  for (int i = 0; i < inner; i++) {
    MPI_Request request;
    MPI_Iallreduce(MPI_IN_PLACE, x, n, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD, &request);
    int done = 0;
    while (!done) MPI_Test(&request, &done, MPI_STATUS_IGNORE);
  }
  return (MPI_Wtime() - from) * 1e6 / inner;
}

double blocking(void *x, int n, int inner) {
  const double from = MPI_Wtime();
  for (int i = 0; i < inner; i++) MPI_Allreduce(MPI_IN_PLACE, x, n, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
  return (MPI_Wtime() - from) * 1e6 / inner;
}

static int ascending(const void *a, const void *b) {
  const double d = *(const double *)a - *(const double *)b;
  return d < 0 ? -1 : d > 0;
}

// allreduce ROUNDS (SIZE IN-A-ROW)...: the median of the non-blocking sums by size, as JSON on rank 0.
int main(int argc, char **argv) {
  MPI_Init(&argc, &argv);
  int rank;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  const int rounds = atoi(argv[1]);
  double *times = malloc(rounds * sizeof(double));
  if (rank == 0) printf("{");
  for (int i = 2; i < argc; i += 2) {
    const int n = atoi(argv[i]);
    float *x = aligned_alloc(4096, n * sizeof(float));
    for (int k = 0; k < n; k++) x[k] = 0;
    for (int r = -5; r < rounds; r++) {
      meet();
      const double each = nonblocking(x, n, atoi(argv[i + 1]));
      if (r >= 0) times[r] = each;
    }
    qsort(times, rounds, sizeof(double), ascending);
    if (rank == 0) printf("%s\"%d\": %.2f", i > 2 ? ", " : "", n, times[rounds / 2]);
    free(x);
  }
  if (rank == 0) printf("}\n");
  MPI_Finalize();
  return 0;
}
