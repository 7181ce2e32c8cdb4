"""Operators between dequantize and quantize become LiteRT's operators on integers, within one step of the grid."""

from dataclasses import dataclass, field

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper

import remodel
from lite_worker import LiteWorker

RANDOM = np.random.default_rng(5)
IMAGE = (2, 6, 7, 9)
# The grid of what goes in and, where a case has no other, of what comes out.
GRIDS = {"uint8": (0.04, 101), "int8": (0.04, -27), "int16": (0.0003, 0)}


def floats(*shape) -> np.ndarray:
    return RANDOM.uniform(-1, 1, shape).astype(np.float32)


@dataclass
class Case:
    op: str  # LiteRT's
    nodes: list  # from the real numbers "x" (and "x1") to "y"
    shapes: list = field(default_factory=lambda: [IMAGE])
    weights: dict = field(default_factory=dict)  # by name: (array, axis or None), dequantized bytes
    constants: dict = field(default_factory=dict)
    scale: float = 0  # of the result, as a multiple of the operand's; 0: the same grid
    fixed: dict = field(default_factory=dict)  # the result's grid, by type
    types: tuple = ("uint8", "int8", "int16")
    more: int = 0  # operators that change grids
    steps: int = 1  # that kernels may be off
    reference: bool = True  # there is a reference kernel


def node(op, inputs, output="y", **attributes):
    return helper.make_node(op, inputs, [output], output, **attributes)


def conv(kernel, axis=0, inputs=("x", "w", "bias"), then=None, name="CONV_2D", **attributes):
    nodes = [node("Conv", list(inputs), "c" if then else "y", **attributes)]
    return Case(
        name,
        nodes + ([then] if then else []),
        weights={"w": (floats(*kernel), axis)},
        constants={"bias": floats(kernel[0]) * 2} if "bias" in inputs else {},
        scale=2.5,
    )


def moved(op, one, **more):
    return Case(op, [one], **more)


def constant(**arrays):
    return {name: np.asarray(array) for name, array in arrays.items()}


