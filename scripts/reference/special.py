"""Writes test/fixtures/special.json: values of the special functions at 50 digits by mpmath, rounded once to a double.

Run from the repository root: python3 scripts/reference/special.py
"""

import json
import random

import mpmath
from mpmath import mp, mpf

mp.dps = 50
random.seed(20)


def digits(value):
    return float(mpf(value))


def table(function, points):
    return [[x, digits(function(mpf(x)))] for x in points]


def between(low, high, count):
    return [random.uniform(low, high) for _ in range(count)]


def magnitudes(low, high, count):
    return [10 ** random.uniform(low, high) for _ in range(count)]


def high_orders(points):
    """Those within the range of doubles; mpmath's zeta is right to an absolute error alone."""
    rows = []
    for n, x in points:
        with mp.workdps(60 + 4 * n):
            value = (-1) ** (n + 1) * mpmath.factorial(n) * mpmath.zeta(n + 1, mpf(x))
            if 1e-290 < abs(value) < 1e308:
                rows.append([n, x, digits(value)])
    return rows


centre = between(-1.3, 1.3, 24) + between(-6, 6, 24) + [1e-310, -1e-300, 1e-20, 1e-9, 0.84375, 1.25, 1 / 0.35, -2.9]
positive = magnitudes(-12, 12, 24) + between(0.05, 3, 40) + between(2, 12, 30) + [0.5, 1.4616321449683623, 1.5, 3, 8, 100, 1e-300, 1e300]
negative = [-x for x in between(0.02, 6, 36) + magnitudes(-9, -1, 8)] + [-0.5, -1.5, -20.25, -100.7]

result = {
    "erf": table(mpmath.erf, centre),
    "erfc": table(mpmath.erfc, centre + between(2, 26, 24)),
    "lgamma": table(lambda x: mpmath.log(abs(mpmath.gamma(x))) if abs(x) < 1e5 else mpmath.loggamma(x), positive + negative),
    "digamma": table(mpmath.digamma, positive + negative),
    "polygamma": [
        [n, x, digits(mpmath.polygamma(n, mpf(x)))]
        for n in (1, 2, 3, 4, 7, 12)
        for x in between(0.05, 4, 6) + between(3, 40, 6) + [-v for v in between(0.05, 4, 6)] + [1e-3, 0.5, 1000.0, -0.001, -0.5, -7.3]
    ],
    "highOrders": high_orders(
        [(60, 3.5), (60, 0.01), (150, 0.5), (180, 40), (200, 150), (250, 300)]
        + [(n, x) for n in (13, 20, 40, 90, 170, 171, 300) for x in (0.3, 1.0, 2.7, 17.25, 12.5 + n / 2, 98.5, 1e3)]
    ),
    "inverseNormal": [
        [p, digits(mpmath.sqrt(2) * mpmath.erfinv(2 * mpf(p) - 1))] for p in between(0, 1, 24) + magnitudes(-9, -1, 16) + [0.5, 0.075, 0.925, 0.999999, 1e-12, 3e-14, 2.0**-53]
    ],
}

with open("test/fixtures/special.json", "w") as file:
    file.write("{\n")
    file.write(",\n".join(f' "{name}": {json.dumps(rows)}' for name, rows in result.items()))
    file.write("\n}\n")
