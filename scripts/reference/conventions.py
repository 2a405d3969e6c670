"""What PyTorch gives at the kinks, ties and edge values of docs/conventions.md.

The cases are read from the page (the first cell of a row, never its numbers) and computed in f64: the value, the gradient of the sum of the
results, and the gradient of the sum of that gradient.
"""

import json
import os
import re

import torch
import torch.nn.functional as F

from fixture_format import number

PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "conventions.md")
FORM = re.compile(r"^`(\w+)\((.*)\)` at (.*), by (\w+)$")
COMMA = re.compile(r",\s*(?![^\[{]*[\]}])")

CALLS = {
    "abs": torch.abs,
    "sign": torch.sign,
    "floor": torch.floor,
    "ceil": torch.ceil,
    "round": torch.round,
    "relu": F.relu,
    "leakyRelu": lambda x, slope: F.leaky_relu(x, slope),
    "elu": lambda x, alpha: F.elu(x, alpha),
    "celu": lambda x, alpha: F.celu(x, alpha),
    "selu": F.selu,
    "hardSigmoid": F.hardsigmoid,
    "hardSwish": F.hardswish,
    "silu": F.silu,
    "gelu": F.gelu,
    "mish": F.mish,
    "maximum": torch.maximum,
    "minimum": torch.minimum,
    "clip": lambda x, min=None, max=None: torch.clamp(x, min, max),
    "sqrt": torch.sqrt,
    "rsqrt": torch.rsqrt,
    "log": torch.log,
    "log1p": torch.log1p,
    "reciprocal": torch.reciprocal,
    "asin": torch.asin,
    "acos": torch.acos,
    "atan2": torch.atan2,
    "div": torch.div,
    "mod": torch.remainder,
    "pow": torch.pow,
    "where": torch.where,
    "max": torch.amax,
    "min": torch.amin,
    "norm": lambda x, ord=2: torch.linalg.vector_norm(x, ord),
    "prod": torch.prod,
    "softplus": F.softplus,
    "sigmoid": torch.sigmoid,
    "logSumExp": lambda x: torch.logsumexp(x, 0),
    "softmax": lambda x: torch.softmax(x, -1),
    "klDivergence": lambda p, q: F.kl_div(p, q, reduction="mean"),
    "huber": lambda p, t: F.huber_loss(p, t),
    "smoothL1": lambda p, t: F.smooth_l1_loss(p, t),
    "marginRanking": lambda a, b, y: F.margin_ranking_loss(a, b, y),
    "cosineEmbedding": lambda a, b, y: F.cosine_embedding_loss(a, b, y),
    "tripletMargin": lambda a, p, n, epsilon: F.triplet_margin_loss(a, p, n, eps=epsilon),
    "sort": lambda x, descending=False: torch.sort(x, stable=True, descending=descending)[0],
    "topK": lambda x, k: torch.sort(x, stable=True, descending=True)[0][:k],
    "maxPool": lambda x, size: F.max_pool1d(x, size),
    "lgamma": torch.lgamma,
    "digamma": torch.digamma,
}


def rows():
    with open(PAGE, encoding="utf-8") as page:
        for line in page:
            if line.startswith("| `"):
                text = line[1:].split("|")[0].strip()
                yield text, FORM.match(text).groups()


def plain(text):
    """A JSON number or list, or one of NaN, Infinity, -Infinity, which JSON in Python reads too."""
    return json.loads(text)


def stored(tensor):
    def encode(tree):
        return [encode(part) for part in tree] if isinstance(tree, list) else number(tree)

    return encode(tensor.tolist())


def case(text, op, arguments, at, by):
    points = {name.strip(): plain(value) for name, value in (pair.split("=") for pair in COMMA.split(at))}
    x = torch.tensor(points[by], dtype=torch.float64, requires_grad=True)
    args, keywords = [], {}
    for argument in (part.strip() for part in COMMA.split(arguments)):
        if argument == by:
            args.append(x)
        elif argument.startswith("{"):
            keywords = json.loads(argument)
        elif argument in ("true", "false"):
            args.append(torch.tensor(argument == "true"))
        elif argument in points:
            args.append(torch.tensor(points[argument], dtype=torch.float64))
        else:
            args.append(plain(argument))
    if op not in ("pow",):  # only pow means something else by a literal than by a tensor
        args = [torch.tensor(float(a), dtype=torch.float64) if isinstance(a, (int, float)) else a for a in args]
    value = CALLS[op](*args, **keywords)
    (first,) = torch.autograd.grad(value.sum(), x, create_graph=True)
    return {"case": text, "value": stored(value.detach()), "first": stored(first.detach()), "second": second_of(first, x)}


def second_of(first, x):
    """None where PyTorch has no rule for it."""
    if not first.requires_grad:
        return stored(torch.zeros_like(x))
    try:
        (found,) = torch.autograd.grad(first.sum(), x, allow_unused=True)
    except RuntimeError as error:
        if "is not implemented" in str(error):
            return None
        raise
    return stored(torch.zeros_like(x) if found is None else torch.zeros_like(x) + found)


def cases():
    return [case(text, *parts) if parts[0] in CALLS else {"case": text, "without": True} for text, parts in rows()]
