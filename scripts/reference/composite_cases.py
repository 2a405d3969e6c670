"""Activations, normalisations, attention and losses, written out and held against PyTorch's own functions."""

import math

import torch
import torch.nn.functional as F

from elementwise_cases import softplus
from fixture_format import Draw
from linear_cases import axes_of


def hold(ours, theirs, what):
    """The formulas here must be PyTorch's; a slip in either stops the generation."""
    if not torch.allclose(ours, theirs, rtol=1e-8, atol=1e-8):
        raise AssertionError(f"{what}: the formula written out differs from PyTorch's function")


def gelu(x, approximate="none"):
    if approximate == "none":
        return 0.5 * x * (1 + torch.erf(x / math.sqrt(2)))
    return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def elu(x, alpha=1.0):
    return torch.where(x > 0, x, alpha * torch.expm1(torch.clamp(x, max=0)))


def celu(x, alpha=1.0):
    return torch.where(x > 0, x, alpha * torch.expm1(torch.clamp(x, max=0) / alpha))


SELU_ALPHA, SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946


def selu(x):
    return SELU_SCALE * elu(x, SELU_ALPHA)


def hard_sigmoid(x):
    return torch.clamp(x + 3, 0, 6) / 6


ACTIVATIONS = [
    ("relu", torch.relu, F.relu, [{}]),
    ("leakyRelu", lambda x, slope=0.01: torch.where(x > 0, x, slope * x), lambda x, slope=0.01: F.leaky_relu(x, slope), [{}, {"slope": 0.2}]),
    ("elu", elu, F.elu, [{}, {"alpha": 1.7}]),
    ("selu", selu, F.selu, [{}]),
    ("celu", celu, F.celu, [{}, {"alpha": 0.6}]),
    ("gelu", gelu, F.gelu, [{}, {"approximate": "none"}, {"approximate": "tanh"}]),
    ("silu", lambda x: x * torch.sigmoid(x), F.silu, [{}]),
    ("mish", lambda x: x * torch.tanh(softplus(x)), F.mish, [{}]),
    ("hardSigmoid", hard_sigmoid, F.hardsigmoid, [{}]),
    ("hardSwish", lambda x: x * hard_sigmoid(x), F.hardswish, [{}]),
]


def add_activations(cases):
    wide = torch.tensor([-30.0, -6.0, -3.5, -2.9, -0.7, -1e-3, 1e-3, 0.7, 2.9, 3.5, 6.0, 30.0], dtype=torch.float64)
    for op, fn, theirs, variants in ACTIVATIONS:
        for attrs in variants:
            for shape in [(), (5,), (2, 3), (2, 1, 2, 2)]:
                x = Draw(f"{op}/{attrs}/{shape}").away(*shape, gap=0.05, spread=2.8)
                hold(fn(x, **attrs), theirs(x, **attrs), op)
                cases.add(op, {"x": x}, lambda x, fn=fn, attrs=attrs: fn(x, **attrs), attrs)
            hold(fn(wide, **attrs), theirs(wide, **attrs), op)
            cases.add(op, {"x": wide}, lambda x, fn=fn, attrs=attrs: fn(x, **attrs), attrs)
    for op, fn in (("softmax", torch.softmax), ("logSoftmax", torch.log_softmax)):
        for shape, attrs in [((4,), {}), ((2, 3), {}), ((2, 3), {"axis": 0}), ((2, 3, 2), {"axis": 1}), ((2, 3, 2), {"axis": -3}), ((1,), {})]:
            x = Draw(f"{op}/{shape}/{attrs}").normal(*shape, scale=1.5)
            cases.add(op, {"x": x}, lambda x, fn=fn, attrs=attrs: fn(x, attrs.get("axis", -1)), attrs)
        big = torch.tensor([[1000.0, 1001.0, 999.0], [-1000.0, -1000.5, -1003.0]], dtype=torch.float64)
        cases.add(op, {"x": big}, lambda x, fn=fn: fn(x, -1))


def standardise(x, axes, epsilon):
    centred = x - x.mean(axes, keepdim=True)
    return centred / torch.sqrt((centred**2).mean(axes, keepdim=True) + epsilon)


