"""Models that are well-formed and meant to do harm: every command answers, soon, with little memory and in words."""

import json
import os
import resource
import subprocess

import numpy as np
import onnx
import pytest

import hostile_models
import remodel

PROGRAM = str(remodel.PROGRAM.resolve())
SECONDS = 5  # of processor time, of one command
MEMORY = 512 << 20  # of addresses that are not the program's own

# What converting says, as a refusal or as the reason why the result was not run. None: it is converted and verified.
SAYS = {}


def limit():
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 1))


def call(folder, *arguments):
    done = subprocess.run(
        [PROGRAM, *arguments], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=120, preexec_fn=limit
    )
    assert done.returncode >= 0, f"{arguments[0]}: ended by signal {-done.returncode}"
    return done


@pytest.mark.parametrize("name", sorted(hostile_models.ALL))
def test_model_of_ill_will(name, tmp_path):
    (tmp_path / "in.onnx").write_bytes(hostile_models.ALL[name]())
    inspected = call(tmp_path, "inspect", "in.onnx")
    assert inspected.returncode in (0, 1), inspected.stderr
    converted = call(tmp_path, "in.onnx", "out.onnx", "--json", "--time-limit", "1")
    report = json.loads(converted.stdout)
    assert converted.returncode in (0, 1), report["errors"]
    if converted.returncode == 1:
        said = " ".join(report["errors"])
        assert inspected.returncode == 1 and not (tmp_path / "out.onnx").exists()
    else:
        said = " ".join(output.get("reason", "") for output in report["check"]["outputs"])
    assert report["peak_memory"] < MEMORY
    assert SAYS[name] in said, said
