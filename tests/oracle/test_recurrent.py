"""Recurrent layers and their cells in loops, in ONNX Runtime and LiteRT at several sizes."""

import recurrent_cases


def test_layers_and_cells():
    wrong = [result for result in recurrent_cases.run() if result.verdict != "right"]
    assert not wrong, "\n".join(f"{result.verdict} {result.name}: {result.detail}" for result in wrong)
