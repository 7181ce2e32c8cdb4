"""Hybrid operators, and weights in few bits: each is one operator again, to the last bit, and the file grows no larger."""

import collections

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper

import remodel
from lite_worker import LiteWorker
from tflite_build import Grid, Model, options

RANDOM = np.random.default_rng(11)
IMAGE = (2, 6, 7, 4)


def floats(*shape):
    return RANDOM.normal(0.2, 1, shape).astype(np.float32)


def weights(graph, shape, axis=None):
    scale = 0.01 if axis is None else RANDOM.uniform(0.004, 0.02, shape[axis])
    return graph.constant(RANDOM.integers(-127, 128, shape).astype(np.int8), Grid(scale, 0, axis or 0))


def fully(x, units, y, axis=None, bias=True, **fields):
    def build(graph, value):
        operands = [value, weights(graph, (units, x[-1]), axis), graph.constant(floats(units)) if bias else None]
        return graph.op("FULLY_CONNECTED", operands[: 2 + bias], [(y, np.float32)], options("FullyConnected", **fields), 9)

    return x, build


def conv(window, axis=0, x=IMAGE, code="CONV_2D", kind="Conv2D", **fields):
    """`window`: the weights' shape; the result has as many places as x."""

    def build(graph, value):
        channels = window[3] if code == "DEPTHWISE_CONV_2D" else window[0]
        operands = [value, weights(graph, window, axis), graph.constant(floats(channels))]
        table = options(kind, strideH=1, strideW=1, **fields)
        return graph.op(code, operands, [((*x[:3], channels), np.float32)], table, 6)

    return x, build


def transposed(graph, value):
    operands = [graph.constant(np.int32([2, 6, 7, 5])), weights(graph, (5, 3, 3, 4), 0), value]
    table = options("TransposeConv", strideH=1, strideW=1)
    return graph.op("TRANSPOSE_CONV", operands, [((2, 6, 7, 5), np.float32)], table)


def batched(graph, value):
    operands = [value, weights(graph, (2, 6, 5))]
    return graph.op("BATCH_MATMUL", operands, [((2, 3, 5), np.float32)], options("BatchMatMul", asymmetricQuantizeInputs=True), 4)


def shared(graph, value):
    """Several products of one tensor."""
    made = []
    for asymmetric in (True, True, False):
        operands = [value, weights(graph, (6, 6)), graph.constant(floats(6))]
        table = options("FullyConnected", asymmetricQuantizeInputs=asymmetric, fusedActivationFunction=1)
        made.append(graph.op("FULLY_CONNECTED", operands, [((4, 6), np.float32)], table, 9))
    return graph.op("ADD", [graph.op("MUL", made[:2], [((4, 6), np.float32)], options("Mul")), made[2]], [((4, 6), np.float32)], options("Add"))


def layers(graph, value):
    """Those of a network, one behind the other."""
    x = conv((8, 3, 3, 4), fusedActivationFunction=3)[1](graph, value)
    x = conv((1, 3, 3, 8), 3, code="DEPTHWISE_CONV_2D", kind="DepthwiseConv2D", depthMultiplier=1, fusedActivationFunction=1)[1](graph, x)
    x = conv((4, 1, 1, 8))[1](graph, x)
    x = graph.op("ADD", [x, value], [(IMAGE, np.float32)], options("Add"))
    axes = graph.constant(np.int32([1, 2]))
    x = graph.op("MEAN", [x, axes], [((2, 4), np.float32)], options("Reducer"))
    return fully((2, 4), 5, (2, 5), asymmetricQuantizeInputs=True)[1](graph, x)


CASES = {
    "fully": fully((4, 6), 5, (4, 5)),
    "fully_with_zero": fully((4, 6), 5, (4, 5), asymmetricQuantizeInputs=True),
    "fully_relu6": fully((4, 6), 5, (4, 5), asymmetricQuantizeInputs=True, fusedActivationFunction=3),
    "fully_no_bias": fully((4, 6), 5, (4, 5), bias=False, asymmetricQuantizeInputs=True),
    "fully_per_channel": fully((4, 6), 5, (4, 5), 0, asymmetricQuantizeInputs=True),
    "fully_keeps_axes": fully((2, 3, 6), 5, (2, 3, 5), keepNumDims=True, fusedActivationFunction=1),
    "conv": conv((5, 3, 3, 4)),
    "conv_relu": conv((5, 3, 3, 4), fusedActivationFunction=1),
    "conv_one_scale": conv((5, 3, 3, 4), None),
    "conv_dilated": conv((5, 3, 3, 4), dilationHFactor=2, dilationWFactor=2),
    "conv_groups": conv((6, 3, 3, 2), 0),
    "depthwise": conv((1, 3, 3, 8), 3, code="DEPTHWISE_CONV_2D", kind="DepthwiseConv2D", depthMultiplier=2),
    "depthwise_relu6": conv((1, 3, 3, 4), 3, code="DEPTHWISE_CONV_2D", kind="DepthwiseConv2D", depthMultiplier=1, fusedActivationFunction=3),
    "transposed": (IMAGE, transposed),
    "batched": ((2, 3, 6), batched),
    "shared": ((4, 6), shared),
    "layers": (IMAGE, layers),
}


