"""Damaged copies of every model of the onnx wheel, and of TensorFlow Lite models of every operator: no crash, no hang, no large allocation. scripts/hostile.sh does more
of it, under the sanitizers."""

import subprocess

import pytest

import corpus
import remodel
import tflite_cases

SHARDS = 4


@pytest.mark.parametrize("shard", range(SHARDS))
def test_damaged_models(shard):
    driver = remodel.ROOT / "build" / "fuzz_onnx"
    done = subprocess.run(
        [driver, "--copies", "2", "--shard", f"{shard}/{SHARDS}", *(str(corpus.DATA / group) for group in corpus.GROUPS)],
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-4000:]


def test_damaged_tflite_models(tmp_path):
    seen = {}
    for case in tflite_cases.all_cases():
        operator, variant = case.name.replace(":", "_").split("/")
        seen[operator] = seen.get(operator, 0) + 1
        if seen[operator] <= 2:
            (tmp_path / f"{operator}-{seen[operator]}").write_bytes(case.content)
    driver = remodel.ROOT / "build" / "fuzz_tflite"
    done = subprocess.run([driver, "--copies", "20", tmp_path], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr[-4000:]
