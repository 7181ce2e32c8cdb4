import pytest

import operator_cases


@pytest.mark.parametrize("case", operator_cases.all_cases(), ids=lambda case: case.name)
def test_case(case, worker):
    faults = [f"{r.name}: {r.detail}" for r in operator_cases.check(case, worker) if r.verdict != "right"]
    assert not faults, "\n".join(faults)
