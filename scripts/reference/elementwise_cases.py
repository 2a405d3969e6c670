"""Elementwise ops: unary, binary, comparisons, logic, where, clip, cast."""

import math

import mpmath as mp
import numpy as np
import torch

from fixture_format import Draw, Typed, direction, encode_tensor, number

SHAPES = [(), (5,), (2, 3), (2, 1, 3, 2), (0,)]
PAIRS = [
    ((), ()),
    ((4,), (4,)),
    ((2, 3), (3,)),
    ((3,), (2, 3)),
    ((2, 1), (1, 3)),
    ((), (2, 2)),
    ((2, 2), ()),
    ((2, 1, 2), (3, 1)),
    ((1, 3), (2, 1, 3)),
    ((2, 1, 2, 1), (3, 1, 2)),
    ((0, 3), (3,)),
]

WIDE = [s * v for v in (1e-3, 0.04, 0.7, 3.3, 27.0, 410.0, 1e3) for s in (1, -1)]


def softplus(x):
    # torch's own softplus turns linear above its threshold of 20; the function itself does not
    # (nor has logsigmoid the NaN that logaddexp's second derivative has at 800)
    return -torch.nn.functional.logsigmoid(-x)


def mp_digamma(x):
    return mp.digamma(x)


def mp_lgamma(x):
    return mp.log(abs(mp.gamma(x)))


# name: (torch function, interval for ordinary cases or "away" from zero, mpmath function, wide points)
UNARY = {
    "neg": (torch.neg, "both", lambda x: -x, WIDE),
    "abs": (torch.abs, "away", abs, WIDE),
    "sign": (torch.sign, "away", lambda x: mp.sign(x), WIDE),
    "exp": (torch.exp, "both", mp.exp, [-300.0, -30.0, -2.5, -1e-3, 1e-3, 1.5, 30.0, 300.0]),
    "expm1": (torch.expm1, "both", mp.expm1, [-30.0, -1.0, -1e-9, 1e-12, 1e-3, 2.0, 30.0]),
    "log": (torch.log, (0.1, 4), mp.log, [1e-9, 1e-3, 0.999, 1.001, 37.0, 1e3, 1e12]),
    "log1p": (torch.log1p, (-0.8, 4), mp.log1p, [-0.99, -1e-3, -1e-12, 1e-12, 1e-3, 12.0, 1e3]),
    "sqrt": (torch.sqrt, (0.1, 4), mp.sqrt, [1e-6, 1e-3, 0.5, 2.0, 1e3, 1e8]),
    "rsqrt": (torch.rsqrt, (0.1, 4), lambda x: 1 / mp.sqrt(x), [1e-4, 1e-2, 0.5, 2.0, 1e3, 1e8]),
    "reciprocal": (torch.reciprocal, "away", lambda x: 1 / x, WIDE),
    "square": (torch.square, "both", lambda x: x * x, WIDE),
    "sin": (torch.sin, "both", mp.sin, WIDE),
    "cos": (torch.cos, "both", mp.cos, WIDE),
    "tan": (torch.tan, (-1.3, 1.3), mp.tan, [-3.0, -1.5, -1e-3, 1e-3, 1.5, 2.5, 100.0]),
    "asin": (torch.asin, (-0.9, 0.9), mp.asin, [-0.999, -0.5, -1e-3, 1e-3, 0.5, 0.999]),
    "acos": (torch.acos, (-0.9, 0.9), mp.acos, [-0.999, -0.5, -1e-3, 1e-3, 0.5, 0.999]),
    "atan": (torch.atan, "both", mp.atan, WIDE),
    "sinh": (torch.sinh, "both", mp.sinh, [-20.0, -3.0, -1e-3, 1e-3, 3.0, 20.0]),
    "cosh": (torch.cosh, "both", mp.cosh, [-20.0, -3.0, -1e-3, 1e-3, 3.0, 20.0]),
    "tanh": (torch.tanh, "both", mp.tanh, [-6.0, -3.0, -0.5, -1e-3, 1e-3, 0.5, 3.0, 6.0]),
    "sigmoid": (torch.sigmoid, "both", lambda x: 1 / (1 + mp.exp(-x)), [-700.0, -40.0, -5.0, -1e-3, 1e-3, 5.0, 12.0]),
    "softplus": (softplus, "both", lambda x: mp.log1p(mp.exp(x)), [-40.0, -5.0, -1e-3, 1e-3, 5.0, 21.0, 25.0, 40.0, 800.0]),
    "erf": (torch.erf, "both", mp.erf, [-4.0, -1.5, -0.5, -1e-3, 1e-3, 0.5, 1.5, 4.0]),
    "lgamma": (torch.lgamma, (0.3, 5), mp_lgamma, [-10.5, -3.7, -2.3, -0.5, 1e-3, 0.9, 1.1, 1.9, 2.1, 30.0, 1e3]),
    "digamma": (torch.digamma, (0.3, 5), mp_digamma, [-10.5, -3.7, -2.3, -0.5, 1e-3, 0.9, 1.1, 1.7, 30.0, 1e3]),
    "floor": (torch.floor, "fraction", None, [-1e3 - 0.5, -2.25, -0.5, 0.5, 2.75, 1e3 + 0.5]),
    "ceil": (torch.ceil, "fraction", None, [-1e3 - 0.5, -2.25, -0.5, 0.5, 2.75, 1e3 + 0.5]),
    "round": (torch.round, "fraction", None, [-1e3 - 0.25, -2.25, -0.4, 0.6, 2.75, 1e3 + 0.75]),
}


