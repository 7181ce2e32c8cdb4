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
