"""What goes wrong in the middle: a full disk, a kill, no memory. The old output stays, or the new one is complete."""

import os
import random
import resource
import signal
import subprocess
import time

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

import bad_models
import remodel

PROGRAM = str(remodel.PROGRAM.resolve())


def model_of(megabytes):
    """One layer whose weights are this large."""
    rows = megabytes * (1 << 20) // 4096
    weight = numpy_helper.from_array(np.random.default_rng(1).normal(size=(1024, rows)).astype(np.float32), "w")
    nodes = [helper.make_node("MatMul", ["x", "w"], ["h"], name="dense"), helper.make_node("Relu", ["h"], ["y"], name="act")]
    return bad_models.build(nodes, [bad_models.info("x", [1, 1024])], [bad_models.info("y", [1, rows])], [weight])


def start(folder, *options, limits=(), target="out.onnx"):
    def limit():
        for kind, value in limits:
            resource.setrlimit(kind, (value, value))

    command = [PROGRAM, "in.onnx", target, "-q", "-j", "2", *options]
    return subprocess.Popen(
        command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=limit
    )


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "in.onnx"}


@pytest.fixture(scope="module")
def conversion(tmp_path_factory):
    """A model, what stood in the place of its result, and what a run to its end leaves there, by its options."""
    folder = tmp_path_factory.mktemp("conversion")
    (folder / "in.onnx").write_bytes(model_of(24))
    old = {"out.onnx": bad_models.good(), "out.onnx.data": b"the weights of something else"}
    new, seconds = {}, {}
    for options in ((), ("--external-data",)):
        reset(folder, old)
        begin = time.monotonic()
        process = start(folder, *options)
        assert process.wait() == 0, process.stderr.read()
        seconds[options] = time.monotonic() - begin
        new[options] = contents(folder)
    return folder, old, new, seconds


def reset(folder, files):
    for path in folder.iterdir():
        if path.name != "in.onnx":
            path.unlink()
    for name, data in files.items():
        (folder / name).write_bytes(data)


@pytest.mark.parametrize("options", [(), ("--external-data",)], ids=["one-file", "two-files"])
def test_disk_that_fills_up(conversion, options):
    folder, old, new, _ = conversion
    largest = max(map(len, new[options].values()))
    for size in (0, 1, 4096, largest // 2, largest - 1):
        reset(folder, old)
        process = start(folder, *options, limits=[(resource.RLIMIT_FSIZE, size)])
        _, said = process.communicate(timeout=60)
        assert process.returncode == 4 and b"File too large" in said, (size, process.returncode, said)
        assert contents(folder) == old, size


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_end_that_is_asked_for(conversion, name):
    folder, old, new, seconds = conversion
    pick = random.Random(name)
    for _ in range(8):
        reset(folder, old)
        process = start(folder)
        time.sleep(pick.uniform(0, seconds[()]))
        process.send_signal(getattr(signal, name))
        process.communicate(timeout=60)
        assert process.returncode in (0, -getattr(signal, name))
        assert contents(folder) in (old, new[()]), "nothing partial, no temporary file"


@pytest.mark.parametrize("options", [(), ("--external-data",)], ids=["one-file", "two-files"])
def test_kill(conversion, options):
    """Nobody can tidy up behind itself then, but whatever bears the output's name is whole."""
    folder, old, new, seconds = conversion
    pick = random.Random(str(options))
    for _ in range(12):
        reset(folder, old)
        process = start(folder, *options)
        time.sleep(pick.uniform(0, seconds[options]))
        process.kill()
        process.communicate(timeout=60)
        left = contents(folder)
        for place in ("out.onnx", "out.onnx.data"):
            assert left[place] in (old[place], new[options].get(place)), place
        assert all(name in old or (name.startswith(".remodel-") and name.endswith(".tmp")) for name in left)


def test_memory_that_is_refused(conversion):
    """Whatever allocation fails first."""
    folder, old, new, _ = conversion
    codes = set()
    for megabytes in (12, 16, 20, 24, 28, 32, 40, 48, 56, 64, 72, 80, 88, 96, 112, 128, 160, 192, 256, 384, 1024):
        reset(folder, old)
        process = start(folder, limits=[(resource.RLIMIT_AS, megabytes << 20)])
        _, said = process.communicate(timeout=60)
        if process.returncode == 127 or b"error while loading shared libraries" in said:
            continue  # there is not even room for the program
        codes.add(process.returncode)
        assert process.returncode in (0, 4), (megabytes, process.returncode, said)
        assert contents(folder) == (new[()] if process.returncode == 0 else old), megabytes
        assert process.returncode == 0 or b"memory" in said, (megabytes, said)
    assert codes == {0, 4}, "some limits are too low and some are not"
