import os

import pytest

import generated
from ort_worker import OrtWorker

COUNT = 60
# The same graphs in every run: `generated.py` hunts with new ones.
SEED = int(os.environ.get("GENERATED_SEED", "650301"))


@pytest.mark.parametrize("seed", [SEED * 1000 + index for index in range(COUNT)])
def test_graph(seed, worker: OrtWorker):
    results = generated.check(seed, worker)
    faults = [f"{result.name}: {result.detail}" for result in results if result.verdict not in generated.COMPARED]
    assert not faults, "\n".join(faults)
