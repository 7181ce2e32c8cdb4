import pytest

import messages

CASES = messages.all_cases()


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_message(case):
    code, lines, left = messages.run(case)
    assert (code, lines) == (case.code, case.lines)
    if case.code in (1, 2, 4):
        assert left == [], "a refused conversion leaves nothing behind"


def test_the_table_is_long():
    assert len(CASES) >= 40
