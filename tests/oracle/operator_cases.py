"""Models of one operator that ONNX's own cases leave out: executor and converted file against expected values.

    python tests/oracle/operator_cases.py [--only tree]

Where a case gives no expected values, they are those of ONNX Runtime on the original.
"""

import argparse
import importlib
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

import compare
import executor_cases
import remodel
import report
from ort_worker import OrtWorker, RuntimeFailure
from report import Result

TOLERANCE = 1e-4


@dataclass(frozen=True)
class Case:
    name: str
    model: onnx.ModelProto
    inputs: dict
    expected: dict | None = None
    kept: bool = False  # an operator that is written back as it is and does not run here
    old: int = 0  # an opset to write too, which lacks the operator
    evaluated: bool = False  # by onnx's evaluator: ONNX Runtime has no kernel
    reference: onnx.ModelProto | None = None  # gives what is expected, where the runtime does not take the model

    def run(self, worker: OrtWorker, model: onnx.ModelProto) -> dict:
        if not self.evaluated:
            return worker.run_many(model.SerializeToString(), [self.inputs])[0]
        names = [output.name for output in model.graph.output]
        return dict(zip(names, ReferenceEvaluator(model).run(None, self.inputs)))


class Const:
    """An operand that is an initializer."""

    def __init__(self, array):
        self.array = np.asarray(array)


def info(name: str, array: np.ndarray, symbolic: bool = False) -> onnx.ValueInfoProto:
    dims = [f"{name}_{axis}" for axis in range(array.ndim)] if symbolic else array.shape
    element = onnx.TensorProto.STRING if array.dtype == object else helper.np_dtype_to_tensor_dtype(array.dtype)
    return helper.make_tensor_value_info(name, element, dims)


def single(name: str, op: str, operands: list, opsets: dict, outputs: int = 1, symbolic=False, **attributes) -> Case:
    """One node on operands: arrays that are fed, constants, or None for one that is left out."""
    names = ["" if value is None else f"x{i}" for i, value in enumerate(operands)]
    domain = next((d for d in opsets if d), "")
    results = [f"y{i}" for i in range(outputs)]
    node = helper.make_node(op, names, results, name="node", domain=domain, **attributes)
    pairs = [(n, v) for n, v in zip(names, operands) if n]
    fed = {n: np.asarray(v) for n, v in pairs if not isinstance(v, Const)}
    weights = [numpy_helper.from_array(v.array, n) for n, v in pairs if isinstance(v, Const)]
    graph = helper.make_graph(
        [node],
        "single",
        [info(n, v, symbolic) for n, v in fed.items()],
        [helper.make_empty_tensor_value_info(n) for n in results],
        weights,
    )
    return Case(name, model_of(graph, opsets), fed)


def model_of(graph: onnx.GraphProto, opsets: dict) -> onnx.ModelProto:
    imports = [helper.make_opsetid(domain, version) for domain, version in opsets.items()]
    return helper.make_model(graph, opset_imports=imports, ir_version=8)


def difference(expected: dict, actual: dict) -> str:
    for name, reference in expected.items():
        if name not in actual:
            return f"output '{name}' is missing"
        if reference.dtype == object or reference.dtype.kind in "US":
            if np.asarray(actual[name]).astype(str).tolist() != np.asarray(reference).astype(str).tolist():
                return f"output '{name}' is {actual[name]}, expected {reference}"
        elif compare.range_error(reference, actual[name]) > max(TOLERANCE, compare.rounding_error(reference)):
            return f"output '{name}' is\n{actual[name]}, expected\n{reference}"
    return ""


def check(case: Case, worker: OrtWorker) -> list[Result]:
    expected = case.expected
    if expected is None:
        try:
            expected = case.run(worker, case.reference or case.model)
        except RuntimeFailure as failure:
            return [Result(case.name, "no reference", str(failure))]
    results = []
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "model.onnx"
        source.write_bytes(case.model.SerializeToString())
        outcome, actual = executor_cases.execute(source, case.inputs)
        detail = difference(expected, actual) if outcome.ok else outcome.message
        if case.kept:
            detail = "" if outcome.code == remodel.REFUSED and "cannot be run" in outcome.message else "it runs"
        results.append(Result(f"{case.name} executor", "wrong" if detail else "right", detail))
        ways = {"default": [], "O0": ["-O0"]}
        if case.old:
            ways[f"opset{case.old}"] = ["--opset", str(case.old)]
        for way, options in ways.items():
            converted = Path(folder) / f"{way}.onnx"
            outcome = remodel.convert(source, converted, "-q", *options)
            detail = outcome.message
            if outcome.ok:
                try:
                    detail = difference(expected, case.run(worker, onnx.load(converted)))
                except RuntimeFailure as failure:
                    detail = str(failure)
            results.append(Result(f"{case.name} {way}", "wrong" if detail else "right", detail))
    return results


def all_cases(only: str = "") -> list[Case]:
    modules = sorted(path.stem for path in Path(__file__).parent.glob("operators_*.py"))
    return [case for module in modules for case in importlib.import_module(module).cases() if only in case.name]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="cases whose name contains this")
    arguments = parser.parse_args()
    results = report.run_beside(check, all_cases(arguments.only))
    report.print_results("operators", results)
    return int(any(result.verdict != "right" for result in results))


if __name__ == "__main__":
    sys.exit(main())
