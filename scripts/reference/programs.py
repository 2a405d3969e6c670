"""Random programs of several lines, with what PyTorch computes for them in f64.

A program has inputs and lines: `[op, operands, attributes]`, an operand being the number of an earlier value (inputs first), a list of them, or
`{"literal": number}`. Its loss is the sum over all values that no line uses of <value, cosines>, where the cosines are cos(0.7 k + 1.3 i) for
element i of the k-th of them. Stored are these values, the gradient of the loss, and its Hessian's product with the directions.
"""

import math

import torch
import torch.nn.functional as F

from fixture_format import clean, direction, Draw, encode_tensor
from linear_cases import gather_nd, scatter_add, scatter_nd, take, take_slice

SMOOTH = {
    "sin": torch.sin,
    "cos": torch.cos,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "softplus": lambda x: -F.logsigmoid(-x),
    "erf": torch.erf,
    "atan": torch.atan,
    "square": torch.square,
    "silu": F.silu,
    "gelu": F.gelu,
}
# of x^2 + 1/2; without lgamma, for PyTorch's second derivative of it has 10 right digits
POSITIVE = {"log": torch.log, "sqrt": torch.sqrt, "rsqrt": torch.rsqrt, "reciprocal": torch.reciprocal, "log1p": torch.log1p}
BENT = {"abs": torch.abs, "relu": F.relu, "sign": torch.sign, "floor": torch.floor, "round": torch.round}
PAIRS = {"add": torch.add, "sub": torch.sub, "mul": torch.mul, "maximum": torch.maximum, "minimum": torch.minimum}


def over(fn):
    """A reduction over axes that takes ours."""
    return lambda x, axis, keepDims: fn(x, tuple(axis), keepDims)


def product(x, axes, keep):
    for axis in sorted((a % x.dim() for a in axes), reverse=True):
        x = x.prod(axis, keepdim=keep)
    return x


REDUCTIONS = {
    "sum": over(torch.sum),
    "mean": over(torch.mean),
    "prod": over(product),
    "max": over(torch.amax),
    "min": over(torch.amin),
    "logSumExp": over(torch.logsumexp),
    "norm": over(lambda x, axes, keep: torch.linalg.vector_norm(x, dim=axes, keepdim=keep)),
}


