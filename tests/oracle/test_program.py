"""The program as a user meets it: what it prints, what it leaves, and how jobs run."""

import json
import os
import pty
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

import bad_models
import remodel

PROGRAM = str(remodel.PROGRAM.resolve())


def call(folder, *arguments, code=0):
    done = subprocess.run([PROGRAM, *map(str, arguments)], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    assert done.returncode == code, done.stderr.decode()
    return done.stdout.decode(), done.stderr.decode()


def put(folder: Path, name: str, builder) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(builder())
    return path


def shapes(path):
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    sizes = lambda info: [d.dim_value or d.dim_param or None for d in info.type.tensor_type.shape.dim]
    return {info.name: sizes(info) for info in [*model.graph.input, *model.graph.output]}


def test_report_names_what_was_done(tmp_path):
    put(tmp_path, "in.onnx", bad_models.two_layers)
    out, err = call(tmp_path, "in.onnx", "out.onnx")
    assert err == ""
    assert "read     in.onnx: ONNX opset 17, 3 nodes" in out
    assert "wrote    out.onnx: ONNX opset 17, 3 nodes" in out
    assert "y: verified" in out and "picked: verified" in out
    assert "\x1b" not in out


def test_quiet_says_nothing(tmp_path):
    put(tmp_path, "in.onnx", bad_models.good)
    assert call(tmp_path, "in.onnx", "out.onnx", "-q") == ("", "")


STRICT = ("--tolerance", "1e-9")  # folded weights are rounded more than that


def test_json_report(tmp_path):
    put(tmp_path, "in.onnx", bad_models.cancelling)
    report = json.loads(call(tmp_path, "in.onnx", "out.onnx", "--json", *STRICT, code=3)[0])
    assert report["version"] == 1
    assert (report["status"], report["exit_code"]) == ("check failed", 3)
    assert report["read"]["operators"] == {"Conv": 1, "BatchNormalization": 1}
    assert report["written"]["operators"] == {"Conv": 1}
    assert {"name": "batch norm into conv", "effect": "rounding", "count": 1} in report["rules"]
    assert report["check"]["outputs"][0]["verdict"] == "failed"
    assert report["written"]["files"] == [{"path": "out.unverified.onnx", "bytes": (tmp_path / "out.unverified.onnx").stat().st_size}]
    assert [phase["name"] for phase in report["phases"]] == ["read", "rewrite", "write", "check"]
    assert report["peak_memory"] > 0


def test_json_report_of_a_refusal(tmp_path):
    put(tmp_path, "in.onnx", bad_models.several_problems)
    report = json.loads(call(tmp_path, "in.onnx", "out.onnx", "--json", code=1)[0])
    assert report["status"] == "refused" and len(report["errors"]) == 3 and report["written"] is None


def test_failed_check_leaves_the_output(tmp_path):
    put(tmp_path, "in.onnx", bad_models.cancelling)
    old = put(tmp_path, "out.onnx", bad_models.good).read_bytes()
    call(tmp_path, "in.onnx", "out.onnx", *STRICT, code=3)
    assert (tmp_path / "out.onnx").read_bytes() == old
    call(tmp_path, "in.onnx", "direct.onnx", "--no-verify")
    assert (tmp_path / "out.unverified.onnx").read_bytes() == (tmp_path / "direct.onnx").read_bytes()


def test_result_that_failed_does_not_take_the_place_of_the_input(tmp_path):
    source = put(tmp_path, "m.unverified.onnx", bad_models.cancelling)
    before = source.read_bytes()
    _, err = call(tmp_path, "m.unverified.onnx", "m.onnx", *STRICT, code=3)
    assert "the result is not kept, as the conversion reads 'm.unverified.onnx'" in err
    assert [path.name for path in tmp_path.iterdir()] == ["m.unverified.onnx"] and source.read_bytes() == before
    call(tmp_path, "m.unverified.onnx", "m.onnx", "--tolerance", "10")
    assert source.read_bytes() == before


def test_what_a_failed_check_left_goes_with_the_next_good_run(tmp_path):
    put(tmp_path, "in.onnx", bad_models.cancelling)
    call(tmp_path, "in.onnx", "out.onnx", *STRICT, code=3)
    assert (tmp_path / "out.unverified.onnx").exists()
    call(tmp_path, "in.onnx", "out.onnx", "--tolerance", "10")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.onnx", "out.onnx"]


def test_failed_check_with_external_data(tmp_path):
    def large():
        model = onnx.load_from_string(bad_models.cancelling())
        # Unused by the outputs, but large enough for the other file.
        weight = onnx.numpy_helper.from_array(np.ones((2, 1, 19, 19), np.float32), "w")
        model.graph.initializer[0].CopyFrom(weight)
        model.graph.input[0].type.tensor_type.shape.dim[2].dim_value = 40
        model.graph.input[0].type.tensor_type.shape.dim[3].dim_value = 40
        del model.graph.output[0].type.tensor_type.shape.dim[:]
        model.graph.output[0].type.tensor_type.ClearField("shape")
        return model.SerializeToString()

    put(tmp_path, "in.onnx", large)
    call(tmp_path, "in.onnx", "out.onnx", "--external-data", "--tolerance", "0", code=3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.onnx", "out.unverified.onnx", "out.unverified.onnx.data"]
    onnx.checker.check_model(str(tmp_path / "out.unverified.onnx"))


def test_dry_run_writes_nothing(tmp_path):
    put(tmp_path, "in.onnx", bad_models.good)
    out, _ = call(tmp_path, "in.onnx", "out.onnx", "--dry-run")
    assert "would be out.onnx" in out and "NOT CHECKED" in out
    assert [path.name for path in tmp_path.iterdir()] == ["in.onnx"]


def test_no_verify_says_so(tmp_path):
    put(tmp_path, "in.onnx", bad_models.good)
    assert "NOT CHECKED" in call(tmp_path, "in.onnx", "out.onnx", "--no-verify")[0]


def test_paths_with_spaces_and_other_scripts(tmp_path):
    put(tmp_path, "модель é/in put.onnx", bad_models.good)
    (tmp_path / "出").mkdir()
    call(tmp_path, "модель é/in put.onnx", "出/o 'u' t.onnx")
    job = {"convert_from": "出/o 'u' t.onnx", "convert_to": "出/again ü.onnx"}
    call(tmp_path, "-d", json.dumps(job))
    assert shapes(tmp_path / "出" / "again ü.onnx")["x"] == [2, 3]


def test_names_that_look_like_options(tmp_path):
    put(tmp_path, "-in.onnx", bad_models.good)
    call(tmp_path, "--opset", "12", "--", "-in.onnx", "--out.onnx")
    assert onnx.load(tmp_path / "--out.onnx").opset_import[0].version == 12


def test_device_as_output(tmp_path):
    put(tmp_path, "in.onnx", bad_models.good)
    out = subprocess.run([PROGRAM, "in.onnx", "/dev/stdout"], cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True)
    assert out.returncode == 0
    model = onnx.load_from_string(out.stdout)
    assert model.graph.node[0].op_type == "Relu" and model.SerializeToString() == out.stdout
    assert b"NOT CHECKED" in out.stderr
    np.savez(tmp_path / "in.npz", x=np.ones((2, 3), np.float32))
    with open(tmp_path / "out.npz", "wb") as file:
        subprocess.run([PROGRAM, "run", "in.onnx", "in.npz", "/dev/stdout"], cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=file, check=True)
    assert np.load(tmp_path / "out.npz")["y"].shape == (2, 3)


def test_cut_at_both_ends(tmp_path):
    put(tmp_path, "in.onnx", bad_models.two_layers)
    call(tmp_path, "in.onnx", "tail.onnx", "--inputs", "hidden:0", "--outputs", "y")
    assert shapes(tmp_path / "tail.onnx") == {"hidden": ["N", 4], "y": ["N", 4]}
    call(tmp_path, "in.onnx", "head.onnx", "--outputs", "hidden")
    assert shapes(tmp_path / "head.onnx") == {"x": ["N", 3], "hidden": ["N", 4]}
    x = np.random.default_rng(0).normal(size=(2, 3)).astype(np.float32)
    run = lambda name, feed: onnxruntime.InferenceSession(tmp_path / name).run(None, feed)
    (hidden,) = run("head.onnx", {"x": x})
    (y,) = run("tail.onnx", {"hidden": hidden})
    np.testing.assert_allclose(y, run("in.onnx", {"x": x, "ids": np.zeros(2, np.int64)})[0], rtol=1e-6)


def test_cut_at_several_tensors_in_order(tmp_path):
    put(tmp_path, "in.onnx", bad_models.two_layers)
    call(tmp_path, "in.onnx", "out.onnx", "--inputs", "ids,weight", "--inputs", "hidden")
    model = onnx.load(tmp_path / "out.onnx")
    assert [i.name for i in model.graph.input] == ["ids", "weight", "hidden"]
    call(tmp_path, "in.onnx", "swapped.onnx", "--outputs", "picked", "--outputs", "hidden")
    assert [o.name for o in onnx.load(tmp_path / "swapped.onnx").graph.output] == ["picked", "hidden"]


def test_cut_behind_what_cannot_be_read(tmp_path):
    put(tmp_path, "in.onnx", bad_models.behind_unknown)
    call(tmp_path, "in.onnx", "out.onnx", "--inputs", "strange", "--input-shape", "2,3", "--input-dtype", "strange=float32")
    assert shapes(tmp_path / "out.onnx") == {"strange": [2, 3], "y": [2, 3]}


def test_input_shapes_and_types(tmp_path):
    put(tmp_path, "in.onnx", bad_models.two_layers)
    call(tmp_path, "in.onnx", "out.onnx", "--input-shape", "7,3;", "--input-dtype", "ids=int32")
    found = shapes(tmp_path / "out.onnx")
    assert found == {"x": [7, 3], "ids": [2], "y": [7, 4], "picked": [2, 4]}
    session = onnxruntime.InferenceSession(tmp_path / "out.onnx")
    picked = session.run(["picked"], {"x": np.zeros((7, 3), np.float32), "ids": np.array([2, 0], np.int32)})[0]
    assert picked[0, 0] == np.float32(0.8)
    call(tmp_path, "in.onnx", "open.onnx", "--input-shape", "x=batch,3")
    assert shapes(tmp_path / "open.onnx")["y"] == ["batch", 4]


def test_jobs(tmp_path):
    put(tmp_path, "a.onnx", bad_models.good)
    put(tmp_path, "bad.onnx", bad_models.unknown_operator)
    jobs = [
        {"convert_from": "c.onnx", "convert_to": "d.onnx", "onnx_opset": "13"},
        {"convert_from": "a.onnx", "convert_to": "c.onnx"},
        {"convert_from": "bad.onnx", "convert_to": "e.onnx"},
        {"convert_from": "e.onnx", "convert_to": "f.onnx"},
        {"convert_from": "nothing.onnx", "convert_to": "g.onnx", "skip": "True"},
    ]
    (tmp_path / "jobs.json").write_text(json.dumps(jobs))
    out, err = call(tmp_path, "-f", "jobs.json", code=5)
    rows = [line.split()[:2] for line in out.splitlines()[1:6]]
    assert rows == [["1", "done"], ["2", "done"], ["3", "failed"], ["4", "failed"], ["5", "skipped"]]
    assert err.count("[") >= 5 and "it needs the output of job 3, which failed" in err
    opset = lambda name: onnx.load(tmp_path / name).opset_import[0].version
    assert (opset("c.onnx"), opset("d.onnx")) == (10, 13)

    report = json.loads(call(tmp_path, "-f", "jobs.json", "--json", "-j", "3", code=5)[0])
    assert (report["version"], report["done"], report["failed"], report["skipped"]) == (1, 2, 2, 1)
    assert [job["result"] for job in report["jobs"]] == ["done", "done", "failed", "failed", "skipped"]
    assert report["jobs"][0]["report"]["check"]["status"] == "passed"


def test_jobs_take_the_lowest_opset_that_will_do(tmp_path):
    put(tmp_path, "a.onnx", bad_models.newer_than_nineteen)
    out, _ = call(tmp_path, "-d", '{"convert_from": "a.onnx", "convert_to": "b.onnx"}')
    assert "written at opset 20, the lowest that can express the model" in out
    assert onnx.load(tmp_path / "b.onnx").opset_import[0].version == 20


def test_dry_run_of_jobs_that_follow_one_another(tmp_path):
    put(tmp_path, "a.onnx", bad_models.good)
    jobs = [{"convert_from": "b.onnx", "convert_to": "c.onnx"}, {"convert_from": "a.onnx", "convert_to": "b.onnx"}]
    _, err = call(tmp_path, "-d", json.dumps(jobs), "--dry-run")
    assert "[1/2] b.onnx -> c.onnx: skipped, as it reads what job 2 would write (--dry-run)" in err
    assert [path.name for path in tmp_path.iterdir()] == ["a.onnx"]
    _, err = call(tmp_path, "-d", json.dumps(2 * jobs[1:]), "--dry-run", code=2)
    assert "jobs 1 and 2 both write 'b.onnx'" in err


def test_jobs_claim_no_file_that_they_do_not_write(tmp_path):
    put(tmp_path, "a.onnx", bad_models.large)
    jobs = [{"convert_from": "a.onnx", "convert_to": "q.onnx"}, {"convert_from": "a.onnx", "convert_to": "q.onnx.data"}]
    call(tmp_path, "-d", json.dumps(jobs), "--to", "onnx")
    _, err = call(tmp_path, "-d", json.dumps(jobs), "--to", "onnx", "--external-data", code=2)
    assert "jobs 1 and 2 both write 'q.onnx.data'" in err


def test_a_job_takes_weights_that_another_makes_anew(tmp_path):
    put(tmp_path, "a.onnx", bad_models.large)
    jobs = [{"convert_from": "b.onnx", "convert_to": "c.onnx"}, {"convert_from": "a.onnx", "convert_to": "b.onnx"}]
    for _ in range(2):
        call(tmp_path, "-d", json.dumps(jobs), "--external-data")


def test_jobs_say_why_they_were_not_checked(tmp_path):
    node = onnx.helper.make_node("Custom", ["x"], ["y"], domain="my.ops", name="mine")
    shape = [2, 3]
    model = bad_models.build([node], [bad_models.info("x", shape)], [bad_models.info("y", shape)], domains=["my.ops"])
    (tmp_path / "a.onnx").write_bytes(model)
    out, _ = call(tmp_path, "-d", '{"convert_from": "a.onnx", "convert_to": "b.onnx"}')
    assert out.splitlines()[-1] == "job 1: not checked: layer 'mine': 'my.ops:Custom' cannot be run here"


def test_options_hold_for_all_jobs(tmp_path):
    put(tmp_path, "a.onnx", bad_models.good)
    jobs = [{"convert_from": "a.onnx", "convert_to": "b.onnx"}, {"convert_from": "a.onnx", "convert_to": "c.onnx", "onnx_opset": 12}]
    out, _ = call(tmp_path, "-d", json.dumps(jobs), "--opset", "15", "--no-verify")
    assert out.count("not checked") == 2
    assert onnx.load(tmp_path / "b.onnx").opset_import[0].version == 15
    assert onnx.load(tmp_path / "c.onnx").opset_import[0].version == 12


def test_same_bytes_for_any_number_of_threads(tmp_path):
    put(tmp_path, "in.onnx", bad_models.two_layers)
    for threads in (1, 2, 5):
        call(tmp_path, "in.onnx", f"out{threads}.onnx", "-j", threads)
    assert len({(tmp_path / f"out{threads}.onnx").read_bytes() for threads in (1, 2, 5)}) == 1


def test_keys_are_options(tmp_path):
    put(tmp_path, "in.onnx", bad_models.two_layers)
    call(tmp_path, "--convert_from", "in.onnx", "--convert_to", "out.onnx", "--onnx_opset", "12", "--output_nodes", "hidden:0", "--frozen", "False")
    assert list(shapes(tmp_path / "out.onnx")) == ["x", "hidden"]
    assert onnx.load(tmp_path / "out.onnx").opset_import[0].version == 12
    call(tmp_path, "in.onnx", "never.onnx", "--skip", "True")
    assert not (tmp_path / "never.onnx").exists()


def test_run_says_what_the_outputs_are(tmp_path):
    put(tmp_path, "in.onnx", bad_models.two_layers)
    x, ids = np.ones((5, 3), np.float32), np.zeros(2, np.int64)
    np.savez(tmp_path / "in.npz", x=x, ids=ids)
    out, _ = call(tmp_path, "run", "in.onnx", "in.npz", "out.npz")
    assert out == "outputs  y: f32[5, 4]\n         picked: f32[2, 4]\n"
    expected = onnxruntime.InferenceSession(tmp_path / "in.onnx").run(["y"], {"x": x, "ids": ids})[0]
    np.testing.assert_allclose(np.load(tmp_path / "out.npz")["y"], expected, rtol=1e-6)
    assert call(tmp_path, "run", "in.onnx", "in.npz", "out.npz", "-q")[0] == ""


def test_score_counts_what_is_right(tmp_path):
    demo = remodel.ROOT / "demo" / "shapes"
    call(tmp_path, f"{demo}.onnx", "m.tflite", "-q")
    call(tmp_path, "run", f"{demo}.onnx", f"{demo}.npz", "out.npz", "-q")
    right = np.load(tmp_path / "out.npz")["probabilities"].argmax(-1) == np.load(f"{demo}.npz")["labels"]
    assert right.mean() > 0.99
    for model in (f"{demo}.onnx", "m.tflite"):
        score = json.loads(call(tmp_path, "score", model, f"{demo}.npz", "--json")[0])
        assert (score["right"], score["count"], score["output"]) == (right.sum(), len(right), "probabilities")


def test_verify_names_the_layer_that_differs(tmp_path):
    put(tmp_path, "a.onnx", bad_models.two_layers)
    model = onnx.load(tmp_path / "a.onnx")
    weight = model.graph.initializer[0]
    values = onnx.numpy_helper.to_array(weight) + 1
    weight.CopyFrom(onnx.numpy_helper.from_array(values, weight.name))
    onnx.save(model, tmp_path / "b.onnx")
    out, err = call(tmp_path, "verify", "a.onnx", "b.onnx", code=3)
    assert out.startswith("inputs   made up with N = ") and "result   the models differ" in out
    assert "the first layer that differs is '" in out and out.count("y: failed") == 1
    assert err == "error: 'b.onnx' does not compute what 'a.onnx' does\n"
    report = json.loads(call(tmp_path, "verify", "a.onnx", "b.onnx", "--json", code=3)[0])
    assert (report["version"], report["status"], report["outputs"][0]["verdict"]) == (1, "failed", "failed")


def test_verify_misses_no_output(tmp_path):
    put(tmp_path, "a.onnx", bad_models.two_layers)
    call(tmp_path, "a.onnx", "b.onnx", "--outputs", "y,hidden")
    out, _ = call(tmp_path, "verify", "a.onnx", "b.onnx", code=3)
    assert "y: verified" in out and "picked: failed: the result has no such output" in out
    assert "hidden: failed: the source has no such output" in out and "the models differ" in out


def test_verify_says_what_it_paired_by_place(tmp_path):
    put(tmp_path, "a.onnx", bad_models.good)
    model = onnx.load(tmp_path / "a.onnx")
    model.graph.node[0].output[0] = model.graph.output[0].name = "other"
    onnx.save(model, tmp_path / "b.onnx")
    out, _ = call(tmp_path, "verify", "a.onnx", "b.onnx")
    note = "no output has the same name in both models, so outputs were paired by place"
    assert note in out and "other: verified" in out
    assert json.loads(call(tmp_path, "verify", "a.onnx", "b.onnx", "--json")[0])["notes"] == [note]


def test_the_check_sees_weights_that_are_off_behind_a_softmax(tmp_path):
    demo = onnx.load(remodel.ROOT / "demo" / "shapes.onnx")
    onnx.save(demo, tmp_path / "a.onnx")
    weights = [w for w in demo.graph.initializer if len(w.dims) > 1]
    assert len(weights) > 2
    for weight in weights:
        kept = weight.raw_data
        weight.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(weight) * np.float32(1.01), weight.name))
        onnx.save(demo, tmp_path / "b.onnx")
        call(tmp_path, "verify", "a.onnx", "b.onnx", code=3)
        weight.raw_data = kept


