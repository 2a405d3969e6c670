"""Random scalar expressions in the project's notation, with value, gradient and Hessian by SymPy and mpmath.

A text is made of tokens that have a spelling in the notation and one in Python, whose grammar of + - * / ** and unary minus is the same.
SymPy gets the Python spelling through Python's own parser, so the printer here is not trusted with precedence. Derivatives are SymPy's;
all is evaluated by mpmath at 50 digits at the very doubles that the file holds, and rounded once.
"""

import random

import mpmath as mp
import sympy as sp

from fixture_format import number

NAMES = ["x", "y", "z", "w", "θ", "β", "x₁", "w₀", "y'", "속도", "질량", "μ_2"]
DIGITS = 50
SUPERSCRIPTS = {"2": "²", "3": "³", "4": "⁴", "-1": "⁻¹", "-2": "⁻²"}
# Expressions every reader of the lecture and every user of a calculator tries; precedence above all.
WRITTEN = [
    ("(x + y) * z", {"x": -2.0, "y": 5.0, "z": -4.0}),
    ("1 / (1 + exp(-(w₀*x + w * y + β)))", {"w₀": 2.0, "x": -1.0, "w": -3.0, "y": -2.0, "β": -3.0}),
    ("(x + sigmoid(y)) / (sigmoid(x) + (x + y)^2)", {"x": 3.0, "y": -4.0}),
    ("(1 - x)^2 + 100 * (y - x^2)^2", {"x": -1.2, "y": 1.0}),
    ("-x^2", {"x": 3.0}),
    ("(-x)^2 * y", {"x": 3.0, "y": 0.5}),
    ("2^-x", {"x": 1.5}),
    ("-2^-x^2", {"x": 0.5}),
    ("x^y^z", {"x": 1.5, "y": 2.25, "z": 0.5}),
    ("(x^y)^z", {"x": 1.5, "y": 2.25, "z": 0.5}),
    ("x - y - z", {"x": 1.0, "y": 2.0, "z": 3.0}),
    ("x - (y - z * x)", {"x": 1.0, "y": 2.0, "z": 3.0}),
    ("x / y / z", {"x": 1.0, "y": 2.0, "z": 3.0}),
    ("x / (y / z)", {"x": 1.0, "y": 2.0, "z": 3.0}),
    ("x / y * z", {"x": 1.0, "y": 2.0, "z": 3.0}),
    ("x * -y^3", {"x": 1.5, "y": -2.0}),
    ("- -x - -y * x", {"x": 1.5, "y": -2.0}),
    ("x² + x³ * y⁻¹", {"x": 1.5, "y": -2.0}),
    ("-x² + √(y + x²)", {"x": 1.5, "y": 2.0}),
    ("2 * π * √(질량 / β)", {"질량": 0.75, "β": 3.0}),
    ("질량 * 속도^2 / 2", {"질량": 0.75, "속도": 3.0}),
    ("a = x * y\nb = a + sin(a)\na * b + b", {"x": 0.75, "y": 1.25}),
    ("r = x^2 + y^2; log(r) + r", {"x": 0.75, "y": 1.25}),
    ("exp(-(x - μ_2)^2 / (2 * w^2)) / (w * sqrt(2 * pi))", {"x": 1.0, "μ_2": 0.25, "w": 0.75}),
    ("(x^2 + y - 11)^2 + (x + y^2 - 7)^2", {"x": 1.0, "y": 1.5}),
    ("4 * x^2 - 2.1 * x^4 + x^6 / 3 + x * y - 4 * y^2 + 4 * y^4", {"x": 0.3, "y": -0.7}),
    ("log(exp(x) + exp(y) + exp(z))", {"x": 1.0, "y": 2.5, "z": -0.5}),
    ("lgamma(x) + lgamma(y) - lgamma(x + y)", {"x": 1.75, "y": 2.5}),
]


class Unfit(Exception):
    """The point is too near an edge, a kink or an overflow of this expression."""


class Tokens:
    """A piece of text in both spellings."""

    def __init__(self, ours, python, level):
        self.ours, self.python, self.level = ours, python, level

    def inside(self, minimum, rng):
        """In parentheses where they are needed, and now and then where they are not."""
        if self.level >= minimum and rng.random() > 0.08:
            return self
        return Tokens(f"({self.ours})", f"({self.python})", ATOM)


