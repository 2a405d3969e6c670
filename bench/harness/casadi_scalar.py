# casadi_scalar.py FILE: a graph of scalars (op, a, b: op and operands of each node; inputs) as CasADi's SX, its value and its gradient by reverse mode in CasADi's virtual machine.
# As often as each line of the input says; answers the time that took (of the processor), the value and the gradient.
import json
import sys
import time

import casadi as ca
import numpy as np

given = json.load(open(sys.argv[1]))
count = len(given["inputs"])
x = ca.SX.sym("x", count)
v = [x[i] for i in range(count)]
rules = {1: lambda s, t: s + t, 2: lambda s, t: s - t, 3: lambda s, t: s * t, 4: lambda s, t: ca.sin(s), 5: lambda s, t: ca.exp(-s), 6: lambda s, t: ca.tanh(s)}
for op, a, b in zip(given["op"][count:], given["a"][count:], given["b"][count:]):
    v.append(rules[op](v[a], v[b]))
f = ca.Function("f", [x], [v[-1], ca.gradient(v[-1], x)])
# Without copies: CasADi's buffers read and write our arrays.
buffer, call = f.buffer()
point, value, slope = np.array(given["inputs"]), np.zeros(1), np.zeros(count)
buffer.set_arg(0, memoryview(point))
buffer.set_res(0, memoryview(value))
buffer.set_res(1, memoryview(slope))
for line in sys.stdin:
    began = time.process_time_ns()
    for _ in range(int(line)):
        call()
    took = time.process_time_ns() - began
    print(took, *value.tolist(), *slope.tolist(), flush=True)