def scaled(x, scale, bias):
    x = x if scale is None else x * scale
    return x if bias is None else x + bias


def by_channel(part, rank):
    return None if part is None else part.reshape([1, -1] + [1] * (rank - 2))


def layer_normalization(x, scale=None, bias=None, axis=-1, epsilon=1e-5):
    return scaled(standardise(x, axes_of(x, axis), epsilon), scale, bias)


def rms_normalization(x, scale=None, axis=-1, epsilon=1e-5):
    return scaled(x / torch.sqrt((x * x).mean(axes_of(x, axis), keepdim=True) + epsilon), scale, None)


def batch_normalization(x, scale, bias, mean, variance, epsilon=1e-5):
    parts = [by_channel(part, x.dim()) for part in (scale, bias, mean, variance)]
    return scaled((x - parts[2]) / torch.sqrt(parts[3] + epsilon), parts[0], parts[1])


def batch_moments(x):
    axes = [a for a in range(x.dim()) if a != 1]
    mean = x.mean(axes)
    return {"mean": mean, "variance": ((x - by_channel(mean, x.dim())) ** 2).mean(axes)}


def group_normalization(x, scale=None, bias=None, groups=1, epsilon=1e-5):
    folded = standardise(x.reshape(x.shape[0], groups, -1), [2], epsilon).reshape(x.shape)
    return scaled(folded, by_channel(scale, x.dim()), by_channel(bias, x.dim()))


def instance_normalization(x, scale=None, bias=None, epsilon=1e-5):
    folded = standardise(x, list(range(2, x.dim())), epsilon)
    return scaled(folded, by_channel(scale, x.dim()), by_channel(bias, x.dim()))


def parts(draw, size, which):
    made = {"scale": draw.uniform(0.5, 1.5, *size), "bias": draw.normal(*size)}
    return {name: made[name] for name in which}


def add_normalizations(cases):
    both = ("scale", "bias")
    for shape, attrs, which in [((2, 4), {}, both), ((2, 4), {}, ()), ((2, 3), {"epsilon": 0.1}, ("scale",)), ((2, 2, 3), {"axis": [-2, -1]}, both), ((2, 2, 3), {"axis": -1}, both), ((5,), {}, both)]:
        draw = Draw(f"layerNormalization/{shape}/{attrs}/{which}")
        axes = axes_of(torch.zeros(shape), attrs.get("axis", -1))
        size = [shape[a] for a in axes]
        operands = {"x": draw.normal(*shape), **parts(draw, size, which)}
        theirs = F.layer_norm(operands["x"], size, operands.get("scale"), operands.get("bias"), attrs.get("epsilon", 1e-5))
        hold(layer_normalization(**operands, **attrs), theirs, "layerNormalization")
        cases.add("layerNormalization", operands, lambda attrs=attrs, **t: layer_normalization(**t, **attrs), attrs)
        operands = {name: t for name, t in operands.items() if name != "bias"}
        cases.add("rmsNormalization", operands, lambda attrs=attrs, **t: rms_normalization(**t, **attrs), attrs)
    for shape, attrs in [((3, 2), {}), ((2, 3, 2), {}), ((2, 2, 2, 2), {"epsilon": 1e-3}), ((1, 2, 1, 2, 2), {})]:
        draw = Draw(f"batchNormalization/{shape}")
        size = (shape[1],)
        operands = {"x": draw.normal(*shape), **parts(draw, size, both), "mean": draw.normal(*size), "variance": draw.uniform(0.3, 2, *size)}
        theirs = F.batch_norm(operands["x"], operands["mean"], operands["variance"], operands["scale"], operands["bias"], False, 0.1, attrs.get("epsilon", 1e-5))
        hold(batch_normalization(**operands, **attrs), theirs, "batchNormalization")
        cases.add("batchNormalization", operands, lambda attrs=attrs, **t: batch_normalization(**t, **attrs), attrs)
        cases.add("batchMoments", {"x": operands["x"]}, batch_moments)
    for shape, attrs, which in [((2, 4), {"groups": 2}, both), ((2, 4, 3), {"groups": 2}, both), ((1, 4, 2, 2), {"groups": 4, "epsilon": 1e-2}, ()), ((2, 2, 2, 2), {"groups": 1}, ("scale",))]:
        draw = Draw(f"groupNormalization/{shape}/{attrs}")
        operands = {"x": draw.normal(*shape), **parts(draw, (shape[1],), which)}
        theirs = F.group_norm(operands["x"], attrs["groups"], operands.get("scale"), operands.get("bias"), attrs.get("epsilon", 1e-5))
        hold(group_normalization(**operands, **attrs), theirs, "groupNormalization")
        cases.add("groupNormalization", operands, lambda attrs=attrs, **t: group_normalization(**t, **attrs), attrs)
    for shape, attrs, which in [((2, 2, 4), {}, both), ((1, 2, 2, 3), {}, ()), ((2, 2, 2, 2), {"epsilon": 1e-2}, both), ((1, 2, 2, 2, 2), {}, ("scale",))]:
        draw = Draw(f"instanceNormalization/{shape}/{attrs}")
        operands = {"x": draw.normal(*shape), **parts(draw, (shape[1],), which)}
        theirs = F.instance_norm(operands["x"], None, None, operands.get("scale"), operands.get("bias"), True, 0.1, attrs.get("epsilon", 1e-5))
        hold(instance_normalization(**operands, **attrs), theirs, "instanceNormalization")
        cases.add("instanceNormalization", operands, lambda attrs=attrs, **t: instance_normalization(**t, **attrs), attrs)