SUM, PRODUCT, SIGN, POWER, ATOM = 1, 2, 3, 4, 5
UNARY = "exp log sqrt sin cos tanh sigmoid relu softplus erf lgamma abs atan log1p expm1 square reciprocal sinh cosh asin silu".split()


def literal(rng):
    value = rng.choice([0.5, 1, 2, 3, 1.25, 0.1, 0.75, 2.5, 1e-1, 4])
    return Tokens(rng.choice([repr(value), f"{value:.2f}"]) if value != int(value) else str(int(value)), f"R({value!r})", ATOM)


def grow(rng, names, depth):
    """An expression of exactly this depth on one of its branches."""
    if depth <= 0:
        if rng.random() < 0.2:
            return literal(rng)
        name = rng.choice(names)
        return Tokens(name, f"v{NAMES.index(name)}", ATOM)
    kind = rng.choices(["binary", "call", "power", "minus", "pair", "superscript", "root"], [8, 8, 2, 1, 3, 1, 0.5])[0]
    if kind in ("binary", "pair"):
        parts = [grow(rng, names, depth - 1), grow(rng, names, rng.randint(0, depth - 1))]
        rng.shuffle(parts)
    if kind == "binary":
        operator = rng.choice("+-**/")
        level = SUM if operator in "+-" else PRODUCT
        left = parts[0].inside(level, rng)
        # the right operand of a left-associative operator needs one level more; a sign is fine there
        right = parts[1].inside(level + 1, rng)
        gap = rng.choice([" ", " ", ""])
        return Tokens(f"{left.ours}{gap}{operator}{gap}{right.ours}", f"{left.python}{operator}{right.python}", level)
    if kind == "pair":
        name = rng.choice(["max", "min", "atan2", "maximum", "minimum", "pow"])
        return Tokens(f"{name}({parts[0].ours}, {parts[1].ours})", f"F['{name}'](({parts[0].python}), ({parts[1].python}))", ATOM)
    inner = grow(rng, names, depth - 1)
    if kind == "call":
        name = rng.choice(UNARY)
        return Tokens(f"{name}({inner.ours})", f"F['{name}']({inner.python})", ATOM)
    if kind == "root":
        return Tokens(f"√({inner.ours})", f"F['sqrt']({inner.python})", ATOM)
    if kind == "minus":
        inner = inner.inside(SIGN, rng)
        return Tokens(f"-{inner.ours}", f"-{inner.python}", SIGN)
    base = inner.inside(ATOM, rng)
    if kind == "superscript":
        exponent = rng.choice(list(SUPERSCRIPTS))
        return Tokens(base.ours + SUPERSCRIPTS[exponent], f"{base.python}**({exponent})", POWER)
    if rng.random() < 0.6:
        exponent = rng.choice(["2", "3", "-1", "-2", "0.5", "4"])
        return Tokens(f"{base.ours}^{exponent}", f"{base.python}**{'R(0.5)' if exponent == '0.5' else exponent}", POWER)
    exponent = grow(rng, names, rng.randint(0, min(2, depth - 1))).inside(SIGN, rng)
    return Tokens(f"{base.ours}^{exponent.ours}", f"{base.python}**{exponent.python}", POWER)


class Expression:
    """A SymPy expression with its value at the point; operators and functions refuse what is not smooth and tame there."""

    def __init__(self, form, value):
        if not mp.isfinite(value) or abs(value) > 1e6 or mp.im(value) != 0:
            raise Unfit
        self.form, self.value = sp.sympify(form), value

    def __add__(self, other):
        return Expression(self.form + other.form, self.value + other.value)

    def __sub__(self, other):
        return Expression(self.form - other.form, self.value - other.value)

    def __mul__(self, other):
        return Expression(self.form * other.form, self.value * other.value)

    def __neg__(self):
        return Expression(-self.form, -self.value)

    def __truediv__(self, other):
        require(abs(other.value) > 0.1)
        return Expression(self.form / other.form, self.value / other.value)

    def __pow__(self, other):
        if isinstance(other, int):
            require(abs(self.value) > 0.1)
            return Expression(self.form**other, self.value**other)
        return power(self, other)

    def __rpow__(self, other):
        return power(exact(other), self)


