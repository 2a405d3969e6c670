"""Ops that move, add up or place elements."""

import numpy as np
import torch
import torch.nn.functional as F

from fixture_format import Draw

# shape, indices along axis 0.. of gather; the meaning of np.take
GATHERS = [
    ((4,), [2, 0, 2], 0),
    ((4, 3), [[1, 3], [0, 0]], 0),
    ((3, 4), [3, -1, 0], 1),
    ((2, 3, 2), 1, 1),
    ((2, 3, 2), [[2], [0]], -2),
    ((3, 2), [], 0),
]


def index_of(values):
    return torch.tensor(values, dtype=torch.int64)


def wrap(indices, size):
    return torch.where(indices < 0, indices + size, indices)


def take(x, indices, axis):
    axis %= x.dim()
    picked = x.index_select(axis, wrap(indices, x.shape[axis]).reshape(-1))
    return picked.reshape(x.shape[:axis] + indices.shape + x.shape[axis + 1 :])


def scatter_add(x, indices, updates, axis):
    axis %= x.dim()
    flat = updates.reshape(x.shape[:axis] + (indices.numel(),) + x.shape[axis + 1 :])
    return x.index_add(axis, wrap(indices, x.shape[axis]).reshape(-1), flat)


def gather_nd(x, indices, batch_dims=0):
    """ONNX GatherND: the last axis of `indices` addresses the axes of x after the batch axes."""
    batch = x.shape[:batch_dims]
    depth = indices.shape[-1]
    grids = [
        torch.arange(n).reshape([-1 if axis == place else 1 for axis in range(indices.dim() - 1)])
        for place, n in enumerate(batch)
    ]
    columns = [wrap(indices[..., k], x.shape[batch_dims + k]) for k in range(depth)]
    return x[tuple(grids + columns)]


def scatter_nd(x, indices, updates, reduction="none"):
    columns = tuple(wrap(indices[..., k], x.shape[k]) for k in range(indices.shape[-1]))
    return x.index_put(columns, updates, accumulate=reduction == "add")


def take_slice(x, axis=0, start=None, end=None, step=None):
    """NumPy's slice along one axis, negative steps too."""
    places = np.arange(x.shape[axis])[slice(start, end, step)]
    return x.index_select(axis, torch.from_numpy(places.copy()))


def pad(x, pads, mode="constant", value=0.0):
    if mode == "constant":
        flat = [n for pair in reversed(pads) for n in pair]
        return F.pad(x, flat, value=value)
    for axis, (low, high) in enumerate(pads):
        places = np.pad(np.arange(x.shape[axis]), (low, high), mode=mode)
        x = x.index_select(axis, torch.from_numpy(places))
    return x


def cumsum(x, axis, exclusive=False, reverse=False):
    x = x.flip(axis) if reverse else x
    total = x.cumsum(axis)
    total = total - x if exclusive else total
    return total.flip(axis) if reverse else total


def axes_of(x, axis):
    if axis is None:
        return list(range(x.dim()))
    return [a % x.dim() for a in (axis if isinstance(axis, list) else [axis])]


def squeeze(x, axis=None):
    drop = [a for a in axes_of(x, axis) if x.shape[a] == 1]
    return x.reshape([n for a, n in enumerate(x.shape) if a not in drop])


def unsqueeze(x, axis):
    axes = axis if isinstance(axis, list) else [axis]
    rank = x.dim() + len(axes)
    places = {a % rank for a in axes}
    sizes = iter(x.shape)
    return x.reshape([1 if a in places else next(sizes) for a in range(rank)])


def diagonal(x, offset=0):
    return torch.diag(x, offset)


