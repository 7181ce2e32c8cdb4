"""The table of what a user sees when something is wrong: tests/messages/*.txt.

    == title
    file NAME BUILDER            a file made by the function of that name in bad_models.py
    text NAME CONTENTS           a file with this text; \\n is a new line
    folder NAME
    $ remodel ARGUMENTS          run in a folder that holds these alone
    exit CODE
    the exact lines on standard error

    python tests/oracle/messages.py --update     writes down what the program says now: read the difference
"""

import argparse
import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import bad_models
import remodel

FOLDER = remodel.ROOT / "tests" / "messages"


@dataclass
class Case:
    source: Path
    title: str
    setup: list[str] = field(default_factory=list)
    command: str = ""
    code: int = 0
    lines: list[str] = field(default_factory=list)

    @property
    def id(self) -> str:
        return f"{self.source.stem}-{self.title.replace(' ', '_')}"

    def text(self) -> str:
        return "\n".join([f"== {self.title}", *self.setup, f"$ {self.command}", f"exit {self.code}", *self.lines, ""])


def parse(source: Path) -> list[Case]:
    cases = []
    for line in source.read_text().splitlines():
        if line.startswith("== "):
            cases.append(Case(source, line[3:]))
        elif not line:
            continue
        elif line.startswith("$ "):
            cases[-1].command = line[2:]
        elif not cases[-1].command:
            cases[-1].setup.append(line)
        elif line.startswith("exit ") and not cases[-1].lines:
            cases[-1].code = int(line[5:])
        else:
            cases[-1].lines.append(line)
    return cases


def all_cases() -> list[Case]:
    return [case for source in sorted(FOLDER.glob("*.txt")) for case in parse(source)]


def make(setup: str, folder: Path) -> None:
    kind, name, *rest = setup.split(" ", 2)
    if kind == "folder":
        (folder / name).mkdir()
        return
    if kind == "text":
        made = rest[0].encode().decode("unicode_escape").encode("latin-1")
    else:
        made = getattr(bad_models, rest[0])()
    for path, contents in (made if isinstance(made, dict) else {"FILE": made}).items():
        target = folder / path.replace("FILE", name)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(contents)


def run(case: Case) -> tuple[int, list[str], list[str]]:
    """The exit code, standard error, and the files that are there afterwards though nothing made them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for setup in case.setup:
            make(setup, folder)
        before = {path.relative_to(folder) for path in folder.rglob("*")}
        program, *arguments = shlex.split(case.command)
        assert program == "remodel"
        done = subprocess.run(
            [str(remodel.PROGRAM.resolve()), *arguments], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=60
        )
        after = {path.relative_to(folder) for path in folder.rglob("*")}
        return done.returncode, done.stderr.decode().splitlines(), sorted(map(str, after - before))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--update", action="store_true")
    arguments = parser.parse_args()
    wrong = total = 0
    for source in sorted(FOLDER.glob("*.txt")):
        cases = parse(source)
        for case in cases:
            total += 1
            code, lines, _ = run(case)
            if (code, lines) != (case.code, case.lines):
                wrong += 1
                print(f"{case.id}\n  $ {case.command}\n  exit {code}", *(f"  {line}" for line in lines), sep="\n")
            case.code, case.lines = code, lines
        if arguments.update:
            source.write_text("\n".join(case.text() for case in cases))
    print(f"{total} messages, {wrong} of them other than the table says")
    return int(wrong > 0 and not arguments.update)


if __name__ == "__main__":
    sys.exit(main())
