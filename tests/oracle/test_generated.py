import os
import time

import pytest

import generated
from ort_worker import OrtWorker

COUNT = 60
SEED = int(
    os.environ.setdefault("GENERATED_SEED", str(int(time.time()) % 1_000_000))
)  # one for all pytest-xdist workers


@pytest.mark.parametrize("seed", [SEED * 1000 + index for index in range(COUNT)])
def test_graph(seed, worker: OrtWorker):
    results = generated.check(seed, worker)
    faults = [f"{result.name}: {result.detail}" for result in results if result.verdict not in generated.COMPARED]
    assert not faults, "\n".join(faults)
