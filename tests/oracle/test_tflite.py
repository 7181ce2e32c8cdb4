"""One-operator TensorFlow Lite models, family by family, against LiteRT."""

import collections

import pytest

import tflite_cases
import tflite_operators  # noqa: F401


@pytest.mark.parametrize("family", tflite_cases.CASES, ids=lambda family: family.__name__)
def test_operators(family, tmp_path):
    counts, wrong = collections.Counter(), []
    for case in family():
        what, message = tflite_cases.verdict(tmp_path, case)
        counts[what] += 1
        if what != "right":
            wrong.append(f"{what} {case.name}: {message}")
    print(", ".join(f"{count} {what}" for what, count in sorted(counts.items())))
    assert counts["right"] > 0
    assert not wrong, "\n".join(wrong)
