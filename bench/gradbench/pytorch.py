"""The derivatives of four evals in PyTorch, for comparison: reads {"eval", "input"} from standard input, prints the gradient's sum of absolute values,
the first run's time and the median of later ones in milliseconds, as JSON. Started by sizes.js where python3 has torch."""
import json
import math
import sys
import time

import torch

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)


def llsq(x, n):
    t = -1 + 2 * torch.arange(n) / (n - 1)
    p = torch.zeros(n)
    for c in reversed(x.unbind()):
        p = p * t + c
    return 0.5 * ((torch.sign(t) - p) ** 2).sum()


def lse(x):
    top = x.max()
    return top + torch.log(torch.exp(x - top).sum())


def gmm(p, x, d, k, n, m, gamma):
    q, l = p["q"], p["l"]
    factors = torch.diag_embed(torch.exp(q))
    rows = [i for j in range(d) for i in range(j + 1, d)]
    columns = [j for j in range(d) for _ in range(j + 1, d)]
    lower = torch.zeros(k, d, d).index_put((torch.arange(k)[:, None], torch.tensor(rows)[None], torch.tensor(columns)[None]), l)
    scaled = torch.einsum("kij,nkj->nki", factors + lower, x[:, None] - p["mu"])
    beta = p["alpha"] + q.sum(1) - 0.5 * (scaled**2).sum(2)
    prior = 0.5 * gamma**2 * ((torch.exp(q) ** 2).sum() + (l**2).sum()) - m * q.sum()
    return torch.logsumexp(beta, 1).sum() - n * torch.logsumexp(p["alpha"], 0) - prior


def cost(centroids, points):
    return ((points[:, None] - centroids) ** 2).sum(2).min(1).values.sum()


def program(name, given):
    tensor = lambda key: torch.tensor(given[key])
    if name == "llsq":
        x = tensor("x").requires_grad_()
        return lambda: torch.autograd.grad(llsq(x, given["n"]), x)
    if name == "lse":
        x = tensor("x").requires_grad_()
        return lambda: torch.autograd.grad(lse(x), x)
    if name == "gmm":
        p = {key: tensor(key).requires_grad_() for key in ("alpha", "mu", "q", "l")}
        x = tensor("x")
        return lambda: torch.autograd.grad(gmm(p, x, given["d"], given["k"], given["n"], given["m"], given["gamma"]), list(p.values()))
    if name == "kmeans":
        points, centroids = tensor("points"), tensor("centroids").requires_grad_()

        def direction():
            (slope,) = torch.autograd.grad(cost(centroids, points), centroids, create_graph=True)
            (diagonal,) = torch.autograd.grad(slope.sum(), centroids)
            return [slope.detach() / diagonal]

        return direction
    return None


message = json.load(sys.stdin)
run = program(message["eval"], message["input"])
if run is None:
    print("null")
else:
    times = []
    while len(times) < 3 or (sum(times) < 3 and len(times) < 50):
        start = time.perf_counter()
        found = run()
        times.append(time.perf_counter() - start)
    size = math.fsum(float(g.detach().abs().sum()) for g in found)
    later = sorted(times[1:])
    print(json.dumps({"size": size, "first": times[0] * 1e3, "median": later[len(later) // 2] * 1e3}))
