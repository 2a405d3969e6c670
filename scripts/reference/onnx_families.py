"""Small models with the topology of well-known ones, exported by PyTorch, with what PyTorch computes: logits, loss and gradients.

    /usr/bin/python3 scripts/reference/onnx_families.py

writes test/fixtures/onnx/families/NAME.onnx and NAME.safetensors. The exporter is PyTorch's (TorchScript); no other package is needed.
"""

import json
import math
import os
import struct

import torch
import torch.nn as nn
import torch.nn.functional as F

HERE = os.path.join(os.path.dirname(__file__), "..", "..", "test", "fixtures", "onnx", "families")


class Bottleneck(nn.Module):
    """ResNet-50's block: 1x1, 3x3, 1x1, and a way around."""

    def __init__(self, cin, mid, cout, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(cin, mid, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(mid)
        self.conv2 = nn.Conv2d(mid, mid, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(mid)
        self.conv3 = nn.Conv2d(mid, cout, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(cout)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = None
        if stride != 1 or cin != cout:
            self.downsample = nn.Sequential(nn.Conv2d(cin, cout, 1, stride=stride, bias=False), nn.BatchNorm2d(cout))

    def forward(self, x):
        around = x if self.downsample is None else self.downsample(x)
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.relu(self.bn2(self.conv2(x)))
        return self.relu(self.bn3(self.conv3(x)) + around)


class ResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(8)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.layer1 = nn.Sequential(Bottleneck(8, 4, 16, 1), Bottleneck(16, 4, 16, 1))
        self.layer2 = nn.Sequential(Bottleneck(16, 8, 32, 2), Bottleneck(32, 8, 32, 1))
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(32, 5)

    def forward(self, image):
        x = self.maxpool(self.relu(self.bn1(self.conv1(image))))
        x = self.layer2(self.layer1(x))
        return self.fc(torch.flatten(self.avgpool(x), 1))


class Inverted(nn.Module):
    """MobileNetV3's block: widened, one filter a channel, squeezed, narrowed."""

    def __init__(self, cin, wide, cout, stride):
        super().__init__()
        self.expand = nn.Sequential(nn.Conv2d(cin, wide, 1, bias=False), nn.BatchNorm2d(wide), nn.Hardswish())
        self.depth = nn.Sequential(
            nn.Conv2d(wide, wide, 3, stride=stride, padding=1, groups=wide, bias=False), nn.BatchNorm2d(wide), nn.Hardswish()
        )
        self.squeeze = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(wide, 4, 1), nn.ReLU(), nn.Conv2d(4, wide, 1), nn.Hardsigmoid())
        self.project = nn.Sequential(nn.Conv2d(wide, cout, 1, bias=False), nn.BatchNorm2d(cout))
        self.around = stride == 1 and cin == cout

    def forward(self, x):
        h = self.depth(self.expand(x))
        h = self.project(h * self.squeeze(h))
        return x + h if self.around else h


class MobileNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(8), nn.Hardswish())
        self.blocks = nn.Sequential(Inverted(8, 16, 8, 1), Inverted(8, 16, 12, 2))
        self.classifier = nn.Linear(12, 5)

    def forward(self, image):
        return self.classifier(self.blocks(self.stem(image)).mean((2, 3)))


class UNet(nn.Module):
    """Down, up, and the way across: a class for each pixel."""

    def __init__(self):
        super().__init__()
        self.down1 = nn.Sequential(nn.Conv2d(1, 6, 3, padding=1), nn.GroupNorm(2, 6), nn.LeakyReLU(0.1))
        self.down2 = nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(6, 12, 3, padding=1), nn.InstanceNorm2d(12, affine=True), nn.ReLU())
        self.up = nn.ConvTranspose2d(12, 6, 2, stride=2)
        self.mix = nn.Sequential(nn.Conv2d(12, 6, 3, padding=1), nn.ReLU())
        self.smooth = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
        self.out = nn.Conv2d(18, 3, 1)

    def forward(self, image):
        a = self.down1(image)
        b = self.down2(a)
        c = self.mix(torch.cat([a, self.up(b)], 1))
        return self.out(torch.cat([c, self.smooth(b)], 1))


class CausalAttention(nn.Module):
    """GPT-2's: one matrix for queries, keys and values, and a mask in a buffer."""

    def __init__(self, width, heads, length):
        super().__init__()
        self.c_attn = nn.Linear(width, 3 * width)
        self.c_proj = nn.Linear(width, width)
        self.heads = heads
        self.register_buffer("mask", torch.tril(torch.ones(length, length)).view(1, 1, length, length) == 1)

    def forward(self, x):
        b, t, c = x.shape
        q, k, v = self.c_attn(x).split(c, dim=2)
        q, k, v = (z.view(b, t, self.heads, c // self.heads).transpose(1, 2) for z in (q, k, v))
        scores = (q @ k.transpose(-2, -1)) / math.sqrt(c // self.heads)
        scores = scores.masked_fill(~self.mask[:, :, :t, :t], float("-inf"))
        y = F.softmax(scores, dim=-1) @ v
        return self.c_proj(y.transpose(1, 2).contiguous().view(b, t, c))


class GptBlock(nn.Module):
    def __init__(self, width, heads, length):
        super().__init__()
        self.ln_1 = nn.LayerNorm(width)
        self.attn = CausalAttention(width, heads, length)
        self.ln_2 = nn.LayerNorm(width)
        self.c_fc = nn.Linear(width, 4 * width)
        self.c_proj = nn.Linear(4 * width, width)

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.c_proj(F.gelu(self.c_fc(self.ln_2(x))))


class Gpt(nn.Module):
    """GPT-2: the table of tokens is also the last matrix."""

    def __init__(self, vocabulary=29, width=16, heads=2, length=12):
        super().__init__()
        self.wte = nn.Embedding(vocabulary, width)
        self.wpe = nn.Embedding(length, width)
        self.h = nn.ModuleList([GptBlock(width, heads, length) for _ in range(2)])
        self.ln_f = nn.LayerNorm(width)
        self.lm_head = nn.Linear(width, vocabulary, bias=False)
        self.lm_head.weight = self.wte.weight

    def forward(self, ids):
        x = self.wte(ids) + self.wpe(torch.arange(ids.shape[1]))
        for block in self.h:
            x = block(x)
        return self.lm_head(self.ln_f(x))


class Bert(nn.Module):
    """BERT: tokens, positions and segments added and normalised, layers normalised behind, a mask added to the scores, a pooled first token."""

    def __init__(self, vocabulary=31, width=16, heads=4, length=12):
        super().__init__()
        self.words = nn.Embedding(vocabulary, width, padding_idx=0)
        self.positions = nn.Embedding(length, width)
        self.segments = nn.Embedding(2, width)
        self.norm = nn.LayerNorm(width, eps=1e-12)
        self.drop = nn.Dropout(0.1)
        self.register_buffer("position_ids", torch.arange(length).view(1, -1))
        self.layers = nn.ModuleList()
        for _ in range(2):
            layer = nn.Module()
            layer.query, layer.key, layer.value, layer.dense = (nn.Linear(width, width) for _ in range(4))
            layer.norm1 = nn.LayerNorm(width, eps=1e-12)
            layer.intermediate, layer.output = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
            layer.norm2 = nn.LayerNorm(width, eps=1e-12)
            self.layers.append(layer)
        self.heads = heads
        self.pooler = nn.Linear(width, width)
        self.classifier = nn.Linear(width, 3)

    def forward(self, input_ids, attention_mask, token_type_ids):
        t = input_ids.shape[1]
        x = self.words(input_ids) + self.positions(self.position_ids[:, :t]) + self.segments(token_type_ids)
        x = self.drop(self.norm(x))
        bias = (1.0 - attention_mask[:, None, None, :].to(x.dtype)) * -10000.0
        for layer in self.layers:
            b, t, c = x.shape
            q, k, v = (m(x).view(b, t, self.heads, c // self.heads).permute(0, 2, 1, 3) for m in (layer.query, layer.key, layer.value))
            scores = torch.matmul(q, k.transpose(-1, -2)) / math.sqrt(c // self.heads) + bias
            h = torch.matmul(self.drop(F.softmax(scores, dim=-1)), v).permute(0, 2, 1, 3).reshape(b, t, c)
            x = layer.norm1(x + layer.dense(h))
            x = layer.norm2(x + layer.output(F.gelu(layer.intermediate(x))))
        return self.classifier(torch.tanh(self.pooler(x[:, 0])))


class Vit(nn.Module):
    """ViT: patches by a convolution, a class token, learned positions, layers normalised before."""

    def __init__(self, width=16, heads=4):
        super().__init__()
        self.patches = nn.Conv2d(3, width, 4, stride=4)
        self.cls = nn.Parameter(torch.randn(1, 1, width) * 0.1)
        self.pos = nn.Parameter(torch.randn(1, 17, width) * 0.1)
        self.blocks = nn.ModuleList()
        for _ in range(2):
            block = nn.Module()
            block.norm1, block.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
            block.qkv, block.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
            block.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
            self.blocks.append(block)
        self.heads = heads
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 5)

    def forward(self, image):
        x = self.patches(image).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls.expand(x.shape[0], -1, -1), x], 1) + self.pos
        for block in self.blocks:
            b, t, c = x.shape
            q, k, v = block.qkv(block.norm1(x)).reshape(b, t, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
            h = ((q @ k.transpose(-2, -1)) * (c // self.heads) ** -0.5).softmax(-1) @ v
            x = x + block.proj(h.transpose(1, 2).reshape(b, t, c))
            x = x + block.mlp(block.norm2(x))
        return self.head(self.norm(x)[:, 0])


class Lstm(nn.Module):
    """A tagger: embeddings, an LSTM in both directions, a label for each word."""

    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(20, 8)
        self.lstm = nn.LSTM(8, 6, num_layers=2, bidirectional=True, batch_first=True)
        self.head = nn.Linear(12, 4)

    def forward(self, ids):
        return self.head(self.lstm(self.emb(ids))[0])


def image(channels, size, n=3):
    return torch.randn(n, channels, size, size)


def tokens(high, *shape):
    return torch.randint(1, high, shape)


MASK = torch.ones(3, 10, dtype=torch.int64)
MASK[1, 7:] = 0
MASK[2, 4:] = 0
FAMILIES = {
    "resnet": (ResNet, {"image": lambda: image(3, 32)}, (3,), {"training": torch.onnx.TrainingMode.PRESERVE, "do_constant_folding": False}),
    "resnet-folded": (ResNet, {"image": lambda: image(3, 32)}, (3,), {}),
    "mobilenet": (MobileNet, {"image": lambda: image(3, 16)}, (3,), {"training": torch.onnx.TrainingMode.PRESERVE, "do_constant_folding": False}),
    "unet": (UNet, {"image": lambda: image(1, 8)}, (3, 8, 8), {}),
    "gpt2": (Gpt, {"ids": lambda: tokens(29, 3, 12)}, (3, 12), {}),
    "bert": (
        Bert,
        {
            "input_ids": lambda: tokens(31, 3, 10),
            "attention_mask": lambda: MASK,
            "token_type_ids": lambda: torch.cat([torch.zeros(3, 5, dtype=torch.int64), torch.ones(3, 5, dtype=torch.int64)], 1),
        },
        (3,),
        {},
    ),
    "vit": (Vit, {"image": lambda: image(3, 16)}, (3,), {}),
    "lstm": (Lstm, {"ids": lambda: tokens(20, 3, 9)}, (3, 9), {}),
}
FREE = {"resnet": (0,), "resnet-folded": (0,), "mobilenet": (0,), "unet": (0,), "gpt2": (0,), "bert": (0, 1), "vit": (0,), "lstm": (1,)}


def save(path, tensors):
    header, blobs, at = {}, [], 0
    for name, t in tensors.items():
        kind = {torch.float32: "F32", torch.int32: "I32", torch.int64: "I64"}[t.dtype]
        blob = t.detach().contiguous().numpy().tobytes()
        header[name] = {"dtype": kind, "shape": list(t.shape), "data_offsets": [at, at + len(blob)]}
        blobs.append(blob)
        at += len(blob)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))


def unequal(model):
    """Equal weights are one initialiser to an exporter, and untrained scales and biases are all equal: these become as if trained."""
    for p in model.parameters():
        if p.dim() == 1:
            p.data.add_(0.1 * torch.randn_like(p))


def main():
    os.makedirs(HERE, exist_ok=True)
    for seed, (name, (build, makers, shape, options)) in enumerate(FAMILIES.items()):
        torch.manual_seed(seed)
        model = build()
        for m in model.modules():
            if isinstance(m, nn.BatchNorm2d):
                # Statistics that do something.
                m.running_mean.normal_(0, 0.2)
                m.running_var.uniform_(0.5, 1.5)
                m.weight.data.uniform_(0.5, 1.5)
                m.bias.data.normal_(0, 0.2)
        unequal(model)
        model.eval()
        inputs = {key: make() for key, make in makers.items()}
        names = ["batch", "length"]
        axes = {key: {axis: names[axis if name != "lstm" else 1] for axis in FREE[name]} for key in inputs}
        with torch.no_grad():
            torch.onnx.export(
                model,
                tuple(inputs.values()),
                os.path.join(HERE, f"{name}.onnx"),
                input_names=list(inputs),
                output_names=["logits"],
                dynamic_axes=axes,
                opset_version=16,
                **options,
            )
        logits = model(*inputs.values())
        classes = logits.shape[1] if name == "unet" else logits.shape[-1]
        y = torch.randint(0, classes, shape)
        loss = F.cross_entropy(logits if name == "unet" else logits.reshape(-1, classes), y if name == "unet" else y.reshape(-1))
        loss.backward()
        found = {f"x/{key}": x.to(torch.int32) if x.dtype == torch.int64 else x for key, x in inputs.items()}
        found.update({"y": y.to(torch.int32), "logits": logits, "loss": loss.reshape(1)})
        for key, p in model.named_parameters():
            found[f"grad/{key}"] = p.grad if p.grad is not None else torch.zeros_like(p)
        save(os.path.join(HERE, f"{name}.safetensors"), found)
        print(name, os.path.getsize(os.path.join(HERE, f"{name}.onnx")), os.path.getsize(os.path.join(HERE, f"{name}.safetensors")))


if __name__ == "__main__":
    main()