def test_there_and_back_leaves_no_transposes(tmp_path):
    """Channels stand last in TensorFlow Lite, first in ONNX."""
    call(tmp_path, remodel.ROOT / "demo" / "shapes.onnx", "m.tflite")
    call(tmp_path, "m.tflite", "back.onnx")
    call(tmp_path, "verify", remodel.ROOT / "demo" / "shapes.onnx", "back.onnx")
    assert "Transpose" not in [node.op_type for node in onnx.load(tmp_path / "back.onnx").graph.node]


def test_inspect_keeps_within_the_width(tmp_path):
    put(tmp_path, "in.onnx", bad_models.two_layers)
    model = onnx.load(tmp_path / "in.onnx")
    kinds = ["Abs", "Cos", "Sin", "Tan", "Exp", "Neg", "Sigmoid", "Tanh", "Floor", "Ceil", "Erf", "Sign", "Round", "Softplus"]
    for i, kind in enumerate(kinds):
        name = f"more{i}"
        model.graph.node.append(onnx.helper.make_node(kind, ["y"], [name]))
        model.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["N", 4]))
    onnx.save(model, tmp_path / "in.onnx")
    out, _ = call(tmp_path, "inspect", "in.onnx")
    assert max(map(len, out.splitlines())) <= 80 and all(f"{kind} 1" in out for kind in kinds)


