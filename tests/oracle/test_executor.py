import pytest

import corpus
import exclusions
import executor_cases


@pytest.mark.parametrize("case", corpus.all_cases(), ids=lambda case: case.id)
def test_case(case):
    result = executor_cases.check(case)
    exclusions.judge("executor", case.id, result, executor_cases.GOOD)


@pytest.mark.parametrize("row", executor_cases.EXCLUSIONS, ids=lambda row: row.pattern)
def test_exclusion_matches_a_case(row):
    assert any(exclusions.find([row], case.id) for case in corpus.all_cases())
