"""Runs the numbered claims in full and writes docs/evidence.md.

python tests/oracle/evidence.py [N ...]        only these sections; the others stay as they are
"""

import datetime
import importlib.metadata
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter

import baseline
import corpus
import executor_cases
import exclusions
import generated
import models
import remodel
import roundtrip
from ort_worker import OrtWorker
from report import Result

PAGE = remodel.ROOT / "docs" / "evidence.md"
PACKAGES = "numpy onnx onnxruntime onnxscript onnxsim onnxslim torch torchvision transformers".split()
GRAPHS = 500
EXECUTOR_GOALS = {"node": 1590}  # of the other groups, all


def table(header: list[str], rows: list[list]) -> list[str]:
    lines = ["| " + " | ".join(map(str, row)) + " |" for row in [header, ["---"] * len(header), *rows]]
    return [*lines, ""]


def first_line(text: str) -> str:
    """Without the folder that a case was run in."""
    return re.sub(rf"{tempfile.gettempdir()}/\w+/", "", text.split("\n", 1)[0])


def listed(title: str, results: list[Result]) -> list[str]:
    if not results:
        return []
    rows = [f"- `{result.name}` {result.verdict}: {first_line(result.detail)}" for result in results]
    return [f"<details><summary>{title}: {len(results)}</summary>", "", *rows, "", "</details>", ""]


def executor() -> tuple[list[str], bool]:
    rows, bad, good = [], [], True
    for group in corpus.GROUPS:
        results = executor_cases.run(group)
        counts = Counter(result.verdict for result in results)
        goal = EXECUTOR_GOALS.get(group, len(results))
        good &= counts["right"] >= goal
        others = len(results) - counts["right"] - counts["excluded"]
        rows.append([group, len(results), counts["right"], goal, counts["excluded"], others])
        bad += [result for result in results if result.verdict not in executor_cases.GOOD]
    lines = table(["group", "cases", "right", "goal", "excluded", "not right"], rows) + listed("Not right", bad)
    lines += ["Excluded:", ""]
    lines += [f"- `{row.pattern}`: {row.reason} ({row.how})" for row in exclusions.load("executor")] + [""]
    return lines, good


def round_trip() -> tuple[list[str], bool]:
    base = Counter(entry["verdict"] for entry in baseline.baseline().values())
    lines = [f"ONNX Runtime passes {base['right']} of {base.total()} originals.", ""]
    columns = ["right", "gained", "inexpressible", "refused", "wrong", "unloadable", "invalid", "crash", "stale", "not asked"]
    rows, details, good = [], [], True
    for variant in roundtrip.VARIANTS:
        results = roundtrip.run(variant)
        counts = Counter(result.verdict for result in results)
        rows.append([variant, *(counts[column] for column in columns)])
        bad = [result for result in results if result.verdict not in roundtrip.ACCEPTABLE]
        details += listed(f"{variant}, not right", bad)
        details += listed(f"{variant}, not expressible", [r for r in results if r.verdict == "inexpressible"])
        good &= not bad
    lines += table(["written as", *columns], rows)
    lines += [
        "right: as ONNX Runtime passes the original; gained: it did not pass that one; not asked: nor does it now; "
        "inexpressible: refused, and exclusions.txt says why the opset has neither a form nor a decomposition; "
        "invalid: refused by onnx.checker, another interface, or operators outside ai.onnx that the source lacks.",
        "",
    ]
    return lines + details, good


def whole_models() -> tuple[list[str], bool]:
    worker = OrtWorker(timeout=600)
    lines, good = [], True
    for title, options in (("default", []), ("-O0", ["-O0"])):
        rows = []
        for name in models.NAMES:
            row = models.check(name, options, worker)
            print(models.line(row), flush=True)
            good &= not row.faults
            errors = [f"{row.converted_error:.1e}", f"{row.executor_error:.1e}", f"{row.seconds:.2f}"]
            rows.append([row.name, row.nodes, row.slim, row.ours, *errors, "; ".join(row.faults)])
        header = ["model", "nodes", "onnxslim", "Remodel", "error, converted", "error, executor", "seconds", "faults"]
        lines += [f"Converted with {title}:", "", *table(header, rows)]
    worker.close()
    return lines, good


