# jax_step.py NET FILE [THREADS]: one step of training, compiled by jit, as often as each line of the input says. Answers the time that took (of the processor; with several
# threads elapsed) and the last loss.
import sys

import jax
import jax.numpy as jnp
from given import clock, given
from jax import lax, nn

params, data = given(jnp.asarray)


def cross_entropy(logits, labels):
    chosen = jnp.take_along_axis(nn.log_softmax(logits), labels[..., None], axis=-1)
    return -chosen.mean()


def mlp(p, d):
    h = d["x"]
    count = len(p) // 2
    for i in range(count):
        h = h @ p[f"{i}.w"] + p[f"{i}.b"]
        if i < count - 1:
            h = nn.relu(h)
    return cross_entropy(h, d["y"]) if h.shape[1] > 1 else ((h[:, 0] - d["y"]) ** 2).mean()


def convnet(p, d):
    conv = lambda x, w, b: nn.relu(lax.conv(x, w, (1, 1), "VALID") + b[:, None, None])
    h = conv(conv(d["x"], p["c1"], p["d1"]), p["c2"], p["d2"])
    h = lax.reduce_window(h, -jnp.inf, lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID").reshape(h.shape[0], -1)
    return cross_entropy(nn.relu(h @ p["w1"] + p["b1"]) @ p["w2"] + p["b2"], d["y"])


def layer_norm(x, g, h):
    centred = x - x.mean(-1, keepdims=True)
    return centred * lax.rsqrt((centred**2).mean(-1, keepdims=True) + 1e-5) * g + h


def gpt(p, d):
    ids = d["ids"]
    heads, width = 4, p["tok"].shape[1]
    x = p["tok"][ids[:, :-1]] + p["pos"]
    batch, tokens = x.shape[:2]
    mask = jnp.tril(jnp.ones((tokens, tokens), bool))
    for i in range(4):
        a = layer_norm(x, p[f"g1{i}"], p[f"h1{i}"]) @ p[f"qkv{i}"] + p[f"qkvb{i}"]
        q, k, v = a.reshape(batch, tokens, 3, heads, width // heads).transpose(2, 0, 3, 1, 4)
        s = (q @ k.swapaxes(-1, -2)) * (width // heads) ** -0.5
        s = nn.softmax(jnp.where(mask, s, -1e9))
        x = x + (s @ v).swapaxes(1, 2).reshape(batch, tokens, width) @ p[f"out{i}"] + p[f"outb{i}"]
        u = nn.gelu(layer_norm(x, p[f"g2{i}"], p[f"h2{i}"]) @ p[f"up{i}"] + p[f"upb{i}"], approximate=True)
        x = x + u @ p[f"down{i}"] + p[f"downb{i}"]
    return cross_entropy(layer_norm(x, p["g"], p["h"]) @ p["tok"].T, ids[:, 1:])


def lstm(p, d):
    x = d["x"]
    hidden = p["w_hh"].shape[1]
    ahead = x @ p["w_ih"].T + p["bias"]

    def cell(carry, a):
        h, c = carry
        i, f, g, o = jnp.split(a + h @ p["w_hh"].T, 4, axis=1)
        c = nn.sigmoid(f) * c + nn.sigmoid(i) * jnp.tanh(g)
        return (nn.sigmoid(o) * jnp.tanh(c), c), None

    start = jnp.zeros((x.shape[0], hidden))
    (h, _), _ = lax.scan(cell, (start, start), ahead.swapaxes(0, 1))
    return cross_entropy(h @ p["w"] + p["b"], d["y"])


net = sys.argv[1]
loss_of = {"mlp": mlp, "convnet": convnet, "gpt": gpt, "lstm": lstm}[net]
zeros = jax.tree.map(jnp.zeros_like, params)


def adam_w(state, grads, rate=3e-4, decay=0.1, b1=0.9, b2=0.999, epsilon=1e-8):
    p, m, v, t = state
    t = t + 1
    m = jax.tree.map(lambda a, g: b1 * a + (1 - b1) * g, m, grads)
    v = jax.tree.map(lambda a, g: b2 * a + (1 - b2) * g * g, v, grads)
    step = lambda w, a, s: w * (1 - rate * decay) - rate * (a / (1 - b1**t)) / (jnp.sqrt(s / (1 - b2**t)) + epsilon)
    return jax.tree.map(step, p, m, v), m, v, t


def sgd(state, grads):
    return (jax.tree.map(lambda w, g: w - 0.01 * g, state[0], grads),)


update, state = (adam_w, (params, zeros, zeros, jnp.float32(0))) if net == "gpt" else (sgd, (params,))


def step(state, d):
    loss, grads = jax.value_and_grad(loss_of)(state[0], d)
    return update(state, grads), loss


compiled = jax.jit(step, donate_argnums=0)
state = jax.tree.map(jnp.array, state)
for line in sys.stdin:
    began = clock()
    for _ in range(int(line)):
        state, loss = compiled(state, data)
        value = float(loss)
    print(clock() - began, value, flush=True)
