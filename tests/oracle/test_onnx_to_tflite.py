"""ONNX's backend cases in LiteRT: whatever is written is right, and most of it is written."""

import numpy as np
import onnx

import onnx_to_tflite
import remodel
from lite_worker import LiteWorker

LEAST = 1379  # cases that give the expected values


def test_what_is_written_is_right():
    results = onnx_to_tflite.run()
    wrong = [result for result in results if result.verdict not in onnx_to_tflite.ACCEPTABLE]
    assert not wrong, "\n".join(f"{result.verdict} {result.name}: {result.detail}" for result in wrong)
    assert sum(result.verdict == "right" for result in results) >= LEAST


def test_what_kernels_ignore_stays_an_operator(tmp_path):
    """Concatenation has an activation in its options that no kernel computes."""
    text = "g (float[1, 4] x) => (float[2, 4] y) { c = Concat<axis = 0>(x, x)  y = Relu(c) }"
    source, converted = tmp_path / "m.onnx", tmp_path / "m.tflite"
    opset = [onnx.helper.make_opsetid("", 17)]
    onnx.save(onnx.helper.make_model(onnx.parser.parse_graph(text), opset_imports=opset, ir_version=8), source)
    assert remodel.convert(source, converted).ok
    x = np.array([[-1, 2, -3, 4]], np.float32)
    worker = LiteWorker()
    for run in (worker.run, worker.run_exactly):
        np.testing.assert_array_equal(run(converted, {"x": x})["y"], np.maximum([x[0], x[0]], 0))
    worker.close()
