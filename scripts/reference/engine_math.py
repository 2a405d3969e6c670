"""Writes test/fixtures/engine-math.json: elementary functions at drawn points, from mpmath with 60 digits, rounded once to f64.

Points are f32 numbers, so that the same list serves both widths; f64 points have 53 bits and stand apart. Run: python3 engine_math.py
"""

import json
import math
import random
import struct
from pathlib import Path

import mpmath

mpmath.mp.dps = 60
count = 300


def narrow(x: float) -> float:
    return struct.unpack("f", struct.pack("f", x))[0]


def spread(rng: random.Random, low: float, high: float) -> float:
    """A number of either sign, its size even in its logarithm."""
    x = 10 ** rng.uniform(low, high)
    return x if rng.random() < 0.5 else -x


functions = {
    "exp": (lambda x: mpmath.exp(x), lambda r: r.uniform(-87, 88)),
    "expm1": (lambda x: mpmath.expm1(x), lambda r: spread(r, -9, 1.9)),
    "log": (lambda x: mpmath.log(x), lambda r: r.choice([abs(spread(r, -30, 30)), r.uniform(0.5, 2)])),
    "log1p": (lambda x: mpmath.log1p(x), lambda r: r.choice([abs(spread(r, -9, 20)), r.uniform(-0.99, 1)])),
    "tanh": (lambda x: mpmath.tanh(x), lambda r: spread(r, -5, 1.2)),
    "sigmoid": (lambda x: 1 / (1 + mpmath.exp(-mpmath.mpf(x))), lambda r: r.uniform(-80, 40)),
    "softplus": (lambda x: mpmath.log1p(mpmath.exp(x)), lambda r: r.uniform(-80, 40)),
    "sin": (mpmath.sin, lambda r: r.choice([spread(r, -4, 6), r.uniform(-20, 20), r.randint(1, 600000) * 1.5707963267948966])),
    "cos": (mpmath.cos, lambda r: r.choice([spread(r, -4, 6), r.uniform(-20, 20), r.randint(1, 600000) * 1.5707963267948966])),
    "tan": (mpmath.tan, lambda r: r.choice([spread(r, -4, 6), r.uniform(-20, 20), r.randint(1, 600000) * 1.5707963267948966])),
    "asin": (mpmath.asin, lambda r: r.choice([r.uniform(-1, 1), spread(r, -6, 0)])),
    "acos": (mpmath.acos, lambda r: r.choice([r.uniform(-1, 1), 1 - 10 ** r.uniform(-6, -1)])),
    "atan": (mpmath.atan, lambda r: spread(r, -5, 5)),
    "sinh": (mpmath.sinh, lambda r: spread(r, -5, 1.9)),
    "cosh": (mpmath.cosh, lambda r: spread(r, -3, 1.9)),
    "erf": (mpmath.erf, lambda r: r.choice([spread(r, -6, 0.8), r.uniform(-4, 4)])),
}

# Functions of two operands: [x, y, f(x, y)].
pairs = {
    "pow": (
        mpmath.power,
        lambda r: r.choice(
            [
                (lambda x: (x, r.uniform(-87, 88) / math.log(x)))(abs(spread(r, -30, 30))),
                (abs(spread(r, -3, 3)), r.uniform(-10, 10)),
                (r.uniform(0.5, 2), spread(r, -2, 2)),
                (-abs(spread(r, -3, 3)), float(r.randint(-9, 9))),
            ]
        ),
    ),
    "atan2": (mpmath.atan2, lambda r: (spread(r, -20, 20) if r.random() < 0.5 else r.uniform(-3, 3), r.choice([spread(r, -20, 20), r.uniform(-3, 3)]))),
}


def main() -> None:
    rng = random.Random(5)
    table = {}
    for name, (f, draw) in functions.items():
        rows = {}
        for width, cut in (("f32", narrow), ("f64", float)):
            points = [cut(draw(rng)) for _ in range(count)]
            rows[width] = [[x, float(f(mpmath.mpf(x)))] for x in points]
        table[name] = rows
    for name, (f, draw) in pairs.items():
        rows = {}
        for width, cut in (("f32", narrow), ("f64", float)):
            points = [tuple(cut(v) for v in draw(rng)) for _ in range(count)]
            rows[width] = [[x, y, float(f(mpmath.mpf(x), mpmath.mpf(y)))] for x, y in points]
        table[name] = rows
    path = Path(__file__).parents[2] / "test/fixtures/engine-math.json"
    lines = [f'"{name}": {json.dumps(rows, separators=(",", ":"))}' for name, rows in table.items()]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


main()