def require(holds):
    if not holds:
        raise Unfit


# Fractions stay symbols until the numbers are put in: SymPy would factor the numerators of doubles in roots and powers.
LITERALS = {}


def exact(value):
    if value == int(value):
        return Expression(sp.Integer(int(value)), mp.mpf(value))
    name = sp.Symbol("c" + repr(value).replace(".", "_"))
    LITERALS[name] = mp.mpf(value)
    return Expression(name, mp.mpf(value))


def power(x, y):
    if y.form.is_Integer:
        return x ** int(y.form)
    require(x.value > 0.1)
    return Expression(x.form**y.form, x.value**y.value)


def call(form, value, smooth=lambda u: True):
    def apply(x):
        require(smooth(x.value))
        return Expression(form(x.form), value(x.value))

    return apply


def extreme(sign):
    def apply(x, y):
        gap = sign * (x.value - y.value)
        require(abs(gap) > 0.05)
        return x if gap > 0 else y

    return apply


def atan2(x, y):
    require(mp.hypot(x.value, y.value) > 0.1 and (y.value > 0 or abs(x.value) > 0.05))
    return Expression(sp.atan2(x.form, y.form), mp.atan2(x.value, y.value))


def away(u):
    return abs(u) > 0.05


def logistic(u):
    return 1 / (1 + (sp.exp(-u) if isinstance(u, sp.Basic) else mp.exp(-u)))


F = {
    "exp": call(sp.exp, mp.exp, lambda u: u < 12),
    "log": call(sp.log, mp.log, lambda u: u > 0.1),
    "sqrt": call(sp.sqrt, mp.sqrt, lambda u: u > 0.1),
    "sin": call(sp.sin, mp.sin, lambda u: abs(u) < 50),
    "cos": call(sp.cos, mp.cos, lambda u: abs(u) < 50),
    "tanh": call(sp.tanh, mp.tanh, lambda u: abs(u) < 5),
    "sigmoid": call(logistic, logistic, lambda u: abs(u) < 10),
    "relu": call(lambda u: u, lambda u: u, lambda u: u > 0.05),
    "softplus": call(lambda u: sp.log(1 + sp.exp(u)), lambda u: mp.log(1 + mp.exp(u)), lambda u: abs(u) < 10),
    "erf": call(sp.erf, mp.erf, lambda u: abs(u) < 3),
    "lgamma": call(sp.loggamma, mp.loggamma, lambda u: 0.1 < u < 50),
    "atan": call(sp.atan, mp.atan),
    "asin": call(sp.asin, mp.asin, lambda u: abs(u) < 0.9),
    "log1p": call(lambda u: sp.log(1 + u), mp.log1p, lambda u: u > -0.8),
    "expm1": call(lambda u: sp.exp(u) - 1, mp.expm1, lambda u: u < 12),
    "sinh": call(sp.sinh, mp.sinh, lambda u: abs(u) < 8),
    "cosh": call(sp.cosh, mp.cosh, lambda u: abs(u) < 8),
    "square": lambda x: x * x,
    "reciprocal": lambda x: exact(1) / x,
    "silu": lambda x: x * F["sigmoid"](x),
    "abs": lambda x: (require(away(x.value)), x if x.value > 0 else -x)[1],
    "max": extreme(1),
    "min": extreme(-1),
    "maximum": extreme(1),
    "minimum": extreme(-1),
    "atan2": atan2,
    "pow": power,
}
dead_relu = F["relu"]
F["relu"] = lambda x: exact(0) if x.value < -0.05 else dead_relu(x)