def test_check_says_what_could_not_be_compared(tmp_path):
    nodes = [
        onnx.helper.make_node("RandomUniformLike", ["x"], ["noise"]),
        onnx.helper.make_node("Constant", [], ["fixed"], value=onnx.numpy_helper.from_array(np.ones(3, np.float32))),
    ]
    outputs = [bad_models.info("noise", [2, 3]), bad_models.info("fixed", [3])]
    (tmp_path / "in.onnx").write_bytes(bad_models.build(nodes, [bad_models.info("x", [2, 3])], outputs))
    out, _ = call(tmp_path, "in.onnx", "out.onnx")
    assert "noise: random: only its type and shape were compared\n" in out
    assert "fixed: not exercised" in out and ": it depends on no input\n" in out and "verified" not in out


def test_what_cannot_be_run_is_not_called_checked(tmp_path):
    nodes = [onnx.helper.make_node("Custom", ["x"], ["a"], domain="my.ops", name="mine"), onnx.helper.make_node("Neg", ["a"], ["y"])]
    shape = [2, 3]
    model = bad_models.build(nodes, [bad_models.info("x", shape)], [bad_models.info("y", shape)], domains=["my.ops"])
    (tmp_path / "in.onnx").write_bytes(model)
    out, _ = call(tmp_path, "in.onnx", "out.onnx")
    assert "check    NOT CHECKED\n         y: not run: layer 'mine': 'my.ops:Custom' cannot be run here\n" in out
    out, err = call(tmp_path, "verify", "in.onnx", "out.onnx", code=1)
    assert "result   not all could be compared" in out
    assert err == "error: 'in.onnx' and 'out.onnx' could not be compared in full\n"


