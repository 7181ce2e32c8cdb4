"""Every row of the table has a case: an operator that some model reads, an op that some written file came from.

The models are those of the tests against ONNX Runtime and against stored outputs.
"""

import json
import re

import pytest

import corpus
import microsoft_cases
import operator_cases
import remodel
import roundtrip
import sweep

# Read by no case here, with the reason.
WITHOUT_CASE = {
    "com.microsoft.NhwcConv": "ONNX Runtime has no kernel for it on a CPU",
    "com.microsoft.SimplifiedLayerNormalization": "ONNX Runtime has it in ai.onnx, where a case reads it",
    **dict.fromkeys(("Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform"), "see test_random.py"),
}
# Ops that no case holds when it is read.
UNHELD = {
    **dict.fromkeys(("multinomial", "random_normal"), "see test_random.py"),
    "list_set": "made by passes alone; see loops_test.cpp",
}


@pytest.fixture(scope="module")
def listing() -> dict:
    return json.loads(remodel.call_for_output("ops", "--format", "onnx", "--json")[1])


def full_name(domain: str, op: str) -> str:
    return f"{domain}.{op}" if domain else op


def test_every_row_that_reads_has_a_case(listing):
    seen = {full_name(*operator) for case in corpus.all_cases() for operator in roundtrip.operators(case.model)}
    seen |= {full_name(*operator) for case in operator_cases.all_cases() for operator in roundtrip.operators(case.model)}
    seen |= {full_name(node.domain, node.op_type) for _, node, *_ in microsoft_cases.all_cases()}
    rows = {full_name(row["domain"], row["type"]) for row in listing["operators"] if row["read"]}
    assert len(rows) > 200
    assert rows - seen == set(WITHOUT_CASE)


def test_every_row_that_writes_has_a_case(listing, tmp_path):
    """The ops that the cases are read as: test_roundtrip.py and the like write each of them again."""
    found = set()
    paths = [case.model_path for case in corpus.all_cases()]
    models = [case.model for case in operator_cases.all_cases()] + [single.model() for single in sweep.singles("microsoft_")]
    for number, model in enumerate(models):
        paths.append(tmp_path / f"{number}.onnx")
        paths[-1].write_bytes(model.SerializeToString())
    for path in paths:
        outcome, text = remodel.call_for_output("inspect", path, "--graph")
        if outcome.ok:
            found |= set(re.findall(r"= (\w+)\(", text))
    ops = {row["op"] for row in listing["ops"] if row["written"]}
    assert len(ops) > 150
    assert ops - found == set(UNHELD)