FIXED = {"uint8": (1 / 256, 0), "int8": (1 / 256, -128)}
BOTH = {"uint8": (1 / 128, 128), "int8": (1 / 128, 0)}
WIDER = {"uint8": (1 / 200, 0), "int8": (1 / 200, -128)}
CASES = {
    "conv": conv((5, 6, 3, 3), pads=[1, 1, 1, 1]),
    "conv_one_scale": conv((5, 6, 3, 3), None),
    "conv_no_bias": conv((5, 6, 1, 1), inputs=("x", "w")),
    "conv_relu": conv((5, 6, 3, 2), then=node("Relu", ["c"]), strides=[2, 1]),
    "conv_relu6": conv((5, 6, 3, 2), then=node("Clip", ["c", "zero", "six"])),
    "conv_pads": conv((5, 6, 3, 3), pads=[2, 0, 1, 2], strides=[2, 2]),
    "depthwise": conv((12, 1, 3, 3), name="DEPTHWISE_CONV_2D", group=6, pads=[1, 1, 1, 1]),
    "conv_transpose": Case(
        "TRANSPOSE_CONV",
        [node("ConvTranspose", ["x", "w", "bias"], strides=[2, 2])],
        weights={"w": (floats(6, 5, 2, 2), None)},
        constants={"bias": floats(5)},
        scale=2.5,
    ),
    "gemm": Case(
        "FULLY_CONNECTED",
        [node("Gemm", ["x", "w", "bias"], transB=1)],
        [(4, 10)],
        {"w": (floats(7, 10), 0)},
        {"bias": floats(7)},
        scale=2,
    ),
    "matmul": Case("FULLY_CONNECTED", [node("MatMul", ["x", "w"])], [(2, 3, 10)], {"w": (floats(10, 7), None)}, scale=2),
    "matmul_of_two": Case(
        "BATCH_MATMUL", [node("MatMul", ["x", "x1"])], [(2, 3, 10), (2, 10, 4)], scale=20, types=("uint8", "int8")
    ),
    "add": Case("ADD", [node("Add", ["x", "x1"])], [IMAGE, IMAGE], scale=1.7),
    "add_relu": Case("ADD", [node("Add", ["x", "x1"], "s"), node("Relu", ["s"])], [IMAGE, (6, 1, 1)], scale=1.7),
    "sub": Case("SUB", [node("Sub", ["x", "x1"])], [(3, 5), (3, 5)], scale=1.7),
    "mul": Case("MUL", [node("Mul", ["x", "x1"])], [(3, 5), (3, 1)], scale=5),
    "add_constant": Case("ADD", [node("Add", ["x", "w"])], [(3, 5)], {"w": (floats(3, 5), None)}, scale=1.3, types=("uint8", "int8")),
    "average_pool": Case("AVERAGE_POOL_2D", [node("AveragePool", ["x"], kernel_shape=[3, 2], strides=[2, 2])]),
    "max_pool": Case("MAX_POOL_2D", [node("MaxPool", ["x"], kernel_shape=[3, 2], strides=[2, 2])]),
    "max_pool_pads": Case("MAX_POOL_2D", [node("MaxPool", ["x"], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])]),
    "mean": Case("MEAN", [node("GlobalAveragePool", ["x"])], scale=0.6),
    "reduce_max": Case(
        "REDUCE_MAX", [node("ReduceMax", ["x", "axes"], keepdims=0)], [(3, 4, 5)], constants=constant(axes=np.int64([1]))
    ),
    "concat": Case("CONCATENATION", [node("Concat", ["x", "x1"], axis=1)], [(3, 4), (3, 2)]),
    "concat_grids": Case("CONCATENATION", [node("Concat", ["x", "x1"], axis=1)], [(3, 4), (3, 2)], scale=1.4, more=2),
    "softmax": Case("SOFTMAX", [node("Softmax", ["x"])], [(6, 20)], fixed=FIXED, types=("uint8", "int8")),
    "softmax_grid": Case("SOFTMAX", [node("Softmax", ["x"])], [(6, 20)], fixed=WIDER, more=1, types=("uint8", "int8")),
    "sigmoid": Case("LOGISTIC", [node("Sigmoid", ["x"])], [(6, 20)], fixed=FIXED, types=("uint8", "int8")),
    "tanh": Case("TANH", [node("Tanh", ["x"])], [(6, 20)], fixed=BOTH, types=("uint8", "int8")),
    "relu": Case("RELU", [node("Relu", ["x"])], [(6, 20)], scale=0.7),
    "leaky_relu": Case("LEAKY_RELU", [node("LeakyRelu", ["x"], alpha=0.2)], [(6, 20)], scale=0.9),
    "hard_swish": Case("HARD_SWISH", [node("HardSwish", ["x"])], [(6, 20)], scale=1.1, types=("uint8", "int8")),
    "elu": Case("ELU", [node("Elu", ["x"])], [(6, 20)], scale=0.9, types=("uint8", "int8"), reference=False),
    "pad": Case("PAD", [node("Pad", ["x", "pads"])], [(6, 20)], constants=constant(pads=np.int64([1, 0, 2, 3]))),
    "transpose": moved("TRANSPOSE", node("Transpose", ["x"], perm=[1, 0]), shapes=[(6, 20)], more=1),
    "reshape": moved("RESHAPE", node("Reshape", ["x", "to"]), shapes=[(3, 8)], constants=constant(to=np.int64([4, 6]))),
    "slice": moved(
        "SLICE",
        node("Slice", ["x", "from", "to"]),
        shapes=[(6, 20)],
        constants=constant(**{"from": np.int64([1, 2]), "to": np.int64([5, 17])}),
    ),
    "gather": moved("GATHER", node("Gather", ["x", "at"], axis=1), shapes=[(6, 20)], constants=constant(at=np.int32([4, 1, 1]))),
    "nearest": moved(
        "RESIZE_NEAREST_NEIGHBOR",
        node("Resize", ["x", "", "scales"], mode="nearest", nearest_mode="floor", coordinate_transformation_mode="asymmetric"),
        constants=constant(scales=np.float32([1, 1, 2, 3])),
    ),
    # Kernels weigh with few bits.
    "linear": moved(
        "RESIZE_BILINEAR",
        node("Resize", ["x", "", "scales"], mode="linear"),
        constants=constant(scales=np.float32([1, 1, 2, 3])),
        types=("uint8", "int8"),
        steps=2,
    ),
    "other_grid": Case("QUANTIZE", [node("Identity", ["x"])], [(6, 20)], scale=1.6),
}