def test_relu_of_what_a_custom_layer_gives_stays_whatever_its_type(tmp_path):
    nodes = [onnx.helper.make_node("Custom", ["x"], ["a"], domain="my.ops"), onnx.helper.make_node("Relu", ["a"], ["y"])]
    shape = [2, 3]
    model = bad_models.build(nodes, [bad_models.info("x", shape)], [bad_models.info("y", shape)], domains=["my.ops"])
    source, target = tmp_path / "model.onnx", tmp_path / "out.onnx"
    source.write_bytes(model)
    assert remodel.convert(source, target).ok
    assert [node.op_type for node in onnx.load(target).graph.node] == ["Custom", "Relu"]


def test_what_depends_on_the_type_of_a_custom_layer_stays_as_it_is(tmp_path):
    """An operator of ONNX that another opset has in another form is refused there, with what to do."""
    nodes = [
        onnx.helper.make_node("Secret", ["x"], ["s"], name="secret", domain="some.where"),
        onnx.helper.make_node("LayerNormalization", ["s", "gain"], ["n"], name="norm", axis=-1, epsilon=0.25),
        onnx.helper.make_node("Dropout", ["n"], ["y"], name="drop"),
    ]
    x, y = (onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in "xy")
    gain = onnx.numpy_helper.from_array(np.arange(5, dtype=np.float32), "gain")
    imports = [onnx.helper.make_opsetid("", 17), onnx.helper.make_opsetid("some.where", 3)]
    model = onnx.helper.make_model(onnx.helper.make_graph(nodes, "g", [x], [y], [gain]), opset_imports=imports)
    onnx.save(model, tmp_path / "m.onnx")
    call(tmp_path, "m.onnx", "o.onnx", "-q")
    secret, norm, *_ = onnx.load(tmp_path / "o.onnx").graph.node
    assert (secret.op_type, secret.domain) == ("Secret", "some.where")
    assert norm.op_type == "LayerNormalization" and norm.input == [secret.output[0], "gain"]
    assert {a.name: onnx.helper.get_attribute_value(a) for a in norm.attribute} == {"axis": -1, "epsilon": 0.25}
    _, problems = call(tmp_path, "m.onnx", "old.onnx", "--opset", "13", code=1)
    assert "'norm'" in problems and "in opset 17" in problems and not (tmp_path / "old.onnx").exists()


