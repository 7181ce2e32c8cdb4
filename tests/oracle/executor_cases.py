"""`remodel run` on ONNX's own backend cases, compared with the stored outputs.

    python tests/oracle/executor_cases.py [--only conv] [--all]

Verdicts: right, wrong, refused (exit code 1), crash; excluded (see exclusions.txt), stale (excluded but right).
"""

import argparse
import sys
import tempfile
from pathlib import Path

import compare
import corpus
import exclusions
import moments
import npz
import remodel
import report
from report import Result

EXCLUSIONS = [row for row in exclusions.load("executor") if row.how != "known"]


def optional_inputs(model) -> set[str]:
    return {info.name for info in model.graph.input if info.type.HasField("optional_type")}


def execute(model_path, inputs: dict, optionals=(), timeout: float = 60) -> tuple[remodel.Outcome, dict]:
    with tempfile.TemporaryDirectory() as folder:
        npz.write(Path(folder) / "in.npz", inputs, optionals)
        outcome = remodel.run(model_path, Path(folder) / "in.npz", Path(folder) / "out.npz", timeout)
        return outcome, npz.read(Path(folder) / "out.npz") if outcome.ok else {}


def check(case: corpus.Case) -> Result:
    inputs, expected = case.inputs(), case.outputs()
    outcome, actual = execute(case.model_path, inputs, optional_inputs(case.model))
    verdict, detail = outcome.verdict, outcome.message
    if outcome.ok:
        detail = compare.difference(expected, actual)
        verdict = "wrong" if detail else "right"
    exclusion = exclusions.find(EXCLUSIONS, case.id)
    if exclusion is None:
        return Result(case.id, verdict, detail)
    if verdict == "right":
        return Result(case.id, "stale", f"gives the stored values: remove the exclusion {exclusion.pattern}")
    if exclusion.how == "absent" and verdict == "refused":
        return Result(case.id, "excluded", exclusion.reason)
    if exclusion.how == "moments" and outcome.ok:
        detail = moments.difference(case.model, inputs, expected, actual)
        return Result(case.id, "wrong" if detail else "excluded", detail or exclusion.reason)
    return Result(case.id, verdict, detail)


GOOD = ("right", "excluded")


def run(group: str, only: str = "", jobs: int = 2) -> list[Result]:
    return report.run_all(check, corpus.all_cases(only, (group,)), jobs)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="cases whose id contains this, e.g. conv or pytorch-converted/")
    parser.add_argument("--all", action="store_true", help="list right cases too")
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    failed = False
    for group in corpus.GROUPS:
        results = run(group, arguments.only, arguments.jobs)
        if results:
            report.print_results(f"executor, {group}", results, () if arguments.all else GOOD)
        failed |= any(result.verdict not in GOOD for result in results)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