def sample(draw, domain, shape):
    if domain == "both":
        return draw.normal(*shape, scale=1.5)
    if domain == "away":
        return draw.away(*shape)
    if domain == "fraction":
        # between integers and clear of halves
        return draw.tensor(draw.integers(-4, 5, *shape).numpy() + draw.rng.uniform(0.1, 0.4, shape))
    return draw.uniform(*domain, *shape)


def exact_unary(cases, name, fn, x):
    """Value, vjp and second derivative from mpmath at 120 digits, rounded once."""
    draw = Draw(f"{name}/exact/{cases.counts.get(name, 0)}")
    ct, u = direction(draw, x), direction(draw, x)
    out, vjp, hvp = [], [], []
    for value, c, w in zip(x.reshape(-1).tolist(), ct.reshape(-1).tolist(), u.reshape(-1).tolist()):
        # mpmath.diff takes finite steps: the extra digits leave far more than a double's
        with mp.workdps(120):
            at = mp.mpf(value)
            size = abs(at)
            if name in ("abs", "neg"):
                first, second = (mp.sign(at) if name == "abs" else mp.mpf(-1)), mp.mpf(0)
            elif name in ("sign",):
                first, second = mp.mpf(0), mp.mpf(0)
            else:
                h = mp.mpf(10) ** -30 * (size if size < 1 else 1)
                first = mp.diff(fn, at, 1, h=h)
                second = mp.diff(fn, at, 2, h=h)
            out.append(float(fn(at)))
            vjp.append(float(mp.mpf(c) * first))
            hvp.append(float(mp.mpf(c) * mp.mpf(w) * second))

    def packed(values):
        return {"shape": list(x.shape), "data": [number(v) for v in values], "dtype": "f64"}

    cases.add_raw(
        name,
        {
            "op": name,
            "operands": {"x": encode_tensor(x)},
            "attrs": {},
            "out": packed(out),
            "ct": encode_tensor(ct),
            "vjp": {"x": packed(vjp)},
            "second": {"u": {"x": encode_tensor(u)}, "hvp": {"x": packed(hvp)}},
            "note": "mpmath",
        },
    )


