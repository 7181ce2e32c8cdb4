import os

import pytest

import generated

COUNT = 60
# The same graphs in every run: `generated.py` hunts with new ones.
SEED = int(os.environ.get("GENERATED_SEED", "650301"))


@pytest.fixture(scope="module")
def runtimes():
    both = generated.Runtimes()
    yield both
    both.close()


@pytest.mark.parametrize("seed", [SEED * 1000 + index for index in range(COUNT)])
def test_graph(seed, runtimes):
    results = generated.check(seed, runtimes)
    faults = [f"{result.name}: {result.detail}" for result in results if result.verdict not in generated.COMPARED]
    assert not faults, "\n".join(faults)
