import pytest

import microsoft_cases
import sweep

MICROSOFT = {name for name, *_ in microsoft_cases.all_cases()}
BASE = [case for case in sweep.singles("microsoft_") if case.name in MICROSOFT]


@pytest.mark.parametrize("case", BASE + sweep.suite(), ids=lambda case: case.name[:80])
def test_variant(case, worker):
    faults = [f"{r.name}: {r.detail}" for r in sweep.check(case, worker) if r.verdict not in sweep.GOOD]
    assert not faults, "\n".join(faults)


def test_enough_is_comparable(worker):
    """ONNX Runtime takes most of its own operators as they stand here."""
    taken = sum(sweep.check(case, worker)[0].verdict != "not comparable" for case in BASE)
    assert taken >= 0.8 * len(BASE)
