# onnx-cases.py FILE: writes all of ONNX's backend node tests, as the installed `onnx` package makes them, to a tar.gz laid out as test/fixtures/onnx/node-cases.tar.gz.
# Cases whose inputs or outputs are sequences get tensors there: nodes before them make a sequence of tensors, and nodes behind them take it apart and count it.
import io
import sys
import tarfile

import numpy
from onnx import ModelProto, TensorProto, helper, numpy_helper
from onnx.backend.test.case.node import collect_testcases

try:
    cases = collect_testcases(None)
except TypeError:
    cases = collect_testcases()
left = 0
unfolded = 0


def without_sequences(model, inputs, outputs):
    """The model with tensors for the sequences that it takes and gives, and the tensors."""
    made = ModelProto()
    made.CopyFrom(model)
    graph = made.graph
    before, behind, given, wanted = [], [], [], []

    def element(info):
        return info.type.sequence_type.elem_type.tensor_type.elem_type

    for kind, values, infos in (("input", inputs, list(graph.input)), ("output", outputs, list(graph.output))):
        ports, kept = [], given if kind == "input" else wanted
        for value, info in zip(values, infos):
            if info.type.WhichOneof("value") != "sequence_type":
                ports.append(info)
                kept.append(value)
                continue
            names = [f"{info.name}.{k}" for k in range(len(value))]
            ports += [helper.make_tensor_value_info(name, element(info), v.shape) for name, v in zip(names, value)]
            kept += value
            if kind == "input":
                empty = helper.make_node("SequenceEmpty", [], [info.name], dtype=element(info))
                before.append(helper.make_node("SequenceConstruct", names, [info.name]) if names else empty)
                continue
            for k, name in enumerate(names):
                place = numpy_helper.from_array(numpy.array(k, numpy.int64), f"{name}.place")
                behind.append(helper.make_node("Constant", [], [place.name], value=place))
                behind.append(helper.make_node("SequenceAt", [info.name, place.name], [name]))
            behind.append(helper.make_node("SequenceLength", [info.name], [f"{info.name}.length"]))
            ports.append(helper.make_tensor_value_info(f"{info.name}.length", TensorProto.INT64, []))
            kept.append(numpy.array(len(value), numpy.int64))
        del getattr(graph, kind)[:]
        getattr(graph, kind).extend(ports)
    nodes = [*before, *graph.node, *behind]
    del graph.node[:]
    graph.node.extend(nodes)
    return made, given, wanted


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
            model = case.model
            if any(v.type.WhichOneof("value") == "sequence_type" for v in [*model.graph.input, *model.graph.output]):
                model, inputs, outputs = without_sequences(model, inputs, outputs)
            for kind, values, infos in (("input", inputs, model.graph.input), ("output", outputs, model.graph.output)):
                for i, (value, info) in enumerate(zip(values, infos)):
                    tensor = value if hasattr(value, "SerializeToString") else numpy_helper.from_array(value, info.name)
                    files[f"{case.name}/0/{kind}_{i}.pb"] = tensor.SerializeToString()
        except Exception:  # optional values: no tensors
            left += 1
            continue
        unfolded += model is not case.model
        put(f"{case.name}/model.onnx", model.SerializeToString())
        put(f"{case.name}/tolerance.txt", f"{case.rtol} {case.atol}\n".encode())
        for name, data in files.items():
            put(name, data)
print(f"{len(cases)} cases, {left} of them without tensors, {unfolded} with sequences, which are made of tensors and taken apart")
