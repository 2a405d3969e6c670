"""Layers of chainrule/nn as PyTorch computes them, from parameters in the project's layouts: matrices transposed, one bias where PyTorch has two."""

import torch
import torch.nn.functional as F
from torch.nn.utils.stateless import functional_call

from composite_cases import hold
from fixture_format import Draw

# PyTorch 2's fused attention has no second derivative
if hasattr(torch.backends.cuda, "enable_flash_sdp"):
    torch.backends.cuda.enable_flash_sdp(False)


def linear(x, w, b=None):
    return F.linear(x, w.T, b)


def add_linear(cases):
    for lead in ((), (3,), (2, 3)):
        draw = Draw(f"linear/{lead}")
        cases.add("linear", {"x": draw.normal(*lead, 4), "w": draw.normal(4, 3), "b": draw.normal(3)}, linear)
    cases.add("linear", {"x": draw.normal(2, 4), "w": draw.normal(4, 3)}, linear)


CONVOLUTIONS = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
TRANSPOSED = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}
MOVES = [
    (1, {}),
    (1, {"stride": 2, "padding": 1, "dilation": 2}),
    (2, {"padding": 1}),
    (2, {"stride": [2, 1], "padding": [1, 0], "groups": 2}),
    (3, {"stride": 2, "padding": 1}),
]


