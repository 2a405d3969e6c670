"""Linear systems, factorizations and Fourier transforms, on well-conditioned matrices with eigenvalues and singular values apart."""

import numpy as np
import torch

from fixture_format import Draw

BATCHES = [(), (2,), (2, 1)]


def transpose(x):
    return x.transpose(-1, -2)


def symmetric(x):
    return (x + transpose(x)) / 2


def regular(draw, *shape):
    """Square matrices with a diagonal that outweighs its row, the rows moved by one so that pivoting has work."""
    n = shape[-1]
    off = draw.rng.uniform(-1, 1, shape)
    eye = np.roll(np.eye(n), 1, axis=0)
    size = (0.6 * n + 0.7 + draw.rng.random(shape)) * np.where(draw.rng.random(shape) < 0.5, -1, 1)
    return draw.tensor(off * (1 - eye) + size * eye)


def definite(draw, *shape):
    b = draw.rng.uniform(-1, 1, shape)
    return draw.tensor(b @ np.swapaxes(b, -1, -2) + 1.3 * np.eye(shape[-1]))


def apart(draw, *shape, same=False):
    """Matrices whose singular values (eigenvalues, with `same`) are about 1 apart."""
    m, n = shape[-2:]
    k = min(m, n)
    left = np.linalg.qr(draw.rng.normal(size=(*shape[:-2], m, k)))[0]
    right = left if same else np.linalg.qr(draw.rng.normal(size=(*shape[:-2], n, k)))[0]
    values = np.arange(k) + 0.7 + 0.3 * draw.rng.random((*shape[:-2], k)) - (k // 2 if same else 0)
    a = (left * values[..., None, :]) @ np.swapaxes(right, -1, -2)
    return draw.tensor((a + np.swapaxes(a, -1, -2)) / 2 if same else a)


def turned(vectors):
    """1 or -1 for each column, so that the first of its largest components becomes positive."""
    if vectors.shape[-2] == 0:
        return vectors.sum(-2, keepdim=True).detach() + 1
    first = vectors.detach().abs().argmax(-2, keepdim=True)
    return vectors.detach().gather(-2, first).sign()


def eigh(a):
    values, vectors = torch.linalg.eigh(symmetric(a))
    return {"values": values, "vectors": vectors * turned(vectors)}


def svd(a):
    u, s, vt = torch.linalg.svd(a, full_matrices=False)
    sign = turned(u)
    return {"u": u * sign, "s": s, "vt": vt * transpose(sign)}


def qr(a):
    q, r = torch.linalg.qr(a)
    return {"q": q, "r": r}


def slogdet(a):
    sign, log = torch.linalg.slogdet(a)
    return {"sign": sign, "logAbsDet": log}


def solve(a, b, transposed):
    left = transpose(a) if transposed else a
    return torch.linalg.solve(left, b) if b.dim() > 1 else torch.linalg.solve(left, b.unsqueeze(-1)).squeeze(-1)


def triangular(a, b, lower, transposed, unit):
    left = transpose(a) if transposed else a
    right = b if b.dim() > 1 else b.unsqueeze(-1)
    x = torch.linalg.solve_triangular(left, right, upper=lower == transposed, unitriangular=unit)
    return x if b.dim() > 1 else x.squeeze(-1)


def parts(z):
    return {"re": z.real, "im": z.imag}


def add_systems(cases):
    for lead in BATCHES:
        for n in (1, 2, 3, 5):
            draw = Draw(f"linalg/{lead}/{n}")
            a, spd = regular(draw, *lead, n, n), definite(draw, *lead, n, n)
            cases.add("cholesky", {"a": spd}, lambda a: torch.linalg.cholesky(symmetric(a)))
            cases.add("inverse", {"a": a}, lambda a: torch.linalg.inv(a))
            cases.add("det", {"a": a}, lambda a: torch.linalg.det(a))
            cases.add("slogDet", {"a": a}, slogdet)
            cases.add("logDet", {"a": spd}, lambda a: torch.logdet(a))
    cases.add("det", {"a": Draw("det/0").normal(0, 0)}, lambda a: torch.linalg.det(a))
    for a_shape, b_shape in [((2, 2), (2,)), ((3, 3), (3, 2)), ((2, 3, 3), (3,)), ((2, 3, 3), (3, 2)), ((2, 2), (3, 2, 1)), ((2, 1, 2, 2), (3, 2, 2)), ((1, 1), (1,))]:
        for transposed in (False, True):
            draw = Draw(f"solve/{a_shape}/{b_shape}/{transposed}")
            operands = {"a": regular(draw, *a_shape), "b": draw.normal(*b_shape)}
            cases.add("solve", operands, lambda a, b, t=transposed: solve(a, b, t), {"transpose": True} if transposed else {})
            for lower, unit in ((True, False), (False, True), (False, False)):
                a = draw.away(*a_shape, gap=0.8, spread=1.0)
                attrs = {"lower": lower, "transpose": transposed, "unitDiagonal": unit}
                cases.add(
                    "triangularSolve",
                    {"a": a, "b": draw.normal(*b_shape)},
                    lambda a, b, l=lower, t=transposed, u=unit: triangular(a, b, l, t, u),
                    attrs,
                )


def add_factorizations(cases):
    for shape in [(1, 1), (2, 2), (3, 3), (3, 2), (2, 3), (5, 3), (2, 4), (2, 3, 2), (2, 1, 2, 2), (4, 4)]:
        draw = Draw(f"factorizations/{shape}")
        cases.add("qr", {"a": draw.normal(*shape)}, qr)
        cases.add("svd", {"a": apart(draw, *shape)}, svd)
    for shape in [(1, 1), (2, 2), (3, 3), (5, 5), (2, 3, 3), (2, 1, 2, 2)]:
        cases.add("eigh", {"a": apart(Draw(f"eigh/{shape}"), *shape, same=True)}, eigh)


def add_transforms(cases):
    for shape, axis in [((1,), -1), ((2,), -1), ((3,), 0), ((8,), -1), ((12,), -1), ((17,), -1), ((30,), -1), ((2, 5), -1), ((4, 3), 0), ((2, 3, 2), 1)]:
        draw = Draw(f"fft/{shape}/{axis}")
        re, im = draw.normal(*shape), draw.normal(*shape)
        attrs = {} if axis == -1 else {"axis": axis}
        cases.add("fft", {"re": re, "im": im}, lambda re, im, axis=axis: parts(torch.fft.fft(torch.complex(re, im), dim=axis)), attrs)
        cases.add("fft", {"re": re}, lambda re, axis=axis: parts(torch.fft.fft(re.to(torch.complex128), dim=axis)), attrs)
        cases.add("ifft", {"re": re, "im": im}, lambda re, im, axis=axis: parts(torch.fft.ifft(torch.complex(re, im), dim=axis)), attrs)
        cases.add("rfft", {"x": re}, lambda x, axis=axis: parts(torch.fft.rfft(x, dim=axis)), attrs)
        m = shape[axis]
        for size in (2 * m - 2, 2 * m - 1):
            if size > 0:
                cases.add(
                    "irfft",
                    {"re": re, "im": im},
                    lambda re, im, axis=axis, size=size: torch.fft.irfft(torch.complex(re, im), n=size, dim=axis),
                    {**attrs, "size": size},
                )


def add_all(cases):
    add_systems(cases)
    add_factorizations(cases)
    add_transforms(cases)
