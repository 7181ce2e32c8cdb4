"""Running the program under test, one process a call."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(os.environ.get("REMODEL", ROOT / "build" / "remodel"))

OK, REFUSED, USAGE, CHECK_FAILED, IO_ERROR, INTERNAL = 0, 1, 2, 3, 4, 70


@dataclass(frozen=True)
class Outcome:
    code: int
    message: str

    @property
    def ok(self) -> bool:
        return self.code == OK

    @property
    def verdict(self) -> str:
        if self.code == OK:
            return "right"
        if self.code == REFUSED:
            return "refused"
        return "wrong" if self.code == CHECK_FAILED else "crash"


def call(*arguments, timeout: float = 60) -> Outcome:
    return call_for_output(*arguments, timeout=timeout)[0]


def call_for_output(*arguments, timeout: float = 60) -> tuple[Outcome, str]:
    """The outcome and what stands on stdout."""
    command = [str(PROGRAM), *map(str, arguments)]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        return Outcome(-1, f"still running after {timeout:g} s"), ""
    return outcome_of(done), done.stdout.decode("utf-8", "replace")


def outcome_of(done: subprocess.CompletedProcess) -> Outcome:
    lines = (done.stderr + done.stdout).decode("utf-8", "replace").strip().splitlines()
    if done.returncode < 0:
        return Outcome(done.returncode, f"killed by signal {-done.returncode}: {' | '.join(lines[-3:])}")
    return Outcome(done.returncode, "" if done.returncode == 0 else first_error(lines))


def first_error(lines: list[str]) -> str:
    errors = [line for line in lines if "error" in line.lower()]
    return (errors or lines or ["no message"])[0]


def run(model: Path, inputs: Path, outputs: Path, timeout: float = 60) -> Outcome:
    return call("run", model, inputs, outputs, timeout=timeout)


def rewrites(source: Path, target: Path) -> dict[str, int]:
    """The rules that converting applies, with counts."""
    outcome, text = call_for_output(source, target, "--json", "--no-verify")
    return {rule["name"]: rule["count"] for rule in json.loads(text)["rules"]} if outcome.ok else {}


def convert(source: Path, target: Path, *options: str, timeout: float = 60) -> Outcome:
    return call(source, target, *options, timeout=timeout)
