# linear_algebra.py FILE: a factorization in f64 by PyTorch, of the matrix that the file names, on one thread. As often as each line of the input says;
# answers the time that took and a number of the result.
import json
import sys
import time

import torch

given = json.load(open(sys.argv[1]))
torch.set_num_threads(1)
a = torch.tensor(given["a"], dtype=torch.float64).reshape(given["n"], given["n"])
work = {
    "solve": lambda: torch.linalg.solve(a, a.T)[0, 0],
    "cholesky": lambda: torch.linalg.cholesky(a)[-1, -1],
    "qr": lambda: torch.linalg.qr(a)[1][0, 0],
    "svd": lambda: torch.linalg.svd(a, full_matrices=False)[1][0],
    "eigh": lambda: torch.linalg.eigh(a)[0][0],
}[given["what"]]
for line in sys.stdin:
    began = time.perf_counter_ns()
    for _ in range(int(line)):
        value = work().item()
    print(time.perf_counter_ns() - began, value, flush=True)