def attention(q, k, v, mask=None, causal=False, scale=None):
    """PyTorch's scaled_dot_product_attention: a bool mask keeps where true, a float mask is added, causal counts from the top left."""
    scores = q @ k.transpose(-1, -2) * (1 / math.sqrt(q.shape[-1]) if scale is None else scale)
    if causal:
        keep = torch.ones(q.shape[-2], k.shape[-2], dtype=torch.bool).tril()
        scores = scores.masked_fill(~keep, -math.inf)
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf) if mask.dtype == torch.bool else scores + mask
    return scores.softmax(-1) @ v


def add_attention(cases):
    keep = torch.tensor([[True, False, True], [True, True, False]])
    for shapes, attrs, mask in [
        (((2, 3), (3, 3), (3, 2)), {}, None),
        (((3, 2), (3, 2), (3, 2)), {"causal": True}, None),
        (((2, 2, 3), (2, 3, 3), (2, 3, 2)), {"scale": 0.3}, None),
        (((1, 2, 3, 2), (1, 2, 3, 2), (1, 2, 3, 2)), {"causal": True, "scale": 1}, None),
        (((2, 3), (3, 3), (3, 2)), {}, keep),
        (((2, 2, 2), (2, 3, 2), (2, 3, 2)), {}, keep),
        (((2, 3), (3, 3), (3, 2)), {}, "float"),
        (((2, 2), (4, 2), (4, 2)), {"causal": True}, None),
    ]:
        draw = Draw(f"attention/{shapes}/{attrs}/{mask is None}")
        operands = {name: draw.normal(*shape) for name, shape in zip("qkv", shapes)}
        if mask is not None:
            operands["mask"] = draw.normal(shapes[0][-2], shapes[1][-2]) if isinstance(mask, str) else mask
        cases.add("scaledDotProductAttention", operands, lambda attrs=attrs, **t: attention(**t, **attrs), attrs)


def reduce(each, reduction, count=None):
    if reduction == "none":
        return each
    total = each.sum()
    return total if reduction == "sum" else total / (each.numel() if count is None else count)


def hinge(scores, labels, margin=1.0, reduction="mean"):
    """CS231n's multiclass SVM: the sum over the wrong classes of max(0, s_j - s_y + margin), one loss a row."""
    right = scores.gather(1, labels[:, None])
    others = torch.ones_like(scores).scatter(1, labels[:, None], 0.0)
    return reduce((torch.relu(scores - right + margin) * others).sum(1), reduction)


