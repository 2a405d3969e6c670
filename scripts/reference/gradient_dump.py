"""Values and gradients of a two-layer net by PyTorch, for `test/explain/diff`: `w` a value, `w.grad` its gradient.

Run with the Python that has torch: /usr/bin/python3 scripts/reference/gradient_dump.py
"""

import pathlib

import numpy as np
import torch

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "test" / "fixtures" / "diff"


def run(dtype: torch.dtype, wrong: bool = False) -> dict[str, np.ndarray]:
    """One run; `wrong` plants a fault: the gradient of tanh without its square."""
    draw = np.random.default_rng(7)
    leaves = {
        name: torch.tensor(draw.standard_normal(shape), dtype=dtype, requires_grad=True)
        for name, shape in [("x", (4, 3)), ("w1", (3, 5)), ("b1", (5,)), ("w2", (5, 2)), ("y", (4, 2))]
    }
    x, w1, b1, w2, y = leaves.values()
    h = x @ w1 + b1
    a = Wrong.apply(h) if wrong else torch.tanh(h)
    s = a @ w2
    loss = ((s - y) ** 2).mean()
    named = {**leaves, "h": h, "a": a, "s": s, "loss": loss}
    for value in (h, a, s, loss):
        value.retain_grad()
    loss.backward()
    tensors = {name: value.detach().numpy() for name, value in named.items()}
    return {**tensors, **{f"{name}.grad": value.grad.numpy() for name, value in named.items()}}


class Wrong(torch.autograd.Function):
    """tanh with a wrong backward rule."""

    @staticmethod
    def forward(ctx, h):
        out = torch.tanh(h)
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx, ct):
        (out,) = ctx.saved_tensors
        return ct * (1 - out.abs())


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    np.savez(FOLDER / "torch-f64.npz", **run(torch.float64))
    np.savez(FOLDER / "torch-f32.npz", **run(torch.float32))
    np.savez(FOLDER / "torch-wrong.npz", **run(torch.float64, wrong=True))
