"""Products, convolutions and pooling."""

import torch
import torch.nn.functional as F

from fixture_format import Draw

MATMULS = [
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((2,), (2, 3)),
    ((2, 3), (3, 4)),
    ((2, 2, 3), (2, 3, 2)),
    ((2, 2, 3), (3, 2)),
    ((2, 3), (2, 3, 2)),
    ((2, 1, 2, 3), (3, 3, 2)),
    ((1, 2, 3), (2, 3, 1)),
    ((2,), (3, 2, 2)),
    ((3, 2, 2), (2,)),
    ((1, 1), (1, 1)),
    ((2, 0), (0, 3)),
]

EINSUMS = [
    ("ij,jk->ik", [(2, 3), (3, 2)]),
    ("ij,jk", [(2, 3), (3, 2)]),
    ("ij->ji", [(2, 3)]),
    ("ba", [(2, 3)]),
    ("ii->i", [(3, 3)]),
    ("ii", [(3, 3)]),
    ("ii->", [(3, 3)]),
    ("ij->", [(2, 3)]),
    ("ij->j", [(2, 3)]),
    ("iij->ij", [(2, 2, 3)]),
    ("iji->j", [(2, 3, 2)]),
    ("ij,ij->", [(2, 3), (2, 3)]),
    ("i,j->ij", [(2,), (3,)]),
    ("i,i", [(3,), (3,)]),
    ("ii,i->i", [(3, 3), (3,)]),
    ("bij,bjk->bik", [(2, 2, 3), (2, 3, 2)]),
    ("bij,bkj->bik", [(2, 2, 3), (2, 2, 3)]),
    ("...ij,...jk->...ik", [(2, 2, 3), (2, 3, 2)]),
    ("...ij,jk->...ik", [(2, 1, 2, 3), (3, 2)]),
    ("...i,...i->...", [(2, 1, 3), (2, 3)]),
    ("...ii->...i", [(2, 3, 3)]),
    ("...->...", [(2, 3)]),
    ("i...->...", [(2, 3, 2)]),
    ("ij,jk,kl->il", [(2, 3), (3, 2), (2, 2)]),
    ("i,i,i->i", [(3,), (3,), (3,)]),
    ("bhqd,bhkd->bhqk", [(1, 2, 2, 3), (1, 2, 2, 3)]),
    ("i,->i", [(3,), ()]),
    ("ijk,jil->kl", [(2, 3, 2), (3, 2, 2)]),
    ("a,b,c->cab", [(2,), (2,), (3,)]),
]

# x shape, w shape, attributes, bias or not
CONVOLUTIONS = [
    ((1, 1, 5), (1, 1, 3), {}, False),
    ((2, 2, 6), (3, 2, 3), {"stride": 2, "padding": 1}, True),
    ((1, 2, 7), (2, 2, 3), {"dilation": 2}, True),
    ((1, 4, 5), (4, 2, 2), {"groups": 2}, False),
    ((1, 3, 4), (6, 1, 2), {"groups": 3}, True),
    ((1, 1, 5), (1, 1, 3), {"padding": "same"}, False),
    ((1, 1, 5), (2, 1, 2), {"padding": "same"}, True),
    ((1, 1, 6), (1, 1, 3), {"padding": "same", "dilation": 2}, False),
    ((1, 1, 5), (1, 1, 3), {"padding": "valid", "stride": 2}, False),
    ((1, 1, 5), (1, 1, 3), {"padding": [[2, 0]]}, False),
    ((1, 2, 4, 4), (2, 2, 3, 3), {"padding": 1}, True),
    ((2, 1, 4, 5), (2, 1, 2, 3), {"stride": [2, 1], "padding": [1, 0]}, False),
    ((1, 1, 5, 5), (1, 1, 2, 2), {"dilation": [2, 3]}, True),
    ((1, 2, 4, 4), (4, 1, 2, 2), {"groups": 2, "stride": 2}, True),
    ((1, 1, 3, 4), (1, 1, 2, 2), {"padding": "same"}, False),
    ((1, 1, 3, 3), (2, 1, 2, 2), {"padding": [[1, 0], [0, 2]], "stride": [1, 2]}, True),
    ((1, 2, 3, 3), (2, 2, 1, 1), {}, False),
    ((1, 1, 3, 3, 3), (2, 1, 2, 2, 2), {}, True),
    ((1, 2, 3, 2, 3), (2, 1, 2, 1, 2), {"groups": 2, "padding": [1, 0, 0], "stride": [2, 1, 1]}, False),
    ((1, 1, 4, 3, 3), (1, 1, 2, 2, 2), {"dilation": [2, 1, 2], "padding": [[0, 1], [1, 0], [0, 0]]}, False),
]