def agreement(torch_fn, fn, points):
    """The largest relative difference between PyTorch and mpmath in value, first and second derivative."""
    worst = [0.0, 0.0, 0.0]
    for point in points:
        x = torch.tensor(point, dtype=torch.float64, requires_grad=True)
        value = torch_fn(x)
        (first,) = torch.autograd.grad(value, x, create_graph=True)
        second = torch.zeros(()) if not first.requires_grad else torch.autograd.grad(first, x, allow_unused=True)[0]
        second = torch.zeros(()) if second is None else second
        with mp.workdps(120):
            at = mp.mpf(point)
            h = mp.mpf(10) ** -30 * min(abs(at), 1)
            truth = [fn(at), mp.diff(fn, at, 1, h=h), mp.diff(fn, at, 2, h=h)]
        for order, (ours, exact) in enumerate(zip([value.item(), first.item(), second.item()], truth)):
            exact = float(exact)
            worst[order] = max(worst[order], abs(ours - exact) / max(1e-9, abs(exact)))
    return worst


def mod_pair(draw, x_shape, y_shape):
    """The quotient stays clear of integers, where mod jumps: x = y * (k + fraction) is tried until it holds for all pairs."""
    while True:
        x, y = draw.away(*x_shape, gap=0.3, spread=6), draw.away(*y_shape, gap=0.5, spread=2)
        quotient = x / y
        if quotient.numel() == 0 or bool(((quotient - quotient.round()).abs() > 0.05).all()):
            return x, y


def apart_pair(draw, x_shape, y_shape):
    while True:
        x, y = draw.normal(*x_shape, scale=2), draw.normal(*y_shape, scale=2)
        if (x - y).numel() == 0 or bool(((x - y).abs() > 0.05).all()):
            return x, y


BINARY = {
    "add": (torch.add, lambda d, a, b: (d.normal(*a, scale=2), d.normal(*b, scale=2))),
    "sub": (torch.sub, lambda d, a, b: (d.normal(*a, scale=2), d.normal(*b, scale=2))),
    "mul": (torch.mul, lambda d, a, b: (d.normal(*a, scale=2), d.normal(*b, scale=2))),
    "div": (torch.div, lambda d, a, b: (d.normal(*a, scale=2), d.away(*b))),
    "mod": (torch.remainder, mod_pair),
    "pow": (torch.pow, lambda d, a, b: (d.uniform(0.3, 3, *a), d.away(*b))),
    "maximum": (torch.maximum, apart_pair),
    "minimum": (torch.minimum, apart_pair),
    "atan2": (torch.atan2, lambda d, a, b: (d.away(*a), d.away(*b))),
}
COMPARISONS = {
    "equal": torch.eq,
    "notEqual": torch.ne,
    "less": torch.lt,
    "lessEqual": torch.le,
    "greater": torch.gt,
    "greaterEqual": torch.ge,
}
LOGIC = {"logicalAnd": torch.logical_and, "logicalOr": torch.logical_or, "logicalXor": torch.logical_xor}


def integers32(values):
    return torch.tensor(values, dtype=torch.int32)


def add_unary(cases):
    for name, (fn, domain, exact, wide) in UNARY.items():
        for shape in SHAPES:
            x = sample(Draw(f"{name}/{shape}"), domain, shape)
            if name in ("lgamma", "digamma"):
                # PyTorch's trigamma is good to 5e-10 only
                exact_unary(cases, name, exact, x)
            else:
                cases.add(name, {"x": x}, lambda x, fn=fn: fn(x))
        if exact is None:
            cases.add(name, {"x": torch.tensor(wide, dtype=torch.float64)}, lambda x, fn=fn: fn(x))
        else:
            exact_unary(cases, name, exact, torch.tensor(wide, dtype=torch.float64))
    special = torch.tensor([math.nan, math.inf, -math.inf, 0.0, -0.0, 1.5], dtype=torch.float64)
    cases.add("isNaN", {"x": special}, lambda x: torch.isnan(x))
    cases.add("isNaN", {"x": Draw("isnan").normal(2, 3)}, lambda x: torch.isnan(x))
    for shape in SHAPES:
        cases.add("logicalNot", {"x": Draw(f"not/{shape}").bools(*shape)}, lambda x: torch.logical_not(x))
    cases.add("neg", {"x": integers32([3, -4, 0])}, lambda x: -x)
    cases.add("abs", {"x": integers32([3, -4, 0])}, lambda x: x.abs())
    cases.add("sign", {"x": integers32([3, -4, 0])}, lambda x: x.sign())


