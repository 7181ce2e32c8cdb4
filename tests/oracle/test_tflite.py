"""One-operator TensorFlow Lite models, family by family, against LiteRT."""

import collections
import io
import json
import zipfile

import numpy as np
import pytest

import npz
import remodel
import tflite_build
import tflite_cases
import tflite_control
import tflite_operators  # noqa: F401


@pytest.mark.parametrize("family", tflite_cases.CASES, ids=lambda family: family.__name__)
def test_operators(family, tmp_path):
    counts, wrong = collections.Counter(), []
    for case in family():
        what, message = tflite_cases.verdict(tmp_path, case)
        counts[what] += 1
        if what != "right":
            wrong.append(f"{what} {case.name}: {message}")
    print(", ".join(f"{count} {what}" for what, count in sorted(counts.items())))
    assert counts["right"] > 0
    assert not wrong, "\n".join(wrong)


# What is read and cannot be written again.
READ_ALONE = "resize_bilinear/given resize_nearest_neighbor/given rfft2d/".split()


@pytest.mark.parametrize("family", tflite_cases.CASES, ids=lambda family: family.__name__)
def test_operators_written_again(family, tmp_path):
    wrong = []
    for case in family():
        if case.refused or case.name.startswith("custom:"):
            continue
        what, message = tflite_cases.verdict_through(tmp_path, case, "tflite")
        if what != ("refused" if case.name.startswith(tuple(READ_ALONE)) else "right"):
            wrong.append(f"{what} {case.name}: {message}")
    assert not wrong, "\n".join(wrong)


def test_names_that_occur_twice(tmp_path):
    """Each tensor can be asked for by a name of its own, and the file's inputs and outputs come first to theirs."""
    model = tflite_build.Model()
    graph = model.main
    x = graph.tensor("x", [3], np.float32)
    graph.table.inputs = [x]
    inner = graph.tensor("x", [3], np.float32)
    y = graph.tensor("x", [3], np.float32)
    graph.op("NEG", [x], [inner])
    graph.op("RELU", [inner], [y])
    graph.output(y)
    source, converted, given, results = (tmp_path / name for name in ("model.tflite", "model.onnx", "in.npz", "out.npz"))
    source.write_bytes(model.bytes())
    fed = np.float32([1, -2, 3])
    npz.write(given, {"x": fed})
    for asked, name, expected in (([], "x_1", [0, 2, 0]), (["--outputs", "x_2"], "x_2", [-1, 2, -3])):
        assert remodel.call(source, converted, *asked).ok
        assert remodel.run(converted, given, results).ok
        got = npz.read(results)
        assert list(got) == [name]
        assert got[name].tolist() == expected


def labelled_model():
    model = tflite_build.Model("of labels")
    graph = model.main
    x = graph.input("serving_default_x:0", [1, 3], np.float32, signature=[-1, 3])
    graph.output(graph.op("SOFTMAX", [x], [([1, 3], np.float32)], tflite_build.options("Softmax", beta=1.0)))
    model.signature("serving_default", {"x": x}, {"y": graph.table.outputs[0]})
    model.metadata("min_runtime_version", b"1.5.0".ljust(16, b"\0"))
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("labels.txt", "cat\ndog\nowl\n")
    return model.bytes() + archive.getvalue()


def test_inspect_lists_what_the_file_brings_along(tmp_path):
    path = tmp_path / "labels.tflite"
    path.write_bytes(labelled_model())
    outcome, text = remodel.call_for_output("inspect", path, "--json")
    assert outcome.ok, outcome.message
    found = json.loads(text)
    assert found["assets"] == {"labels.txt": 12}
    assert found["metadata"] == {"min_runtime_version": "1.5.0"}
    assert found["class_names"] == ["cat", "dog", "owl"]
    assert [signature["name"] for signature in found["signatures"]] == ["serving_default"]


def test_any_batch(tmp_path):
    """A size that may change is one of the run's, in LiteRT and here."""
    content = labelled_model()
    path = tmp_path / "labels.tflite"
    path.write_bytes(content)
    for batch in (1, 2, 5):
        x = np.random.default_rng(batch).normal(size=(batch, 3)).astype(np.float32)
        npz.write(tmp_path / "in.npz", {"serving_default_x:0": x})
        assert remodel.run(path, tmp_path / "in.npz", tmp_path / "out.npz").ok
        expected = tflite_build.Session(content).run([x])[0]
        np.testing.assert_allclose(next(iter(npz.read(tmp_path / "out.npz").values())), expected, rtol=1e-5)


