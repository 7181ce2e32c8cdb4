"""Every row of the table has a case: an operator that some model reads, an op that some written file came from; and every
attribute is set and left out.

The models are those of the tests against ONNX Runtime and against stored outputs.
"""

import json
import re
from fnmatch import fnmatchcase

import pytest

import attribute_uses
import corpus
import microsoft_cases
import operator_cases
import remodel
import roundtrip
import sweep
import tflite_build
import tflite_cases

# Read by no case here, with the reason.
WITHOUT_CASE = {
    "com.microsoft.SimplifiedLayerNormalization": "ONNX Runtime has it in ai.onnx, where a case reads it",
    **dict.fromkeys(("Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform"), "see test_random.py"),
}
# Attributes and operands that no case sets to another value than the default, gives or leaves out, with the reason.
WITHOUT_USE = {
    "* consumed_inputs: *": "it means nothing where all values are kept",
    **dict.fromkeys(("Bernoulli *", "Multinomial *", "RandomNormal* *", "RandomUniform* *"), "see test_random.py"),
    **dict.fromkeys(("BatchNormalization is_test: *left out*", "Dropout is_test: *left out*"), "ONNX's old form of training"),
    "ImageDecoder *": "image codecs are no part of the program",
    "LpPool kernel_shape: *left out*": "without a window there is nothing to pool",
    "RegexFullMatch pattern: *left out*": "there is nothing to match",
    "Reshape shape: *left out*": "there is no shape",
    **dict.fromkeys(
        (
            "ai.onnx.ml.CategoryMapper cats_*: *left out*",
            "ai.onnx.ml.LabelEncoder classes_strings: *left out*",
            "ai.onnx.ml.LinearRegressor coefficients: *left out*",
            "ai.onnx.ml.SVMClassifier coefficients: *left out*",
            "ai.onnx.ml.SVMClassifier rho: *left out*",
            "ai.onnx.ml.SVMClassifier support_vectors: *left out*",
            "ai.onnx.ml.SVMClassifier vectors_per_class: *left out*",
            "ai.onnx.ml.SVMRegressor coefficients: *left out*",
            "ai.onnx.ml.SVMRegressor rho: *left out*",
            "ai.onnx.ml.TreeEnsembleClassifier nodes_*: *left out*",
            "ai.onnx.ml.TreeEnsembleRegressor nodes_*: *left out*",
            "ai.onnx.ml.TreeEnsembleRegressor target_*: *left out*",
        ),
        "without it there is no model",
    ),
    "com.microsoft.FusedGemm activation: *left out*": "ONNX Runtime asks for it",
    "com.microsoft.FusedGemm activation_gamma: *": "no activation has a third number",
    **dict.fromkeys(
        (
            "com.microsoft.Attention input past_sequence_length: *",
            "com.microsoft.MatMulNBits input g_idx: *",
            "com.microsoft.MultiHeadAttention input cache_indirection: *",
            "com.microsoft.MultiHeadAttention input past_sequence_length: *",
            "com.microsoft.RotaryEmbedding is_packed_batching: *",
            "com.microsoft.RotaryEmbedding scale: *",
        ),
        "refused: see messages/models.txt",
    ),
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


def test_every_attribute_that_a_row_reads_is_used():
    """One that is always at its default, or never left out, may be dropped or have another default unseen."""
    gaps = attribute_uses.gaps()
    assert not [gap for gap in gaps if not any(fnmatchcase(gap, pattern) for pattern in WITHOUT_USE)]
    assert not [pattern for pattern in WITHOUT_USE if not any(fnmatchcase(gap, pattern) for gap in gaps)]


def test_every_row_that_writes_has_a_case(listing, tmp_path):
    """The ops that the cases are read as: test_roundtrip.py and the like write each of them again."""
    found = set()
    paths = [case.model_path for case in corpus.all_cases()]
    models = [case.model for case in operator_cases.all_cases()] + [single.model() for single in sweep.singles("microsoft_")]
    for number, model in enumerate(models):
        paths.append(tmp_path / f"{number}.onnx")
        paths[-1].write_bytes(model.SerializeToString())
    for path in paths:
        found |= ops_of(path)
    ops = {row["op"] for row in listing["ops"] if row["written"]}
    assert len(ops) > 150
    assert ops - found == set(UNHELD)


# Read by no case of tflite_cases.py, with the reason.
LITE_WITHOUT_CASE = dict.fromkeys(("MULTINOMIAL", "RANDOM_STANDARD_NORMAL", "RANDOM_UNIFORM"), "what is drawn has no fixed values")
LITE_WITHOUT_CASE |= dict.fromkeys(
    ("Convolution2DTransposeBias", "MaxPoolingWithArgmax2D", "MaxUnpooling2D"),
    "LiteRT has no kernel; test_tflite_custom.py compares with NumPy",
)
DRAWN = {"multinomial", "random_normal"}  # test_random.py has their moments


@pytest.fixture(scope="module")
def lite_listing() -> dict:
    return json.loads(remodel.call_for_output("ops", "--format", "tflite", "--json")[1])


def test_every_row_of_tensorflow_lite_has_a_case(lite_listing, tmp_path):
    """What is read is compared with LiteRT; what is written is held by a case that is written again, or by one of ONNX."""
    types, ops = set(), set()
    for case in tflite_cases.all_cases():
        types |= tflite_build.operators(case.content)
        path = tmp_path / "model.tflite"
        path.write_bytes(case.content)
        ops |= ops_of(path)
    for case in corpus.all_cases(groups=("node",)):
        ops |= ops_of(case.model_path)
    assert {row["type"] for row in lite_listing["operators"] if row["read"]} - types == set(LITE_WITHOUT_CASE)
    assert {row["op"] for row in lite_listing["ops"] if row["written"]} - ops == DRAWN


def ops_of(path) -> set[str]:
    outcome, text = remodel.call_for_output("inspect", path, "--graph")
    return set(re.findall(r"= (\w+)\(", text)) if outcome.ok else set()
