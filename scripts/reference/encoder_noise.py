# /usr/bin/python3 scripts/reference/encoder_noise.py: how far PyTorch is from itself on test/fixtures/onnx/encoder, where 64 numbers, the keys' bias, have
# gradient 0 but for rounding: this PyTorch on 1, 2 and 4 threads and in f64, against the recorded run. test/nn/pytorch-cases.slow.test.ts says what was found.
# The first weights come out of the model by chainrule's own reader (dist, so `npm run build` before); Node has to be on the path.
import json
import os
import subprocess

import torch
import torch.nn.functional as F

root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
folder = os.path.join(root, "test", "fixtures", "onnx", "encoder")
facts = json.load(open(os.path.join(folder, "case.json")))
reader = """
import { readFileSync } from "node:fs";
import { evaluate, transpose } from "./dist/index.js";
import { parseSafetensors } from "./dist/data.js";
import { onnx } from "./dist/onnx.js";
const file = (name) => new Uint8Array(readFileSync(`test/fixtures/onnx/encoder/${name}`));
const { tensors } = parseSafetensors(file("data.safetensors"));
const { params } = await onnx.read(file("model.onnx"));
const all = { ...tensors };
for (const name of Object.keys(tensors).filter((k) => k.startsWith("final/")).map((k) => k.slice(6))) {
  // The exporter wrote all matrices but the last as [inputs, outputs].
  const turned = name !== "head.weight" && name.endsWith(".weight") && tensors[`final/${name}`].type.shape.length === 2;
  all[`init/${name}`] = turned ? evaluate(transpose(params[name])) : params[name];
}
console.log(JSON.stringify(Object.entries(all).map(([name, { type, data }]) => ({ name, shape: type.shape, data: [...data], whole: type.dtype === "i32" }))));
"""
text = subprocess.run(["node", "--input-type=module", "-e", reader], cwd=root, capture_output=True, check=True, text=True).stdout
tensors = {t["name"]: torch.tensor(t["data"], dtype=torch.int64 if t["whole"] else torch.float32).reshape(t["shape"]) for t in json.loads(text)}
names = [name[5:] for name in tensors if name.startswith("init/")]


def trained(threads, dtype=torch.float32):
    torch.set_num_threads(threads)
    p = {name: tensors["init/" + name].to(dtype).clone().requires_grad_() for name in names}
    optimizer = torch.optim.Adam(p.values(), lr=facts["options"]["lr"])
    for t in range(facts["steps"]):
        x, y = tensors[f"x/{t}"].to(dtype), tensors[f"y/{t}"]
        h = x @ p["emb.weight"].T + p["emb.bias"] + p["pos"].reshape(16, 32)
        for i in range(2):
            b = f"blocks.{i}."
            n = F.layer_norm(h, (32,), p[b + "n1.weight"], p[b + "n1.bias"])
            q, k, v = F.linear(n, p[b + "qkv.weight"], p[b + "qkv.bias"]).view(-1, 16, 3, 4, 8).permute(2, 0, 3, 1, 4)
            seen = ((q @ k.transpose(-1, -2)) * 8**-0.5).softmax(-1) @ v
            h = h + F.linear(seen.transpose(1, 2).reshape(-1, 16, 32), p[b + "o.weight"], p[b + "o.bias"])
            n = F.layer_norm(h, (32,), p[b + "n2.weight"], p[b + "n2.bias"])
            h = h + F.linear(F.gelu(F.linear(n, p[b + "u.weight"], p[b + "u.bias"])), p[b + "v.weight"], p[b + "v.bias"])
        z = F.linear(F.layer_norm(h, (32,), p["norm.weight"], p["norm.bias"]).mean(1), p["head.weight"], p["head.bias"])
        optimizer.zero_grad()
        F.cross_entropy(z, y).backward()
        optimizer.step()
    return {name: value.detach().double() for name, value in p.items()}


def apart(a, b):
    keys, rest = 0.0, 0.0
    for name in names:
        far = (a[name] - b[name].reshape(a[name].shape)).abs()
        if name.endswith("qkv.bias"):
            keys = max(keys, far[32:64].max().item())
            far = torch.cat([far[:32], far[64:]])
        rest = max(rest, far.max().item())
    return f"keys' bias {keys:.2e}, all others {rest:.2e}"


recorded = {name: tensors["final/" + name].double() for name in names}
first = {name: tensors["init/" + name].double() for name in names}
runs = {threads: trained(threads) for threads in (1, 2, 4)}
exact = trained(1, torch.float64)
for threads, run in runs.items():
    print(f"PyTorch {torch.__version__}, {threads} threads, from the recorded 2.13: {apart(run, recorded)}")
for threads in (2, 4):
    print(f"PyTorch {torch.__version__}, 1 thread from {threads}: {apart(runs[1], runs[threads])}")
print(f"f64 from the recorded run: {apart(exact, recorded)}")
print(f"f64 from the first weights: {apart(exact, first)}")
