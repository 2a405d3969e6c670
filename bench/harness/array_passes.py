# array_passes.py FILE: sum(x y + z) over f32 and the gradient of its square, by the framework that the file names, on one thread. As often as each line of the input says;
# answers the time that took and a number of the result.
import json
import os
import sys
import time

given = json.load(open(sys.argv[1]))
if given["framework"] == "jax":
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
import numpy as np

base = (np.arange(given["count"]) % 7 / 7).astype(np.float32)
whole = given["what"] == "sum"
if given["framework"] == "jax":
    import jax
    import jax.numpy as jnp

    total = lambda x, y, z: (x * y + z).sum()
    f = jax.jit(total if whole else jax.grad(lambda x, y, z: total(x, y, z) ** 2, argnums=(0, 1, 2)))
    arrays = [jnp.array(base) for _ in range(3)]

    def once():
        out = f(*arrays)
        return float(out) if whole else float(out[0][5])

else:
    import torch

    torch.set_num_threads(1)
    arrays = [torch.from_numpy(base.copy()).requires_grad_(not whole) for _ in range(3)]

    def once():
        x, y, z = arrays
        if whole:
            return (x * y + z).sum().item()
        return torch.autograd.grad((x * y + z).sum() ** 2, arrays)[0][5].item()


for line in sys.stdin:
    began = time.perf_counter_ns()
    for _ in range(int(line)):
        value = once()
    print(time.perf_counter_ns() - began, value, flush=True)
