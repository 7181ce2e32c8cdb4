"""The table of exclusions: exclusions.txt."""

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
    return next((row for row in rows if fnmatchcase(case_id, row.pattern)), None)


def judge(test: str, case_id: str, result, good) -> None:
    """Fails where the verdict is not good, and where a case that is known to fail does not."""
    known = find([row for row in load(test) if row.how == "known"], case_id)
    if known:
        assert result.verdict not in good, f"it passes now: take its row out ({known.reason})"
    else:
        assert result.verdict in good, f"{result.verdict}: {result.detail}"
