"""Ops of ONNX that TensorFlow Lite computes by several operators, beyond the cases in the onnx wheel: LiteRT against ONNX Runtime."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

import remodel
import tflite_build
from compare import range_error

RANDOM = np.random.default_rng(11)
TYPES = {np.dtype(np.float32): TensorProto.FLOAT, np.dtype(np.int64): TensorProto.INT64, np.dtype(np.int32): TensorProto.INT32}


def one_node(op, feeds, outputs=("y",), constants={}, dims={}, domain="", **attributes):
    """`dims`: the declared shape of an input, where it is another than that of what is fed."""
    inputs = [helper.make_tensor_value_info(name, TYPES[value.dtype], dims.get(name, value.shape)) for name, value in feeds.items()]
    held = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    node = helper.make_node(op, [*feeds, *constants], list(outputs), domain=domain, **attributes)
    graph = helper.make_graph([node], "g", inputs, [helper.make_empty_tensor_value_info(name) for name in outputs], held)
    domains = [helper.make_opsetid("", 18)] + [helper.make_opsetid(domain, 2)] * bool(domain)
    return helper.make_model(graph, opset_imports=domains, ir_version=9)


def compare(folder, model, feeds):
    onnx.save(model, folder / "in.onnx")
    expected = onnxruntime.InferenceSession(str(folder / "in.onnx")).run(None, feeds)
    outcome = remodel.convert(folder / "in.onnx", folder / "out.tflite")
    assert outcome.ok, outcome.message
    session = tflite_build.Session((folder / "out.tflite").read_bytes())
    results = session.run([feeds[detail["name"]] for detail in session.inputs])
    for a, b in zip(expected, results, strict=True):
        assert a.shape == b.shape and a.dtype == b.dtype
        assert np.array_equal(a, b) if a.dtype.kind in "iu" else range_error(a, b) < 1e-5


POOLS = {
    "ties and padding": ((2, 3, 7, 9), dict(kernel_shape=[3, 2], pads=[1, 1, 1, 0], strides=[2, 1])),
    "dilated": ((1, 2, 9, 8), dict(kernel_shape=[2, 3], dilations=[3, 2])),
    "ceil": ((1, 2, 8, 7), dict(kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)),
    "columns first": ((1, 2, 5, 6), dict(kernel_shape=[2, 2], storage_order=1)),
    "one axis": ((2, 3, 11), dict(kernel_shape=[3], strides=[2], pads=[1, 1])),
    "three axes": ((1, 2, 4, 5, 6), dict(kernel_shape=[2, 2, 2], strides=[2, 1, 2])),
}


@pytest.mark.parametrize("case", POOLS.values(), ids=POOLS)
def test_max_pool_index(case, tmp_path):
    shape, attributes = case
    x = RANDOM.integers(-9, -2, shape).astype(np.float32)
    # Padding is no less than the least number.
    x.ravel()[::7] = -np.inf
    compare(tmp_path, one_node("MaxPool", {"x": x}, ("y", "index"), **attributes), {"x": x})


@pytest.mark.parametrize("mode", ["avg", "max"])
@pytest.mark.parametrize("transformation", ["half_pixel", "output_half_pixel"])
@pytest.mark.parametrize("open_count", [False, True])
def test_roi_align(mode, transformation, open_count, tmp_path):
    x = RANDOM.normal(size=(2, 3, 12, 16)).astype(np.float32)
    corners = RANDOM.uniform(-6, 70, (5, 2, 2)).astype(np.float32)
    rois = np.concatenate([corners.min(1), corners.max(1)], 1)
    feeds = {"x": x, "rois": rois, "batch": np.int64([0, 1, 1, 0, 1])}
    dims = {"rois": ["n", 4], "batch": ["n"]} if open_count else {}
    model = one_node("RoiAlign", feeds, dims=dims, mode=mode, coordinate_transformation_mode=transformation, output_height=3, output_width=4, sampling_ratio=2, spatial_scale=0.25)
    compare(tmp_path, model, feeds)


@pytest.mark.parametrize("axes", [[0, 2], [-1], [1, 3]])
def test_squeeze_by_axes_of_the_run(axes, tmp_path):
    shape = [1 if axis in [a % 4 for a in axes] else size for axis, size in enumerate((3, 2, 4, 5))]
    feeds = {"x": RANDOM.normal(size=shape).astype(np.float32), "axes": np.int64(axes)}
    compare(tmp_path, one_node("Squeeze", feeds), feeds)


@pytest.mark.parametrize("keep", [0, 1])
@pytest.mark.parametrize("op", ["ReduceMax", "ReduceMin"])
def test_extreme_of_no_numbers(op, keep, tmp_path):
    feeds = {"x": np.zeros((2, 0, 4), np.float32), "axes": np.int64([1])}
    compare(tmp_path, one_node(op, feeds, keepdims=keep), feeds)


ENCODERS = {
    "integers": (np.int64([[3, 9, -1], [1, 3, 7]]), dict(keys_int64s=[1, 3, 7], values_floats=[0.5, -2.0, 4.0], default_float=-7.0)),
    "floats": (np.float32([1.5, -1.5, np.inf, 2]), dict(keys_floats=[-1.5, 1.5, np.inf], values_int64s=[10, 20, 30], default_int64=-1)),
}


@pytest.mark.parametrize("case", ENCODERS.values(), ids=ENCODERS)
def test_label_encoder(case, tmp_path):
    x, attributes = case
    compare(tmp_path, one_node("LabelEncoder", {"x": x}, domain="ai.onnx.ml", **attributes), {"x": x})