def add_binary(cases):
    for name, (fn, pair) in BINARY.items():
        for left, right in PAIRS:
            x, y = pair(Draw(f"{name}/{left}/{right}"), left, right)
            cases.add(name, {"x": x, "y": y}, lambda x, y, fn=fn: fn(x, y))
    large = torch.tensor([1e3, -1e3, 1e-3, -1e-3, 410.0], dtype=torch.float64)
    small = torch.tensor([1e-3, 1e-3, -1e3, 27.0, -0.04], dtype=torch.float64)
    for name in ("add", "sub", "mul", "div", "maximum", "minimum", "atan2"):
        cases.add(name, {"x": large, "y": small}, lambda x, y, fn=BINARY[name][0]: fn(x, y))
    for name in ("add", "sub", "mul", "mod", "maximum", "minimum"):
        x, y = integers32([[7, -7, 0], [-2, 5, 9]]), integers32([3, -3, 4])
        cases.add(name, {"x": x, "y": y}, lambda x, y, fn=BINARY[name][0]: fn(x, y))
    for name, fn in COMPARISONS.items():
        for left, right in PAIRS:
            draw = Draw(f"{name}/{left}/{right}")
            x, y = draw.integers(-1, 2, *left).double(), draw.integers(-1, 2, *right).double()
            cases.add(name, {"x": x, "y": y}, lambda x, y, fn=fn: fn(x, y))
        x = torch.tensor([math.nan, math.nan, math.inf, -math.inf, 0.0, 1.0], dtype=torch.float64)
        y = torch.tensor([math.nan, 1.0, math.inf, math.inf, -0.0, math.nan], dtype=torch.float64)
        cases.add(name, {"x": x, "y": y}, lambda x, y, fn=fn: fn(x, y))
        cases.add(name, {"x": integers32([1, 2, -3]), "y": integers32([1, -2, 3])}, lambda x, y, fn=fn: fn(x, y))
        cases.add(name, {"x": Draw(name).bools(2, 3), "y": Draw(name + "y").bools(3)}, lambda x, y, fn=fn: fn(x, y))
    for name, fn in LOGIC.items():
        x, y = torch.tensor([False, False, True, True]), torch.tensor([False, True, False, True])
        cases.add(name, {"x": x, "y": y}, lambda x, y, fn=fn: fn(x, y))
        for left, right in PAIRS:
            draw = Draw(f"{name}/{left}/{right}")
            cases.add(name, {"x": draw.bools(*left), "y": draw.bools(*right)}, lambda x, y, fn=fn: fn(x, y))


def add_selection(cases):
    triples = [
        ((), (), ()),
        ((4,), (4,), (4,)),
        ((2, 3), (), (3,)),
        ((3,), (2, 3), ()),
        ((), (2, 1), (1, 3)),
        ((2, 1, 1), (3, 1), (2,)),
        ((2, 1), (2, 3), (2, 3)),
        ((0, 2), (2,), ()),
    ]
    for test, left, right in triples:
        draw = Draw(f"where/{test}/{left}/{right}")
        operands = {"test": draw.bools(*test), "x": draw.normal(*left), "y": draw.normal(*right)}
        cases.add("where", operands, lambda test, x, y: torch.where(test, x, y))
    cases.add(
        "where",
        {"test": torch.tensor([True, False, True]), "x": integers32([1, 2, 3]), "y": integers32([-1, -2, -3])},
        lambda test, x, y: torch.where(test, x, y),
    )
    bounds = [{"min": -0.7, "max": 0.9}, {"min": 0.25}, {"max": -0.25}, {"min": -100, "max": 100}]
    for attrs in bounds:
        for shape in [(), (7,), (2, 3, 2)]:
            x = Draw(f"clip/{attrs}/{shape}").away(*shape, gap=0.01, spread=1.8)
            cases.add("clip", {"x": x}, lambda x, attrs=attrs: torch.clamp(x, **attrs), attrs)


