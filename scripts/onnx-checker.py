# onnx-checker.py FOLDER: onnx.checker with full_check and strict shape inference (with and without propagation of data) over every .onnx file in a folder; a line for each that is
# not clean, and how many there were.
import os
import sys

import onnx

wrong = 0
names = sorted(name for name in os.listdir(sys.argv[1]) if name.endswith(".onnx"))
for name in names:
    path = os.path.join(sys.argv[1], name)
    try:
        model = onnx.load(path)
        onnx.checker.check_model(model, full_check=True)
        for data_prop in (False, True):
            inferred = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=data_prop)
            # A file that is written as it was read has the sizes that its exporter declared.
            for was, now in () if name.endswith("-again.onnx") else zip(model.graph.output, inferred.graph.output):
                if was != now:
                    raise ValueError(f"output {was.name} is declared and inferred differently")
    except Exception as error:
        wrong += 1
        print(f"{name}: {str(error).strip().splitlines()[0][:300]}")
print(f"{len(names)} files, {wrong} not clean, onnx {onnx.__version__}")