def generated_graphs() -> tuple[list[str], bool]:
    seed = int(time.time()) % 1_000_000
    results = generated.run([seed * 1000 + index for index in range(GRAPHS)])
    counts = Counter(
        (result.name.rsplit(" ", 1)[-1], result.verdict) for result in results if result.verdict != "not comparable"
    )
    lines = [f"Seed {seed}, {GRAPHS} graphs of 5-40 ops.", ""]
    lines += table(["way", "verdict", "graphs"], [[*key, count] for key, count in sorted(counts.items())])
    bad = [result for result in results if result.verdict not in generated.COMPARED]
    return lines + listed("Not right", bad), not bad


def command(*words: str):
    """A section that is a program's output."""

    def run() -> tuple[list[str], bool]:
        done = subprocess.run(words, cwd=remodel.ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        print(done.stdout)
        return ["```", f"$ {' '.join(words)}", *done.stdout.rstrip().splitlines(), "```", ""], done.returncode == 0

    return run


def python(script: str, *arguments: str):
    return command(".venv-evidence/bin/python", script, *arguments)


SECTIONS = {
    1: ("Executor: ONNX's own backend tests", executor),
    2: ("Round trip of ONNX's backend tests", round_trip),
    3: ("Whole models", whole_models),
    4: ("Generated graphs", generated_graphs),
    5: ("Speed and memory", python("bench/bench.py")),
    6: ("Hostile input", command("scripts/hostile.sh")),
    7: ("Messages", python("tests/oracle/messages.py")),
    8: ("Tests that catch", python("scripts/mutate.py")),
    9: ("Build", command("scripts/build-times.sh")),
    10: ("Transposes left for a target with channels last", python("tests/oracle/layouts.py", "--models")),
    11: ("ONNX's backend tests in TensorFlow Lite", python("tests/oracle/onnx_to_tflite.py")),
    12: ("TensorFlow Lite's operators", python("tests/oracle/tflite_cases.py")),
    13: ("Whole models in TensorFlow Lite", python("tests/oracle/lite_models.py")),
}


def stamp() -> str:
    packages = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=remodel.ROOT, capture_output=True, text=True)
    processor = re.search(r"model name\s*: (.*)", open("/proc/cpuinfo").read())
    where = processor[1] if processor else platform.machine()
    tools = f"Python {platform.python_version()}, {packages}"
    return f"{datetime.date.today()}, commit {commit.stdout.strip()}, {where}; {tools}."


def sections_of_page() -> dict[int, str]:
    text = PAGE.read_text() if PAGE.exists() else ""
    return {int(part.split(".", 1)[0]): "## " + part for part in re.split(r"^## (?=\d+\. )", text, flags=re.M)[1:]}


def main() -> int:
    wanted = [int(word) for word in sys.argv[1:]] or list(SECTIONS)
    kept, good = sections_of_page(), True
    for number in wanted:
        title, run = SECTIONS[number]
        print(f"-- {number}. {title}", flush=True)
        start = time.monotonic()
        lines, passed = run()
        good &= passed
        verdict = "holds" if passed else "DOES NOT HOLD"
        head = [f"## {number}. {title}", "", f"{verdict}. {stamp()} Took {time.monotonic() - start:.0f} s.", ""]
        kept[number] = "\n".join(head + lines) + "\n"
        intro = "# Evidence\n\nWritten by `make evidence`; each section names its date and versions.\n\n"
        PAGE.write_text(intro + "".join(kept[key].rstrip() + "\n\n" for key in sorted(kept)))
        print(f"-- {number}. {verdict}", flush=True)
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())