def cross_entropy(logits, labels, reduction="mean"):
    return F.cross_entropy(logits, labels, ignore_index=-1, reduction=reduction) if not labels.is_floating_point() else F.cross_entropy(logits, labels, reduction=reduction)


def binary_cross_entropy(logits, t, reduction="mean"):
    return reduce(softplus(logits) - logits * t, reduction)


def kl_divergence(logP, q, reduction="mean"):
    return reduce(torch.xlogy(q, q) - q * logP, reduction)


def huber(p, t, delta=1.0, reduction="mean"):
    gap = p - t
    size = gap.abs()
    return reduce(torch.where(size <= delta, 0.5 * gap * gap, delta * (size - 0.5 * delta)), reduction)


def add_losses(cases):
    for reduction in (None, "mean", "sum", "none"):
        attrs = {"reduction": reduction} if reduction else {}
        name = reduction or "mean"
        draw = Draw(f"losses/{reduction}")
        labels = draw.integers(0, 4, 3)
        for margin in (None, 0.4):
            scores = draw.normal(3, 4, scale=2)
            more = {**attrs, "margin": margin} if margin else attrs
            if name != "none":
                theirs = F.multi_margin_loss(scores, labels, margin=margin or 1.0, reduction=name) * 4
                hold(hinge(scores, labels, **more), theirs, "hinge")
            cases.add("hinge", {"scores": scores, "labels": labels}, lambda scores, labels, more=more: hinge(scores, labels, **more), more)
        logits = draw.normal(3, 4, scale=1.5)
        ignored = torch.tensor([2, -1, 0])
        probabilities = draw.uniform(0.1, 1, 3, 4)
        probabilities = (probabilities / probabilities.sum(1, keepdim=True)).detach()
        for target in (labels, ignored, probabilities):
            cases.add("softmaxCrossEntropy", {"logits": logits, "labels": target}, lambda logits, labels, attrs=attrs: cross_entropy(logits, labels, **attrs), attrs)
        for shape in [(5,), (2, 3)]:
            p, t = draw.normal(*shape), draw.normal(*shape)
            hold(reduce((p - t) ** 2, name), F.mse_loss(p, t, reduction=name), "meanSquaredError")
            cases.add("meanSquaredError", {"p": p, "t": t}, lambda p, t, name=name: reduce((p - t) ** 2, name), attrs)
            t = draw.uniform(0, 1, *shape)
            hold(binary_cross_entropy(p, t, name), F.binary_cross_entropy_with_logits(p, t, reduction=name), "binaryCrossEntropy")
            cases.add("binaryCrossEntropy", {"logits": p, "t": t}, lambda logits, t, name=name: binary_cross_entropy(logits, t, name), attrs)
            log_p, q = draw.uniform(-3, -0.1, *shape), draw.uniform(0.05, 1, *shape)
            hold(kl_divergence(log_p, q, name), F.kl_div(log_p, q, reduction=name), "klDivergence")
            cases.add("klDivergence", {"logP": log_p, "q": q}, lambda logP, q, name=name: kl_divergence(logP, q, name), attrs)
            t = draw.normal(*shape, scale=1.5)
            for delta in (None, 0.3):
                more = {**attrs, "delta": delta} if delta else attrs
                hold(huber(p, t, **more), F.huber_loss(p, t, reduction=name, delta=delta or 1.0), "huber")
                cases.add("huber", {"p": p, "t": t}, lambda p, t, more=more: huber(p, t, **more), more)
    hot = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]], dtype=torch.float64)
    far = torch.tensor([[800.0, 0.5, -3.0], [-900.0, 2.0, 1.0]], dtype=torch.float64)
    cases.add("softmaxCrossEntropy", {"logits": far, "labels": torch.tensor([1, 0])}, cross_entropy)
    cases.add("softmaxCrossEntropy", {"logits": far / 100, "labels": hot}, cross_entropy)
    extreme = torch.tensor([-800.0, -30.0, 30.0, 800.0], dtype=torch.float64)
    cases.add("binaryCrossEntropy", {"logits": extreme, "t": torch.tensor([1.0, 0.25, 0.75, 0.0], dtype=torch.float64)}, binary_cross_entropy)


