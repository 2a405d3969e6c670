"""How the reference fixtures are written: tensors, seeded numbers, and one record per case.

A case holds the operands, the attributes under the project's own names, the result, a cotangent `ct`,
the vector-Jacobian product `vjp` for that cotangent, and `second`: the gradient, for each float operand,
of sum_k <u_k, vjp_k> for a fixed random `u` (double backward).
"""

import json
import math
import zlib

import numpy as np
import torch

DTYPES = {
    torch.float64: "f64",
    torch.float32: "f32",
    torch.float16: "f16",
    torch.bfloat16: "bf16",
    torch.int64: "i32",  # indices: PyTorch counts in int64, the project in i32
    torch.int32: "i32",
    torch.bool: "bool",
}


class Typed:
    """A tensor whose dtype name is said outright (i64, u8, ... where PyTorch's own dtype would mislead)."""

    def __init__(self, tensor, dtype):
        self.tensor = tensor
        self.dtype = dtype


def number(value):
    """A JSON number that reads back to the same double, or one of the four strings."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return value
    value = float(value)
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0 and math.copysign(1, value) < 0:
        return "-0"
    return int(value) if value == int(value) and abs(value) < 1e15 else value


def encode_tensor(tensor):
    dtype = None
    if isinstance(tensor, Typed):
        dtype, tensor = tensor.dtype, tensor.tensor
    tensor = tensor.detach()
    dtype = dtype or DTYPES[tensor.dtype]
    flat = tensor.reshape(-1)
    flat = flat.to(torch.float64) if flat.is_floating_point() else flat
    return {"shape": list(tensor.shape), "data": [number(v) for v in flat.tolist()], "dtype": dtype}


def encode(tree):
    if tree is None:
        return None
    if isinstance(tree, dict):
        return {name: encode(part) for name, part in tree.items()}
    if isinstance(tree, (list, tuple)):
        return [encode(part) for part in tree]
    return encode_tensor(tree)


def encode_attribute(value):
    if isinstance(value, dict):
        return {name: encode_attribute(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [encode_attribute(part) for part in value]
    return number(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def map_tree(tree, fn):
    if isinstance(tree, dict):
        return {name: map_tree(part, fn) for name, part in tree.items()}
    if isinstance(tree, (list, tuple)):
        return [map_tree(part, fn) for part in tree]
    return fn(tree)


def leaves_of(tree):
    if isinstance(tree, dict):
        return [leaf for part in tree.values() for leaf in leaves_of(part)]
    if isinstance(tree, (list, tuple)):
        return [leaf for part in tree for leaf in leaves_of(part)]
    return [tree]


def is_float(tensor):
    return not isinstance(tensor, Typed) and tensor.is_floating_point()


class Draw:
    """Seeded numbers with few decimals, so that the files stay small and the inputs read well."""

    def __init__(self, name):
        self.rng = np.random.default_rng(zlib.crc32(name.encode()))

    def tensor(self, values, decimals=3):
        return torch.tensor(np.round(np.asarray(values, dtype=np.float64), decimals), dtype=torch.float64)

    def normal(self, *shape, scale=1.0, decimals=3):
        return self.tensor(self.rng.normal(0, scale, shape), decimals)

    def uniform(self, low, high, *shape, decimals=3):
        return self.tensor(self.rng.uniform(low, high, shape), decimals)

    def away(self, *shape, gap=0.3, spread=2.0):
        """Both signs, no closer to zero than `gap`."""
        size = self.rng.uniform(gap, gap + spread, shape)
        return self.tensor(size * np.where(self.rng.random(shape) < 0.5, -1, 1))

    def distinct(self, *shape, step=0.25):
        """All elements at least `step / 2` apart: no ties."""
        count = int(np.prod(shape))
        values = (self.rng.permutation(count) - count / 2) * step + self.rng.uniform(-step / 4, step / 4, count)
        return self.tensor(values.reshape(shape))

    def integers(self, low, high, *shape):
        return torch.tensor(self.rng.integers(low, high, shape), dtype=torch.int64)

    def permutation(self, count, size):
        return torch.tensor(self.rng.permutation(count)[:size], dtype=torch.int64)

    def bools(self, *shape):
        return torch.tensor(self.rng.random(shape) < 0.5, dtype=torch.bool)


def direction(draw, like):
    """A random tensor of `like`'s shape and dtype, two decimals, exact in its dtype."""
    values = np.round(draw.rng.uniform(-1, 1, tuple(like.shape)), 2)
    if like.dtype != torch.float64:
        values = np.round(values * 16) / 16
    return torch.tensor(values, dtype=like.dtype)


