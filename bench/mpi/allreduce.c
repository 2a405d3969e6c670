// What the MPI library takes by itself: the non-blocking sum of so many floats in place, waited for; microseconds by size as JSON on rank 0.
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

static int ascending(const void *a, const void *b) {
  double d = *(const double *)a - *(const double *)b;
  return d < 0 ? -1 : d > 0;
}

int main(int argc, char **argv) {
  MPI_Init(&argc, &argv);
  int rank;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  const int rounds = argc > 1 ? atoi(argv[1]) : 31;
  double *times = malloc(rounds * sizeof(double));
  if (rank == 0) printf("{");
  for (int i = 2; i < argc; i++) {
    const int n = atoi(argv[i]);
    float *x = malloc(n * sizeof(float));
    for (int k = 0; k < n; k++) x[k] = 0;
    // Several in a row, so that what the barrier leaves between the ranks does not count.
    const int inner = n > 1 << 20 ? 1 : (1 << 20) / n > 64 ? 64 : (1 << 20) / n;
    for (int r = -5; r < rounds; r++) {
      MPI_Barrier(MPI_COMM_WORLD);
      const double from = MPI_Wtime();
      for (int i = 0; i < inner; i++) {
        MPI_Request request;
        MPI_Iallreduce(MPI_IN_PLACE, x, n, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD, &request);
        int done = 0;
        while (!done) MPI_Test(&request, &done, MPI_STATUS_IGNORE);
      }
      if (r >= 0) times[r] = (MPI_Wtime() - from) * 1e6 / inner;
    }
    qsort(times, rounds, sizeof(double), ascending);
    if (rank == 0) printf("%s\"%d\": %.2f", i > 2 ? ", " : "", n, times[rounds / 2]);
    free(x);
  }
  if (rank == 0) printf("}\n");
  MPI_Finalize();
  return 0;
}