def result_grid(case: Case, dtype: str):
    scale, zero = GRIDS[dtype]
    return case.fixed.get(dtype) or ((scale * case.scale, zero // 2) if case.scale else (scale, zero))


def made(case: Case, dtype: str) -> onnx.ModelProto:
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    arrays = dict(case.constants, zero=np.float32(0), six=np.float32(6))
    nodes = []

    def grid(name, scale, zero, of):
        arrays[name + "_scale"], arrays[name + "_zero"] = np.float32(scale), np.asarray(zero).astype(of)
        return [name + "_scale", name + "_zero"]

    for i in range(len(case.shapes)):
        name = f"x{i}" if i else "x"
        scale, zero = GRIDS[dtype]
        inputs = [name + "_codes", *grid(name, scale * (1 if i == 0 or not case.scale else 0.8), zero, dtype)]
        nodes.append(helper.make_node("DequantizeLinear", inputs, [name], name))
    for name, (array, axis) in case.weights.items():
        others = tuple(i for i in range(array.ndim) if i != axis)
        scale = np.abs(array).max(others if axis is not None else None) / 127
        shape = [-1 if i == axis else 1 for i in range(array.ndim)]
        arrays[name + "_codes"] = np.rint(array / np.reshape(scale, shape)).astype(np.int8)
        inputs = [name + "_codes", *grid(name, scale, np.zeros_like(scale), np.int8)]
        nodes.append(helper.make_node("DequantizeLinear", inputs, [name], name, **({} if axis is None else {"axis": axis})))
    nodes += case.nodes
    nodes.append(helper.make_node("QuantizeLinear", ["y", *grid("y", *result_grid(case, dtype), dtype)], ["y_codes"], "last"))
    value = helper.make_tensor_value_info
    used = {name for one in nodes for name in one.input}
    graph = helper.make_graph(
        nodes,
        "quantized",
        [value(f"x{i}_codes" if i else "x_codes", kind, shape) for i, shape in enumerate(case.shapes)],
        [value("y_codes", kind, None)],
        [numpy_helper.from_array(array, name) for name, array in arrays.items() if name in used],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    return onnx.shape_inference.infer_shapes(model)


def codes(shape, dtype: str, seed: int) -> np.ndarray:
    limits = np.iinfo(dtype)
    return np.random.default_rng(seed).integers(limits.min, limits.max + 1, shape).astype(dtype)


def quantized_net(dtype: str) -> onnx.ModelProto:
    """Real numbers in and out; each operator between quantize and dequantize."""
    arrays, nodes, grids = {}, [], 0

    def through_grid(name, scale, zero):
        nonlocal grids
        grids += 1
        arrays[f"s{grids}"], arrays[f"z{grids}"] = np.float32(scale), np.asarray(zero).astype(dtype)
        grid = [f"s{grids}", f"z{grids}"]
        nodes.append(helper.make_node("QuantizeLinear", [name, *grid], [name + "_q"], name + "_q"))
        nodes.append(helper.make_node("DequantizeLinear", [name + "_q", *grid], [name + "_r"], name + "_r"))
        return name + "_r"

    def weights(name, *shape):
        arrays[name + "_codes"] = RANDOM.integers(-127, 128, shape).astype(np.int8)
        arrays[name + "_scale"] = RANDOM.uniform(0.002, 0.006, shape[0]).astype(np.float32)
        nodes.append(helper.make_node("DequantizeLinear", [name + "_codes", name + "_scale"], [name], name, axis=0))
        return name

    def layer(scale, zero, op, inputs, output, **attributes):
        nodes.append(helper.make_node(op, inputs, [output], output, **attributes))
        return through_grid(output, scale, zero)

    low = np.iinfo(dtype).min
    arrays["bias"], arrays["to"], arrays["axes"] = floats(8), np.int64([0, -1]), np.int64([2, 3])
    x = through_grid("x", 0.02, low + 120)
    nodes.append(helper.make_node("Conv", [x, weights("w0", 8, 3, 3, 3), "bias"], ["c0"], "c0", pads=[1, 1, 1, 1], strides=[2, 2]))
    a = layer(0.03, low, "Relu", ["c0"], "a")
    b = layer(0.03, low, "MaxPool", [a], "b", kernel_shape=[2, 2], strides=[1, 1], pads=[0, 0, 1, 1])
    c = layer(0.03, low + 130, "Conv", [b, weights("w1", 8, 1, 3, 3)], "c", group=8, pads=[1, 1, 1, 1])
    d = layer(0.04, low + 90, "Add", [a, c], "d")
    e = layer(0.04, low + 90, "Concat", [d, b], "e", axis=1)
    f = layer(0.03, low + 60, "ReduceMean", [e, "axes"], "f", keepdims=1)
    g = layer(0.03, low + 60, "Reshape", [f, "to"], "g")
    y = layer(0.05, low + 127, "Gemm", [g, weights("w2", 24, 16)], "y", transB=1)
    nodes[-1].output[0] = "result"
    assert y == "y_r"
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "net",
        [value("x", 1, ["N", 3, 17, 20])],
        [value("result", 1, ["N", 24])],
        [numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


@pytest.mark.parametrize("dtype", ["uint8", "int8"])
def test_net(dtype, worker, tmp_path):
    source, result, again = tmp_path / "net.onnx", tmp_path / "net.tflite", tmp_path / "again.tflite"
    onnx.save(quantized_net(dtype), source)
    outcome = remodel.convert(source, result, "-q")
    assert outcome.ok, outcome.message
    operators = worker.operators(result)
    assert operators.count("DEQUANTIZE") == 1 and operators.count("TRANSPOSE") == 1
    assert operators.count("QUANTIZE") == 2  # the input, and one operand of the concat
    outcome = remodel.convert(result, again, "-q")
    assert outcome.ok, outcome.message
    assert sorted(worker.operators(again)) == sorted(operators)
    for batch in (1, 3):
        inputs = {"x": RANDOM.uniform(-2.5, 2.5, (batch, 3, 17, 20)).astype(np.float32)}
        (expected,) = onnxruntime.InferenceSession(source).run(None, inputs)
        assert len(np.unique(expected)) >= 20
        exact = worker.run_exactly(result, inputs)["result"]
        for actual in (worker.run(result, inputs)["result"], exact):
            # A step of rounding in a layer is a few in the last one.
            assert np.abs(actual - expected).max() <= 4 * 0.05 + 1e-5
        np.testing.assert_array_equal(worker.run_exactly(again, inputs)["result"], exact)


@pytest.mark.parametrize("fill", [0, 17, -30])
def test_pad_of_integers(fill, worker, tmp_path):
    """What fills is an integer as it stands, whatever the grid's zero point is."""
    arrays = {"scale": np.float32(0.1), "zero": np.int8(17), "pads": np.int64([0, 1, 2, 0]), "fill": np.int8(fill)}
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "scale", "zero"], ["q"]),
        helper.make_node("Pad", ["q", "pads", "fill"], ["p"]),
        helper.make_node("DequantizeLinear", ["p", "scale", "zero"], ["y"]),
    ]
    value = helper.make_tensor_value_info
    tensors = [numpy_helper.from_array(array, name) for name, array in arrays.items()]
    graph = helper.make_graph(nodes, "pad", [value("x", 1, [3, 5])], [value("y", 1, [5, 6])], tensors)
    source, result = tmp_path / "pad.onnx", tmp_path / "pad.tflite"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10), source)
    outcome = remodel.convert(source, result, "-q")
    assert outcome.ok, outcome.message
    inputs = {"x": floats(3, 5) * 9}
    (expected,) = onnxruntime.InferenceSession(source).run(None, inputs)
    np.testing.assert_allclose(worker.run_exactly(result, inputs)["y"], expected, atol=1e-6)