def test_batch(tmp_path):
    put(tmp_path, "in.onnx", bad_models.good)
    (tmp_path / "lines").write_text("in.onnx 'o ut.onnx'\nin.onnx 'out\nnothing.onnx out.onnx\nops --json\n")
    out, err = call(tmp_path, "batch", "lines")
    lines = [line.split("\t") for line in out.splitlines()]
    assert lines == [
        ["0", "ok"],
        ["2", "a quotation mark ' is not closed"],
        ["4", "cannot open 'nothing.onnx': No such file or directory"],
        ["0", "ok"],
    ]
    assert err == "" and (tmp_path / "o ut.onnx").exists()


def test_ops_come_from_the_tables(tmp_path):
    listed = json.loads(call(tmp_path, "ops", "--json")[0])
    relu = next(one for one in listed["operators"] if (one["domain"], one["type"]) == ("", "Relu"))
    assert relu["read"] == list(range(1, 25)) and relu["ops"] == ["relu"]
    assert next(one for one in listed["ops"] if one["op"] == "relu")["written"] == list(range(9, 25))
    assert "Relu" in call(tmp_path, "ops", "--format", "onnx")[0]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completions_are_scripts(tmp_path, shell):
    script = tmp_path / "script"
    script.write_text(call(tmp_path, "completions", shell)[0])
    assert "opset" in script.read_text() and "inspect" in script.read_text()
    if shutil.which(shell):
        subprocess.run([shell, "-n", script], check=True)


