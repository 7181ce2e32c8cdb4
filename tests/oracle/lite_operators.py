"""The models of operator_cases.py converted to TensorFlow Lite, run by LiteRT and compared with their expected values.

    python tests/oracle/lite_operators.py [--only resize]

Verdicts are those of onnx_to_tflite.py; known: see below.
"""

import argparse
import sys
import tempfile
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np

import onnx_to_tflite
import operator_cases
import remodel
import report
import sweep
from lite_worker import LiteWorker
from ort_worker import OrtWorker, RuntimeFailure
from report import Result

# Not what ONNX Runtime gives, with the reason.
KNOWN = {
    **dict.fromkeys(("layer_norm_of_doubles", "group_norm_of_doubles", "attention_of_floats", "factor_that_is_nearly_one"), "operators take no doubles"),
    "output_that_is_an_input": "a tensor's name is that of one tensor",
}
ACCEPTABLE = ("right", "refused", "known")


class Workers(LiteWorker):
    """LiteRT, and ONNX Runtime for what is expected."""

    def __init__(self):
        super().__init__()
        self.reference = OrtWorker()

    def close(self) -> None:
        super().close()
        self.reference.close()


def check(case: operator_cases.Case, workers: Workers) -> list[Result]:
    if case.kept:
        return []
    with tempfile.TemporaryDirectory() as folder:
        source, converted = Path(folder) / "model.onnx", Path(folder) / "model.tflite"
        source.write_bytes(case.model.SerializeToString())
        outcome = remodel.convert(source, converted, "-q", "--no-verify")
        if not outcome.ok:
            return [Result(case.name, outcome.verdict, outcome.message)]
        try:
            expected = case.expected or case.run(workers.reference, case.reference or case.model)
            detail = difference(expected, workers.run(converted, case.inputs))
            verdict, detail = ("wrong", detail) if detail else ("right", onnx_to_tflite.text_of_size(converted))
        except RuntimeFailure as failure:
            verdict, detail = ("crash" if "died with" in str(failure) else "unloadable"), str(failure)
    reason = next((why for pattern, why in KNOWN.items() if fnmatchcase(case.name, pattern)), "")
    if reason:
        return [Result(case.name, "known", reason) if verdict == "wrong" else Result(case.name, "stale", f"{verdict} now")]
    return [Result(case.name, verdict, detail)]


def difference(expected: dict, actual: dict) -> str:
    found = {}
    for name, value in actual.items():
        wanted = expected.get(name)
        if value.dtype == object:
            value = np.array([text.decode() for text in value.ravel()], object).reshape(value.shape)
        elif wanted is not None and wanted.dtype.itemsize == 1 and sweep.one_step_apart(wanted, value):
            value = wanted
        found[name] = value
    return operator_cases.difference(expected, found)


def run(only: str = "", jobs: int = 2) -> list[Result]:
    return report.run_beside(check, operator_cases.all_cases(only), jobs, kind=Workers)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="cases whose name contains this")
    arguments = parser.parse_args()
    results = run(arguments.only)
    report.print_results("operators in TensorFlow Lite", results)
    return int(any(result.verdict not in ACCEPTABLE for result in results))


if __name__ == "__main__":
    sys.exit(main())