def split(x, axis=0, sizes=None, parts=None):
    return list(torch.split(x, sizes if sizes else x.shape[axis] // parts, axis))


def add_shapes(cases):
    one = lambda op, shape, attrs, fn: cases.add(op, {"x": Draw(f"{op}/{shape}/{attrs}").normal(*shape)}, lambda x: fn(x, **attrs), attrs)
    for shape, to in [((6,), [2, 3]), ((2, 3), [6]), ((2, 3, 2), [3, -1]), ((), [1, 1]), ((1,), []), ((2, 2), [-1]), ((0, 3), [3, 0])]:
        one("reshape", shape, {"shape": to}, lambda x, shape: x.reshape(shape))
    for shape, axes in [((2, 3), None), ((2, 3), [1, 0]), ((2, 3, 4), [2, 0, 1]), ((2, 3, 2), None), ((2, 1, 2, 3), [0, 3, -2, 1]), ((3,), None), ((), None)]:
        attrs = {} if axes is None else {"axes": axes}
        one("transpose", shape, attrs, lambda x, axes=None: x.permute([a % x.dim() for a in axes] if axes else list(range(x.dim()))[::-1]))
    for shape, to in [((3,), [2, 3]), ((2, 1), [2, 3]), ((), [2, 2]), ((1, 2, 1), [2, 3, 2, 2]), ((2, 3), [2, 3]), ((1,), [0])]:
        one("expand", shape, {"shape": to}, lambda x, shape: x.expand(shape))
    for shape, attrs in [
        ((3, 2), {}), ((5,), {"start": 1, "end": 4}), ((5,), {"start": -3}), ((5,), {"end": -1}), ((7,), {"start": 1, "step": 2}),
        ((5,), {"step": -1}), ((6,), {"start": 4, "end": 0, "step": -2}), ((6,), {"start": -2, "end": -6, "step": -3}),
        ((2, 5), {"axis": 1, "start": 1, "end": 100}), ((2, 4, 2), {"axis": -2, "start": 3, "step": -2}), ((4,), {"start": 3, "end": 1}),
        ((2, 3), {"axis": -1, "start": -100, "end": 2}), ((3,), {"start": 5}),
    ]:
        one("slice", shape, attrs, take_slice)
    for shape, attrs in [
        ((3,), {"pads": [[1, 2]]}), ((2, 3), {"pads": [[0, 1], [2, 0]]}), ((2, 2), {"pads": [[1, 1], [1, 1]], "value": -1.5}),
        ((2, 1, 2), {"pads": [[1, 0], [0, 0], [0, 1]], "mode": "constant", "value": 3}), ((4,), {"pads": [[3, 2]], "mode": "reflect"}),
        ((3, 4), {"pads": [[2, 1], [0, 3]], "mode": "reflect"}), ((2, 3, 2), {"pads": [[1, 1], [2, 0], [0, 1]], "mode": "reflect"}),
        ((3,), {"pads": [[2, 4]], "mode": "edge"}), ((2, 3), {"pads": [[1, 0], [2, 2]], "mode": "edge"}), ((1, 2, 1), {"pads": [[1, 1], [0, 2], [3, 0]], "mode": "edge"}),
        ((1, 1, 2, 2), {"pads": [[0, 0], [0, 0], [1, 1], [1, 1]]}),
    ]:
        one("pad", shape, attrs, pad)
    for shape, attrs in [((4,), {"parts": 2}), ((5,), {"sizes": [2, 3]}), ((2, 6), {"axis": 1, "parts": 3}), ((2, 4, 2), {"axis": -2, "sizes": [1, 3]}), ((3, 2), {"axis": 0, "sizes": [0, 2, 1]})]:
        one("split", shape, attrs, split)
    for shape, attrs in [((3,), {}), ((2, 3), {}), ((2, 3), {"axis": 1}), ((2, 2, 3), {"axis": -2})]:
        one("unstack", shape, attrs, lambda x, axis=0: list(torch.unbind(x, axis)))
    for shape, attrs in [((1, 3, 1), {}), ((1, 3, 1), {"axis": 0}), ((1, 3, 1), {"axis": -1}), ((1, 2, 1, 2), {"axis": [0, 2]}), ((1,), {})]:
        one("squeeze", shape, attrs, squeeze)
    for shape, attrs in [((3,), {"axis": 0}), ((3,), {"axis": -1}), ((2, 3), {"axis": 1}), ((2,), {"axis": [0, 2]}), ((), {"axis": 0})]:
        one("unsqueeze", shape, attrs, unsqueeze)
    for shape, attrs in [((4,), {}), ((2, 3), {}), ((2, 3), {"axis": 1}), ((2, 3, 2), {"axis": [0, -1]}), ((), {})]:
        one("flip", shape, attrs, lambda x, axis=None: x.flip(axes_of(x, axis)))
    for shape, repeats in [((3,), [2]), ((2, 2), [1, 2]), ((2, 1, 2), [2, 3, 1]), ((2, 3), [2, 1])]:
        one("tile", shape, {"repeats": repeats}, lambda x, repeats: x.repeat(repeats))
    for shape, attrs in [((3,), {}), ((3,), {"offset": 1}), ((2,), {"offset": -2}), ((3, 3), {}), ((2, 4), {"offset": 1}), ((4, 2), {"offset": -1}), ((1, 1), {})]:
        one("diag", shape, attrs, diagonal)
    for op, fn in (("triu", torch.triu), ("tril", torch.tril)):
        for shape, attrs in [((3, 3), {}), ((3, 4), {"offset": 1}), ((4, 3), {"offset": -1}), ((2, 2, 3), {"offset": 0}), ((2, 3), {"offset": 5})]:
            one(op, shape, attrs, lambda x, offset=0, fn=fn: fn(x, offset))
    for shape, attrs in [((4,), {"axis": 0}), ((2, 3), {"axis": 1}), ((2, 3), {"axis": -2}), ((4,), {"axis": 0, "exclusive": True}), ((4,), {"axis": 0, "reverse": True}), ((2, 3, 2), {"axis": 1, "exclusive": True, "reverse": True}), ((3, 2), {"axis": -1, "exclusive": True}), ((1,), {"axis": 0})]:
        one("cumsum", shape, attrs, cumsum)
    for shape, index in [((4,), [1]), ((4,), [-1]), ((2, 3), [1]), ((2, 3), [0, -2]), ((2, 3, 2), [1, 2]), ((2, 3, 2), [-1, 0, 1])]:
        one("at", shape, {"index": index}, lambda x, index: x[tuple(index)])


def add_lists(cases):
    for shapes, attrs in [([(2,), (3,)], {}), ([(1, 2), (3, 2)], {"axis": 0}), ([(2, 1), (2, 2), (2, 3)], {"axis": 1}), ([(2, 2, 1), (2, 2, 2)], {"axis": -1}), ([(2, 3)], {}), ([(0, 2), (2, 2)], {})]:
        draw = Draw(f"concat/{shapes}/{attrs}")
        cases.add("concat", {"xs": [draw.normal(*s) for s in shapes]}, lambda xs, attrs=attrs: torch.cat(xs, attrs.get("axis", 0)), attrs)
    for count, shape, attrs in [(2, (), {}), (3, (2,), {}), (2, (3,), {"axis": 1}), (2, (2, 3), {"axis": -1}), (2, (2, 2), {"axis": -2}), (1, (2,), {"axis": 0})]:
        draw = Draw(f"stack/{count}/{shape}/{attrs}")
        cases.add("stack", {"xs": [draw.normal(*shape) for _ in range(count)]}, lambda xs, attrs=attrs: torch.stack(xs, attrs.get("axis", 0)), attrs)


def add_indexing(cases):
    for shape, indices, axis in GATHERS:
        draw = Draw(f"gather/{shape}/{indices}")
        x, places, attrs = draw.normal(*shape), index_of(indices), {"axis": axis}
        cases.add("gather", {"x": x, "indices": places}, lambda x, indices, axis=axis: take(x, indices, axis), attrs)
        updates = draw.normal(*take(x, places, axis).shape)
        operands = {"x": x, "indices": places, "updates": updates}
        cases.add("scatterAdd", operands, lambda x, indices, updates, axis=axis: scatter_add(x, indices, updates, axis), attrs)
    x = Draw("gather/default").normal(3, 2)
    cases.add("gather", {"x": x, "indices": index_of([2, 1])}, lambda x, indices: take(x, indices, 0))
    for shape, indices, axis in [((4,), [1, 1, 3], 0), ((3, 2), [[2, 0], [1, 1]], 0), ((2, 3), [[0, 2, 2, 1], [1, 0, -1, 0]], 1), ((2, 2, 2), [[[1], [0]], [[1], [1]]], -1)]:
        draw = Draw(f"gatherElements/{shape}/{indices}")
        places, attrs = index_of(indices), {"axis": axis}
        size = shape[axis]
        x = draw.normal(*shape)
        cases.add("gatherElements", {"x": x, "indices": places}, lambda x, indices, axis=axis, size=size: x.gather(axis, wrap(indices, size)), attrs)
        operands = {"x": x, "indices": places, "updates": draw.normal(*places.shape)}
        cases.add(
            "scatterElements", operands,
            lambda x, indices, updates, axis=axis, size=size: x.scatter_add(axis, wrap(indices, size), updates),
            {**attrs, "reduction": "add"},
        )
    # "none" has no meaning for an element written twice, so every place is written once
    for shape, indices, axis in [((4,), [3, 0], 0), ((3, 2), [[2, 0], [1, 1]], 0), ((2, 3), [[0, 2], [1, -1]], 1)]:
        draw = Draw(f"scatterElements/none/{shape}")
        places, size = index_of(indices), shape[axis]
        operands = {"x": draw.normal(*shape), "indices": places, "updates": draw.normal(*places.shape)}
        fn = lambda x, indices, updates, axis=axis, size=size: x.scatter(axis, wrap(indices, size), updates)
        cases.add("scatterElements", operands, fn, {"axis": axis, "reduction": "none"})
        cases.add("scatterElements", operands, fn, {"axis": axis})
    for shape, indices, batch in [((4,), [[2], [0], [2]], 0), ((2, 3), [[1, 2], [0, 0]], 0), ((3, 2), [[2], [-1]], 0), ((2, 3, 2), [[[0, 1]], [[1, 2]]], 0), ((2, 3, 2), [[1], [2]], 1), ((2, 2, 3), [[[0], [2]], [[1], [1]]], 2), ((2, 3), [1, 0], 0)]:
        attrs = {"batchDims": batch} if batch else {}
        cases.add(
            "gatherND", {"x": Draw(f"gatherND/{shape}/{indices}").normal(*shape), "indices": index_of(indices)},
            lambda x, indices, batch=batch: gather_nd(x, indices, batch), attrs,
        )
    for shape, indices, reduction in [((4,), [[2], [0]], None), ((2, 3), [[1, 2], [0, 0]], "none"), ((3, 2), [[2], [-2]], "none"), ((4,), [[1], [1], [3]], "add"), ((2, 3), [[1], [1]], "add"), ((2, 3, 2), [[[0, 1]], [[1, 2]]], "add")]:
        draw = Draw(f"scatterND/{shape}/{indices}/{reduction}")
        x, places = draw.normal(*shape), index_of(indices)
        operands = {"x": x, "indices": places, "updates": draw.normal(*gather_nd(x, places).shape)}
        attrs = {"reduction": reduction} if reduction else {}
        cases.add("scatterND", operands, lambda x, indices, updates, attrs=attrs: scatter_nd(x, indices, updates, **attrs), attrs)


def add_makers(cases):
    for values, depth in [([2, 0, 1], 3), ([[0, 3], [1, 1]], 4), (1, 2)]:
        cases.add("oneHot", {"x": index_of(values)}, lambda x, depth=depth: F.one_hot(x, depth).double(), {"depth": depth, "dtype": "f64"})
    for shape in ([], [3], [2, 2], [0, 2]):
        cases.add("zeros", {}, lambda shape=shape: torch.zeros(shape, dtype=torch.float64), {"shape": shape, "dtype": "f64"})
        cases.add("ones", {}, lambda shape=shape: torch.ones(shape, dtype=torch.float64), {"shape": shape, "dtype": "f64"})
        cases.add("full", {}, lambda shape=shape: torch.full(shape, -2.5, dtype=torch.float64), {"shape": shape, "dtype": "f64", "value": -2.5})
    for start, end, step in [(0, 5, 1), (2, 9, 3), (5, 0, -2), (3, 3, 1)]:
        cases.add(
            "range", {}, lambda a=start, b=end, c=step: torch.from_numpy(np.arange(a, b, c, dtype=np.float64)),
            {"start": start, "end": end, "step": step, "dtype": "f64"},
        )


def add_all(cases):
    add_shapes(cases)
    add_lists(cases)
    add_indexing(cases)
    add_makers(cases)
