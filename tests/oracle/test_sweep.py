import pytest

import microsoft_cases
import sweep

MICROSOFT = {name for name, *_ in microsoft_cases.all_cases()}
BASE = [case for case in sweep.singles("microsoft_") if case.name in MICROSOFT]


@pytest.mark.parametrize("case", BASE + sweep.suite(), ids=lambda case: case.name[:80])
def test_variant(case, worker):
    faults = [f"{r.name}: {r.detail}" for r in sweep.check(case, worker) if r.verdict not in sweep.GOOD]
    assert not faults, "\n".join(faults)


def test_all_can_be_compared(worker):
    """A case that ONNX Runtime does not take shows nothing."""
    assert not [case.name for case in BASE if sweep.check(case, worker)[0].verdict == "not comparable"]
