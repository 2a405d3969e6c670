# onnx-cases.py FILE: writes all of ONNX's backend node tests, as the installed `onnx` package makes them, to a tar.gz laid out as test/fixtures/onnx/node-cases.tar.gz.
import io
import sys
import tarfile

from onnx import numpy_helper
from onnx.backend.test.case.node import collect_testcases

try:
    cases = collect_testcases(None)
except TypeError:
    cases = collect_testcases()
left = 0
with tarfile.open(sys.argv[1], "w:gz") as tar:

    def put(name, data):
        info = tarfile.TarInfo(name)
        info.size = len(data)
        tar.addfile(info, io.BytesIO(data))

    for case in cases:
        if case.model is None or not case.data_sets:
            left += 1
            continue
        files = {}
        try:
            inputs, outputs = case.data_sets[0]
            for kind, values, infos in (("input", inputs, case.model.graph.input), ("output", outputs, case.model.graph.output)):
                for i, (value, info) in enumerate(zip(values, infos)):
                    tensor = value if hasattr(value, "SerializeToString") else numpy_helper.from_array(value, info.name)
                    files[f"{case.name}/0/{kind}_{i}.pb"] = tensor.SerializeToString()
        except Exception:  # sequences, maps and optional values: no tensors
            left += 1
            continue
        put(f"{case.name}/model.onnx", case.model.SerializeToString())
        put(f"{case.name}/tolerance.txt", f"{case.rtol} {case.atol}\n".encode())
        for name, data in files.items():
            put(name, data)
print(f"{len(cases)} cases, {left} of them without tensors")
