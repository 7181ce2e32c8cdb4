import pytest

import corpus
import exclusions
import roundtrip

CASES = corpus.all_cases()
SAMPLE_STEP = 10
# The oldest opset needs nearly all decompositions.
FULL = [(case, variant) for variant in ("default", "O0", "opset9") for case in CASES]
SAMPLE = [(case, f"opset{n}") for i, n in enumerate(roundtrip.OPSETS[1:]) for case in CASES[i::SAMPLE_STEP]]


@pytest.mark.parametrize(
    "case, variant", FULL + SAMPLE, ids=[f"{variant}-{case.id}" for case, variant in FULL + SAMPLE]
)
def test_case(case, variant, base, worker):
    result = roundtrip.check(case, variant, base[case.id], worker)
    exclusions.judge("roundtrip", f"{variant}/{case.id}", result, roundtrip.ACCEPTABLE)


@pytest.mark.parametrize("row", roundtrip.INEXPRESSIBLE + roundtrip.TAKEN_APART, ids=lambda row: row.pattern)
def test_exclusion_matches_a_case(row):
    assert any(exclusions.find([row], f"{variant}/{case.id}") for variant in roundtrip.VARIANTS for case in CASES)
