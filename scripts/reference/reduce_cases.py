"""Reductions, order statistics and the norm."""

import math

import numpy as np
import torch

from fixture_format import Draw
from linear_cases import axes_of

GRID = [
    ((), {}),
    ((5,), {}),
    ((5,), {"axis": 0}),
    ((1,), {"axis": 0}),
    ((2, 3), {}),
    ((2, 3), {"axis": 0}),
    ((2, 3), {"axis": -1, "keepDims": True}),
    ((2, 3), {"axis": [0, 1], "keepDims": True}),
    ((2, 3, 4), {"axis": [0, -1]}),
    ((2, 3, 2), {"axis": [1, 2], "keepDims": True}),
    ((2, 1, 2, 3), {"axis": -2}),
    ((2, 1, 2, 3), {"axis": [-1, 0]}),
    ((2, 2), {"keepDims": True}),
]


def prod(x, axis=None, keepDims=False):
    for a in sorted(axes_of(x, axis), reverse=True):
        x = x.prod(a, keepdim=keepDims)
    return x


def reducer(fn):
    return lambda x, axis=None, keepDims=False, **rest: fn(x, axes_of(x, axis), keepDims, **rest)


def variance(x, axes, keep, correction=0):
    """The two-pass definition; at rank 0 PyTorch's own var has no axis to take."""
    mean = x.mean(axes, keepdim=True)
    count = math.prod(x.shape[a] for a in axes)
    return ((x - mean) ** 2).sum(axes, keepdim=keep) / (count - correction)


def norm(x, axes, keep, ord=2):
    return torch.linalg.vector_norm(x, ord, axes, keepdim=keep)


REDUCTIONS = {
    "sum": reducer(lambda x, axes, keep: x.sum(axes, keepdim=keep)),
    "mean": reducer(lambda x, axes, keep: x.mean(axes, keepdim=keep)),
    "max": reducer(lambda x, axes, keep: x.amax(axes, keepdim=keep)),
    "min": reducer(lambda x, axes, keep: x.amin(axes, keepdim=keep)),
    "prod": prod,
    "variance": reducer(variance),
    "logSumExp": reducer(lambda x, axes, keep: x.logsumexp(axes, keepdim=keep)),
    "norm": reducer(norm),
}


def argument(fn):
    """NumPy's argmax/argmin: the first of equals, and the first NaN."""

    def run(x, axis=None, keepDims=False):
        return torch.tensor(fn(x.detach().numpy(), axis=axis, keepdims=keepDims), dtype=torch.int64)

    return run


def sort(x, axis=-1, descending=False):
    values, indices = torch.sort(x, dim=axis, descending=descending, stable=True)
    return {"values": values, "indices": indices}


def top_k(x, k, axis=-1, largest=True):
    """The first k of a stable sort: torch.topk itself does not promise which of equals it takes."""
    values, indices = torch.sort(x, dim=axis, descending=largest, stable=True)
    return {"values": values.narrow(axis, 0, k), "indices": indices.narrow(axis, 0, k)}


def add_all(cases):
    for op, fn in REDUCTIONS.items():
        for shape, attrs in GRID:
            draw = Draw(f"{op}/{shape}/{attrs}")
            x = draw.distinct(*shape) if op in ("max", "min") else draw.away(*shape)
            cases.add(op, {"x": x}, lambda x, fn=fn, attrs=attrs: fn(x, **attrs), attrs)
    for shape, attrs in GRID:
        if shape and math.prod(shape[a] for a in axes_of(torch.zeros(shape), attrs.get("axis"))) > 1:
            attrs = {**attrs, "correction": 1}
            cases.add("variance", {"x": Draw(f"var/{shape}/{attrs}").normal(*shape)}, lambda x, attrs=attrs: REDUCTIONS["variance"](x, **attrs), attrs)
    for order in (1, 2, 3, 0.5, 1.5, math.inf):
        for shape, attrs in [((4,), {}), ((2, 3), {"axis": 1}), ((2, 3, 2), {"axis": [0, 2], "keepDims": True})]:
            attrs = {**attrs, "ord": order}
            draw = Draw(f"norm/{order}/{shape}")
            # magnitudes kept apart: an infinite order has its kinks at ties of |x|
            x = draw.distinct(*shape).abs() + 0.3 if math.isinf(order) else draw.away(*shape)
            cases.add("norm", {"x": x}, lambda x, attrs=attrs: REDUCTIONS["norm"](x, **attrs), attrs)
    big = torch.tensor([[1000.0, 1001.0, 998.5], [-1000.0, -1001.0, -999.5]], dtype=torch.float64)
    cases.add("logSumExp", {"x": big}, lambda x: REDUCTIONS["logSumExp"](x, axis=1), {"axis": 1})
    zeros = torch.tensor([[2.0, 0.0, 3.0], [0.0, 4.0, 0.0], [1.5, 2.0, -1.0]], dtype=torch.float64)
    for attrs in ({"axis": 1}, {"axis": 0}, {}):
        cases.add("prod", {"x": zeros}, lambda x, attrs=attrs: prod(x, **attrs), attrs, "zeros inside")
    ties = torch.tensor([[3.0, 1.0, 3.0, 3.0], [2.0, 2.0, -1.0, 2.0]], dtype=torch.float64)
    for op in ("max", "min"):
        for attrs in ({}, {"axis": 1}, {"axis": 0}):
            cases.add(op, {"x": ties}, lambda x, op=op, attrs=attrs: REDUCTIONS[op](x, **attrs), attrs, "ties share")
    whole = torch.tensor([[3, -1, 4], [1, -5, 9]], dtype=torch.int32)
    for op in ("sum", "max", "min", "prod"):
        cases.add(op, {"x": whole}, lambda x, op=op: REDUCTIONS[op](x, axis=1).to(torch.int32), {"axis": 1})
    for op, fn in (("argMax", argument(np.argmax)), ("argMin", argument(np.argmin))):
        for shape, attrs in [((5,), {}), ((2, 3), {}), ((2, 3), {"axis": 0}), ((2, 3), {"axis": -1, "keepDims": True}), ((2, 3, 2), {"axis": 1}), ((2, 2), {"keepDims": True}), ((1,), {})]:
            x = Draw(f"{op}/{shape}/{attrs}").distinct(*shape)
            cases.add(op, {"x": x}, lambda x, fn=fn, attrs=attrs: fn(x, **attrs), attrs)
        for attrs in ({}, {"axis": 0}, {"axis": 1}):
            cases.add(op, {"x": ties}, lambda x, fn=fn, attrs=attrs: fn(x, **attrs), attrs, "the first of equals")
        cases.add(op, {"x": whole}, lambda x, fn=fn: fn(x, axis=1), {"axis": 1})
    inputs = [((5,), None), ((2, 4), None), ((2, 3, 2), None), ((2, 4), ties)]
    for shape, fixed in inputs:
        for attrs in ({}, {"axis": 0}, {"axis": -1, "descending": True}, {"axis": 0, "descending": True}):
            x = fixed if fixed is not None else Draw(f"sort/{shape}/{attrs}").distinct(*shape)
            cases.add("sort", {"x": x}, lambda x, attrs=attrs: sort(x, **attrs), attrs)
        for attrs in ({"k": 1}, {"k": 2, "axis": 0}, {"k": 2, "axis": -1, "largest": False}, {"k": 1, "axis": 0, "largest": False}, {"k": shape[-1]}):
            x = fixed if fixed is not None else Draw(f"topK/{shape}/{attrs}").distinct(*shape)
            cases.add("topK", {"x": x}, lambda x, attrs=attrs: top_k(x, **attrs), attrs)