TRANSPOSED = [
    ((1, 1, 3), (1, 1, 3), {}, False),
    ((2, 2, 3), (2, 3, 2), {"stride": 2}, True),
    ((1, 2, 3), (2, 1, 3), {"stride": 2, "padding": 1, "outputPadding": 1}, True),
    ((1, 2, 4), (2, 1, 2), {"dilation": 2}, False),
    ((1, 4, 3), (4, 1, 2), {"groups": 2}, True),
    ((1, 1, 4), (1, 2, 3), {"padding": [[1, 0]]}, False),
    ((1, 2, 2, 3), (2, 2, 2, 2), {}, True),
    ((1, 1, 2, 2), (1, 2, 3, 3), {"stride": [2, 1], "padding": [1, 0], "outputPadding": [1, 0]}, False),
    ((1, 2, 2, 2), (2, 1, 2, 2), {"groups": 2, "dilation": [1, 2], "stride": 2}, True),
    ((1, 1, 2, 2, 2), (1, 1, 2, 2, 2), {"stride": [1, 2, 1]}, True),
    ((1, 2, 2, 1, 2), (2, 1, 2, 1, 2), {"groups": 2, "padding": [1, 0, 0], "outputPadding": [0, 0, 1], "stride": [1, 1, 2]}, False),
]

MAX_POOLS = [
    ((1, 1, 6), {"size": 2}),
    ((1, 2, 7), {"size": 3, "stride": 2}),
    ((1, 1, 7), {"size": 3, "stride": 2, "padding": 1}),
    ((1, 1, 6), {"size": 3, "stride": 2, "ceilMode": True}),
    ((1, 1, 5), {"size": 2, "stride": 3, "padding": 1, "ceilMode": True}),
    ((1, 1, 7), {"size": 2, "stride": 1, "dilation": 3}),
    ((1, 1, 5), {"size": 3, "stride": 1, "padding": [[2, 0]]}),
    ((2, 1, 4, 4), {"size": 2}),
    ((1, 2, 4, 5), {"size": [2, 3], "stride": [1, 2]}),
    ((1, 1, 5, 5), {"size": 3, "stride": 2, "padding": 1}),
    ((1, 1, 5, 4), {"size": 2, "stride": 2, "ceilMode": True}),
    ((1, 1, 5, 5), {"size": 2, "stride": 1, "dilation": [1, 2]}),
    ((1, 1, 4, 4), {"size": [2, 3], "stride": [2, 1], "padding": [0, 1], "ceilMode": True}),
    ((1, 1, 3, 4, 2), {"size": 2, "stride": 1}),
    ((1, 1, 3, 3, 3), {"size": [2, 1, 2], "stride": 2, "ceilMode": True}),
]

AVERAGE_POOLS = [
    ((1, 1, 6), {"size": 2}),
    ((1, 2, 7), {"size": 3, "stride": 2}),
    ((1, 1, 7), {"size": 3, "stride": 2, "padding": 1}),
    ((1, 1, 7), {"size": 3, "stride": 2, "padding": 1, "countIncludePad": False}),
    ((1, 1, 6), {"size": 3, "stride": 2, "ceilMode": True}),
    ((1, 1, 6), {"size": 3, "stride": 2, "padding": 1, "ceilMode": True}),
    ((1, 1, 6), {"size": 3, "stride": 2, "padding": 1, "ceilMode": True, "countIncludePad": False}),
    ((2, 1, 4, 4), {"size": 2}),
    ((1, 2, 4, 5), {"size": [2, 3], "stride": [1, 2]}),
    ((1, 1, 5, 5), {"size": 3, "stride": 2, "padding": 1, "countIncludePad": False}),
    ((1, 1, 5, 4), {"size": 2, "stride": 2, "ceilMode": True}),
    ((1, 1, 4, 4), {"size": [2, 3], "stride": [2, 1], "padding": [0, 1], "ceilMode": True}),
    ((1, 1, 4, 5), {"size": 2, "stride": 3, "padding": 1, "ceilMode": True, "countIncludePad": False}),
    ((1, 1, 3, 4, 2), {"size": 2, "stride": 1}),
    ((1, 1, 3, 3, 3), {"size": [2, 1, 2], "stride": 2, "ceilMode": True}),
    ((1, 1, 3, 3, 3), {"size": 2, "stride": 2, "padding": 1, "countIncludePad": False}),
]

