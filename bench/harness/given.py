"""What a step in Python is given: `STEP.py NET FILE [THREADS]`."""
import json
import sys
import time

import numpy as np

threads = int(sys.argv[3]) if len(sys.argv) > 3 else 1
clock = time.process_time_ns if threads == 1 else time.perf_counter_ns


def given(made):
    """The parameters and the data by name, each as `made` makes it of an array."""
    tensors = {"params": {}, "data": {}}
    for t in json.load(open(sys.argv[2])):
        tensors[t["kind"]][t["name"]] = made(np.fromfile(t["file"], dtype=t["dtype"]).reshape(t["shape"]))
    return tensors["params"], tensors["data"]