class Program:
    def __init__(self, seed):
        self.name = f"programs/{seed}"
        self.draw = Draw(self.name)
        self.rng = self.draw.rng
        self.values, self.lines, self.used = [], [], set()
        self.inputs = [self.draw.normal(*self.sizes(), decimals=2).requires_grad_() for _ in range(self.whole(1, 3))]
        self.values += self.inputs

    def whole(self, low, high):
        return int(self.rng.integers(low, high + 1))

    def one_of(self, choices):
        choices = list(choices)
        return choices[self.whole(0, len(choices) - 1)]

    def sizes(self):
        return [self.one_of([1, 2, 2, 3, 4]) for _ in range(self.whole(0, 3))]

    def line(self, op, operands, fn, **attributes):
        """Adds a line; `fn` takes the operands' tensors and the attributes."""
        given = []
        for operand in operands:
            if isinstance(operand, float):
                given.append({"literal": operand})
            else:
                given.append(operand)
                self.used.update(operand if isinstance(operand, list) else [operand])
        tensor = lambda o: o if isinstance(o, float) else [self.values[i] for i in o] if isinstance(o, list) else self.values[o]
        self.values.append(fn(*map(tensor, operands), **attributes))
        self.lines.append([op, given, attributes])
        return len(self.values) - 1

    def any(self, least=0):
        """A value with so many axes at least, late ones more often."""
        fitting = [i for i, v in enumerate(self.values) if v.dim() >= least and v.is_floating_point()]
        return max(self.one_of(fitting), self.one_of(fitting)) if fitting else self.line("reshape", [0], torch.reshape, shape=[1, -1][2 - least :])

    def fitting(self, shape):
        """A value of this shape, gathered from the elements of any."""
        from_what = self.line("reshape", [self.any()], torch.reshape, shape=[-1])
        places = self.draw.integers(0, self.values[from_what].numel(), *shape)
        return self.line("gather", [from_what], lambda x, indices: take(x, places, 0), indices=places.tolist())

    def positive(self, x):
        return self.line("add", [self.line("square", [x], torch.square), 0.5], torch.add)

    def elementwise(self):
        x = self.any()
        table = self.one_of([SMOOTH, SMOOTH, POSITIVE, BENT])
        op = self.one_of(table)
        self.line(op, [self.positive(x) if table is POSITIVE else x], table[op])

    def pair(self):
        x = self.any()
        y = self.fitting([self.one_of([1, size]) for size in self.values[x].shape][self.whole(0, 1) :])
        op = self.one_of([*PAIRS, "div", "pow", "atan2", "where"])
        if op == "div":
            self.line(op, [x, self.positive(y)], torch.div)
        elif op == "pow":
            self.line(op, [self.positive(x), y], lambda x, y: torch.exp(y * torch.log(x)))
        elif op == "atan2":
            self.line(op, [x, self.positive(y)], torch.atan2)
        elif op == "where":
            self.line(op, [self.line("greater", [x, y], torch.gt), x, y], torch.where)
        else:
            self.line(op, [x, y], PAIRS[op])

    def reduction(self):
        x = self.any(1)
        rank = self.values[x].dim()
        axes = [int(a) - self.one_of([0, rank]) for a in self.rng.permutation(rank)[: self.whole(1, rank)]]
        op = self.one_of(REDUCTIONS)
        self.line(op, [x], REDUCTIONS[op], axis=axes, keepDims=bool(self.whole(0, 1)))

    def along(self):
        x = self.any(1)
        shape = self.values[x].shape
        axis = self.whole(-len(shape), len(shape) - 1)
        size = shape[axis]
        op = self.one_of(["slice", "flip", "cumsum", "softmax", "logSoftmax", "sort", "concat", "gather", "scatterAdd", "pad", "layerNormalization"])
        if op == "slice":
            step = self.one_of([1, 2, -1, -2])
            self.line(op, [x], take_slice, axis=axis, step=step, start=self.whole(-size, size - 1))
        elif op == "flip":
            self.line(op, [x], lambda x, axis: x.flip(axis), axis=axis)
        elif op == "cumsum":
            self.line(op, [x], lambda x, axis, reverse: x.flip(axis).cumsum(axis).flip(axis) if reverse else x.cumsum(axis), axis=axis, reverse=bool(self.whole(0, 1)))
        elif op == "softmax":
            self.line(op, [x], lambda x, axis: x.softmax(axis), axis=axis)
        elif op == "logSoftmax":
            self.line(op, [x], lambda x, axis: x.log_softmax(axis), axis=axis)
        elif op == "sort":
            self.line(op, [x], lambda x, axis, descending: torch.sort(x, dim=axis, descending=descending, stable=True)[0], axis=axis, descending=bool(self.whole(0, 1)))
        elif op == "concat":
            self.line(op, [[x, self.fitting(shape), x]], lambda xs, axis: torch.cat(xs, axis), axis=axis)
        elif op == "gather":
            places = self.draw.integers(-size, size, *self.one_of([[2], [1, 3], []]))
            self.line(op, [x], lambda x, indices, axis: take(x, places, axis), indices=places.tolist(), axis=axis)
        elif op == "scatterAdd":
            places = self.draw.integers(-size, size, 2)
            at = axis % len(shape)
            updates = self.fitting([*shape[:at], 2, *shape[at + 1 :]])
            self.line(op, [x, updates], lambda x, u, indices, axis: scatter_add(x, places, u, axis), indices=places.tolist(), axis=axis)
        elif op == "pad":
            pads = [[self.whole(0, 1), self.whole(0, 2)] for _ in shape]
            self.line(op, [x], lambda x, pads, value: F.pad(x, [n for pair in reversed(pads) for n in pair], value=value), pads=pads, value=0.5)
        else:
            self.line(op, [x], lambda x, epsilon: F.layer_norm(x, x.shape[-1:], eps=epsilon), epsilon=0.1)

    def moved(self):
        x = self.any(1)
        shape = self.values[x].shape
        op = self.one_of(["transpose", "tile", "unsqueeze", "reshape", "scatterND", "gatherND"])
        if op == "transpose":
            self.line(op, [x], lambda x, axes: x.permute(axes), axes=self.rng.permutation(len(shape)).tolist())
        elif op == "tile":
            self.line(op, [x], lambda x, repeats: x.repeat(repeats), repeats=[self.whole(1, 2) for _ in shape])
        elif op == "unsqueeze":
            self.line(op, [x], lambda x, axis: x.unsqueeze(axis), axis=self.whole(-len(shape) - 1, len(shape)))
        elif op == "reshape":
            self.line(op, [x], torch.reshape, shape=[shape[-1], -1])
        else:
            places = self.draw.integers(-shape[0], shape[0], 2, 1)
            if op == "gatherND":
                self.line(op, [x], lambda x, indices: gather_nd(x, places), indices=places.tolist())
            else:
                add = lambda x, u, indices, reduction: scatter_nd(x, places, u, reduction)
                self.line(op, [x, self.fitting([2, *shape[1:]])], add, indices=places.tolist(), reduction="add")

    def product(self):
        m, k, n = self.whole(1, 3), self.whole(1, 3), self.whole(1, 3)
        op = self.one_of(["matmul", "einsum", "conv", "solve", "scaledDotProductAttention"])
        if op == "matmul":
            self.line(op, [self.fitting([2, m, k]), self.fitting(self.one_of([[k, n], [1, k, n], [k]]))], torch.matmul)
        elif op == "einsum":
            spec, shapes = self.one_of([("ij,kj->ki", [[m, k], [n, k]]), ("iij,j->i", [[m, m, k], [k]]), ("...i,...i->...", [[2, m], [1, m]]), ("ab,bc,ca->", [[m, k], [k, n], [n, m]])])
            self.line(op, [self.fitting(shape) for shape in shapes], lambda *xs, spec: torch.einsum(spec, *xs), spec=spec)
        elif op == "conv":
            image, kernel = self.fitting([1, 2, 4, 3]), self.fitting([2, self.one_of([1, 2]), 2, 2])
            groups = 2 // self.values[kernel].shape[1]
            self.line(op, [image, kernel], lambda x, w, stride, padding, groups: F.conv2d(x, w, None, stride, padding, 1, groups), stride=self.whole(1, 2), padding=1, groups=groups)
        elif op == "solve":
            unit = self.line("tril", [self.fitting([m, m])], lambda x, offset: x.tril(offset), offset=-1)
            right = self.line("triu", [self.fitting([m, m])], lambda x, offset: x.triu(offset), offset=1)
            near = self.line("mul", [self.line("tanh", [self.line("add", [unit, right], torch.add)], torch.tanh), 0.4], torch.mul)
            eye = self.line("oneHot", [], lambda indices, depth, dtype: torch.eye(m, dtype=torch.float64), indices=list(range(m)), depth=m, dtype="f64")
            # 1 on the diagonal and less beside it
            self.line(op, [self.line("add", [near, eye], torch.add), self.fitting([m, n])], torch.linalg.solve)
        else:
            operands = [self.fitting([2, m, k]), self.fitting([2, n, k]), self.fitting([2, n, 2])]
            self.line(op, operands, lambda q, k, v: F.scaled_dot_product_attention(q, k, v))

    def lossy(self):
        p = self.any()
        op = self.one_of(["meanSquaredError", "huber", "binaryCrossEntropy", "softmaxCrossEntropy"])
        reduction = self.one_of(["mean", "sum", "none"])
        if op == "softmaxCrossEntropy":
            labels = self.draw.integers(0, 3, 4)
            loss = lambda z, labels, labelSmoothing, reduction: F.cross_entropy(z, torch.tensor(labels), label_smoothing=labelSmoothing, reduction=reduction)
            self.line(op, [self.fitting([4, 3])], loss, labels=labels.tolist(), labelSmoothing=0.1, reduction=reduction)
            return
        t = self.fitting(self.values[p].shape)
        if op == "binaryCrossEntropy":
            self.line(op, [p, self.line("sigmoid", [t], torch.sigmoid)], lambda p, t, reduction: reduced(t * -F.logsigmoid(p) + (1 - t) * -F.logsigmoid(-p), reduction), reduction=reduction)
        else:
            self.line(op, [p, t], lambda p, t, reduction: reduced((F.mse_loss if op == "meanSquaredError" else F.huber_loss)(p, t, reduction="none"), reduction), reduction=reduction)


