# torch_step.py NET FILE [THREADS]: one step of training at a time, as often as each line of the input says. Answers the time that took (of the processor; with several
# threads elapsed) and the last loss.
import sys

import torch
import torch.nn.functional as F
from given import clock, given, threads

torch.set_num_threads(threads)
params, d = given(lambda array: torch.from_numpy(array).long() if array.dtype == "int32" else torch.from_numpy(array))
p = {name: t.requires_grad_() for name, t in params.items()}


def mlp():
    h = d["x"]
    count = len(p) // 2
    for i in range(count):
        h = h @ p[f"{i}.w"] + p[f"{i}.b"]
        if i < count - 1:
            h = F.relu(h)
    return F.cross_entropy(h, d["y"]) if h.shape[1] > 1 else F.mse_loss(h[:, 0], d["y"].float())


def convnet():
    h = F.relu(F.conv2d(F.relu(F.conv2d(d["x"], p["c1"], p["d1"])), p["c2"], p["d2"]))
    h = F.max_pool2d(h, 2).flatten(1)
    return F.cross_entropy(F.relu(h @ p["w1"] + p["b1"]) @ p["w2"] + p["b2"], d["y"])


def gpt():
    ids = d["ids"]
    heads, width = 4, p["tok"].shape[1]
    x = p["tok"][ids[:, :-1]] + p["pos"]
    batch, tokens = x.shape[:2]
    mask = torch.tril(torch.ones(tokens, tokens)) == 0
    for i in range(4):
        a = F.layer_norm(x, (width,), p[f"g1{i}"], p[f"h1{i}"]) @ p[f"qkv{i}"] + p[f"qkvb{i}"]
        q, k, v = a.view(batch, tokens, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
        s = (q @ k.transpose(-1, -2)) * (width // heads) ** -0.5
        s = s.masked_fill(mask, -1e9).softmax(-1)
        x = x + (s @ v).transpose(1, 2).reshape(batch, tokens, width) @ p[f"out{i}"] + p[f"outb{i}"]
        u = F.gelu(F.layer_norm(x, (width,), p[f"g2{i}"], p[f"h2{i}"]) @ p[f"up{i}"] + p[f"upb{i}"], approximate="tanh")
        x = x + u @ p[f"down{i}"] + p[f"downb{i}"]
    logits = F.layer_norm(x, (width,), p["g"], p["h"]) @ p["tok"].T
    return F.cross_entropy(logits.reshape(-1, logits.shape[-1]), ids[:, 1:].reshape(-1))


def lstm():
    batch, hidden = d["x"].shape[0], p["w_hh"].shape[1]
    start = torch.zeros(1, batch, hidden)
    weights = [p["w_ih"], p["w_hh"], p["bias"], torch.zeros(4 * hidden)]
    _, h, _ = torch._VF.lstm(d["x"], (start, start), weights, True, 1, 0.0, True, False, True)
    return F.cross_entropy(h[0] @ p["w"] + p["b"], d["y"])


loss_of = {"mlp": mlp, "convnet": convnet, "gpt": gpt, "lstm": lstm}[sys.argv[1]]
if sys.argv[1] == "gpt":
    optimizer = torch.optim.AdamW(p.values(), lr=3e-4, weight_decay=0.1)
else:
    optimizer = torch.optim.SGD(p.values(), lr=0.01)
for line in sys.stdin:
    began = clock()
    for _ in range(int(line)):
        optimizer.zero_grad()
        loss = loss_of()
        loss.backward()
        optimizer.step()
        value = loss.item()
    print(clock() - began, value, flush=True)
