"""ONNX's backend cases converted by Remodel, run by ONNX Runtime and compared with the stored outputs.

    python tests/oracle/roundtrip.py [--only conv] [--variant default] [--variant opset13] [--all-variants]

The converter sees a copy of model.onnx alone. Verdicts: right, wrong, unloadable (by ONNX Runtime), invalid (refused by
onnx.checker where the original passes, or another interface or foreign operators), refused (exit code 1), crash.
`taken apart` are single operators written as others though the opset has them in the model's form, but for those that
exclusions.txt names. `not asked` are cases that ONNX Runtime does not pass on the original and that stay so; `gained` those that now pass.
`inexpressible` are refused, and exclusions.txt says why the opset has neither a form nor a decomposition; `stale` are
not refused though it says so.
"""

import argparse
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

import onnx

import baseline
import corpus
import exclusions
import remodel
import report
from ort_worker import OrtWorker
from report import Result

OPSETS = (9, 11, 13, 15, 18, 21, 24)
DEFAULT_OPSET = 17
VARIANTS = {"default": [], "O0": ["-O0"], **{f"opset{n}": ["--opset", str(n)] for n in OPSETS}}
INEXPRESSIBLE = [row for row in exclusions.load("roundtrip") if row.how == "absent"]
TAKEN_APART = [row for row in exclusions.load("roundtrip") if row.how == "apart"]


def options(case: corpus.Case, variant: str) -> list[str]:
    """-O0 keeps operators: where the default opset does not have them all, at the newest."""
    newer = variant == "O0" and case.opset > DEFAULT_OPSET
    return VARIANTS[variant] + (["--opset", str(OPSETS[-1])] if newer else [])


def must_pass(case: corpus.Case, variant: str, base: dict) -> bool:
    """What ONNX Runtime passes must pass afterwards; at the default opset also what it refused for its age alone."""
    if base["verdict"] == "right":
        return True
    old = 0 < case.opset < 7 and "Could not find an implementation" in base["detail"]
    return old and variant in ("default", "O0")


def interface(model: onnx.ModelProto) -> list:
    """Names and types, without dims, of what a caller feeds and gets."""
    infos = list(corpus.graph_inputs(model.graph)), list(model.graph.output)
    return [[(info.name, type_name(info.type)) for info in side] for side in infos]


def type_name(value_type: onnx.TypeProto) -> str:
    kind = value_type.WhichOneof("value")
    inner = getattr(value_type, kind) if kind else None
    if kind in ("sequence_type", "optional_type"):
        return f"{kind}({type_name(inner.elem_type)})"
    return f"{kind}({inner.elem_type})" if inner else "unknown"


def operators(model: onnx.ModelProto) -> set[tuple[str, str]]:
    """(domain, op type) of every node, subgraphs and local functions included."""
    found = set()
    pending = [model.graph, *model.functions]
    while pending:
        for node in pending.pop().node:
            found.add(("" if node.domain == "ai.onnx" else node.domain, node.op_type))
            for attribute in node.attribute:
                pending += [attribute.g] if attribute.HasField("g") else list(attribute.graphs)
    return found


def invalid(case: corpus.Case, converted: Path, variant: str, base: dict, worker: OrtWorker) -> str:
    """Why the file is not an acceptable rendering of the case's model, or ''."""
    if not base["checker"]:
        complaint = worker.checker_error(converted)
        if complaint:
            return f"onnx.checker: {complaint}"
    model = onnx.load(str(converted))
    if interface(model) != interface(case.model):
        return f"interface {interface(model)}, expected {interface(case.model)}"
    foreign = {op for op in operators(model) - operators(case.model) if op[0] != ""}
    if foreign:
        return f"operators outside ai.onnx: {sorted(foreign)}"
    opset = next((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), 0)
    if variant.startswith("opset") and opset not in (0, int(variant[5:])):
        return f"opset {opset} where {variant[5:]} is asked for"
    oldest = onnx.helper.find_min_ir_version_for(model.opset_import)
    if variant.startswith("opset") and model.ir_version != oldest:
        return f"IR version {model.ir_version} where opset {opset} has {oldest}"
    return ""


def opset_of(case: corpus.Case, variant: str) -> int:
    chosen = options(case, variant)
    return int(chosen[-1]) if "--opset" in chosen else DEFAULT_OPSET