def test_state_lasts_from_call_to_call(tmp_path):
    """What LiteRT's interpreter keeps between calls comes in and goes out where a target has no state."""
    import onnxruntime

    content = tflite_control.variable_model(True).bytes()
    (tmp_path / "state.tflite").write_bytes(content)
    outcome = remodel.convert(tmp_path / "state.tflite", tmp_path / "state.onnx")
    assert outcome.ok, outcome.message
    theirs = tflite_build.Session(content)
    ours = onnxruntime.InferenceSession(tmp_path / "state.onnx")
    kept = np.float32([10, 20])
    for x in (np.float32([1, 2]), np.float32([-3, 0.5])):
        expected = theirs.run([x])[0]
        result, kept = ours.run(None, {"x": x, "sum": kept})
        np.testing.assert_allclose(result, expected, rtol=1e-6)


@pytest.mark.parametrize("looped", [False, True])
def test_state_stays_inside(looped, tmp_path):
    """TensorFlow Lite keeps variables: the interface stays the source's, from call to call."""
    content = tflite_control.variable_model(True, looped).bytes()
    (tmp_path / "state.tflite").write_bytes(content)
    outcome = remodel.convert(tmp_path / "state.tflite", tmp_path / "again.tflite")
    assert outcome.ok, outcome.message
    theirs, ours = tflite_build.Session(content), tflite_build.Session((tmp_path / "again.tflite").read_bytes())
    for x in (np.float32([1, 2]), np.float32([-3, 0.5]), np.float32([0, 7])):
        assert [detail["name"] for detail in ours.inputs] == ["x"]
        np.testing.assert_allclose(ours.run([x]), theirs.run([x]), rtol=1e-6)


def two_signatures():
    """`add` adds to a variable that `scale` reads."""
    model = tflite_control.variable_model(True)
    model.signature("add", {"x": 0}, {"sum": model.main.table.outputs[0]})
    graph = model.graph("scaling")
    x = graph.input("factor", [2], np.float32)
    graph.op("CALL_ONCE", [], [], tflite_build.options("CallOnce", initSubgraphIndex=1))
    handle = graph.op("VAR_HANDLE", [], [([1], "resource")], tflite_build.options("VarHandle", container="", sharedName="sum"))
    value = graph.op("READ_VARIABLE", [handle], [([2], np.float32)], tflite_build.options("ReadVariable"))
    graph.output(graph.op("MUL", [value, x], [([2], np.float32)], tflite_build.options("Mul")))
    model.signature("scale", {"by": x}, {"scaled": graph.table.outputs[0]}, graph=2)
    return model.bytes()


def run_signatures(content):
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=content)
    add, scale = (interpreter.get_signature_runner(key) for key in ("add", "scale"))
    results = []
    for number in (1, 2, 3):
        results.append(add(x=np.float32([number, -number]))["sum"])
        results.append(scale(by=np.float32([2, number]))["scaled"])
    return results


def test_signatures_stay(tmp_path):
    content = two_signatures()
    (tmp_path / "two.tflite").write_bytes(content)
    outcome = remodel.convert(tmp_path / "two.tflite", tmp_path / "again.tflite")
    assert outcome.ok, outcome.message
    np.testing.assert_allclose(run_signatures((tmp_path / "again.tflite").read_bytes()), run_signatures(content), rtol=1e-6)


def test_one_of_the_signatures(tmp_path):
    import onnxruntime

    (tmp_path / "two.tflite").write_bytes(two_signatures())
    outcome = remodel.convert(tmp_path / "two.tflite", tmp_path / "out.onnx")
    assert outcome.code == remodel.REFUSED and "the model has the entry points 'add' and 'scale'" in outcome.message and "--signature" in outcome.message
    outcome = remodel.convert(tmp_path / "two.tflite", tmp_path / "out.onnx", "--signature", "scale")
    assert outcome.ok, outcome.message
    session = onnxruntime.InferenceSession(tmp_path / "out.onnx")
    feeds = dict(zip([port.name for port in session.get_inputs()], (np.float32([2, 3]), np.float32([10, 20]))))
    np.testing.assert_allclose(session.run(None, feeds)[0], [20, 60])
    outcome = remodel.convert(tmp_path / "two.tflite", tmp_path / "out.onnx", "--signature", "scal")
    assert outcome.code == remodel.REFUSED and "there is no signature 'scal' (it has 'add' and 'scale')" in outcome.message


def test_cut_inside(tmp_path):
    content = labelled_chain().bytes()
    (tmp_path / "chain.tflite").write_bytes(content)
    outcome = remodel.call(tmp_path / "chain.tflite", tmp_path / "part.onnx", "--inputs", "t1", "--outputs", "t2", "--input-shape", "5,3")
    assert outcome.ok, outcome.message
    import onnx

    graph = onnx.load(tmp_path / "part.onnx").graph
    assert [node.op_type for node in graph.node] == ["Exp"]
    assert [size.dim_value for size in graph.input[0].type.tensor_type.shape.dim] == [5, 3]


def labelled_chain():
    model = tflite_build.Model()
    graph = model.main
    x = graph.input("x", [1, 3], np.float32, signature=[-1, 3])
    for code in ("ABS", "EXP", "NEG"):
        x = graph.op(code, [x], [([1, 3], np.float32)])
    graph.output(x)
    return model
