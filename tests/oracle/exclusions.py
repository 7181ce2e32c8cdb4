"""The table of exclusions: exclusions.txt."""

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path


@dataclass(frozen=True)
class Exclusion:
    test: str
    pattern: str
    how: str
    reason: str


def load(test: str) -> list[Exclusion]:
    lines = Path(__file__).with_name("exclusions.txt").read_text().splitlines()
    rows = [Exclusion(*line.split(maxsplit=3)) for line in lines if line and not line.startswith("#")]
    return [row for row in rows if row.test == test]


def find(rows: list[Exclusion], case_id: str) -> Exclusion | None:
    return next((row for row in rows if matches(row.pattern, case_id)), None)


def matches(pattern: str, case_id: str) -> bool:
    """`opset<19/...` matches the round trips at each opset below 19."""
    below = re.fullmatch(r"opset<(\d+)/(.*)", pattern)
    if not below:
        return fnmatchcase(case_id, pattern)
    at = re.fullmatch(r"opset(\d+)/(.*)", case_id)
    return bool(at) and int(at[1]) < int(below[1]) and fnmatchcase(at[2], below[2])


def judge(test: str, case_id: str, result, good) -> None:
    """Fails where the verdict is not good, and where a case that is known to fail does not."""
    known = find([row for row in load(test) if row.how == "known"], case_id)
    if known:
        assert result.verdict not in good, f"it passes now: take its row out ({known.reason})"
    else:
        assert result.verdict in good, f"{result.verdict}: {result.detail}"