def add_convolutions(cases):
    for rank, attrs in MOVES:
        groups = attrs.get("groups", 1)
        draw = Draw(f"conv{rank}d/{attrs}")
        space = [5, 4, 3][: rank] if rank > 1 else [7]
        x, w, b = draw.normal(2, 2, *space), draw.normal(4, 2 // groups, *[3, 2, 2][:rank], scale=0.5), draw.normal(4)
        cases.add(f"conv{rank}d", {"x": x, "w": w, "b": b}, lambda x, w, b, rank=rank, attrs=attrs: CONVOLUTIONS[rank](x, w, b, **attrs), attrs)
    for rank, attrs in MOVES:
        groups = attrs.get("groups", 1)
        more = {**attrs, "outputPadding": 1} if attrs.get("stride") == 2 else attrs
        theirs = {"output_padding" if name == "outputPadding" else name: value for name, value in more.items()}
        draw = Draw(f"convTranspose{rank}d/{attrs}")
        space = [3, 2, 2][:rank] if rank > 1 else [4]
        x, w, b = draw.normal(2, 2, *space), draw.normal(2, 4 // groups, *[3, 2, 2][:rank], scale=0.5), draw.normal(4)
        cases.add(f"convTranspose{rank}d", {"x": x, "w": w, "b": b}, lambda x, w, b, rank=rank, theirs=theirs: TRANSPOSED[rank](x, w, b, **theirs), more)


def batch_norm(x, scale, shift, mean, variance, train, momentum=0.1, epsilon=1e-5):
    axes = [i for i in range(x.dim()) if i != 1]
    shape = [1, -1] + [1] * (x.dim() - 2)
    centre, spread = mean, variance
    if train:
        centre, spread = x.mean(axes), x.var(axes, unbiased=False)
    out = (x - centre.reshape(shape)) / torch.sqrt(spread.reshape(shape) + epsilon) * scale.reshape(shape) + shift.reshape(shape)
    if not train:
        return {"out": out, "mean": mean, "variance": variance}
    now = x.var(axes, unbiased=True).detach()
    return {
        "out": out,
        "mean": (1 - momentum) * mean + momentum * x.mean(axes).detach(),
        "variance": (1 - momentum) * variance + momentum * now,
    }


def add_batch_norm(cases):
    for shape in ((5, 3), (4, 2, 3), (3, 2, 2, 2)):
        for attrs in ({"train": True}, {"train": True, "momentum": 0.3, "epsilon": 1e-3}, {"train": False}):
            draw = Draw(f"batchNorm/{shape}/{attrs}")
            c = shape[1]
            x, scale, shift, mean = draw.normal(*shape), draw.normal(c), draw.normal(c), draw.normal(c)
            variance = draw.uniform(0.5, 2, c)
            running = (mean.clone(), variance.clone())
            theirs = F.batch_norm(x, *running, scale, shift, attrs["train"], attrs.get("momentum", 0.1), attrs.get("epsilon", 1e-5))
            ours = batch_norm(x, scale, shift, mean, variance, **attrs)
            hold(ours["out"], theirs, "batchNorm")
            hold(ours["mean"], running[0], "running mean")
            hold(ours["variance"], running[1], "running variance")
            operands = {"x": x, "scale": scale, "shift": shift, "mean": mean, "variance": variance}
            cases.add("batchNorm", operands, lambda attrs=attrs, **given: batch_norm(**given, **attrs), attrs)


def add_norms(cases):
    draw = Draw("norms")
    for shape, own in (((3, 4), (4,)), ((2, 3, 4), (3, 4))):
        operands = {"x": draw.normal(*shape), "scale": draw.normal(*own), "shift": draw.normal(*own)}
        cases.add("layerNorm", operands, lambda x, scale, shift, own=own: F.layer_norm(x, own, scale, shift))
    x, scale = draw.normal(2, 3, 4), draw.normal(4)
    cases.add("rmsNorm", {"x": x, "scale": scale}, lambda x, scale: x / torch.sqrt((x**2).mean(-1, keepdim=True) + 1e-6) * scale, {"epsilon": 1e-6})
    for shape, groups in (((2, 4, 3), 2), ((2, 6, 2, 2), 3)):
        operands = {"x": draw.normal(*shape), "scale": draw.normal(shape[1]), "shift": draw.normal(shape[1])}
        cases.add("groupNorm", operands, lambda x, scale, shift, groups=groups: F.group_norm(x, groups, scale, shift), {"groups": groups})
    operands = {"x": draw.normal(2, 3, 2, 3), "scale": draw.normal(3), "shift": draw.normal(3)}
    cases.add("instanceNorm", operands, lambda x, scale, shift: F.instance_norm(x, weight=scale, bias=shift))


def add_embedding(cases):
    draw = Draw("embedding")
    cases.add("embedding", {"table": draw.normal(5, 3), "ids": draw.integers(0, 5, 2, 3)}, lambda table, ids: F.embedding(ids, table))


def flat(w, u, b, v=None):
    """PyTorch's four tensors: its second bias is zero but for the new gate of a GRU."""
    second = torch.zeros_like(b) if v is None else torch.cat([torch.zeros(2 * v.shape[0], dtype=v.dtype), v])
    return [w.T, u.T, b, second]


def rnn_over(x, w, u, b, h):
    out, last = torch._VF.rnn_tanh(x, h[None], flat(w, u, b), True, 1, 0.0, False, False, True)
    return {"out": out, "h": last[0]}


def lstm_over(x, w, u, b, h, c):
    out, last, cell = torch._VF.lstm(x, (h[None], c[None]), flat(w, u, b), True, 1, 0.0, False, False, True)
    return {"out": out, "h": last[0], "c": cell[0]}


def gru_over(x, w, u, b, v, h):
    out, last = torch._VF.gru(x, h[None], flat(w, u, b, v), True, 1, 0.0, False, False, True)
    return {"out": out, "h": last[0]}


def add_recurrent(cases):
    n, t, d, hidden = 2, 4, 3, 2
    for name, gates, over, states in (("rnn", 1, rnn_over, "h"), ("lstm", 4, lstm_over, "hc"), ("gru", 3, gru_over, "h")):
        draw = Draw(name)
        operands = {"w": draw.normal(d, gates * hidden), "u": draw.normal(hidden, gates * hidden), "b": draw.normal(gates * hidden)}
        if name == "gru":
            operands["v"] = draw.normal(hidden)
        operands.update({state: draw.normal(n, hidden) for state in states})
        x = draw.normal(n, t, d)
        cases.add(f"{name}.over", {"x": x, **operands}, over)
        backward = lambda x, over=over, **rest: {k: v.flip(1) if k == "out" else v for k, v in over(x.flip(1), **rest).items()}
        cases.add(f"{name}.over", {"x": x, **operands}, backward, {"reverse": True})
        one = lambda x, over=over, **rest: {k: v for k, v in over(x[:, None], **rest).items() if k != "out"}
        cases.add(name, {"x": x[:, 0], **operands}, one)


def heads_of(query, context, q_w, q_b, kv_w, kv_b, out_w, out_b, heads, mask=None, key_mask=None):
    """PyTorch's own multi-head attention; it wants steps first, and true in a bool mask for what is NOT seen."""
    size = query.shape[-1]
    out, _ = F.multi_head_attention_forward(
        query.transpose(0, 1),
        context.transpose(0, 1),
        context.transpose(0, 1),
        size,
        heads,
        torch.cat([q_w.T, kv_w.T]),
        torch.cat([q_b, kv_b]),
        None,
        None,
        False,
        0.0,
        out_w.T,
        out_b,
        training=False,
        key_padding_mask=None if key_mask is None else ~key_mask,
        need_weights=False,
        attn_mask=mask,
    )
    return out.transpose(0, 1)


def attention(x, qkvW, qkvB, outW, outB, keyMask=None, heads=1, causal=False):
    size = x.shape[-1]
    mask = torch.triu(torch.full((x.shape[1], x.shape[1]), -torch.inf, dtype=x.dtype), 1) if causal else None
    return heads_of(x, x, qkvW[:, :size], qkvB[:size], qkvW[:, size:], qkvB[size:], outW, outB, heads, mask, keyMask)


def add_attention(cases):
    n, t, size = 2, 3, 4
    for attrs, padded in (({"heads": 2}, False), ({"heads": 1, "causal": True}, False), ({"heads": 2}, True), ({"heads": 4, "causal": True}, True)):
        draw = Draw(f"attention/{attrs}/{padded}")
        operands = {"x": draw.normal(n, t, size), "qkvW": draw.normal(size, 3 * size), "qkvB": draw.normal(3 * size)}
        operands.update({"outW": draw.normal(size, size), "outB": draw.normal(size)})
        if padded:
            operands["keyMask"] = torch.tensor([[True, True, False], [True, False, True]])
        cases.add("attention", operands, lambda attrs=attrs, **given: attention(**given, **attrs), attrs)
    draw = Draw("crossAttention")
    operands = {"x": draw.normal(n, 2, size), "context": draw.normal(n, t, size), "qW": draw.normal(size, size), "qB": draw.normal(size)}
    operands.update({"kvW": draw.normal(size, 2 * size), "kvB": draw.normal(2 * size), "outW": draw.normal(size, size), "outB": draw.normal(size)})
    cases.add("crossAttention", operands, lambda x, context, qW, qB, kvW, kvB, outW, outB: heads_of(x, context, qW, qB, kvW, kvB, outW, outB, 2), {"heads": 2})


def transformer_block(x, s1, t1, qkvW, qkvB, outW, outB, s2, t2, upW, upB, downW, downB, heads=2, causal=False, activation="gelu"):
    size = x.shape[-1]
    layer = torch.nn.TransformerEncoderLayer(size, heads, upW.shape[1], 0.0, getattr(F, activation), batch_first=True, norm_first=True, dtype=x.dtype)
    parameters = {
        "self_attn.in_proj_weight": qkvW.T, "self_attn.in_proj_bias": qkvB, "self_attn.out_proj.weight": outW.T, "self_attn.out_proj.bias": outB,
        "linear1.weight": upW.T, "linear1.bias": upB, "linear2.weight": downW.T, "linear2.bias": downB,
        "norm1.weight": s1, "norm1.bias": t1, "norm2.weight": s2, "norm2.bias": t2,
    }
    mask = torch.triu(torch.full((x.shape[1], x.shape[1]), -torch.inf, dtype=x.dtype), 1) if causal else None
    return functional_call(layer, parameters, (x, mask))


def add_transformer(cases):
    n, t, size, hidden = 1, 3, 4, 5
    for attrs in ({"heads": 2}, {"heads": 2, "causal": True, "activation": "relu"}):
        draw = Draw(f"transformerBlock/{attrs}")
        shapes = {"s1": (size,), "t1": (size,), "qkvW": (size, 3 * size), "qkvB": (3 * size,), "outW": (size, size), "outB": (size,), "s2": (size,), "t2": (size,)}
        shapes.update({"upW": (size, hidden), "upB": (hidden,), "downW": (hidden, size), "downB": (size,)})
        operands = {"x": draw.normal(n, t, size), **{name: draw.normal(*shape, scale=0.7) for name, shape in shapes.items()}}
        cases.add("transformerBlock", operands, lambda attrs=attrs, **given: transformer_block(**given, **attrs), attrs)


def rotary(x, base=10000.0, offset=0, pairs="neighbours"):
    """By complex numbers: a pair is one, and turns by a power of e^i."""
    steps, size = x.shape[-2:]
    half = size // 2
    halves = torch.stack([x[..., :half], x[..., half:]], -1) if pairs == "halves" else x.reshape(*x.shape[:-1], half, 2)
    angles = torch.arange(offset, offset + steps, dtype=x.dtype)[:, None] * base ** (-torch.arange(half, dtype=x.dtype) / half)
    turned = torch.view_as_real(torch.view_as_complex(halves.contiguous()) * torch.polar(torch.ones_like(angles), angles))
    return torch.cat([turned[..., 0], turned[..., 1]], -1) if pairs == "halves" else turned.reshape(x.shape)


def add_positions(cases):
    draw = Draw("positions")
    for attrs in ({}, {"base": 100, "offset": 3}, {"pairs": "halves"}):
        cases.add("rotary", {"x": draw.normal(2, 3, 4)}, lambda x, attrs=attrs: rotary(x, **attrs), attrs)
    cases.add("positions", {"table": draw.normal(5, 2), "x": draw.normal(2, 3, 2)}, lambda table, x: x + table[: x.shape[1]])
    angles = torch.arange(4, dtype=torch.float64)[:, None] / 10000 ** (torch.arange(3, dtype=torch.float64) / 3)
    cases.add("sinusoidal", {}, lambda: torch.stack([angles.sin(), angles.cos()], -1).reshape(4, 6), {"length": 4, "size": 6})


def add_pooling(cases):
    draw = Draw("pooling")
    for space, size in (((6,), 3), ((5, 7), [2, 3]), ((3, 2), 4)):
        x = draw.normal(2, 2, *space)
        theirs = F.adaptive_avg_pool1d if len(space) == 1 else F.adaptive_avg_pool2d
        cases.add("adaptiveAveragePool", {"x": x}, lambda x, theirs=theirs, size=size: theirs(x, size), {"size": size})
    for space, size in (((7,), 3), ((5, 7), [2, 3]), ((4, 2), 3)):
        # Sevenths, so that there are ties.
        x = (draw.normal(2, 2, *space) * 2).round() / 7
        theirs = F.adaptive_max_pool1d if len(space) == 1 else F.adaptive_max_pool2d
        cases.add("adaptiveMaxPool", {"x": x}, lambda x, theirs=theirs, size=size: theirs(x, size), {"size": size})
    cases.add("globalAveragePool", {"x": draw.normal(2, 3, 2, 3)}, lambda x: F.adaptive_avg_pool2d(x, 1)[:, :, 0, 0])


def add_all(cases):
    add_linear(cases)
    add_convolutions(cases)
    add_batch_norm(cases)
    add_norms(cases)
    add_embedding(cases)
    add_recurrent(cases)
    add_attention(cases)
    add_transformer(cases)
    add_positions(cases)
    add_pooling(cases)