def clean(gradient, like):
    # the sum gives storage to the lazy zeros that PyTorch's rules return
    return torch.zeros_like(like) if gradient is None else torch.zeros_like(like) + gradient.detach()


class Cases:
    """Collects the cases of one file."""

    def __init__(self):
        self.items = []
        self.counts = {}

    def add(self, op, operands, fn, attrs=None, note=None):
        """Evaluate `fn(**operands)`, its vjp for a random cotangent, and the second derivative."""
        index = self.counts.get(op, 0)
        self.counts[op] = index + 1
        draw = Draw(f"{op}/{index}/directions")
        inputs = map_tree(
            operands,
            lambda t: t if not is_float(t) else t.clone().requires_grad_(True),
        )
        plain = map_tree(inputs, lambda t: t.tensor if isinstance(t, Typed) else t)
        out = fn(**plain)
        item = {
            "op": op,
            "operands": encode(operands),
            "attrs": encode_attribute(attrs or {}),
            "out": encode(out),
            "ct": None,
            "vjp": None,
            "second": None,
        }
        if note:
            item["note"] = note
        wanted = [leaf for leaf in leaves_of(inputs) if is_float(leaf)]
        results = [leaf for leaf in leaves_of(out) if is_float(leaf)]
        if wanted and results:
            ct = map_tree(out, lambda t: direction(draw, t) if is_float(t) else None)
            item["ct"] = encode(ct)
            reached = [(r, c) for r, c in zip(results, [c for c in leaves_of(ct) if c is not None]) if r.requires_grad]
            gradients = [None] * len(wanted)
            if reached:
                gradients = torch.autograd.grad(
                    [r for r, _ in reached], wanted, [c for _, c in reached], create_graph=True, allow_unused=True
                )
            by_leaf = {id(leaf): gradient for leaf, gradient in zip(wanted, gradients)}
            vjp = self.per_operand(inputs, lambda leaf: clean(by_leaf[id(leaf)], leaf))
            u = self.per_operand(inputs, lambda leaf: direction(draw, leaf))
            total = None
            for gradient, weight in zip(gradients, leaves_of(u)):
                if gradient is not None and gradient.requires_grad:
                    term = (gradient * weight).sum()
                    total = term if total is None else total + term
            seconds = [None] * len(wanted)
            if total is not None and total.requires_grad:
                seconds = torch.autograd.grad(total, wanted, allow_unused=True)
            by_second = {id(leaf): gradient for leaf, gradient in zip(wanted, seconds)}
            hvp = self.per_operand(inputs, lambda leaf: clean(by_second[id(leaf)], leaf))
            item["vjp"] = encode(vjp)
            item["second"] = {"u": encode(u), "hvp": encode(hvp)}
        self.items.append(item)
        return item

    def add_raw(self, op, item):
        self.counts[op] = self.counts.get(op, 0) + 1
        self.items.append(item)

    @staticmethod
    def per_operand(inputs, fn):
        """The same tree, float operands only (an operand list keeps its places)."""
        kept = {}
        for name, part in inputs.items():
            if isinstance(part, list):
                kept[name] = [fn(leaf) for leaf in part]
            elif is_float(part):
                kept[name] = fn(part)
        return kept


def write(path, about, items):
    """One case a line, so that a change reads as a line in a diff."""
    lines = ",\n".join(json.dumps(item, ensure_ascii=False, separators=(",", ":"), allow_nan=False) for item in items)
    text = f'{{"about":{json.dumps(about, ensure_ascii=False)},\n"cases":[\n{lines}\n]}}\n'
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return len(text.encode())
