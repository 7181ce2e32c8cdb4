"""Operators on integers stay operators on integers; dequantize, operator, quantize stay three nodes."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

import remodel

RANDOM = np.random.default_rng(11)
W_SCALE = np.float32([0.5, 0.11, 0.03])


def model(nodes, opset: int, x_dims, y_dims, w: np.ndarray) -> onnx.ModelProto:
    constants = {"x_scale": np.float32(0.02), "x_zero": np.uint8(119), "y_scale": np.float32(0.35), "y_zero": np.uint8(131)}
    constants |= {"w": w, "w_scale": W_SCALE, "w_zero": np.zeros(3, np.int8)}
    constants |= {"bias": np.int32([900, -1500, 4000]), "bias_scale": np.float32(0.02) * W_SCALE}
    used = {name for node in nodes for name in node.input}
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "quantized",
        [value("x", TensorProto.UINT8, x_dims)],
        [value("y", TensorProto.UINT8, y_dims)],
        [numpy_helper.from_array(array, name) for name, array in constants.items() if name in used],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def qlinear_conv(opset):
    inputs = "x x_scale x_zero w w_scale w_zero y_scale y_zero bias".split()
    node = helper.make_node("QLinearConv", inputs, ["y"], "conv", pads=[1, 0, 1, 0], strides=[2, 1], group=1)
    w = RANDOM.integers(-127, 128, (3, 2, 3, 2)).astype(np.int8)
    return model([node], opset, [2, 2, 7, 6], [2, 3, 4, 5], w)


def qlinear_matmul(opset):
    node = helper.make_node("QLinearMatMul", "x x_scale x_zero w w_scale w_zero y_scale y_zero".split(), ["y"], "product")
    w = RANDOM.integers(-127, 128, (6, 3)).astype(np.int8)
    return model([node], opset, [5, 6], [5, 3], w)


def qdq_conv(opset):
    nodes = [
        helper.make_node("DequantizeLinear", ["x", "x_scale", "x_zero"], ["xr"], "xr"),
        helper.make_node("DequantizeLinear", ["w", "w_scale", "w_zero"], ["wr"], "wr", axis=0),
        helper.make_node("DequantizeLinear", ["bias", "bias_scale"], ["br"], "br", axis=0),
        helper.make_node("Conv", ["xr", "wr", "br"], ["yr"], "conv", pads=[1, 0, 1, 0], strides=[2, 1]),
        helper.make_node("QuantizeLinear", ["yr", "y_scale", "y_zero"], ["y"], "yq"),
    ]
    w = RANDOM.integers(-127, 128, (3, 2, 3, 2)).astype(np.int8)
    return model(nodes, opset, [2, 2, 7, 6], [2, 3, 4, 5], w)


def converted(source: onnx.ModelProto, folder, *options) -> list[str]:
    """The operators of the converted file, which must give the same integers."""
    onnx.save(source, folder / "in.onnx")
    assert remodel.convert(folder / "in.onnx", folder / "out.onnx", "-q", *options).ok
    dims = [d.dim_value for d in source.graph.input[0].type.tensor_type.shape.dim]
    feed = {"x": RANDOM.integers(0, 256, dims).astype(np.uint8)}
    expected, actual = (onnxruntime.InferenceSession(folder / name).run(None, feed) for name in ("in.onnx", "out.onnx"))
    for a, b in zip(expected, actual, strict=True):
        assert a.std() > 10, "the result hardly moves"
        np.testing.assert_array_equal(a, b)
    return [node.op_type for node in onnx.load(folder / "out.onnx").graph.node]


@pytest.mark.parametrize("options", [[], ["-O0"], ["--opset", "13"], ["--opset", "21"]], ids=" ".join)
@pytest.mark.parametrize("build", [qlinear_conv, qlinear_matmul])
def test_an_operator_on_integers_stays_one(tmp_path, build, options):
    source = build(13)
    assert converted(source, tmp_path, *options) == [source.graph.node[0].op_type]


def test_separate_nodes_stay_separate(tmp_path):
    assert sorted(converted(qdq_conv(13), tmp_path)) == ["Conv", *["DequantizeLinear"] * 3, "QuantizeLinear"]


def test_two_users_of_one_input(tmp_path):
    source = qlinear_conv(13)
    second = source.graph.node.add()
    second.CopyFrom(source.graph.node[0])
    second.name, second.output[0] = "other", "z"
    second.input[3] = "v"
    w = next(numpy_helper.to_array(c) for c in source.graph.initializer if c.name == "w")
    source.graph.initializer.append(numpy_helper.from_array(w[::-1].copy(), "v"))
    source.graph.output.add().CopyFrom(source.graph.output[0])
    source.graph.output[1].name = "z"
    assert converted(source, tmp_path) == ["QLinearConv", "QLinearConv"]