def keeps_operator(case: corpus.Case, variant: str) -> bool:
    """Whether the model is a single operator that the opset written has with these attributes, operands and types."""
    if len(case.model.graph.node) != 1 or case.model.functions:
        return False
    (node,) = case.model.graph.node
    try:
        schema = onnx.defs.get_schema(node.op_type, opset_of(case, variant), node.domain)
    except onnx.defs.SchemaError:
        return bool(node.domain)
    given = {attribute.name for attribute in node.attribute}
    required = {name for name, attribute in schema.attributes.items() if attribute.required}
    if schema.deprecated or not required <= given <= set(schema.attributes):
        return False
    if not schema.min_input <= len(node.input) <= schema.max_input or len(node.output) > schema.max_output:
        return False
    types = {info.name: info.type for info in case.model.graph.input}
    for i, name in enumerate(node.input):
        if types.get(name) and types[name].HasField("tensor_type"):
            element = onnx.TensorProto.DataType.Name(types[name].tensor_type.elem_type).lower()
            if f"tensor({element})" not in schema.inputs[min(i, len(schema.inputs) - 1)].types:
                return False
    return True


def check(case: corpus.Case, variant: str, base: dict, worker: OrtWorker) -> Result:
    asked = must_pass(case, variant, base)
    verdict, detail = convert_and_run(case, variant, base, worker)
    if not asked and verdict in ("wrong", "unloadable", "refused"):
        return Result(case.id, "not asked", f"{verdict}: {detail}")
    if verdict == "right" and base["verdict"] != "right":
        verdict = "gained"
    row = exclusions.find(TAKEN_APART, f"opset{opset_of(case, variant)}/{case.id}")
    if row and keeps_operator(case, variant) and verdict in ("right", "gained", "taken apart"):
        # Rewriting may leave less than an operator.
        stale = verdict != "taken apart" and variant == "O0"
        return Result(case.id, "stale" if stale else "right" if base["verdict"] == "right" else "gained", row.reason)
    row = exclusions.find(INEXPRESSIBLE, f"{variant}/{case.id}")
    if row and verdict in ("right", "gained", "refused"):
        return Result(case.id, "inexpressible" if verdict == "refused" else "stale", row.reason)
    return Result(case.id, verdict, detail)


def convert_and_run(case: corpus.Case, variant: str, base: dict, worker: OrtWorker) -> tuple[str, str]:
    with tempfile.TemporaryDirectory() as folder:
        source, converted = Path(folder) / "model.onnx", Path(folder) / "out.onnx"
        shutil.copyfile(case.model_path, source)
        outcome = remodel.convert(source, converted, "-q", *options(case, variant))
        if not outcome.ok:
            return outcome.verdict, outcome.message
        complaint = invalid(case, converted, variant, base, worker)
        if complaint:
            return "invalid", complaint
        verdict, detail = baseline.judge(worker, converted, case.inputs(), case.outputs())
        if verdict == "right" and keeps_operator(case, variant):
            kind, written = (model.graph.node for model in (case.model, onnx.load(str(converted))))
            known = variant != "O0" and [node.op_type for node in written] == ["Identity"]
            if not known and [node.op_type for node in written] != [kind[0].op_type]:
                return "taken apart", f"{kind[0].op_type} is written as {', '.join(node.op_type for node in written)}"
        return verdict, detail


ACCEPTABLE = ("right", "gained", "not asked", "inexpressible")


def run(variant: str, only: str = "", jobs: int = 2) -> list[Result]:
    base = baseline.baseline()
    return report.run_beside(
        lambda case, worker: [check(case, variant, base[case.id], worker)], corpus.all_cases(only), jobs
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="cases whose id contains this, e.g. conv or pytorch-converted/")
    parser.add_argument("--variant", action="append", choices=list(VARIANTS), help="may be repeated")
    parser.add_argument("--all-variants", action="store_true")
    parser.add_argument("--gained", action="store_true", help="list gained and not asked cases too")
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    variants = list(VARIANTS) if arguments.all_variants else arguments.variant or ["default", "O0"]
    quiet = ("right", "inexpressible") if arguments.gained else ACCEPTABLE
    failed = False
    for variant in variants:
        results = run(variant, arguments.only, arguments.jobs)
        report.print_results(f"round trip, {variant}", results, quiet)
        for reason, count in Counter(r.detail for r in results if r.verdict == "inexpressible").most_common():
            print(f"   {count:4} inexpressible: {reason}")
        failed |= any(result.verdict not in ACCEPTABLE for result in results)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
