"""What stands in a file beside its graphs: it comes through conversions, or the report says that it does not."""

import io
import json
import zipfile

import numpy as np
import onnx
from ai_edge_litert import schema_py_generated as schema

import remodel
import tflite_build
from test_tflite import labelled_model

BLOB = bytes(range(256))


def parsed(path):
    return schema.ModelT.InitFromPackedBuf(bytearray(path.read_bytes()), 0)


def metadata(path):
    model = parsed(path)
    return {entry.name.decode(): bytes(model.buffers[entry.buffer].data) for entry in model.metadata or []}


def labels(path):
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def source(path):
    model = tflite_build.Model("says what it is")
    graph = model.main
    x = graph.input("x", [1, 3], np.float32)
    graph.output(graph.op("GELU", [x], [([1, 3], np.float32)], tflite_build.options("Gelu")))
    model.metadata("TFLITE_METADATA", BLOB)
    model.metadata("author", "someone à côté\n".encode())
    model.metadata("min_runtime_version", b"9.9.9".ljust(16, b"\0"))
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("labels.txt", "cat\ndog\nowl\n")
        file.writestr("picture.png", BLOB)
    path.write_bytes(model.bytes() + archive.getvalue())


def report(*arguments):
    outcome, text = remodel.call_for_output(*arguments, "--json")
    assert outcome.ok, outcome.message
    return json.loads(text)


def test_tflite_to_tflite(tmp_path):
    source(tmp_path / "in.tflite")
    report(tmp_path / "in.tflite", tmp_path / "out.tflite")
    found = metadata(tmp_path / "out.tflite")
    assert found["TFLITE_METADATA"] == BLOB and found["author"] == "someone à côté\n".encode()
    assert labels(tmp_path / "out.tflite") == {"labels.txt": b"cat\ndog\nowl\n", "picture.png": BLOB}
    # Of what is written, not of what was read: GELU came with runtime 2.9.
    assert found["min_runtime_version"] == b"2.9.0".ljust(16, b"\0")
    assert parsed(tmp_path / "out.tflite").description == b"says what it is"
    tflite_build.Session((tmp_path / "out.tflite").read_bytes())


def test_tflite_to_onnx_and_back(tmp_path):
    source(tmp_path / "in.tflite")
    notes = report(tmp_path / "in.tflite", tmp_path / "out.onnx")["notes"]
    assert [note.split("'")[1] for note in notes if "is left out: ONNX keeps text" in note] == ["TFLITE_METADATA", "picture.png"]
    props = {prop.key: prop.value for prop in onnx.load(tmp_path / "out.onnx").metadata_props}
    assert props["author"] == "someone à côté\n" and props["labels.txt"] == "cat\ndog\nowl\n"
    report(tmp_path / "out.onnx", tmp_path / "back.tflite")
    found = metadata(tmp_path / "back.tflite")
    assert found["author"] == "someone à côté\n".encode() and found["labels.txt"] == b"cat\ndog\nowl\n"


def test_inspect_lists_it(tmp_path):
    (tmp_path / "labels.tflite").write_bytes(labelled_model())
    report(tmp_path / "labels.tflite", tmp_path / "out.tflite")
    outcome, text = remodel.call_for_output("inspect", tmp_path / "out.tflite")
    assert outcome.ok, outcome.message
    assert "brings along  labels.txt (12 bytes)" in text and "classes       3: cat, dog, owl" in text
