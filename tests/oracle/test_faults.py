"""`remodel verify` must see each fault that is put into a converted file, and say so of ties and idle outputs."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import remodel

ROUND = np.random.default_rng(3)


def weight(*shape, scale=0.4) -> np.ndarray:
    return ROUND.normal(0, scale, shape).astype(np.float32)


def network() -> onnx.ModelProto:
    """A small network whose every operand and attribute matters."""
    constants = {
        "w": weight(6, 3, 3, 3),
        "b": weight(6),
        "w2": weight(6, 3, 3, 3, scale=0.2),
        "gain": weight(6) + 1,
        "bias": weight(6),
        "mean": weight(6),
        "variance": np.abs(weight(6)) + 0.5,
        "fc": weight(6, 5),
        "fc_bias": weight(5),
        "shape": np.array([0, -1], np.int64),
    }
    node = helper.make_node
    nodes = [
        node("Conv", ["x", "w", "b"], ["c1"], pads=[1, 1, 1, 1], strides=[2, 2]),
        node("BatchNormalization", ["c1", "gain", "bias", "mean", "variance"], ["n1"], epsilon=0.01),
        node("LeakyRelu", ["n1"], ["r1"], alpha=0.2),
        node("Conv", ["r1", "w2"], ["c2"], pads=[1, 1, 1, 1], group=2),
        node("Sub", ["c2", "r1"], ["s"]),
        node("AveragePool", ["s"], ["p"], kernel_shape=[2, 2], strides=[2, 2]),
        node("GlobalMaxPool", ["p"], ["g"]),
        node("Reshape", ["g", "shape"], ["f"]),
        node("Gemm", ["f", "fc", "fc_bias"], ["logits"], alpha=0.7),
        node("Softmax", ["logits"], ["y"], axis=1),
        node("Transpose", ["p"], ["z"], perm=[0, 2, 3, 1]),
    ]
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "network",
        [info("x", TensorProto.FLOAT, ["batch", 3, 16, 16])],
        [info("y", TensorProto.FLOAT, ["batch", 5]), info("z", TensorProto.FLOAT, ["batch", 4, 4, 6])],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def faults(model: onnx.ModelProto) -> dict[str, onnx.ModelProto]:
    """One fault each: a weight, an attribute, two operands, another operator."""
    found = {}

    def changed(name: str, change) -> None:
        copy = onnx.ModelProto.FromString(model.SerializeToString())
        change(copy.graph)
        if copy != model:
            found[name] = copy

    for i, tensor in enumerate(model.graph.initializer):
        array = numpy_helper.to_array(tensor)
        if array.dtype != np.float32:
            continue
        bent = array.copy()
        bent.reshape(-1)[array.size // 2] += 0.05 * (np.abs(array).max() + 1)
        for kind, value in (("one element", bent), ("reversed", np.ascontiguousarray(array[::-1])), ("scaled", array * np.float32(1.01))):
            change = lambda g, i=i, v=value, t=tensor: g.initializer[i].CopyFrom(numpy_helper.from_array(v, t.name))
            changed(f"weight {tensor.name} {kind}", change)
    for i, node in enumerate(model.graph.node):
        for k, attribute in enumerate(node.attribute):

            def bend(graph, i=i, k=k):
                a = graph.node[i].attribute[k]
                if a.type == onnx.AttributeProto.FLOAT:
                    a.f = a.f * 1.5 + 0.1
                elif a.name == "perm":
                    a.ints[1], a.ints[2] = a.ints[2], a.ints[1]
                elif a.name == "pads":
                    a.ints[:] = [2, 1, 0, 1]

            changed(f"{node.op_type} {attribute.name}", bend)
        if node.op_type in ("Sub", "Div"):
            changed(f"{node.op_type} operands", lambda g, i=i: g.node[i].input.reverse())
        other = {"AveragePool": "MaxPool", "LeakyRelu": "Relu", "Softmax": "LogSoftmax", "Sub": "Add"}.get(node.op_type)
        if other:

            def replace(graph, i=i, other=other):
                graph.node[i].op_type = other
                if other == "Relu":
                    del graph.node[i].attribute[:]

            changed(f"{node.op_type} as {other}", replace)
    return found


@pytest.fixture(scope="module")
def converted(tmp_path_factory) -> tuple[Path, onnx.ModelProto]:
    folder = tmp_path_factory.mktemp("faults")
    onnx.save(network(), str(folder / "source.onnx"))
    assert remodel.convert(folder / "source.onnx", folder / "converted.onnx").ok
    return folder / "source.onnx", onnx.load(str(folder / "converted.onnx"))


def verify(*arguments) -> dict:
    outcome, text = remodel.call_for_output("verify", *arguments, "--json")
    return {"code": outcome.code, **json.loads(text)}


def test_every_fault_is_found(converted, tmp_path):
    source, model = converted
    broken = faults(model)
    assert len(broken) >= 20
    missed = []
    for name, fault in broken.items():
        onnx.save(fault, str(tmp_path / "broken.onnx"))
        if verify(source, tmp_path / "broken.onnx")["code"] != remodel.CHECK_FAILED:
            missed.append(name)
    assert not missed


def test_the_sound_file_passes(converted, tmp_path):
    source, model = converted
    onnx.save(model, str(tmp_path / "sound.onnx"))
    assert verify(source, tmp_path / "sound.onnx")["code"] == remodel.OK


def single(node: onnx.NodeProto, dims: list, out: int = TensorProto.FLOAT, constants=()) -> onnx.ModelProto:
    info = helper.make_tensor_value_info
    outputs = [info(name, kind, None) for name, kind in zip(node.output, (out, TensorProto.INT64)[-len(node.output) :])]
    graph = helper.make_graph([node], "single", [info("x", TensorProto.FLOAT, dims)], outputs, list(constants))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def test_an_output_that_never_changes_is_not_verified(tmp_path):
    """Relu of what is always negative: any other such function would pass."""
    lift = numpy_helper.from_array(np.float32(-1000), "lift")
    nodes = [helper.make_node("Add", ["x", "lift"], ["low"]), helper.make_node("Relu", ["low"], ["y"])]
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes, "idle", [info("x", TensorProto.FLOAT, [2, 3])], [info("y", TensorProto.FLOAT, [2, 3])], [lift]
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(tmp_path / "a.onnx"))
    outcome, text = remodel.call_for_output(tmp_path / "a.onnx", tmp_path / "b.onnx", "--json")
    assert outcome.ok
    assert [output["verdict"] for output in json.loads(text)["check"]["outputs"]] == ["not exercised"]


@pytest.mark.parametrize("op", ["ArgMax", "TopK"])
def test_near_ties_are_told_and_pass(tmp_path, op):
    """Two candidates that rounding alone tells apart, and that the broken file sees the other way round."""
    values = np.tile(np.array([0.25, 0.5, 0.75, 0.75], np.float32), (3, 1))
    nudged = values.copy()
    nudged[:, 3] += 1e-6
    models = []
    for name, bias in (("a", np.zeros(4, np.float32)), ("b", np.array([0, 0, 2e-6, 0], np.float32))):
        constants = [numpy_helper.from_array(bias, "bias"), numpy_helper.from_array(np.array([1], np.int64), "k")]
        add = helper.make_node("Add", ["x", "bias"], ["moved"])
        if op == "ArgMax":
            node = helper.make_node("ArgMax", ["moved"], ["best"], axis=1)
            outputs = [("best", TensorProto.INT64)]
        else:
            node = helper.make_node("TopK", ["moved", "k"], ["top", "best"], axis=1)
            outputs = [("top", TensorProto.FLOAT), ("best", TensorProto.INT64)]
        info = helper.make_tensor_value_info
        graph = helper.make_graph(
            [add, node],
            "ties",
            [info("x", TensorProto.FLOAT, [3, 4])],
            [info(n, kind, [3, 1]) for n, kind in outputs],
            constants if op == "TopK" else constants[:1],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.save(model, str(tmp_path / f"{name}.onnx"))
        models.append(tmp_path / f"{name}.onnx")
    np.savez(tmp_path / "data.npz", x=nudged)
    report = verify(*models, "--data", tmp_path / "data.npz")
    verdicts = {output["name"]: output["verdict"] for output in report["outputs"]}
    assert report["code"] == remodel.OK, report
    assert "tie" in verdicts["best"], report