def test_bash_completes(tmp_path):
    script = tmp_path / "script"
    script.write_text(call(tmp_path, "completions", "bash")[0])

    def complete(*words):
        line = " ".join(f"'{word}'" for word in words)
        command = f'source {script}; COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _remodel; printf "%s\\n" "${{COMPREPLY[@]}}"'
        return subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True, cwd=tmp_path).stdout.split()

    assert complete("remodel", "a", "--ops") == ["--opset"]
    assert "--graph" in complete("remodel", "inspect", "--")
    assert complete("remodel", "insp") == ["inspect"]
    assert "onnx" in complete("remodel", "a", "--from", "on")


def test_help_and_version(tmp_path):
    out, _ = call(tmp_path, "--help")
    assert "--input-shape" in out and "Examples:" in out and max(map(len, out.splitlines())) <= 120
    for command in ("run", "verify", "inspect", "ops", "completions", "batch"):
        assert f"remodel {command}" in call(tmp_path, command, "--help")[0]
    assert call(tmp_path, "--version")[0].startswith("remodel ")


def test_the_readme_is_true(tmp_path):
    readme = (remodel.ROOT / "README.md").read_text()
    said = "".join(call(tmp_path, *command, "--help")[0] for command in ([], ["run"], ["verify"], ["inspect"], ["ops"]))
    options = set(re.findall(r"--[a-z][a-z-]*", readme)) - {"--help"}
    assert len(options) > 5 and all(re.search(rf"^ .*{option}\b", said, re.MULTILINE) for option in options)
    codes = lambda text: re.findall(r"(\d+) ([a-z/ ]+)", text[text.index("0 done") :].split(".")[0].replace("\n", " "))
    assert codes(readme) == codes(said) and len(codes(said)) == 7

    jobs = "\n".join(line[4:] for line in re.search(r"^    \[\n(    .*\n)+", readme, re.MULTILINE)[0].splitlines())
    put(tmp_path, "model.onnx", bad_models.two_layers)
    out, _ = call(tmp_path, "-d", jobs.replace("conv5", "hidden"))
    assert [line.split()[1] for line in out.splitlines()[1:]] == ["done", "done", "skipped"]
    assert onnx.load(tmp_path / "head.onnx").opset_import[0].version == 13