def reduced(x, reduction):
    return {"mean": torch.mean, "sum": torch.sum, "none": lambda x: x}[reduction](x)


MOVES = [Program.elementwise, Program.elementwise, Program.pair, Program.pair, Program.reduction, Program.along, Program.along, Program.moved, Program.product, Program.lossy]


def gradient(of, inputs):
    found = torch.autograd.grad(of, inputs, create_graph=True, allow_unused=True) if of.requires_grad else [None] * len(inputs)
    return [torch.zeros_like(x) if g is None else g for g, x in zip(found, inputs)]


def inner(xs, ys):
    return sum(((x * y).sum() for x, y in zip(xs, ys)), torch.zeros((), dtype=torch.float64))


def record(program):
    values = [v for i, v in enumerate(program.values) if i >= len(program.inputs) and i not in program.used and v.is_floating_point()]
    cosines = [torch.tensor([math.cos(0.7 * k + 1.3 * i) for i in range(v.numel())], dtype=torch.float64).reshape(v.shape) for k, v in enumerate(values)]
    first = gradient(inner(values, cosines), program.inputs)
    along = [direction(program.draw, x) for x in program.inputs]
    second = gradient(inner(first, along), program.inputs)
    if not all(torch.isfinite(v).all() and v.abs().max() < 1e3 for v in [*values, *first, *second]):
        return None
    stored = lambda tensors: [encode_tensor(t) for t in tensors]
    results = {"values": stored(values), "grad": stored(clean(g, x) for g, x in zip(first, program.inputs)), "hvp": stored(clean(g, x) for g, x in zip(second, program.inputs))}
    return {"name": program.name, "inputs": stored(program.inputs), "lines": program.lines, "directions": stored(along), **results}


def cases(count=100):
    """The first so many programs whose numbers are neither infinite nor huge."""
    found, seed = [], 0
    while len(found) < count:
        seed += 1
        program = Program(seed)
        for _ in range(program.whole(2, 8)):
            program.one_of(MOVES)(program)
            if any(v.numel() > 100 for v in program.values):
                break
        made = record(program)
        if made is not None:
            found.append(made)
    return found
