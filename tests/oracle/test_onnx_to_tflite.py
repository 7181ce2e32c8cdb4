"""ONNX's backend cases in LiteRT: whatever is written is right, and most of it is written."""

import onnx_to_tflite

LEAST = 1379  # cases that give the expected values


def test_what_is_written_is_right():
    results = onnx_to_tflite.run()
    wrong = [result for result in results if result.verdict not in onnx_to_tflite.ACCEPTABLE]
    assert not wrong, "\n".join(f"{result.verdict} {result.name}: {result.detail}" for result in wrong)
    assert sum(result.verdict == "right" for result in results) >= LEAST