def python_spelling(text):
    """The Python spelling of a hand-written text: single characters and names only, no parsing."""
    import re

    for plain, raised in SUPERSCRIPTS.items():
        text = text.replace(raised, f"**({plain})")
    text = text.replace("√(", "sqrt(").replace("^", "**").replace("π", "pi")
    for place, name in sorted(enumerate(NAMES), key=lambda item: -len(item[1])):
        text = re.sub(rf"(?<![\w']){re.escape(name)}(?![\w'])", f"v{place}", text)
    text = re.sub(r"(?<![\w.])(\d+(?:\.\d+)?)(?![\w.])", r"R(\1)", re.sub(r"\bv(\d+)\b", lambda m: "v_" + "abcdefghijkl"[int(m[1])], text))
    text = re.sub(r"\bv_([a-l])\b", lambda m: f"v{'abcdefghijkl'.index(m[1])}", text)
    return re.sub(r"\b([a-z]\w*)\(", lambda m: f"F['{m[1]}'](" if m[1] in F else m[0], text)


def evaluated(python, at):
    """The SymPy form at the point by Python's parser."""
    scope = {"F": F, "R": exact, "pi": Expression(sp.pi, +mp.pi)}
    for name, value in at.items():
        place = NAMES.index(name)
        scope[f"v{place}"] = Expression(sp.Symbol(f"v{place}"), mp.mpf(value))
    lines = [line.strip() for line in python.replace(";", "\n").split("\n")]
    for line in lines[:-1]:
        exec(line, scope)
    return eval(lines[-1], scope)


def derivatives(form, at):
    """[value, gradient..., Hessian...] as forms, and a function that evaluates them all at 50 digits."""
    symbols = [sp.Symbol(f"v{NAMES.index(name)}") for name in at]
    require(sp.count_ops(form) < 400)
    gradient = [sp.diff(form, s) for s in symbols]
    hessian = [[sp.diff(g, s) for s in symbols] for g in gradient]
    forms = [form, *gradient, *[h for row in hessian for h in row]]
    fractions = sorted((c for c in form.free_symbols if c in LITERALS), key=str)
    run = sp.lambdify([*symbols, *fractions], forms, modules="mpmath", cse=True)
    return lambda *point: run(*point, *[LITERALS[c] for c in fractions])


def result(text, python, at):
    value = evaluated(python, at)
    point = [mp.mpf(v) for v in at.values()]
    run = derivatives(value.form, at)
    numbers = run(*point)
    require(all(mp.isfinite(n) and mp.im(n) == 0 and abs(n) < 1e6 for n in numbers))
    numbers = [mp.re(n) for n in numbers]
    require(abs(numbers[0] - value.value) < mp.mpf(10) ** -40 * max(1, abs(value.value)))
    # Well-conditioned: a relative move of the point by 1e-12 may change no number by more than 1e-9 of its size.
    moved = run(*[p * (1 + mp.mpf(10) ** -12 * (-1) ** i) for i, p in enumerate(point)])
    require(all(abs(a - b) <= mp.mpf(10) ** -9 * max(1, abs(a)) for a, b in zip(numbers, moved)))
    names = list(at)
    gradient, rest = numbers[1 : 1 + len(names)], numbers[1 + len(names) :]
    return {
        "expr": text,
        "at": {name: number(v) for name, v in at.items()},
        "value": number(numbers[0]),
        "gradient": {name: number(g) for name, g in zip(names, gradient)},
        "hessian": {a: {b: number(rest[i * len(names) + j]) for j, b in enumerate(names)} for i, a in enumerate(names)},
    }


def used_names(python):
    import re

    found = {int(m) for m in re.findall(r"\bv(\d+)\b", python)}
    return [name for place, name in enumerate(NAMES) if place in found]


def cases(count=190):
    found = []
    with mp.workdps(DIGITS):
        for text, at in WRITTEN:
            found.append(result(text, python_spelling(text), at))
        rng = random.Random(231)
        texts = {case["expr"] for case in found}
        while len(found) < count:
            depth = 2 + len(found) % 6
            tokens = grow(rng, rng.sample(NAMES, rng.randint(1, 4)), depth)
            names = used_names(tokens.python)
            if not names or tokens.ours in texts or len(tokens.ours) > 400:
                continue
            for _ in range(12):
                at = {name: round(rng.uniform(-2.5, 2.5), 3) for name in names}
                try:
                    case = result(tokens.ours, tokens.python, at)
                except (Unfit, ZeroDivisionError, OverflowError):
                    continue
                if sum(abs(float(g)) for g in case["gradient"].values()) > 1e-3:
                    texts.add(tokens.ours)
                    found.append(case)
                    break
    return found
