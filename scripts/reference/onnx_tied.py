"""A small GPT-2 whose head is its table, exported by PyTorch, which writes the table twice, and what PyTorch makes of it in five steps of training.

    python3 scripts/reference/onnx_tied.py

writes test/fixtures/onnx/tied/gpt2.onnx and gpt2.safetensors: x/STEP, y/STEP, losses, final/PARAMETER (the table once), and the logits of x/0 afterwards.
The exporter is PyTorch's (TorchScript); no other package is needed.
"""

import inspect
import os

import torch
import torch.nn.functional as F

from onnx_families import Gpt, save, unequal

HERE = os.path.join(os.path.dirname(__file__), "..", "..", "test", "fixtures", "onnx", "tied")
STEPS, RATE, MOMENTUM = 5, 0.1, 0.9


def main():
    os.makedirs(HERE, exist_ok=True)
    torch.manual_seed(7)
    model = Gpt()
    unequal(model)
    model.eval()
    x = torch.randint(0, 29, (STEPS, 4, 12))
    y = torch.randint(0, 29, (STEPS, 4, 12))
    newer = {"dynamo": False} if "dynamo" in inspect.signature(torch.onnx.export).parameters else {}
    torch.onnx.export(
        model,
        (x[0],),
        os.path.join(HERE, "gpt2.onnx"),
        input_names=["ids"],
        output_names=["logits"],
        dynamic_axes={"ids": {0: "batch"}},
        opset_version=16,
        **newer,
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE, momentum=MOMENTUM)
    found, losses = {}, []
    for step in range(STEPS):
        loss = F.cross_entropy(model(x[step]).reshape(-1, 29), y[step].reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
        found[f"x/{step}"], found[f"y/{step}"] = x[step].to(torch.int32), y[step].to(torch.int32)
    found["losses"] = torch.stack(losses)
    # The table is one parameter of the model, and so once in this list.
    for key, p in model.named_parameters():
        found[f"final/{key}"] = p
    found["logits"] = model(x[0])
    save(os.path.join(HERE, "gpt2.safetensors"), found)
    print([float(loss) for loss in losses])


main()