@pytest.fixture(scope="module")
def worker():
    worker = LiteWorker()
    yield worker
    worker.close()


# Of sizes that are given.
FIXED = ("transposed", "batched")


@pytest.mark.parametrize("level", ["0", "1"])
@pytest.mark.parametrize("name,any_batch", [(name, free) for name in CASES for free in (False, True) if not free or name not in FIXED])
def test_written_again(name, any_batch, level, worker, tmp_path):
    shape, build = CASES[name]
    model = Model()
    x = model.main.input("x", (1, *shape[1:]) if any_batch else shape, signature=[-1, *shape[1:]] if any_batch else None)
    y = build(model.main, x)
    model.main.output(y)
    if any_batch:
        for tensor in model.main.table.tensors:
            if tensor.buffer == 0 and len(tensor.shape) and tensor.shape[0] == shape[0]:
                tensor.shapeSignature = [-1, *tensor.shape[1:]]
                tensor.shape[0] = 1
    source, result = tmp_path / "source.tflite", tmp_path / "result.tflite"
    source.write_bytes(model.bytes())
    outcome = remodel.convert(source, result, "-q", "-O", level)
    assert outcome.ok, outcome.message
    kinds = collections.Counter(worker.operators(result))
    del kinds["RESHAPE"]
    assert kinds == collections.Counter(worker.operators(source))
    for inputs in ({"x": floats(*shape)}, {"x": np.abs(floats(*shape))}, {"x": np.zeros(shape, np.float32)}):
        (expected,) = worker.run_exactly(source, inputs).values()
        (actual,) = worker.run_exactly(result, inputs).values()
        np.testing.assert_array_equal(actual, expected)


def narrow(dtype):
    """Weights in few bits that the operators see as reals."""
    model = Model()
    graph = model.main

    def dequantized(shape):
        codes = floats(*shape).astype(np.float16) if dtype == "float16" else RANDOM.integers(-127, 128, shape).astype(np.int8)
        grid = None if dtype == "float16" else Grid(0.01, 0)
        return graph.op("DEQUANTIZE", [graph.constant(codes, grid)], [(shape, np.float32)], options("Dequantize"), 3)

    x = graph.input("x", IMAGE)
    operands = [x, dequantized((32, 3, 3, 4)), graph.constant(floats(32))]
    y = graph.op("CONV_2D", operands, [((2, 6, 7, 32), np.float32)], options("Conv2D", strideH=1, strideW=1))
    y = graph.op("MUL", [y, dequantized((6, 7, 32))], [((2, 6, 7, 32), np.float32)], options("Mul"))
    operands = [y, dequantized((24, 32)), graph.constant(floats(24))]
    y = graph.op("FULLY_CONNECTED", operands, [((2, 6, 7, 24), np.float32)], options("FullyConnected", keepNumDims=True), 5)
    graph.output(y)
    return model.bytes()


@pytest.mark.parametrize("level", ["0", "1"])
@pytest.mark.parametrize("dtype", ["float16", "int8"])
def test_weights_stay_narrow(dtype, level, worker, tmp_path):
    source, result = tmp_path / "source.tflite", tmp_path / "result.tflite"
    source.write_bytes(narrow(dtype))
    outcome = remodel.convert(source, result, "-q", "-O", level)
    assert outcome.ok, outcome.message
    operators = worker.operators(result)
    assert operators.count("DEQUANTIZE") == 3
    assert result.stat().st_size < source.stat().st_size + 1000
    inputs = {"x": floats(*IMAGE)}
    (expected,) = worker.run_exactly(source, inputs).values()
    (actual,) = worker.run_exactly(result, inputs).values()
    np.testing.assert_array_equal(actual, expected)


def test_weights_of_onnx_stay_narrow(worker, tmp_path):
    """Those that a Cast makes 32 bits wide."""
    source, result = tmp_path / "source.onnx", tmp_path / "result.tflite"
    half = numpy_helper.from_array(floats(8, 4, 3, 3).astype(np.float16), "half")
    nodes = [
        helper.make_node("Cast", ["half"], ["w"], to=onnx.TensorProto.FLOAT),
        helper.make_node("Conv", ["x", "w"], ["y"], pads=[1, 1, 1, 1]),
    ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(nodes, "half", [value("x", 1, [2, 4, 6, 7])], [value("y", 1, [2, 8, 6, 7])], [half])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), source)
    outcome = remodel.convert(source, result, "-q")
    assert outcome.ok, outcome.message
    assert worker.operators(result).count("DEQUANTIZE") == 1 and "CAST" not in worker.operators(result)
    inputs = {"x": floats(2, 4, 6, 7)}
    (expected,) = onnxruntime.InferenceSession(source).run(None, inputs)
    np.testing.assert_allclose(worker.run_exactly(result, inputs)["y"], expected, atol=1e-4)
