"""Models that data split, exported by PyTorch, with what PyTorch computes for several inputs of each: outputs, loss and gradients.

    /usr/bin/python3 scripts/reference/onnx_split.py

writes test/fixtures/onnx/split/NAME.onnx and NAME.safetensors. The exporter is PyTorch's (TorchScript); no other package is needed. What is called KEY/... in
a file of tensors belongs to one call: x/INPUT, y, loss (half the sum of squares of y) and grad/PARAMETER.
"""

import json
import os
import struct

import torch
import torch.nn as nn
from torch import Tensor

HERE = os.path.join(os.path.dirname(__file__), "..", "..", "test", "fixtures", "onnx", "split")


class Picked(nn.Module):
    """Rows whose gate, which has weights, is open: weights before the split whose values go on too."""

    def __init__(self):
        super().__init__()
        self.encode = nn.Linear(3, 4)
        self.gate = nn.Linear(4, 1)
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        h = torch.tanh(self.encode(x))
        score = self.gate(h).squeeze(1)
        rows = torch.nonzero(score > 0).squeeze(1)
        return self.head(h[rows] * score[rows].unsqueeze(1))


class Masked(nn.Module):
    """The hidden states of the tokens that a mask keeps, each through a head: masked_select."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(7, 4)
        self.head = nn.Linear(4, 3)

    def forward(self, ids, mask):
        h = self.embed(ids)
        kept = torch.masked_select(h, (mask > 0).unsqueeze(-1))
        return self.head(kept.reshape(-1, 4))


class Twice(nn.Module):
    """A choice among what was chosen: two splits in a row."""

    def __init__(self):
        super().__init__()
        self.a = nn.Linear(3, 3)
        self.b = nn.Linear(3, 3)

    def forward(self, x):
        first = torch.nonzero(x[:, 0] > 0).squeeze(1)
        h = torch.tanh(self.a(x[first]))
        second = torch.nonzero(h[:, 1] > 0).squeeze(1)
        return self.b(h[second])


class Rounds(nn.Module):
    """As many rounds as an input says, and what each came to is kept."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.randn(3, 3) * 0.5)

    def forward(self, x: Tensor, n: Tensor) -> Tensor:
        h = x
        rows = x.unsqueeze(0)
        for i in range(int(n)):
            h = torch.tanh(h @ self.w)
            rows = torch.cat([rows, h.unsqueeze(0)], 0)
        return rows


class Settles(nn.Module):
    """Rounds until the numbers are small: how many hangs on weights and data."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.randn(3, 3) * 0.4)

    def forward(self, x: Tensor) -> Tensor:
        h = x
        while bool(h.abs().max() > 0.1):
            h = 0.8 * torch.tanh(h @ self.w)
        return h


class Branches(nn.Module):
    """Branches of two shapes."""

    def __init__(self):
        super().__init__()
        self.a = nn.Parameter(torch.randn(2, 3))
        self.b = nn.Parameter(torch.randn(3, 3))

    def forward(self, x: Tensor) -> Tensor:
        if bool(x.sum() > 0):
            y = self.a @ x
        else:
            y = self.b @ x
        return y * 2


class Computed(nn.Module):
    """Sizes that are computed from the numbers of an input: a slice, a range, an expansion, a reshape."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.randn(6, 2))

    def forward(self, x: Tensor, n: Tensor) -> Tensor:
        k = int(n)
        part = x[:k] @ self.w
        steps = torch.arange(k).to(torch.float32).unsqueeze(1)
        wide = self.w.sum().expand(k, 2)
        return (part * steps + wide).reshape(2, -1)


def x(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def picked_none(model):
    """Inputs for which no gate opens."""
    some = x(5, 40, 3)
    with torch.no_grad():
        closed = model.gate(torch.tanh(model.encode(some))).squeeze(1) <= 0
    return some[closed][:4]


IDS = torch.tensor([[1, 2, 3, 4], [5, 6, 0, 1]])
MODELS = {
    "picked": (Picked, ["x"], lambda m: {"a": [x(1, 6, 3)], "b": [x(2, 9, 3)], "none": [picked_none(m)]}, {"x": {0: "batch"}}, False),
    "masked": (
        Masked,
        ["ids", "mask"],
        lambda m: {
            "a": [IDS, torch.tensor([[1, 1, 0, 0], [1, 1, 1, 0]])],
            "b": [IDS[:1], torch.tensor([[0, 1, 1, 1]])],
            "none": [IDS, torch.zeros(2, 4, dtype=torch.int64)],
        },
        {"ids": {0: "batch"}, "mask": {0: "batch"}},
        False,
    ),
    "twice": (Twice, ["x"], lambda m: {"a": [x(1, 8, 3)], "b": [x(3, 12, 3)], "none": [-x(4, 5, 3).abs()]}, {"x": {0: "batch"}}, False),
    "rounds": (Rounds, ["x", "n"], lambda m: {"a": [x(1, 2, 3), torch.tensor(3)], "b": [x(2, 4, 3), torch.tensor(5)], "none": [x(3, 2, 3), torch.tensor(0)]}, {"x": {0: "batch"}}, True),
    "settles": (Settles, ["x"], lambda m: {"a": [x(1, 2, 3)], "b": [4 * x(2, 4, 3)], "none": [0.01 * x(3, 2, 3)]}, {"x": {0: "batch"}}, True),
    "branches": (Branches, ["x"], lambda m: {"a": [x(1, 3, 3).abs()], "b": [-x(2, 3, 5).abs()]}, {"x": {1: "columns"}}, True),
    "computed": (Computed, ["x", "n"], lambda m: {"a": [x(1, 6, 6), torch.tensor(4)], "b": [x(2, 9, 6), torch.tensor(6)], "none": [x(2, 3, 6), torch.tensor(0)]}, {"x": {0: "rows"}}, True),
}


def save(path, tensors):
    header, blobs, at = {}, [], 0
    for name, t in tensors.items():
        kind = {torch.float32: "F32", torch.int32: "I32"}[t.dtype]
        blob = t.detach().contiguous().numpy().tobytes()
        header[name] = {"dtype": kind, "shape": list(t.shape), "data_offsets": [at, at + len(blob)]}
        blobs.append(blob)
        at += len(blob)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))


def main():
    os.makedirs(HERE, exist_ok=True)
    for seed, (name, (build, names, makers, axes, scripted)) in enumerate(MODELS.items()):
        torch.manual_seed(seed)
        model = build()
        calls = makers(model)
        first = calls["a"]
        torch.onnx.export(
            torch.jit.script(model) if scripted else model,
            tuple(first),
            os.path.join(HERE, f"{name}.onnx"),
            input_names=names,
            output_names=["y"],
            dynamic_axes=axes,
            opset_version=16,
        )
        found = {}
        for key, inputs in calls.items():
            model.zero_grad()
            y = model(*inputs)
            loss = 0.5 * (y * y).sum()
            if loss.requires_grad:
                loss.backward()
            for k, v in zip(names, inputs):
                found[f"{key}/x/{k}"] = v.to(torch.int32) if v.dtype == torch.int64 else v
            found[f"{key}/y"] = y
            found[f"{key}/loss"] = loss.reshape(1)
            for k, p in model.named_parameters():
                found[f"{key}/grad/{k}"] = p.grad.clone() if p.grad is not None else torch.zeros_like(p)
            print(name, key, tuple(y.shape), float(loss))
        save(os.path.join(HERE, f"{name}.safetensors"), found)
        print(name, os.path.getsize(os.path.join(HERE, f"{name}.onnx")))


main()
