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


def transpose_conv_bias(x, w, bias, strides, same):
    """As MediaPipe computes it: every element of x is spread over a window of the result."""
    pads = [max(0, w.shape[i + 1] - (x.shape[i + 1] - 1) % strides[i] - 1) * same for i in range(2)]
    h, width = (strides[i] * (x.shape[i + 1] - 1) + w.shape[i + 1] - pads[i] for i in range(2))
    y = np.tile(bias, (x.shape[0], h, width, 1)).astype(np.float64)
    for b, i, k in np.ndindex(x.shape[:3]):
        for u, v in np.ndindex(w.shape[1:3]):
            row, column = i * strides[0] - pads[0] // 2 + u, k * strides[1] - pads[1] // 2 + v
            if 0 <= row < h and 0 <= column < width:
                y[b, row, column] += w[:, u, v] @ x[b, i, k]
    return [y.astype(np.float32)]


def max_pool_index(x, window, strides, same):
    sizes = [-(-x.shape[i + 1] // strides[i]) if same else (x.shape[i + 1] - window[i] + strides[i]) // strides[i] for i in range(2)]
    low = [max(0, (sizes[i] - 1) * strides[i] + window[i] - x.shape[i + 1]) // 2 for i in range(2)]
    y, index = np.zeros((2, x.shape[0], *sizes, x.shape[3]), np.float32)
    for b, i, k, c in np.ndindex(y.shape):
        best = -np.inf
        for u, v in np.ndindex(*window):
            row, column = i * strides[0] - low[0] + u, k * strides[1] - low[1] + v
            if 0 <= row < x.shape[1] and 0 <= column < x.shape[2] and x[b, row, column, c] > best:
                best = y[b, i, k, c] = x[b, row, column, c]
                index[b, i, k, c] = u * window[1] + v + 0.1
    return [np.clip(y, 0, 6), index]


def max_unpool(x, index, window, strides):
    y = np.zeros((x.shape[0], x.shape[1] * window[0], x.shape[2] * window[1], x.shape[3]), np.float32)
    low = [max(0, (x.shape[i + 1] - 1) * strides[i] + window[i] - y.shape[i + 1]) // 2 for i in range(2)]
    for b, i, k, c in np.ndindex(x.shape):
        u, v = divmod(int(index[b, i, k, c]), window[1])
        row, column = i * strides[0] - low[0] + u, k * strides[1] - low[1] + v
        if 0 <= row < y.shape[1] and 0 <= column < y.shape[2]:
            y[b, row, column, c] = x[b, i, k, c]
    return [y]


def packed(*numbers):
    return np.int32(numbers).tobytes()


def mediapipe_cases():
    random = np.random.default_rng(3)
    draw = lambda *shape: random.normal(size=shape).astype(np.float32)
    for same in (True, False):
        for strides in ((2, 2), (1, 3), (3, 1)):
            x, w, bias = draw(2, 4, 5, 3), draw(4, 3, 2, 3), draw(4)
            yield f"Convolution2DTransposeBias {same} {strides}", "Convolution2DTransposeBias", [x], [w, bias], packed(2 - same, strides[1], strides[0]), transpose_conv_bias(x, w, bias, strides, same)
            x = random.integers(-3, 9, (2, 7, 8, 3)).astype(np.float32)
            yield f"MaxPoolingWithArgmax2D {same} {strides}", "MaxPoolingWithArgmax2D", [x], [], packed(2 - same, strides[1], strides[0], 3, 2, 3), max_pool_index(x, (2, 3), strides, same)
    # With wider strides some places lie outside of the result.
    for window, strides in (((2, 2), (2, 2)), ((2, 3), (3, 4))):
        x = draw(2, 3, 4, 3)
        index = random.integers(0, window[0] * window[1], x.shape).astype(np.float32) + np.float32(0.1)
        yield f"MaxUnpooling2D {strides}", "MaxUnpooling2D", [x, index], [], packed(1, strides[1], strides[0], window[1], window[0], 0), max_unpool(x, index, window, strides)


@pytest.mark.parametrize("case", list(mediapipe_cases()), ids=lambda case: case[0])
def test_mediapipe(case, tmp_path):
    """What TensorFlow Lite gets has builtin operators alone, so that any runtime can run it."""
    _, code, inputs, constants, options, expected = case
    model = Model()
    tensors = [model.main.input(f"x{i}", array.shape) for i, array in enumerate(inputs)] + [model.main.constant(array) for array in constants]
    made = model.main.op(f"custom:{code}", tensors, [(array.shape, np.float32) for array in expected], custom_options=options)
    model.main.output(*(made if isinstance(made, list) else [made]))
    (tmp_path / "in.tflite").write_bytes(model.bytes())
    report(tmp_path / "in.tflite", tmp_path / "out.tflite")
    assert code not in codes(tmp_path / "out.tflite")
    report(tmp_path / "in.tflite", tmp_path / "out.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "out.onnx")
    for results in (Session((tmp_path / "out.tflite").read_bytes()).run(inputs), session.run(None, {f"x{i}": array for i, array in enumerate(inputs)})):
        for a, b in zip(expected, results, strict=True):
            assert a.shape == b.shape and range_error(a, b) < 1e-5