@pytest.fixture(scope="module")
def worker():
    worker = LiteWorker()
    yield worker
    worker.close()


@pytest.mark.parametrize("name,dtype", [(name, dtype) for name, case in CASES.items() for dtype in case.types])
def test_cluster(name, dtype, worker, tmp_path):
    case = CASES[name]
    model = made(case, dtype)
    source, result = tmp_path / "model.onnx", tmp_path / "model.tflite"
    onnx.save(model, source)
    outcome = remodel.convert(source, result, "-q")
    assert outcome.ok, outcome.message
    inputs = {f"x{i}_codes" if i else "x_codes": codes(shape, dtype, i) for i, shape in enumerate(case.shapes)}
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    (expected,) = onnxruntime.InferenceSession(source, options).run(None, inputs)
    assert len(np.unique(expected)) >= min(20, expected.size // 2)
    for run in (worker.run, worker.run_exactly)[: 1 + case.reference]:
        actual = run(result, inputs)["y_codes"]
        assert actual.dtype == expected.dtype and actual.shape == expected.shape
        assert np.abs(actual.astype(np.int64) - expected.astype(np.int64)).max() <= case.steps
    if not case.reference:
        return
    operators = worker.operators(result)
    assert case.op in operators and "DEQUANTIZE" not in operators and "CAST" not in operators
    # Bytes without a sign get one on their way in, and lose it on their way out.
    changes = (len(case.shapes) + 1 if dtype == "uint8" and case.op != "QUANTIZE" else 0) + case.more
    changes += case.op == "QUANTIZE"
    assert operators.count("QUANTIZE") <= changes
