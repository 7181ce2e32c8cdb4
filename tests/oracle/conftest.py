import pytest

import baseline
from ort_worker import OrtWorker


def pytest_configure(config):
    if not hasattr(config, "workerinput"):  # once, before pytest-xdist starts its workers
        baseline.baseline()


@pytest.fixture(scope="session")
def base():
    return baseline.baseline()


@pytest.fixture(scope="session")
def worker():
    worker = OrtWorker()
    yield worker
    worker.close()
