"""What PyTorch's two exporters write today, with what PyTorch computes for two batch sizes: logits, and loss and gradients for the first one.

    python scripts/reference/onnx_exporters.py OUT [NAME...]

writes OUT/NAME-new.onnx (torch.export, the default since 2.9), OUT/NAME-old.onnx (TorchScript) and OUT/NAME.safetensors. The models are those of onnx_families.py and
three more with the topology of Llama, T5 and Whisper. Run with torch 2.13.0 and onnxscript 0.7.2.
"""

import os
import sys
import traceback
import warnings

import torch
import torch.nn as nn
import torch.nn.functional as F
from onnx_families import FAMILIES, save, unequal

warnings.filterwarnings("ignore")
FIRST, SECOND = 3, 5


class Rms(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6))


class Llama(nn.Module):
    """Llama: normalised by root mean squares, rotated positions, fewer heads of keys, gated layers, no biases."""

    def __init__(self, vocabulary=29, width=16, heads=4, groups=2):
        super().__init__()
        self.embed_tokens = nn.Embedding(vocabulary, width)
        self.layers = nn.ModuleList()
        size = width // heads
        for _ in range(2):
            layer = nn.Module()
            layer.input_layernorm, layer.post_attention_layernorm = Rms(width), Rms(width)
            layer.q_proj, layer.o_proj = nn.Linear(width, width, bias=False), nn.Linear(width, width, bias=False)
            layer.k_proj, layer.v_proj = nn.Linear(width, groups * size, bias=False), nn.Linear(width, groups * size, bias=False)
            layer.gate_proj, layer.up_proj = nn.Linear(width, 24, bias=False), nn.Linear(width, 24, bias=False)
            layer.down_proj = nn.Linear(24, width, bias=False)
            self.layers.append(layer)
        self.norm = Rms(width)
        self.lm_head = nn.Linear(width, vocabulary, bias=False)
        self.heads, self.groups, self.size = heads, groups, size
        self.register_buffer("inv_freq", 1.0 / (10000 ** (torch.arange(0, size, 2).float() / size)))

    def forward(self, ids):
        x = self.embed_tokens(ids)
        b, t, c = x.shape
        angle = torch.arange(t).float()[:, None] * self.inv_freq[None]
        cos, sin = torch.cat([angle, angle], -1).cos(), torch.cat([angle, angle], -1).sin()

        def turned(z):
            a, b2 = z.chunk(2, -1)
            return z * cos + torch.cat([-b2, a], -1) * sin

        for layer in self.layers:
            h = layer.input_layernorm(x)
            q = turned(layer.q_proj(h).view(b, t, self.heads, self.size).transpose(1, 2))
            k = turned(layer.k_proj(h).view(b, t, self.groups, self.size).transpose(1, 2))
            v = layer.v_proj(h).view(b, t, self.groups, self.size).transpose(1, 2)
            k, v = (z.repeat_interleave(self.heads // self.groups, dim=1) for z in (k, v))
            x = x + layer.o_proj(F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(b, t, c))
            h = layer.post_attention_layernorm(x)
            x = x + layer.down_proj(F.silu(layer.gate_proj(h)) * layer.up_proj(h))
        return self.lm_head(self.norm(x))


class T5(nn.Module):
    """T5: encoder and decoder, positions as a bias by buckets of distance, no scale, root mean squares, the table is the last matrix."""

    def __init__(self, vocabulary=29, width=16, heads=2):
        super().__init__()
        self.shared = nn.Embedding(vocabulary, width)
        self.bias = nn.ModuleList([nn.Embedding(8, heads) for _ in range(2)])
        self.sides = nn.ModuleList([nn.ModuleList([self.layer(width, cross) for _ in range(2)]) for cross in (False, True)])
        self.ends = nn.ModuleList([Rms(width), Rms(width)])
        self.heads = heads

    @staticmethod
    def layer(width, cross):
        layer = nn.Module()
        layer.norm1, layer.norm2 = Rms(width), Rms(width)
        layer.own = nn.ModuleList([nn.Linear(width, width, bias=False) for _ in range(4)])
        if cross:
            layer.norm3 = Rms(width)
            layer.cross = nn.ModuleList([nn.Linear(width, width, bias=False) for _ in range(4)])
        layer.wi, layer.wo = nn.Linear(width, 32, bias=False), nn.Linear(32, width, bias=False)
        return layer

    def attend(self, m, x, y, bias):
        b, t, c = x.shape
        q, k, v = (lin(z).view(b, -1, self.heads, c // self.heads).transpose(1, 2) for lin, z in zip(m, (x, y, y)))
        scores = q @ k.transpose(-2, -1)
        return m[3]((F.softmax(scores if bias is None else scores + bias, -1) @ v).transpose(1, 2).reshape(b, t, c))

    def stack(self, side, x, memory):
        t = x.shape[1]
        at = torch.arange(t)
        apart = at[None, :] - at[:, None]
        bucket = apart.clamp(-4, 3) + 4 if side == 0 else (-apart).clamp(0, 7)
        bias = self.bias[side](bucket).permute(2, 0, 1)[None]
        if side == 1:
            bias = bias + torch.triu(torch.full((t, t), torch.finfo(torch.float32).min), 1)
        for layer in self.sides[side]:
            h = layer.norm1(x)
            x = x + self.attend(layer.own, h, h, bias)
            if memory is not None:
                x = x + self.attend(layer.cross, layer.norm3(x), memory, None)
            x = x + layer.wo(F.relu(layer.wi(layer.norm2(x))))
        return self.ends[side](x)

    def forward(self, ids, target):
        memory = self.stack(0, self.shared(ids), None)
        return F.linear(self.stack(1, self.shared(target), memory) * 0.25, self.shared.weight)


class Whisper(nn.Module):
    """Whisper: two convolutions over a spectrogram, fixed positions, encoder and decoder of PyTorch's own layers, learned positions, tied table."""

    def __init__(self, vocabulary=29, width=16, heads=2):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv1d(8, width, 3, padding=1), nn.Conv1d(width, width, 3, stride=2, padding=1)
        angle = torch.arange(10).float()[:, None] / 10000 ** (torch.arange(8).float()[None] / 8)
        self.register_buffer("positions", torch.cat([angle.sin(), angle.cos()], 1))
        options = {"dim_feedforward": 32, "activation": "gelu", "batch_first": True, "norm_first": True, "dropout": 0.0}
        self.encoder = nn.ModuleList([nn.TransformerEncoderLayer(width, heads, **options) for _ in range(2)])
        self.decoder = nn.ModuleList([nn.TransformerDecoderLayer(width, heads, **options) for _ in range(2)])
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.words, self.places = nn.Embedding(vocabulary, width), nn.Embedding(12, width)

    def forward(self, sound, target):
        x = F.gelu(self.conv2(F.gelu(self.conv1(sound)))).permute(0, 2, 1) + self.positions
        for layer in self.encoder:
            x = layer(x)
        x = self.norm1(x)
        t = target.shape[1]
        y = self.words(target) + self.places(torch.arange(t))
        mask = torch.triu(torch.full((t, t), float("-inf")), 1)
        for layer in self.decoder:
            y = layer(y, x, tgt_mask=mask)
        return self.norm2(y) @ self.words.weight.T


def ids(high, length):
    return lambda n: torch.randint(3, high, (n, length))


def mask(length):
    def make(n):
        m = torch.ones(n, length, dtype=torch.int64)
        m[1, length // 2 :] = 0
        return m

    return make


OWN = {
    "llama": (Llama, {"ids": ids(29, 8)}),
    "t5": (T5, {"ids": ids(29, 8), "target": ids(29, 6)}),
    "whisper": (Whisper, {"sound": lambda n: torch.randn(n, 8, 20), "target": ids(29, 6)}),
}


def of_families():
    makers = {
        "image3x32": lambda n: torch.randn(n, 3, 32, 32),
        "image3x16": lambda n: torch.randn(n, 3, 16, 16),
        "image1x8": lambda n: torch.randn(n, 1, 8, 8),
    }
    given = {
        "resnet": {"image": makers["image3x32"]},
        "mobilenet": {"image": makers["image3x16"]},
        "unet": {"image": makers["image1x8"]},
        "gpt2": {"ids": ids(29, 12)},
        "bert": {"input_ids": ids(31, 10), "attention_mask": mask(10), "token_type_ids": lambda n: torch.cat([torch.zeros(n, 5, dtype=torch.int64), torch.ones(n, 5, dtype=torch.int64)], 1)},
        "vit": {"image": makers["image3x16"]},
        "lstm": {"ids": ids(20, 9)},
    }
    return {name: (FAMILIES[name][0], made) for name, made in given.items()}


def main(out, wanted):
    os.makedirs(out, exist_ok=True)
    for seed, (name, (build, makers)) in enumerate({**of_families(), **OWN}.items()):
        if wanted and name not in wanted:
            continue
        torch.manual_seed(seed)
        model = build()
        for m in model.modules():
            if isinstance(m, nn.BatchNorm2d):
                m.running_mean.normal_(0, 0.2)
                m.running_var.uniform_(0.5, 1.5)
        unequal(model)
        model.eval()
        inputs = {key: make(FIRST) for key, make in makers.items()}
        more = {key: make(SECOND) for key, make in makers.items()}
        logits, other = model(*inputs.values()), model(*more.values())
        classes = logits.shape[1] if name == "unet" else logits.shape[-1]
        y = torch.randint(0, classes, logits.shape[:1] + logits.shape[2:] if name == "unet" else logits.shape[:-1])
        loss = F.cross_entropy(logits if name == "unet" else logits.reshape(-1, classes), y if name == "unet" else y.reshape(-1))
        loss.backward()
        plain = lambda x: x.to(torch.int32) if x.dtype == torch.int64 else x
        found = {f"x/{key}": plain(x) for key, x in inputs.items()}
        found.update({f"more/{key}": plain(x) for key, x in more.items()})
        found.update({"y": plain(y), "logits": logits, "more": other, "loss": loss.reshape(1)})
        for key, p in model.named_parameters():
            found[f"grad/{key}"] = p.grad if p.grad is not None else torch.zeros_like(p)
        save(os.path.join(out, f"{name}.safetensors"), found)
        batch = torch.export.Dim("batch", min=2, max=64)
        for kind, options in {
            "new": {"dynamo": True, "external_data": False, "dynamic_shapes": tuple({0: batch} for _ in inputs)},
            "old": {"dynamo": False, "dynamic_axes": {key: {0: "batch"} for key in inputs}, "opset_version": 17},
        }.items():
            file = os.path.join(out, f"{name}-{kind}.onnx")
            try:
                with torch.no_grad():
                    torch.onnx.export(model, tuple(inputs.values()), file, input_names=list(inputs), output_names=["logits"], verbose=False, **options)
                print(name, kind, os.path.getsize(file), flush=True)
            except Exception as error:
                print(name, kind, "NOT EXPORTED", str(error).strip().split("\n")[0][:200], flush=True)
                if os.environ.get("TRACE"):
                    traceback.print_exc()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