def label_loss(log_p, labels, weights=None, reduction="mean", label_smoothing=0.0, ignore_index=-1):
    """PyTorch's formula written out, because its own functions have no derivative in the weights; classes are axis 1."""
    counts = labels != ignore_index
    index = torch.where(counts, labels, 0)
    each = -log_p.gather(1, index[:, None])[:, 0]
    weight = torch.ones_like(each) if weights is None else weights[index]
    scale = torch.ones_like(log_p) if weights is None else weights.reshape([1, -1] + [1] * (log_p.dim() - 2))
    each = (1 - label_smoothing) * weight * each - label_smoothing / log_p.shape[1] * (log_p * scale).sum(1)
    each = torch.where(counts, each, torch.zeros_like(each))
    if reduction == "mean":
        return each.sum() / torch.where(counts, weight, torch.zeros_like(weight)).sum()
    return reduce(each, reduction)


def held_cross_entropy(logits, labels, weights=None, **theirs):
    ours = label_loss(torch.log_softmax(logits, 1), labels, weights, **theirs)
    hold(ours, F.cross_entropy(logits.detach(), labels, None if weights is None else weights.detach(), **theirs), "cross_entropy")
    return ours


def soft_cross_entropy(logits, labels, weights, reduction):
    share = 0.9 * labels + 0.1 / labels.shape[1]
    each = -(weights * share * torch.log_softmax(logits, 1)).sum(1)
    hold(reduce(each, reduction), F.cross_entropy(logits.detach(), labels.detach(), weights.detach(), label_smoothing=0.1, reduction=reduction), "cross_entropy")
    return reduce(each, reduction)


def held_nll(logP, labels, weights=None, reduction="mean"):
    ours = label_loss(logP, labels, weights, reduction)
    hold(ours, F.nll_loss(logP.detach(), labels, None if weights is None else weights.detach(), ignore_index=-1, reduction=reduction), "nll_loss")
    return ours