def add_casts(cases):
    draw = Draw("cast")
    x = draw.normal(2, 3, decimals=9)
    for dtype, kind in (("f64", torch.float64), ("f32", torch.float32), ("f16", torch.float16), ("bf16", torch.bfloat16)):
        cases.add("cast", {"x": x}, lambda x, kind=kind: x.to(kind), {"dtype": dtype})
        # Two tensors that differ by rounding only once more: f32 in
        cases.add("cast", {"x": x.float()}, lambda x, kind=kind: x.to(kind), {"dtype": dtype})
    # halfway points and the ends of the ranges: 65504 and 65519 stay finite in f16, 65520 does not
    ends = torch.tensor([1 + 2**-11, 1 + 3 * 2**-11, 65504, 65519, 65520, 2.0**-24, 2.0**-25, 3 * 2.0**-25, -0.0], dtype=torch.float64)
    cases.add_raw("cast", plain_cast(ends, "f16", torch.tensor(ends.numpy().astype(np.float16))))
    ends = torch.tensor([1 + 2**-24, 1 + 3 * 2**-24, 3.4028235e38, 3.5e38, 1e-46, 1e-45], dtype=torch.float64)
    with np.errstate(over="ignore"):
        cases.add_raw("cast", plain_cast(ends, "f32", torch.tensor(ends.numpy().astype(np.float32))))
    whole = torch.tensor([-2.7, -1.0, -0.5, 0.0, 0.5, 1.0, 2.7, 100.9], dtype=torch.float64)
    kinds = [("i32", torch.int32), ("i64", torch.int64), ("i16", torch.int16), ("i8", torch.int8), ("bool", torch.bool)]
    for dtype, kind in kinds:
        cases.add("cast", {"x": whole}, lambda x, kind=kind, dtype=dtype: Typed(x.detach().to(kind), dtype), {"dtype": dtype})
    cases.add("cast", {"x": whole.abs()}, lambda x: Typed(x.detach().to(torch.uint8), "u8"), {"dtype": "u8"})
    cases.add("cast", {"x": integers32([1, 0, -7])}, lambda x: x.to(torch.float64), {"dtype": "f64"})
    cases.add("cast", {"x": integers32([1, 0, -7])}, lambda x: x.to(torch.bool), {"dtype": "bool"})
    cases.add("cast", {"x": integers32([300, -200, 127, 128])}, lambda x: Typed(x.to(torch.int8), "i8"), {"dtype": "i8"}, "wraps")
    cases.add("cast", {"x": torch.tensor([True, False])}, lambda x: x.to(torch.float64), {"dtype": "f64"})
    cases.add("cast", {"x": torch.tensor([True, False])}, lambda x: x.to(torch.int32), {"dtype": "i32"})
    for shape in [(), (3,), (2, 2)]:
        cases.add("identity", {"x": Draw(f"identity/{shape}").normal(*shape)}, lambda x: x.clone())


def plain_cast(x, dtype, out):
    return {
        "op": "cast",
        "operands": {"x": encode_tensor(x)},
        "attrs": {"dtype": dtype},
        "out": encode_tensor(out),
        "ct": None,
        "vjp": None,
        "second": None,
        "note": "NumPy: rounding of halfway points, overflow and subnormals",
    }


def add_all(cases):
    add_unary(cases)
    add_binary(cases)
    add_selection(cases)
    add_casts(cases)


def report_agreement():
    for name, (fn, _, exact, wide) in UNARY.items():
        if exact is not None:
            print(name, ["%.1e" % v for v in agreement(fn, exact, wide)])


if __name__ == "__main__":
    report_agreement()
