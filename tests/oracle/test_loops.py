"""Loops whose rows have lengths, and loops that count for themselves: rewritten, written and run by ONNX Runtime."""

import json
import subprocess

import numpy as np
import onnx
import onnx.parser
import onnxruntime
import pytest

import remodel

HEAD = '<ir_version: 7, opset_import: ["": %d]>'

MASKED = """
masked (float[T,N,3] x, %(lengths)s[N] lengths, float[N,2] h0, float[2,N] k0) => (float[N,2] h, float[2,N] k, float[T,N,2] ys, float[T,N,2] held)
<float[3,2] w = {0.3, -0.7, 1.1, 0.2, -0.4, 0.9}, float[2,2] r = {0.5, -0.3, 0.8, 0.1}, float none = {0}, int64[1] first = {0}, bool yes = {1}, int64[1] at1 = {1}>
{
  shape = Shape (x)
  steps = Gather (shape, first)
  h, k, ys, held = Loop <body = step (int64 t, bool go, float[N,2] hin, float[2,N] kin) => (bool more, float[N,2] hout, float[2,N] kout, float[N,2] y, float[N,2] hold) {
    xt = Gather <axis = 0> (x, t)
    a = MatMul (xt, w)
    b = MatMul (hin, r)
    c = Add (a, b)
    h2 = Tanh (c)
    %(mask)s
    rows = Unsqueeze %(axes)s
    hout = Where (rows, %(kept)s)
    zeros = Mul (h2, none)
    y = Where (rows, %(shown)s)
    hold = Identity (hout)
    ht = Transpose <perm = [1, 0]> (h2)
    k2 = Add (kin, ht)
    kout = Where (within, %(counted)s)
    more = Identity (go)
  }> (steps, yes, h0, k0)
}
"""

# How frameworks say that a row is before or behind its end.
MASKS = {
    "less": ("within = Less (tt, lengths)", True),
    "greater": ("within = Greater (lengths, tt)", True),
    "greater or equal": ("within = GreaterOrEqual (tt, lengths)", False),
    "not less": ("before = Less (tt, lengths)\n    within = Not (before)", False),
}

SCAN = """
scanned (float[N,T] x, int32[N] lengths, float[N] sum0) => (float[N] sum, float[N,T] sums)
<int32 zero = {0}, int32 one = {1}, float none = {0}>
{
  last, sum, sums = Scan <num_scan_inputs = 1, scan_input_axes = [1], scan_input_directions = [1], scan_output_axes = [1], scan_output_directions = [1], body = step (int32 i, float[N] a, float[N] xt) => (int32 i2, float[N] a2, float[N] y) {
    i2 = Add (i, one)
    b = Add (a, xt)
    past = LessOrEqual (lengths, i)
    a2 = Where (past, a, b)
    y = Where (past, none, b)
  }> (zero, sum0, x)
}
"""

WHILE = """
counted (float[5,N] x, int32 n, int32 most) => (int32 last, float[N] sum)
<int32 zero = {0}, int32 one = {1}, float[1] none = {0}>
{
  shape = Shape <start = 1> (x)
  first = Expand (none, shape)
  below = Less (zero, n)
  allowed = Less (zero, most)
  go = And (below, allowed)
  last, sum = Loop <body = step (int64 t, bool go_in, int32 i, float[N] a) => (bool more, int32 i2, float[N] b) {
    xt = Gather <axis = 0> (x, i)
    b = Add (a, xt)
    i2 = Add (i, one)
    m = Less (i2, n)
    l = Less (i2, most)
    more = And (m, l)
  }> (, go, zero, first)
}
"""


def model(text, opset):
    made = onnx.parser.parse_model(HEAD % opset + text)
    onnx.checker.check_model(made, full_check=True)
    return made


def masked(mask, lengths, opset):
    line, within = MASKS[mask]
    cast = "tt = Identity (t)" if lengths == "int64" else "tt = Cast <to = 6> (t)"
    pair = lambda a, b: f"{a}, {b}" if within else f"{b}, {a}"
    parts = {
        "lengths": lengths,
        "mask": f"{cast}\n    {line}",
        "axes": "(within, at1)" if opset >= 13 else "<axes = [1]> (within)",
        "kept": pair("h2", "hin"),
        "shown": pair("h2", "none"),
        "counted": pair("k2", "kin"),
    }
    return model(MASKED % parts, opset)


def check(tmp_path, made, feeds, options=()):
    """The written file gives what the source gives; returns the names of the rules that fired."""
    onnx.save(made, tmp_path / "in.onnx")
    done = subprocess.run(
        [str(remodel.PROGRAM), str(tmp_path / "in.onnx"), str(tmp_path / "out.onnx"), "--json", *options],
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr.decode() + done.stdout.decode()
    onnx.checker.check_model(onnx.load(tmp_path / "out.onnx"), full_check=True)
    before, after = (onnxruntime.InferenceSession(tmp_path / name) for name in ("in.onnx", "out.onnx"))
    for feed in feeds:
        for expected, found in zip(before.run(None, feed), after.run(None, feed), strict=True):
            assert expected.dtype == found.dtype and expected.shape == found.shape
            span = np.ptp(expected) or 1
            assert np.max(np.abs(expected - found), initial=0) <= 1e-5 * span
    return {rule["name"] for rule in json.loads(done.stdout)["rules"]}


def rows(rng, steps, batch, lengths, dtype):
    return {
        "x": rng.standard_normal((steps, batch, 3), np.float32),
        "lengths": np.array(lengths, dtype),
        "h0": rng.standard_normal((batch, 2), np.float32),
        "k0": rng.standard_normal((2, batch), np.float32),
    }


@pytest.mark.parametrize("lengths", ["int64", "int32"])
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("opset, written", [(17, 17), (13, 13), (17, 21), (17, 12)])
def test_lengths_survive(tmp_path, mask, lengths, opset, written):
    rng = np.random.default_rng(3)
    feeds = [
        rows(rng, 4, 3, [4, 0, 2], lengths),
        rows(rng, 1, 2, [1, 1], lengths),
        rows(rng, 3, 2, [7, 1], lengths),
    ]
    rules = check(tmp_path, masked(mask, lengths, opset), feeds, ["--opset", str(written)])
    assert "masked update into lengths" in rules


@pytest.mark.parametrize("written", [12, 17])
def test_a_scan_that_counts_has_lengths(tmp_path, written):
    rng = np.random.default_rng(4)
    feeds = [
        {
            "x": rng.standard_normal((3, steps), np.float32),
            "lengths": np.array([steps, 0, 1], np.int32),
            "sum0": rng.standard_normal(3, np.float32),
        }
        for steps in (4, 1)
    ]
    rules = check(tmp_path, model(SCAN, 17), feeds, ["--opset", str(written)])
    assert {"counter into step", "masked update into lengths"} <= rules


@pytest.mark.parametrize("written", [12, 17])
def test_a_while_loop_has_a_count(tmp_path, written):
    rng = np.random.default_rng(5)
    feeds = [
        {"x": rng.standard_normal((5, 2), np.float32), "n": np.array(n, np.int32), "most": np.array(most, np.int32)}
        for n, most in [(3, 9), (5, 4), (0, 2), (-2, 3), (4, -1), (5, 5)]
    ]
    rules = check(tmp_path, model(WHILE, 17), feeds, ["--opset", str(written)])
    assert {"counter into step", "condition into count"} <= rules
