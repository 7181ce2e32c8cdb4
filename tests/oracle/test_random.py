"""Random ops draw from the right distribution; ONNX Runtime and ONNX have no fixed values to compare with."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import executor_cases
import moments
import remodel
import tflite_build

COUNT = 20_000
RATE = np.linspace(0, 1, COUNT, dtype=np.float32) ** 2


@pytest.fixture(params=["executor", "litert"])
def way(request):
    return request.param


def draw(tmp_path, way: str, node: onnx.NodeProto, inputs: dict, element: int = TensorProto.FLOAT) -> np.ndarray:
    infos = [
        helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(a.dtype), a.shape) for n, a in inputs.items()
    ]
    results = [helper.make_tensor_value_info("y", element, None)]
    graph = helper.make_graph([node], "random", infos, results)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
    onnx.save(model, str(tmp_path / "model.onnx"))
    if way == "litert":
        outcome = remodel.convert(tmp_path / "model.onnx", tmp_path / "model.tflite")
        assert outcome.ok, outcome.message
        session = tflite_build.Session((tmp_path / "model.tflite").read_bytes())
        return session.run([inputs[detail["name"]] for detail in session.inputs])[0]
    outcome, outputs = executor_cases.execute(tmp_path / "model.onnx", inputs)
    assert outcome.ok, outcome.message
    return outputs["y"]


NORMAL = {"mean": 3.0, "scale": 0.5}
UNIFORM = {"low": -1.0, "high": 5.0}
DISTRIBUTIONS = [
    ("RandomNormal", {**NORMAL, "shape": [COUNT]}, 3.0, 0.5),
    ("RandomNormal", {"shape": [COUNT], "seed": 7.0}, 0.0, 1.0),
    ("RandomNormal", {"shape": [COUNT], "scale": 0.5}, 0.0, 0.5),
    ("RandomNormal", {"shape": [COUNT], "mean": 3.0}, 3.0, 1.0),
    ("RandomUniform", {"shape": [COUNT], "high": 3.0}, 1.5, 3 / 12**0.5),
    ("RandomUniform", {"shape": [COUNT], "low": -1.0}, 0.0, 2 / 12**0.5),
    ("RandomUniform", {**UNIFORM, "shape": [COUNT]}, 2.0, 6 / 12**0.5),
    ("RandomUniform", {"shape": [COUNT]}, 0.5, 1 / 12**0.5),
    ("RandomNormalLike", NORMAL, 3.0, 0.5),
    ("RandomUniformLike", UNIFORM, 2.0, 6 / 12**0.5),
]


@pytest.mark.parametrize("op, attributes, mean, deviation", DISTRIBUTIONS)
def test_distribution(tmp_path, way, op, attributes, mean, deviation):
    inputs = {"x": RATE} if op.endswith("Like") else {}
    drawn = draw(tmp_path, way, helper.make_node(op, list(inputs), ["y"], **attributes), inputs)
    assert drawn.shape == (COUNT,) and drawn.dtype == np.float32
    assert moments.distribution(drawn.astype(np.float64), mean, deviation) == ""


def test_random_bounds(tmp_path, way):
    drawn = draw(tmp_path, way, helper.make_node("RandomUniform", [], ["y"], shape=[COUNT], **UNIFORM), {})
    assert drawn.min() >= -1 and drawn.max() < 5


def test_bernoulli(tmp_path, way):
    drawn = draw(tmp_path, way, helper.make_node("Bernoulli", ["x"], ["y"]), {"x": RATE})
    assert moments.bernoulli(RATE.astype(np.float64), drawn.astype(np.float64)) == ""


def test_dropout_in_training(tmp_path, way):
    inputs = {"x": RATE + 1, "ratio": np.array(0.3, np.float32), "training": np.array(True)}
    drawn = draw(tmp_path, way, helper.make_node("Dropout", list(inputs), ["y"]), inputs)
    assert moments.dropout(list(inputs.values()), [drawn.astype(np.float64)]) == ""


def test_multinomial(tmp_path, way):
    logits = np.log(np.array([[0.1, 0.2, 0.7], [0.5, 0.25, 0.25]], np.float32))
    node = helper.make_node("Multinomial", ["x"], ["y"], sample_size=COUNT)
    drawn = draw(tmp_path, way, node, {"x": logits}, TensorProto.INT32)
    assert drawn.shape == (2, COUNT) and drawn.dtype == np.int32
    for row, chances in zip(drawn, np.exp(logits.astype(np.float64))):
        for i, chance in enumerate(chances):
            assert moments.bernoulli(np.full(COUNT, chance), (row == i).astype(np.float64)) == ""