def test_a_terminal_gets_colours_and_a_live_line(tmp_path):
    put(tmp_path, "in.onnx", bad_models.good)
    leader, follower = pty.openpty()
    environment = {**os.environ, "TERM": "xterm"}
    environment.pop("NO_COLOR", None)
    with subprocess.Popen([PROGRAM, "in.onnx", "out.onnx"], cwd=tmp_path, stdout=follower, stderr=follower, stdin=subprocess.DEVNULL, env=environment) as process:
        os.close(follower)
        said = b""
        while True:
            try:
                part = os.read(leader, 4096)
            except OSError:
                break
            if not part:
                break
            said += part
    os.close(leader)
    assert process.returncode == 0
    assert b"reading in.onnx" in said and b"\x1b[32mverified\x1b[0m" in said


def test_standard_output_that_is_full(tmp_path):
    put(tmp_path, "in.onnx", bad_models.good)
    with open("/dev/full", "w") as full:
        done = subprocess.run([PROGRAM, "ops"], stdout=full, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    assert done.returncode == 4 and b"cannot write to standard output: No space left on device" in done.stderr


def test_memory_that_runs_out(tmp_path):
    """Under a limit on addresses, allocation fails: the old result stays and the exit code says so."""
    weight = onnx.numpy_helper.from_array(np.ones((1, 4096), np.float32), "w")
    nodes = [onnx.helper.make_node("MatMul", ["x", "w"], ["y"], name="outer")]
    model = bad_models.build(nodes, [bad_models.info("x", [60000, 1])], [bad_models.info("y", [60000, 4096])], [weight])
    (tmp_path / "in.onnx").write_bytes(model)
    old = put(tmp_path, "out.onnx", bad_models.good).read_bytes()
    done = subprocess.run(
        ["bash", "-c", f"ulimit -v 600000; exec '{PROGRAM}' in.onnx out.onnx -q -j 1"], cwd=tmp_path, capture_output=True, stdin=subprocess.DEVNULL
    )
    assert done.returncode in (0, 4), done.stderr
    if done.returncode == 4:
        assert b"not enough memory" in done.stderr
        assert (tmp_path / "out.onnx").read_bytes() == old
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.onnx", "out.onnx"]
