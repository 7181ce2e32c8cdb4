"""Inputs and outputs with their channels where the user wishes them: the result in the target's runtime against the source."""

import json

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

import remodel
import tflite_build
from compare import range_error

SHAPE = (2, 3, 9, 8)


def random(*shape):
    return np.random.default_rng(sum(shape)).normal(size=shape).astype(np.float32)


def segmentation(batch=2):
    """(image, gain [batch, 3, 1, 1], offset [4]) -> (mask [batch, 5, 9, 8], scores [batch, 5])"""
    weights = {"w": random(5, 3, 3, 3), "b": random(5), "v": random(5, 5, 1, 1), "c": random(5)}
    nodes = [
        helper.make_node("Mul", ["image", "gain"], ["scaled"]),
        helper.make_node("Conv", ["scaled", "w", "b"], ["h"], pads=[1, 1, 1, 1], name="first"),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("Conv", ["r", "v", "c"], ["mask"], name="second"),
        helper.make_node("GlobalAveragePool", ["mask"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("ReduceSum", ["offset"], ["sum"], keepdims=1),
        helper.make_node("Add", ["flat", "sum"], ["scores"]),
    ]
    info = lambda name, *shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    graph = helper.make_graph(
        nodes, "g", [info("image", batch, *SHAPE[1:]), info("gain", batch, 3, 1, 1), info("offset", 4)],
        [info("mask", batch, 5, 9, 8), info("scores", batch, 5)], [numpy_helper.from_array(value, name) for name, value in weights.items()])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


FEEDS = {"image": random(*SHAPE), "gain": random(2, 3, 1, 1), "offset": random(4)}
NHWC, NCHW = (0, 2, 3, 1), (0, 3, 1, 2)


def run_onnx(path, feeds=FEEDS):
    session = onnxruntime.InferenceSession(str(path))
    return dict(zip([port.name for port in session.get_outputs()], session.run(None, feeds)))


def run_tflite(path, feeds):
    session = tflite_build.Session(path.read_bytes())
    results = session.run([feeds[detail["name"]] for detail in session.inputs])
    return {detail["name"]: result for detail, result in zip(session.outputs, results)}


def convert(source, target, *options):
    outcome, text = remodel.call_for_output(source, target, "--json", *options)
    assert outcome.ok, outcome.message
    report = json.loads(text)
    assert report["check"]["status"] == "passed"
    return report


def transposes(report):
    counts = report["written"]["operators"]
    return counts.get("TRANSPOSE", 0) + counts.get("Transpose", 0)


WISHES = [  # options, inputs and outputs that turn, transposes left, of which at inputs and outputs
    ([], [], [], 2, {"input": 1, "output": 1}),
    (["--input-layout", "nhwc"], ["image", "gain"], [], 1, {"output": 1}),
    (["--output-layout", "nhwc"], [], ["mask"], 1, {"input": 1}),
    (["--input-layout", "nhwc", "--output-layout", "nhwc"], ["image", "gain"], ["mask"], 0, {}),
    (["--input-layout", "image=nhwc", "--output-layout", "mask=nhwc"], ["image"], ["mask"], 0, {}),
    (["--input_layout", "nhwc,gain=nchw", "--output-layout", "scores=nhwc"], ["image"], [], 1, {"output": 1}),
    (["--input-layout", "nchw", "--output-layout", "nchw"], [], [], 2, {"input": 1, "output": 1}),
]


@pytest.mark.parametrize("wish", WISHES, ids=lambda wish: " ".join(wish[0]) or "kept")
@pytest.mark.parametrize("batch", [2, "N"])
def test_onnx_to_tflite(wish, batch, tmp_path):
    options, inputs, outputs, left, causes = wish
    onnx.save(segmentation(batch), tmp_path / "in.onnx")
    report = convert(tmp_path / "in.onnx", tmp_path / "out.tflite", *options)
    feeds = {name: value.transpose(NHWC) if name in inputs else value for name, value in FEEDS.items()}
    found = run_tflite(tmp_path / "out.tflite", feeds)
    for name, expected in run_onnx(tmp_path / "in.onnx").items():
        expected = expected.transpose(NHWC) if name in outputs else expected
        assert found[name].shape == expected.shape
        assert range_error(expected, found[name]) < 1e-5
    assert transposes(report) == left
    layout = report["layout"]
    counted = [one["cause"] for one in layout["transposes"]]
    assert {cause: counted.count(cause) for cause in counted} == causes
    assert sorted(one.get("input") or one["output"] for one in layout["turned"]) == sorted(inputs + outputs)
    if not options:
        saving = {note for note in report["notes"] if "would save" in note}
        assert saving == {f"{side}s keep NCHW: --{side}-layout nhwc would save 1 transpose" for side in causes}


def test_tflite_to_onnx(tmp_path):
    onnx.save(segmentation(), tmp_path / "in.onnx")
    convert(tmp_path / "in.onnx", tmp_path / "last.tflite", "--input-layout", "nhwc", "--output-layout", "nhwc")
    kept = convert(tmp_path / "last.tflite", tmp_path / "kept.onnx")
    assert transposes(kept) == 2 and any("--input-layout nchw would save" in note for note in kept["notes"])
    turned = convert(tmp_path / "last.tflite", tmp_path / "turned.onnx", "--input-layout", "nchw", "--output-layout", "nchw")
    assert transposes(turned) == 0
    expected = run_onnx(tmp_path / "in.onnx")
    last = {name: value.transpose(NHWC) if value.ndim == 4 else value for name, value in FEEDS.items()}
    for name, found in run_onnx(tmp_path / "turned.onnx").items():
        assert range_error(expected[name], found) < 1e-5
    for name, found in run_onnx(tmp_path / "kept.onnx", last).items():
        assert range_error(expected[name], found.transpose(NCHW) if found.ndim == 4 else found) < 1e-5


def test_onnx_to_onnx(tmp_path):
    onnx.save(segmentation(), tmp_path / "in.onnx")
    convert(tmp_path / "in.onnx", tmp_path / "out.onnx", "--input-layout", "image=nhwc")
    found = run_onnx(tmp_path / "out.onnx", FEEDS | {"image": FEEDS["image"].transpose(NHWC)})
    for name, expected in run_onnx(tmp_path / "in.onnx").items():
        assert range_error(expected, found[name]) < 1e-5


def test_a_layout_is_the_ports_own(tmp_path):
    """An input that the model turns itself has the other order already, whatever its operators have."""
    model = segmentation()
    model.graph.node.insert(0, helper.make_node("Transpose", ["photo"], ["image"], perm=NCHW))
    model.graph.input[0].CopyFrom(helper.make_tensor_value_info("photo", TensorProto.FLOAT, (2, 9, 8, 3)))
    onnx.save(model, tmp_path / "in.onnx")
    report = convert(tmp_path / "in.onnx", tmp_path / "out.tflite", "--input-layout", "photo=nhwc", "--output-layout", "nhwc")
    assert [one.get("input") for one in report["layout"]["turned"]] == [None] and transposes(report) == 0
    assert "'--input-layout' changes no input: there is no image in another order" in report["notes"]


def test_jobs_have_the_keys(tmp_path):
    onnx.save(segmentation(), tmp_path / "in.onnx")
    job = {"convert_from": str(tmp_path / "in.onnx"), "convert_to": str(tmp_path / "out.tflite"), "input_layout": ["image=nhwc"], "output_layout": "nhwc"}
    assert remodel.call("-d", json.dumps(job)).ok
    session = tflite_build.Session((tmp_path / "out.tflite").read_bytes())
    assert {tuple(detail["shape"]) for detail in session.inputs + session.outputs} == {(2, 9, 8, 3), (2, 3, 1, 1), (4,), (2, 9, 8, 5), (2, 5)}


def test_data_has_the_order_of_the_source(tmp_path):
    onnx.save(segmentation(), tmp_path / "in.onnx")
    np.savez(tmp_path / "in.npz", **FEEDS)
    report = convert(tmp_path / "in.onnx", tmp_path / "out.tflite", "--input-layout", "nhwc", "--output-layout", "nhwc", "--data", tmp_path / "in.npz")
    assert all(output["verdict"] == "verified" for output in report["check"]["outputs"])
