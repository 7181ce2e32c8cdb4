"""ONNX's backend cases converted to TensorFlow Lite by Remodel, run by LiteRT and compared with the stored outputs.

    python tests/oracle/onnx_to_tflite.py [--only conv] [--all] [--reasons 5]

Verdicts: right, wrong, unloadable (by LiteRT, or it fails to run it), crash (of LiteRT or of the converter), refused
(exit code 1), which are counted by reason; excluded (see exclusions.txt).
"""

import argparse
import re
import shutil
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import compare
import corpus
import exclusions
import remodel
import report
import tflite_build
from lite_worker import LiteWorker
from ort_worker import RuntimeFailure
from report import Result

KNOWN = exclusions.load("executor")  # expected values that are random, or are not what ONNX says


def check(case: corpus.Case, worker: LiteWorker) -> Result:
    with tempfile.TemporaryDirectory() as folder:
        source, converted = Path(folder) / "model.onnx", Path(folder) / "model.tflite"
        shutil.copyfile(case.model_path, source)
        outcome = remodel.convert(source, converted, "-q", "--no-verify")
        if not outcome.ok:
            return Result(case.id, outcome.verdict, outcome.message)
        verdict, detail = judge(worker, converted, case.inputs(), case.outputs())
        detail = detail or text_of_size(converted)
    known = exclusions.find(KNOWN, case.id)
    return Result(case.id, "excluded", known.reason) if known and verdict == "wrong" else Result(case.id, verdict, detail)


def judge(worker: LiteWorker, model: Path, inputs: dict, expected: dict) -> tuple[str, str]:
    """(right | wrong | unloadable | crash, detail) of a file in LiteRT."""
    try:
        actual = worker.run(model, inputs)
    except RuntimeFailure as failure:
        return ("crash" if "died with" in str(failure) else "unloadable"), str(failure)
    text = compare.difference(expected, actual)
    return ("wrong", text) if text else ("right", "")


def text_of_size(model: Path) -> str:
    return f"{tflite_build.size(model.read_bytes())} operators"


def size_of_right(results: list[Result]) -> int:
    """The operators of all files that are right: more where something is taken apart that need not be."""
    return sum(int(result.detail.split()[0]) for result in results if result.verdict == "right")


def reason_of(message: str) -> str:
    """A refusal without the names of its case."""
    text = re.sub(r"^.*?error: ", "", message)
    text = re.sub(r"\S+\.onnx: ", "", text)
    text = re.sub(r"layer '[^']*' \(([^)]*)\)", r"\1", text)
    return re.sub(r"\d+", "n", text)


def print_reasons(results: list[Result], examples: int) -> None:
    groups = defaultdict(list)
    for result in results:
        if result.verdict == "refused":
            groups[reason_of(result.detail)].append(result.name)
    for reason, names in sorted(groups.items(), key=lambda group: -len(group[1])):
        print(f"{len(names):5} refused: {reason}  [{', '.join(names[:examples])}]")


ACCEPTABLE = ("right", "refused", "excluded")


def run(only: str = "", jobs: int = 2, quiet=ACCEPTABLE) -> list[Result]:
    """Results of all cases; those that are not quiet show at once."""
    return report.run_beside(
        lambda case, worker: [check(case, worker)],
        corpus.all_cases(only, ("node",)),
        jobs,
        quiet,
        lambda result: print(f"{result.verdict:10} {result.name}  {result.detail}", flush=True),
        LiteWorker,
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="cases whose id contains this")
    parser.add_argument("--all", action="store_true", help="list right and refused cases too")
    parser.add_argument("--reasons", type=int, default=3, help="how many cases to name for each reason of refusal")
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    results = run(arguments.only, arguments.jobs, () if arguments.all else ACCEPTABLE)
    print_reasons(results, arguments.reasons)
    report.print_results("ONNX to TensorFlow Lite", results, {result.verdict for result in results})
    return int(any(result.verdict not in ACCEPTABLE for result in results))


if __name__ == "__main__":
    sys.exit(main())