CONV = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
CONV_TRANSPOSE = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}
MAX_POOL = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
AVERAGE_POOL = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}


def pairs_of(padding):
    return padding if isinstance(padding, list) and isinstance(padding[0], list) else None


def pad_pairs(x, pairs, value=0.0):
    return F.pad(x, [n for pair in reversed(pairs) for n in pair], value=value)


def conv(x, w, bias=None, stride=1, padding=0, dilation=1, groups=1):
    pairs = pairs_of(padding)
    if pairs:
        x, padding = pad_pairs(x, pairs), 0
    return CONV[x.dim() - 2](x, w, bias, stride, padding, dilation, groups)


def conv_transpose(x, w, bias=None, stride=1, padding=0, outputPadding=0, dilation=1, groups=1):
    fn = CONV_TRANSPOSE[x.dim() - 2]
    pairs = pairs_of(padding)
    if pairs:
        # padding of a transposed convolution cuts the full result
        full = fn(x, w, bias, stride, 0, outputPadding, groups, dilation)
        for axis, (low, high) in enumerate(pairs):
            full = full.narrow(axis + 2, low, full.shape[axis + 2] - low - high)
        return full
    return fn(x, w, bias, stride, padding, outputPadding, groups, dilation)


def max_pool(x, size, stride=None, padding=0, dilation=1, ceilMode=False):
    pairs = pairs_of(padding)
    if pairs:
        x, padding = pad_pairs(x, pairs, -float("inf")), 0
    return MAX_POOL[x.dim() - 2](x, size, stride, padding, dilation, ceilMode)


def average_pool(x, size, stride=None, padding=0, ceilMode=False, countIncludePad=True):
    return AVERAGE_POOL[x.dim() - 2](x, size, stride, padding, ceilMode, countIncludePad)


def add_products(cases):
    for left, right in MATMULS:
        draw = Draw(f"matmul/{left}/{right}")
        cases.add("matmul", {"a": draw.normal(*left), "b": draw.normal(*right)}, lambda a, b: torch.matmul(a, b))
    for size in (1, 3, 7):
        draw = Draw(f"dot/{size}")
        cases.add("dot", {"a": draw.normal(size), "b": draw.normal(size)}, lambda a, b: torch.dot(a, b))
    for left, right in [((3,), (3,)), ((2, 3), (2, 3)), ((2, 1, 3), (2, 1, 3)), ((2, 3), (3,))]:
        draw = Draw(f"cross/{left}/{right}")
        cases.add("cross", {"a": draw.normal(*left), "b": draw.normal(*right)}, lambda a, b: torch.linalg.cross(*torch.broadcast_tensors(a, b), dim=-1))
    for spec, shapes in EINSUMS:
        draw = Draw(f"einsum/{spec}")
        operands = {"xs": [draw.normal(*shape) for shape in shapes]}
        cases.add("einsum", operands, lambda xs, spec=spec: torch.einsum(spec, *xs), {"spec": spec})


def add_convolutions(cases):
    for op, fn, table in (("conv", conv, CONVOLUTIONS), ("convTranspose", conv_transpose, TRANSPOSED)):
        for x_shape, w_shape, attrs, has_bias in table:
            draw = Draw(f"{op}/{x_shape}/{w_shape}/{attrs}")
            operands = {"x": draw.normal(*x_shape), "w": draw.normal(*w_shape)}
            if has_bias:
                outputs = w_shape[0] if op == "conv" else w_shape[1] * attrs.get("groups", 1)
                operands["bias"] = draw.normal(outputs)
            cases.add(op, operands, lambda fn=fn, attrs=attrs, **inputs: fn(**inputs, **attrs), attrs)


def add_pools(cases):
    for shape, attrs in MAX_POOLS:
        x = Draw(f"maxPool/{shape}/{attrs}").distinct(*shape)
        cases.add("maxPool", {"x": x}, lambda x, attrs=attrs: max_pool(x, **attrs), attrs)
    for shape, attrs in AVERAGE_POOLS:
        x = Draw(f"averagePool/{shape}/{attrs}").normal(*shape)
        cases.add("averagePool", {"x": x}, lambda x, attrs=attrs: average_pool(x, **attrs), attrs)


def add_all(cases):
    add_products(cases)
    add_convolutions(cases)
    add_pools(cases)
