"""Which of ONNX's cases ONNX Runtime itself passes on the original models; kept in build/, keyed by versions."""

import argparse
import importlib.metadata
import json
from collections import Counter

import compare
import corpus
from ort_worker import OrtWorker, RuntimeFailure
from remodel import ROOT


def versions() -> str:
    return "-".join(f"{name}{importlib.metadata.version(name)}" for name in ("onnx", "onnxruntime"))


def judge(worker: OrtWorker, model, inputs: dict, expected: dict) -> tuple[str, str]:
    """(right | wrong | unloadable, detail) of a model in ONNX Runtime."""
    try:
        actual = worker.run(model, inputs)
    except RuntimeFailure as failure:
        return "unloadable", str(failure)
    text = compare.difference(expected, actual)
    return ("wrong", text) if text else ("right", "")


def baseline() -> dict[str, dict[str, str]]:
    """{case id: {verdict, detail, checker}} over the whole corpus; checker is its complaint or ''."""
    path = ROOT / "build" / f"baseline-{versions()}.json"
    if path.exists():
        return json.loads(path.read_text())
    worker = OrtWorker()
    results = {}
    for case in corpus.all_cases():
        verdict, detail = judge(worker, case.model_path, case.inputs(), case.outputs())
        checker = worker.checker_error(case.model_path)
        results[case.id] = {"verdict": verdict, "detail": detail, "checker": checker}
    worker.close()
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(results, indent=1))
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="show the cases whose id contains this")
    arguments = parser.parse_args()
    results = baseline()
    for name, result in results.items():
        if arguments.only and arguments.only in name:
            print(f"{result['verdict']:11} {name}  {result['detail']} {result['checker']}")
    for group in corpus.GROUPS:
        counts = Counter(result["verdict"] for name, result in results.items() if name.startswith(group + "/"))
        print(f"{group}: {dict(counts)}")
    print(f"refused by onnx.checker: {sum(bool(result['checker']) for result in results.values())}")


if __name__ == "__main__":
    main()
