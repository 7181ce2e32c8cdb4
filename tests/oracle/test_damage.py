"""Damaged copies of every model of the onnx wheel: no crash, no hang, no large allocation. scripts/hostile.sh does more
of it, under the sanitizers."""

import subprocess

import pytest

import corpus
import remodel

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
