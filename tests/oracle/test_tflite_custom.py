"""Custom operators: ours with exact semantics, others kept as they are, and `--tflite-ops`."""

import json

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from flatbuffers import flexbuffers

import onnxruntime
import remodel
from compare import range_error
from test_tflite_metadata import parsed
from tflite_build import Grid, Model, Session

POSTPROCESS = "TFLite_Detection_PostProcess"


def postprocess(regular, per_box=1, threshold=0.25, columns=4, classes=3):
    """Scores of few different values, so that there are ties, and some that are the threshold."""
    random = np.random.default_rng(7)
    count, places = 40, 9 * per_box
    model = Model()
    graph = model.main
    encodings = graph.input("encodings", (1, count, 4))
    scores = graph.input("scores", (1, count, columns))
    anchors = graph.constant(np.concatenate([random.uniform(0, 1, (count, 2)), random.uniform(0.1, 0.4, (count, 2))], 1).astype(np.float32))
    table = dict(max_detections=9, max_classes_per_detection=per_box, detections_per_class=4, num_classes=classes, nms_score_threshold=threshold,
                 nms_iou_threshold=0.4, y_scale=10.0, x_scale=10.0, h_scale=5.0, w_scale=5.0, use_regular_nms=regular)
    shapes = [(1, places, 4), (1, places), (1, places), (1,)]
    graph.output(*graph.op(f"custom:{POSTPROCESS}", [encodings, scores, anchors], [(shape, np.float32) for shape in shapes], custom_options=bytes(flexbuffers.Dumps(table))))
    # Which of a box's equal classes comes first is open in the runtime.
    scores = random.integers(0, 9, (1, count, 1)) / 16 + random.permuted(np.tile(np.arange(columns) / 64, (1, count, 1)), axis=2)
    feeds = [random.uniform(-1, 1, (1, count, 4)).astype(np.float32), scores.astype(np.float32)]
    return model.bytes(), feeds


def codes(path):
    model = parsed(path)
    names = {number: name for name, number in vars(schema.BuiltinOperator).items() if isinstance(number, int)}
    return [model.operatorCodes[one.opcodeIndex].customCode.decode() if model.operatorCodes[one.opcodeIndex].builtinCode == 32 else names[model.operatorCodes[one.opcodeIndex].builtinCode]
            for graph in model.subgraphs for one in graph.operators]


def report(*arguments):
    outcome, text = remodel.call_for_output(*arguments, "--json")
    assert outcome.ok, outcome.message
    return json.loads(text)


CASES = {"fast": (False,), "regular": (True,), "two of a box": (False, 2), "more than classes": (False, 4), "none": (False, 1, 2.0), "none, regular": (True, 1, 2.0),
         "no background": (False, 1, 0.25, 3)}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_postprocess(case, tmp_path):
    content, feeds = postprocess(*case)
    (tmp_path / "in.tflite").write_bytes(content)
    expected = Session(content).run(feeds)
    per_box = case[1] if len(case) > 1 else 1
    # The runtime leaves whatever was there behind what it found, and behind a box's classes.
    filled = np.arange(9 * per_box)
    filled = filled[(filled < expected[3][0] * per_box) & (filled % per_box < 3)]
    assert len(filled) > 0 or case[-1] == 2.0

    def check(results):
        assert [result.shape for result in results] == [array.shape for array in expected]
        assert results[3] == expected[3]
        for a, b in zip(expected[:3], results[:3]):
            assert len(filled) == 0 or range_error(a[:, filled], b[:, filled]) < 1e-5

    note = f"the runtime needs the custom operator '{POSTPROCESS}'"
    assert note in report(tmp_path / "in.tflite", tmp_path / "kept.tflite")["notes"]
    assert codes(tmp_path / "kept.tflite") == [POSTPROCESS]
    check(Session((tmp_path / "kept.tflite").read_bytes()).run(feeds))
    assert note not in report(tmp_path / "in.tflite", tmp_path / "apart.tflite", "--tflite-ops", "builtin")["notes"]
    assert POSTPROCESS not in codes(tmp_path / "apart.tflite")
    check(Session((tmp_path / "apart.tflite").read_bytes()).run(feeds))
    report(tmp_path / "in.tflite", tmp_path / "out.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "out.onnx")
    check(session.run(None, dict(zip(["encodings", "scores"], feeds))))


def flex_model():
    model = Model()
    graph = model.main
    x = graph.input("x", [1, 3], np.float32)
    bytes_in = graph.input("bytes", [1, 3], np.uint8, Grid(0.5, 3))
    t = graph.op("EXP", [x], [([1, 3], np.float32)])
    y, z = graph.op("custom:FlexErf", [t, None, bytes_in], [([1, 3], np.float32), ([1, 3], np.uint8, Grid(0.25, 7))], version=2, custom_options=b"\1options\xff")
    graph.output(graph.op("custom:Own", [y], [([1, 3], np.float32)]), z)
    return model.bytes()


def test_foreign_operators_are_kept(tmp_path):
    (tmp_path / "in.tflite").write_bytes(flex_model())
    assert "the runtime needs the custom operators 'FlexErf' and 'Own'" in report(tmp_path / "in.tflite", tmp_path / "out.tflite")["notes"]
    assert codes(tmp_path / "out.tflite") == ["EXP", "FlexErf", "Own"]
    model = parsed(tmp_path / "out.tflite")
    graph = model.subgraphs[0]
    flex = graph.operators[1]
    assert bytes(flex.customOptions) == b"\1options\xff" and model.operatorCodes[flex.opcodeIndex].version == 2
    assert flex.inputs[1] == -1 and flex.inputs[2] == graph.inputs[1]
    given = graph.tensors[graph.inputs[1]], graph.tensors[flex.outputs[1]]
    assert [(tensor.type, tensor.quantization.scale[0], tensor.quantization.zeroPoint[0]) for tensor in given] == [(schema.TensorType.UINT8, 0.5, 3), (schema.TensorType.UINT8, 0.25, 7)]


def test_what_is_not_allowed_is_refused_whole(tmp_path):
    (tmp_path / "in.tflite").write_bytes(flex_model())
    outcome, text = remodel.call_for_output(tmp_path / "in.tflite", tmp_path / "out.tflite", "--tflite-ops", "builtin", "--json")
    assert outcome.code == remodel.REFUSED and not (tmp_path / "out.tflite").exists()
    errors = json.loads(text)["errors"]
    assert len(errors) == 2 and "FlexErf is a custom operator, which '--tflite-ops' does not allow" in errors[0] and "Own is a custom operator" in errors[1]