def add_weighted_losses(cases):
    """Weights, smoothing, another ignored label, another class axis: PyTorch's own functions, whose classes are axis 1."""
    draw = Draw("weighted losses")
    for name in ("mean", "sum", "none"):
        for index, more in enumerate(({}, {"labelSmoothing": 0.2}, {"ignoreIndex": 2}, {"labelSmoothing": 0.1, "ignoreIndex": -100})):
            logits, weights = draw.normal(4, 3, scale=1.5), draw.uniform(0.2, 2, 3)
            labels = torch.tensor([0, 2, 1, -100 if more.get("ignoreIndex") == -100 else 2])
            theirs = {"label_smoothing": more.get("labelSmoothing", 0.0), "ignore_index": more.get("ignoreIndex", -1), "reduction": name}
            attrs = {"reduction": name, **more}
            operands = {"logits": logits, "labels": labels}
            if index == 1:
                cases.add("softmaxCrossEntropy", operands, lambda logits, labels, theirs=theirs: held_cross_entropy(logits, labels, **theirs), attrs)
            operands["weights"] = weights
            cases.add("softmaxCrossEntropy", operands, lambda logits, labels, weights, theirs=theirs: held_cross_entropy(logits, labels, weights, **theirs), attrs)
        logits, target, weights = draw.normal(2, 3), draw.uniform(0, 1, 2, 3), draw.uniform(0.2, 2, 3)
        cases.add(
            "softmaxCrossEntropy",
            {"logits": logits, "labels": target, "weights": weights},
            lambda logits, labels, weights, name=name: soft_cross_entropy(logits, labels, weights, name),
            {"reduction": name, "labelSmoothing": 0.1},
        )
        image, labels = draw.normal(2, 3, 2, 2), draw.integers(0, 3, 2, 2, 2)
        cases.add(
            "softmaxCrossEntropy",
            {"logits": image, "labels": labels, "weights": weights},
            lambda logits, labels, weights, name=name: held_cross_entropy(logits, labels, weights, reduction=name),
            {"reduction": name, "axis": 1},
        )
        log_p, labels = draw.uniform(-3, -0.1, 4, 3), torch.tensor([0, -1, 1, 2])
        nll = lambda logP, labels, weights=None, name=name: held_nll(logP, labels, weights, name)
        cases.add("negativeLogLikelihood", {"logP": log_p, "labels": labels}, nll, {"reduction": name})
        cases.add("negativeLogLikelihood", {"logP": log_p, "labels": labels, "weights": weights}, nll, {"reduction": name})
        # PyTorch multiplies what is inside the sum over classes, which is the same for p = 1.
        scores, labels = draw.normal(3, 4, scale=2), draw.integers(0, 4, 3)
        weights = draw.uniform(0.2, 2, 4)
        if name != "none":
            hold(weighted_hinge(scores, labels, weights, name), F.multi_margin_loss(scores, labels, weight=weights, reduction=name) * 4, "hinge")
        operands = {"scores": scores, "labels": labels, "weights": weights}
        cases.add("hinge", operands, lambda scores, labels, weights, name=name: weighted_hinge(scores, labels, weights, name), {"reduction": name})
        z, t, weights, positive = draw.normal(2, 3), draw.uniform(0, 1, 2, 3), draw.uniform(0.2, 2, 3), draw.uniform(0.5, 3, 3)
        for extra in ({"weights": weights}, {"positiveWeight": positive}, {"weights": weights, "positiveWeight": positive}):

            def bce(logits, t, weights=None, positiveWeight=None, name=name):
                yes = t * -F.logsigmoid(logits) * (1 if positiveWeight is None else positiveWeight)
                each = (yes + (1 - t) * -F.logsigmoid(-logits)) * (1 if weights is None else weights)
                hold(reduce(each, name), F.binary_cross_entropy_with_logits(*(None if x is None else x.detach() for x in (logits, t, weights)), pos_weight=None if positiveWeight is None else positiveWeight.detach(), reduction=name), "binaryCrossEntropy")
                return reduce(each, name)

            cases.add("binaryCrossEntropy", {"logits": z, "t": t, **extra}, bce, {"reduction": name})
        p, t = draw.away(2, 3), draw.tensor(torch.zeros(2, 3))
        cases.add("meanAbsoluteError", {"p": p, "t": t}, lambda p, t, name=name: F.l1_loss(p, t, reduction=name), {"reduction": name})
        for beta in (1.0, 0.4, 0.0):
            cases.add("smoothL1", {"p": p, "t": t}, lambda p, t, name=name, beta=beta: F.smooth_l1_loss(p, t, reduction=name, beta=beta), {"reduction": name, "beta": beta})
        a, b, y = draw.normal(4, 3), draw.normal(4, 3), torch.tensor([1, -1, -1, 1])
        for margin in (0.0, 0.3):
            attrs = {"reduction": name, "margin": margin}
            cases.add("cosineEmbedding", {"a": a, "b": b, "y": y}, lambda a, b, y, name=name, margin=margin: F.cosine_embedding_loss(a, b, y, margin, reduction=name), attrs)
            operands = {"a": a[:, 0], "b": b[:, 0], "y": y}
            cases.add("marginRanking", operands, lambda a, b, y, name=name, margin=margin: F.margin_ranking_loss(a, b, y, margin, reduction=name), attrs)
        for more in ({}, {"margin": 0.5, "swap": True}, {"ord": 1}):
            theirs = {"p" if key == "ord" else key: value for key, value in more.items()}
            operands = {"anchor": draw.normal(3, 2), "positive": draw.normal(3, 2), "negative": draw.normal(3, 2)}
            cases.add("tripletMargin", operands, lambda anchor, positive, negative, name=name, theirs=theirs: F.triplet_margin_loss(anchor, positive, negative, reduction=name, **theirs), {"reduction": name, **more})


def weighted_hinge(scores, labels, weights, reduction):
    each = torch.relu(scores - scores.gather(1, labels[:, None]) + 1).sum(1) - 1
    return reduce(weights[labels] * each, reduction)


def add_all(cases):
    add_activations(cases)
    add_normalizations(cases)
    add_attention(cases)
    add_losses(cases)
    add_weighted_losses(cases)
