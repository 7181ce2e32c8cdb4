"""ONNX's backend cases in LiteRT: whatever is written is right, and most of it is written."""

import numpy as np
import onnx
import pytest

import lite_operators
import onnx_to_tflite
import remodel
from lite_worker import LiteWorker
from ort_worker import OrtWorker

LEAST_OPERATORS, MOST_OPERATORS_SIZE = 532, 6925  # of operator_cases.py
LEAST, MOST_SIZE = 1386, 29010  # cases that give the expected values, and the operators of their files


def test_what_is_written_is_right():
    results = onnx_to_tflite.run()
    wrong = [result for result in results if result.verdict not in onnx_to_tflite.ACCEPTABLE]
    assert not wrong, "\n".join(f"{result.verdict} {result.name}: {result.detail}" for result in wrong)
    assert sum(result.verdict == "right" for result in results) >= LEAST
    assert onnx_to_tflite.size_of_right(results) <= MOST_SIZE


WHOLE = np.array([[1, 5, 5], [2**60 + 1, -3, 2**60]])
LARGE = {"a": np.array([1, 5, 2**63, 3], np.uint64), "b": np.array([2, 4, 1, 2**63 + 5], np.uint64)}
REALS = {"x": np.array([1e20, -1e20, 1e-6, 0.19, 0.21, -5, 9e3, 2e4], np.float32)}
SLICED = """(float[n, 4] x) => (float[m, 4] y) <int64[1] s = {2}, int64[1] e = {5}, int64[1] a = {0}>
            { y = Slice(x, s, e, a) }"""
# What once was wrong or refused: a graph in ONNX's text form, inputs.
GRAPHS = {
    "activation_that_no_kernel_computes": ("(float[1, 4] x) => (float[2, 4] y) { c = Concat<axis = 0>(x, x)  y = Relu(c) }", {"x": np.array([[-1, 2, -3, 4]], np.float32)}),
    "sums_without_sign": ("(uint64[4] a, uint64[4] b) => (uint64[4] y) { y = Add(a, b) }", LARGE),
    "largest_of_wide_integers": ("(int64[2, 3] x) => (int64[2] y) { y = ArgMax<axis = 1, keepdims = 0>(x) }", {"x": WHOLE}),
    "least_of_wide_integers": ("(int64[2, 3] x) => (int64[2, 1] y) { y = ArgMin<axis = 1>(x) }", {"x": WHOLE}),
    "last_of_wide_integers": ("(int64[2, 3] x) => (int64[2, 1] y) { y = ArgMax<axis = 1, select_last_index = 1>(x) }", {"x": WHOLE}),
    "asinh_near_and_far": ("(float[8] x) => (float[8] y) { y = Asinh(x) }", REALS),
    "sinh_near_zero": ("(float[4] x) => (float[4] y) { y = Sinh(x) }", {"x": np.array([1e-6, -0.4, 0.6, 2], np.float32)}),
    "atanh_near_zero": ("(float[4] x) => (float[4] y) { y = Atanh(x) }", {"x": np.array([1e-6, -0.19, 0.21, 0.9], np.float32)}),
    "slice_of_too_little": (SLICED, {"x": np.ones((1, 4), np.float32)}),
    "slice_of_enough": (SLICED, {"x": np.arange(16, dtype=np.float32).reshape(4, 4)}),
    "bound_beyond_doubles": ("(int64[3] x) => (int64[3] y) <int64 k = {9007199254740993}> { y = Clip(x, k) }", {"x": np.array([2**53, 2**53 + 2, 5])}),
}


def convert(text: str, inputs: dict, folder, worker: OrtWorker):
    """The converted file, and what ONNX Runtime gives for the source."""
    source, converted = folder / "m.onnx", folder / "m.tflite"
    opset = [onnx.helper.make_opsetid("", 17)]
    onnx.save(onnx.helper.make_model(onnx.parser.parse_graph(f"g {text}"), opset_imports=opset, ir_version=8), source)
    return remodel.convert(source, converted), converted, worker.run(source, inputs)["y"]


@pytest.mark.parametrize("name", GRAPHS)
def test_graph(name, tmp_path, worker):
    text, inputs = GRAPHS[name]
    outcome, converted, expected = convert(text, inputs, tmp_path, worker)
    assert outcome.ok, outcome.message
    lite = LiteWorker()
    np.testing.assert_allclose(lite.run(converted, inputs)["y"], expected, rtol=1e-5 if expected.dtype.kind == "f" else 0)
    lite.close()


def test_order_without_sign_is_refused(tmp_path, worker):
    outcome, _, _ = convert("(uint64[4] a, uint64[4] b) => (bool[4] y) { y = Less(a, b) }", LARGE, tmp_path, worker)
    assert outcome.code == remodel.REFUSED and "does not take u64" in outcome.message


def test_operators():
    results = lite_operators.run()
    wrong = [result for result in results if result.verdict not in lite_operators.ACCEPTABLE]
    assert not wrong, "\n".join(f"{result.verdict} {result.name}: {result.detail}" for result in wrong)
    assert sum(result.verdict == "right" for result in results) >= LEAST_OPERATORS
    assert onnx_to_tflite.size_of_right(results) <= MOST_OPERATORS_SIZE
