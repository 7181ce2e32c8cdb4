"""Running the layout pass on model files: `build/remodel_layout` lays each out and runs it before and after."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import remodel

PROGRAM = remodel.ROOT / "build" / "remodel_layout"
WAYS = {
    "channels last": [],
    "channels first": ["--to", "first"],
    "by chance": ["--random", "1"],
    "by chance, channels first": ["--to", "first", "--random", "2"],
}


@dataclass
class Row:
    path: str
    boundary: int = 0
    meaning: int = 0
    layout: int = 0
    transposes: int = 0  # in the graph
    milliseconds: float = 0
    nodes: int = 0
    check: str = ""


def parse(line: str) -> Row:
    if line.startswith("ERROR: "):
        message, path = line.rsplit(" ", 1)
        return Row(path, check=message)
    *numbers, rest = line.split(" ", 6)
    check, path = rest.rsplit(" ", 1)
    return Row(path, *map(int, numbers[:4]), float(numbers[4]), int(numbers[5]), check)


def lay_out(paths: list[Path], *options: str, timeout: float = 900) -> list[Row]:
    done = subprocess.run(
        [str(PROGRAM), *options, *map(str, paths)], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout
    )
    rows = [parse(line) for line in done.stdout.splitlines()]
    if len(rows) != len(paths):
        rows.append(Row(str(paths[len(rows)]), check=f"ERROR: ended with {done.returncode}: {done.stderr[-300:]}"))
    return rows


def faults(paths: list[Path], ways=WAYS, readable: bool = True) -> list[str]:
    """What differs, and with `readable` what cannot be read."""
    found = []
    for way, options in ways.items():
        for row in lay_out(paths, *options):
            if row.check.startswith("FAILED") or (row.check.startswith("ERROR") and (readable or "ended with" in row.check)):
                found.append(f"{row.path}, {way}: {row.check}")
    return found
