"""Every row of the table has a case: an operator that some model reads, an op that some written file came from.

The models are those of the tests against ONNX Runtime and against stored outputs.
"""

import json
import re
import tempfile
from pathlib import Path

import onnx
import pytest

import corpus
import exclusions
import microsoft_cases
import remodel
import roundtrip
import sweep

# Read by no case, with the reason.
WITHOUT_CASE = {
    "com.microsoft.GroupNorm": "ONNX Runtime has no kernel for it on a CPU",
    "com.microsoft.NhwcConv": "ONNX Runtime has no kernel for it on a CPU",
    "com.microsoft.TransposeMatMul": "a former name of FusedMatMul, whose function reads it",
}


@pytest.fixture(scope="module")
def listing() -> dict:
    return json.loads(remodel.call_for_output("ops", "--format", "onnx", "--json")[1])


def full_name(domain: str, op: str) -> str:
    return f"{domain}.{op}" if domain else op


def test_every_row_that_reads_has_a_case(listing):
    seen = {full_name(*operator) for case in corpus.all_cases() for operator in roundtrip.operators(case.model)}
    seen |= {full_name(node.domain, node.op_type) for _, node, *_ in microsoft_cases.all_cases()}
    rows = {full_name(row["domain"], row["type"]) for row in listing["operators"] if row["read"]}
    assert len(rows) > 200
    missing = rows - seen
    assert missing == set(WITHOUT_CASE) & rows, sorted(missing ^ set(WITHOUT_CASE))


def test_every_row_that_writes_has_a_case(listing, worker):
    """The ops of the IR that the converted cases hold, as printed after reading."""
    found = set()
    with tempfile.TemporaryDirectory() as folder:
        pending = [(case.name, case.model_path) for case in corpus.all_cases()]
        for single in sweep.singles("microsoft_"):
            path = Path(folder) / f"{single.name}.onnx"
            path.write_bytes(single.model().SerializeToString())
            pending.append((single.name, path))
        for name, path in pending:
            outcome, text = remodel.call_for_output("inspect", path, "--graph")
            if outcome.ok:
                found |= set(re.findall(r"= (?:\w+\.)?(\w+)\(", text))
    ops = {row["op"] for row in listing["ops"] if row["written"]}
    assert len(ops) > 150
    assert not ops - found
